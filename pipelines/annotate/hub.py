"""Brings events from any thread to every page that listens."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

from starlette.websockets import WebSocket, WebSocketDisconnect

from .jobs import Event

BEHIND = 20_000  # events that a page may be behind before it has to begin anew


class Hub:
    """The pages that listen, each with a queue of its own."""

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
