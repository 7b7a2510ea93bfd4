"""The server of one project: the guard before it, its answers, and what is told to pages that listen.

Everything is below `/TOKEN/`, on 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio.to_thread
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Mount
from starlette.types import ASGIApp

from datakit.errors import DatakitError, UsageError

from .api import Api
from .guard import Guard
from .hub import Hub
from .jobs import Event, file_error
from .masker import Masker
from .project import DrawnMeanwhile, Project
from .session import Session

THREADS = 4  # that decode and write at once
LOOKED_EVERY = 1.0  # seconds, for what another session has written

logger = logging.getLogger(__name__)


def make_app(project: Project, masker: Masker | None, token: str) -> ASGIApp:
    """The server of one project.

    Args:
        project: what is annotated.
        masker: the network; None where the project is only looked at.
        token: first part of every address.
    """
    hub = Hub()
    session = Session(project, masker, hub.tell)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        async with hub.open(), watched(session, hub.tell):
            yield
        session.end()

    api = Api(session, hub)
    errors: Any = {
        LookupError: lambda _request, _error: JSONResponse({"error": "not found"}, 404),
        DrawnMeanwhile: lambda _request, error: JSONResponse({"error": str(error)}, 409),
        UsageError: lambda _request, error: JSONResponse({"error": str(error)}, 400 if project.writes else 403),
        DatakitError: lambda _request, error: JSONResponse({"error": str(error)}, 500),
        OSError: lambda _request, error: JSONResponse({"error": file_error(error)}, 500),
    }
    inner = [Mount(f"/{token}", routes=api.routes())]
    return Guard(Starlette(routes=inner, lifespan=lifespan, exception_handlers=errors), token)


@contextlib.asynccontextmanager
async def watched(session: Session, tell: Callable[[Event], None]) -> AsyncIterator[None]:
    """Meanwhile what others write is shown, where the project is only looked at; whoever writes is alone."""

    async def watch() -> None:
        while True:
            await asyncio.sleep(LOOKED_EVERY)
            try:
                await run_in_threadpool(session.look_again)
            except (DatakitError, OSError) as error:
                logger.warning(f"what is shown may be old: {error}")
                tell({"kind": "trouble", "message": f"What is shown may be old: {error}"})

    watching = None if session.project.writes else asyncio.create_task(watch())
    yield
    if watching is not None:
        watching.cancel()
