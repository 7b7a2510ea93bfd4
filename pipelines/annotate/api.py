"""What each address of the server answers: the page's files, pictures, masks, changes, jobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from datakit.errors import UsageError

from .hub import Hub
from .runs import decode_runs, encode_runs
from .session import Session

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
        settled, base = _numbers(request.query_params.get("settled")), request.query_params.get("base")

        def draw() -> None:
            labels = decode_runs(data, self._session.project.media.size(place))
            self._session.draw(place, labels, settled, base)

        return self._changed(await run_in_threadpool(self._kept, place, draw), place)

    async def undraw(self, request: Request) -> Response:
        """Take a drawing back."""
        place, base = self._place(request), request.query_params.get("base")
        undraw = partial(self._session.project.undraw, place, base)
        return self._changed(await run_in_threadpool(self._kept, place, undraw), place)

    def _kept(self, place: int, change: Callable[[], None]) -> dict[str, Any]:
        """Change a drawing; what it is then, whatever another page does meanwhile."""
        project = self._session.project
        with project.lock:
            change()
            about = {"version": project.version(place), "drawing": project.drawing(place)}
        return {**about, **self._session.changes()}

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
