"""The page's server on 127.0.0.1: it answers those who know its token and come from no other page.

Everything is below `/TOKEN/`. A request with another token, from another origin or to another host's name is refused
with 403 before it is looked at: other pages in the browser, and names that are made to point here, reach nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from importlib.resources import files
from typing import Any

import anyio.to_thread
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from datakit.errors import DatakitError, UsageError

from .jobs import Event, file_error
from .masker import Masker
from .project import Project
from .runs import decode_runs, encode_runs
from .session import Session

HOSTS = ("127.0.0.1", "localhost", "[::1]")
TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
}  # fmt: skip
MOST_BYTES = 100_000_000  # of a request
CHANGES = ("revision", "objects", "signs", "offer", "learned")  # of `Session.changes`
THREADS = 4  # that decode and write at once
LOOKED_EVERY = 1.0  # seconds, for what another session has written
BEHIND = 20_000  # events that a page may be behind before it has to begin anew

logger = logging.getLogger(__name__)


def new_token() -> str:
    """A token for one session."""
    return secrets.token_urlsafe(16)


class Guard:
    """Lets through what knows the token, is asked under a name of this machine, and by no other page."""

    def __init__(self, app: ASGIApp, token: str):
        self._app, self._token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI asks."""
        if scope["type"] == "lifespan" or self._is_ours(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse("403: open the address that the command printed\n", 403)(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        host = headers.get(b"host", b"")
        known = host.decode("latin-1").rpartition(":")[0] in HOSTS or host.decode("latin-1") in HOSTS
        same = headers.get(b"origin", b"http://" + host) == b"http://" + host
        asked_here = headers.get(b"sec-fetch-site", b"none") in (b"none", b"same-origin")
        token = str(scope["path"]).split("/")[1:2]
        return known and same and asked_here and hmac.compare_digest("".join(token).encode(), self._token)


class Hub:
    """Brings events from any thread to every page that listens."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queues: set[asyncio.Queue[Event | None]] = set()

    def tell(self, event: Event) -> None:
        """Send an event to all; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):  # the loop is closing
                self._loop.call_soon_threadsafe(self._put, event)

    def _put(self, event: Event | None) -> None:
        for queue in list(self._queues):
            if queue.qsize() < BEHIND:
                queue.put_nowait(event)
            else:
                self._queues.discard(queue)
                queue.put_nowait(None)  # its socket is closed, and the page begins anew

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """While the server runs."""
        self._loop = asyncio.get_running_loop()
        yield
        self._put(None)

    async def listen(self, socket: WebSocket) -> None:
        """Send events to a page until it goes."""
        await socket.accept()
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._queues.add(queue)
        sending = asyncio.create_task(self._send(socket, queue))
        try:
            while True:
                await socket.receive_text()  # a page says nothing; this ends when it goes
        except WebSocketDisconnect:
            pass
        finally:
            self._queues.discard(queue)
            sending.cancel()

    @staticmethod
    async def _send(socket: WebSocket, queue: asyncio.Queue[Event | None]) -> None:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            while (event := await queue.get()) is not None:
                await socket.send_text(json.dumps(event))
            await socket.close()


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
        session.jobs.stop(wait=10)

    api = Api(session, hub)
    errors: Any = {
        LookupError: lambda _request, _error: JSONResponse({"error": "not found"}, 404),
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


class Api:
    """What each address answers."""

    def __init__(self, session: Session, hub: Hub):
        self._session, self._hub = session, hub
        self._pages = {each.name: each for each in files(__package__).joinpath("page").iterdir() if each.is_file()}

    def routes(self) -> list[Route | WebSocketRoute]:
        """Below the token."""
        return [
            Route("/", self.index),
            Route("/page/{name}", self.page),
            Route("/state", self.state),
            Route("/photo/{place}", self.photo),
            Route("/thumb/{place}", self.thumb),
            Route("/mask/{place}", self.mask),
            Route("/mask/{place}", self.draw, methods=["PUT"]),
            Route("/mask/{place}", self.undraw, methods=["DELETE"]),
            Route("/box/{place}", self.box, methods=["POST"]),
            Route("/objects", self.objects, methods=["POST"]),
            Route("/at", self.leave_at, methods=["POST"]),
            Route("/propagate", self.propagate, methods=["POST"]),
            Route("/learn", self.learn, methods=["POST"]),
            Route("/forget", self.forget, methods=["POST"]),
            Route("/stop", self.stop, methods=["POST"]),
            Route("/export", self.export, methods=["POST"]),
            WebSocketRoute("/live", self._hub.listen),
        ]

    async def index(self, request: Request) -> Response:
        """The page."""
        return self._file("index.html")

    async def page(self, request: Request) -> Response:
        """A part of the page."""
        name = request.path_params["name"]
        if name not in self._pages or name == "index.html":
            raise HTTPException(404)
        return self._file(name)

    def _file(self, name: str) -> Response:
        kind = TYPES[name.rpartition(".")[2]]
        return Response(
            self._pages[name].read_bytes(), media_type=kind, headers={**HEADERS, "Cache-Control": "no-store"}
        )

    async def state(self, request: Request) -> Response:
        """All that the page begins with."""
        return _json(await run_in_threadpool(self._session.state))

    async def photo(self, request: Request) -> Response:
        """A picture; its address changes with the files that are annotated."""
        return await self._jpeg(request, self._session.photo)

    async def thumb(self, request: Request) -> Response:
        """A small picture with its masks; its address changes with them."""
        return await self._jpeg(request, self._session.thumb)

    async def _jpeg(self, request: Request, make: Callable[[int], bytes]) -> Response:
        data = await run_in_threadpool(make, self._place(request))
        headers = {**HEADERS, "Cache-Control": "private, max-age=86400, immutable"}
        return Response(data, media_type="image/jpeg", headers=headers)

    async def mask(self, request: Request) -> Response:
        """The runs of a label map; what is known of it stands in a header."""
        labels, about = await run_in_threadpool(self._session.mask, self._place(request))
        return _runs(await run_in_threadpool(encode_runs, labels), about)

    async def draw(self, request: Request) -> Response:
        """Keep a drawing; when this is answered it is on disk."""
        place, data = self._place(request), await _body(request)
        project, settled = self._session.project, _numbers(request.query_params.get("settled"))

        def keep() -> dict[str, Any]:
            project.draw(place, decode_runs(data, project.media.size(place)), settled)
            return {"version": project.version(place), **self._session.changes()}

        return self._changed(await run_in_threadpool(keep), place)

    async def undraw(self, request: Request) -> Response:
        """Take a drawing back."""
        place, project = self._place(request), self._session.project

        def take_back() -> dict[str, Any]:
            project.undraw(place)
            return {"version": project.version(place), **self._session.changes()}

        return self._changed(await run_in_threadpool(take_back), place)

    async def box(self, request: Request) -> Response:
        """The mask of an object in a box."""
        place, asked = self._place(request), await _asked(request)
        labels = await run_in_threadpool(self._session.box, place, asked.get("id"), asked.get("box", []))
        return _runs(encode_runs(labels), {})

    async def objects(self, request: Request) -> Response:
        """Add, name, remove or bring back an object."""
        asked, project = await _asked(request), self._session.project
        name, number = str(asked.get("name", "")), asked.get("id")

        def change() -> dict[str, Any]:
            made = None
            if asked.get("do") == "add":
                made = project.add_object(name)
            elif asked.get("do") == "name" and isinstance(number, int):
                project.name_object(number, name)
            elif asked.get("do") in ("remove", "restore") and isinstance(number, int):
                project.remove_object(number, asked["do"] == "remove")
            else:
                raise UsageError("objects: expected do = add, name, remove or restore, and an id")
            return {"id": made, **self._session.changes()}

        return self._changed(await run_in_threadpool(change))

    async def leave_at(self, request: Request) -> Response:
        """Remember which picture is looked at."""
        asked = await _asked(request)
        await run_in_threadpool(self._session.project.leave_at, self._session.place(str(asked.get("place"))))
        return _json({})

    async def propagate(self, request: Request) -> Response:
        """Begin to propagate."""
        asked = await _asked(request)
        at = self._session.place(str(asked.get("at", 0)))
        await run_in_threadpool(self._session.propagate, str(asked.get("direction")), at)
        return _json({})

    async def learn(self, request: Request) -> Response:
        """Begin to fit the network to the drawings."""
        await run_in_threadpool(self._session.learn)
        return _json({})

    async def forget(self, request: Request) -> Response:
        """Take the network as it was before."""
        await run_in_threadpool(self._session.forget)
        return _json({})

    async def stop(self, request: Request) -> Response:
        """Stop what runs."""
        self._session.jobs.stop()
        return _json({})

    async def export(self, request: Request) -> Response:
        """Begin to export."""
        formats = (await _asked(request)).get("formats")
        named = [str(each) for each in formats] if isinstance(formats, list) else []
        await run_in_threadpool(self._session.export, named)
        return _json({})

    def _place(self, request: Request) -> int:
        name = request.query_params.get("name")
        return self._session.place(request.path_params["place"]) if name is None else self._session.place_of(name)

    def _changed(self, answer: dict[str, Any], place: int | None = None) -> Response:
        """Answer one page, and tell the others."""
        if place is not None:
            self._hub.tell({"kind": "drawn", "place": place, "version": answer["version"]})
        self._hub.tell({"kind": "changes", **{key: answer[key] for key in CHANGES}})
        return _json(answer)


async def _body(request: Request) -> bytes:
    """All bytes of a request.

    Raises:
        HTTPException: it is too long.
    """
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > MOST_BYTES:
            raise HTTPException(413)
        parts.append(part)
    return b"".join(parts)


async def _asked(request: Request) -> dict[str, Any]:
    """The JSON object of a request.

    Raises:
        UsageError: it is none.
    """
    try:
        asked = json.loads(await _body(request) or b"{}")
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise UsageError("expected a JSON object")
    return asked


def _numbers(text: str | None) -> list[int] | None:
    """Ids such as `1,2`; None where nothing is said.

    Raises:
        UsageError: they are none.
    """
    try:
        return None if text is None else [int(each) for each in text.split(",") if each]
    except ValueError:
        raise UsageError(f"settled {text}: expected ids such as 1,2") from None


def _json(value: Any) -> Response:
    return JSONResponse(value, headers={**HEADERS, "Cache-Control": "no-store"})


def _runs(data: bytes, about: dict[str, Any]) -> Response:
    headers = {**HEADERS, "Cache-Control": "no-store", "X-Mask": json.dumps(about)}
    return Response(data, media_type="application/octet-stream", headers=headers)
