"""Sources copied to a store, the requests that are made of it, and a web server of a folder."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from datakit import places, stores
from datakit.places import Place


def copied(root: Path, place: Place) -> Place:
    """The address of a folder or file whose files, and for a file those of its set, were put below a place."""
    home = root.parent if root.is_dir() else root.parent.parent.parent
    for path in sorted((root if root.is_dir() else root.parent.parent).rglob("*")):
        if path.is_file():
            places.write_bytes(place / path.relative_to(home).as_posix(), path.read_bytes())
    return place / root.relative_to(home).as_posix()


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The address that every request of a store is about, from now on."""
    made: list[str] = []
    patiently = stores.patiently

    def counting(call: Callable[[], Any], place: Place) -> Any:
        made.append(str(place))
        return patiently(call, place)

    monkeypatch.setattr(places, "patiently", counting)
    return made


class _Quiet(SimpleHTTPRequestHandler):
    """Gives files, and lists of folders unless they are private."""

    private = False

    def list_directory(self, path: Any) -> Any:
        if not self.private:
            return super().list_directory(path)
        self.send_error(403)
        return None

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def web_server(folder: Path, private: bool = False) -> Iterator[str]:
    """A web server of a folder on this machine; its address."""
    handler = type("Handler", (_Quiet,), {"private": private})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def failing(monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], error: Exception, after: int = 0) -> None:
    """From now on the store in memory fails by these methods, but for their first so many calls together."""
    from fsspec.implementations.memory import MemoryFileSystem

    calls = iter(range(after))

    def wrapped(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if next(calls, None) is None:
                raise error
            return method(*arguments, **options)

        return call

    for name in names:
        monkeypatch.setattr(MemoryFileSystem, name, wrapped(getattr(MemoryFileSystem, name)))
