"""A server in a thread of this process, with a masker that needs no weights, and a plain client."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import uvicorn
from numpy.typing import NDArray

from pipelines.annotate.project import Project
from pipelines.annotate.run import _bound
from pipelines.annotate.runs import decode_runs, encode_runs
from pipelines.annotate.server import make_app
from tests.clips import Drifting

TOKEN = "token-of-a-test"


def wait(ask: Callable[[], Any], patience: float = 20) -> None:
    """Until something is so."""
    deadline = time.monotonic() + patience
    while not ask():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class DriftingMasker:
    """Masks that drift, and boxes filled; learning is told, step by step."""

    remembers, steps, remark = False, 3, ""

    def __init__(self, seconds: float = 0, steps: int | None = None):
        self.seconds = seconds  # that a frame takes
        self.learned = 0
        self.lessons: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]] = []  # the drawings it learned from last
        self.boxes: threading.Event | None = None  # when boxes are answered; None for at once
        self._steps = None if steps is None else threading.Semaphore(steps)  # that may be made

    @property
    def name(self) -> str:
        """As `Masker.name`."""
        return f"drifting+{self.learned}" if self.learned else "drifting"

    def learn(self, drawings: Any, left: Callable[[int], None]) -> None:
        """As `Masker.learn`, in three steps."""
        for each in (2, 1, 0):
            time.sleep(self.seconds)
            if self._steps is not None:
                self._steps.acquire()
            left(each)
        self.lessons, self.learned = list(drawings), len(drawings)

    def forget(self) -> None:
        """As `Masker.forget`."""
        self.learned = 0

    def allow(self, steps: int) -> None:
        """Let so many more frames be made."""
        assert self._steps is not None
        self._steps.release(steps)

    def fresh(self, close: bool) -> Drifting:
        """As `Masker.fresh`."""
        made, step = Drifting(), Drifting.step

        def slow(*arguments: Any) -> NDArray[np.uint8]:
            time.sleep(self.seconds)
            if self._steps is not None:
                self._steps.acquire()
            return step(made, *arguments)

        made.step = slow  # type: ignore[method-assign]
        return made

    def box(self, image: NDArray[np.uint8], number: int, box: Any) -> NDArray[np.uint8]:
        """As `Masker.box`."""
        if self.boxes is not None:
            self.boxes.wait(20)
        return Drifting().box_mask(image, {number: box})


class Served:
    """A server that runs, and what it answers."""

    def __init__(self, port: int):
        self.port, self.base = port, f"/{TOKEN}"

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://127.0.0.1:{self.port}{self.base}/"

    def ask(self, method: str, path: str, body: Any = None, headers: Any = None, raw: bool = False) -> Any:
        """Status, headers and body of an answer; `path` as it is where `raw`, else below the token."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body)
        given = headers or {}
        connection.putrequest(method, path if raw else self.base + path, skip_host="Host" in given)
        for name, value in {"Content-Length": str(len(data or b"")), **given}.items():
            connection.putheader(name, value)
        connection.endheaders(data.encode() if isinstance(data, str) else data)
        answer = connection.getresponse()
        found = answer.status, dict(answer.headers), answer.read()
        connection.close()
        return found

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """An answer that must be good."""
        status, _, data = self.ask(method, path, body)
        assert status == 200, data
        return json.loads(data)

    def mask(self, place: int) -> NDArray[np.uint8]:
        """The label map of a picture."""
        _, headers, data = self.ask("GET", f"/mask/{place}")
        return decode_runs(data, tuple(json.loads(headers["x-mask"])["size"]))

    def draw(self, place: int, labels: NDArray[np.uint8]) -> Any:
        """Draw."""
        return self.json("PUT", f"/mask/{place}", encode_runs(labels))

    def live(self, **how: Any) -> Any:
        """A web socket that hears what the page hears."""
        import websocket  # of the extra `dev`

        return websocket.create_connection(f"ws://127.0.0.1:{self.port}{self.base}/live", timeout=10, **how)

    def until_done(self, patience: float = 20) -> Any:
        """Wait for the job; its last report."""
        deadline = time.monotonic() + patience
        while (job := self.json("GET", "/state")["job"]).get("state") == "running":
            assert time.monotonic() < deadline, job
            time.sleep(0.02)
        return job


@contextlib.contextmanager
def serving(project: Project, masker: Any = None, port: int = 0) -> Iterator[Served]:
    """A server of a project while the body runs."""
    with _bound(port) as bound:
        app = make_app(project, masker, TOKEN)
        config = uvicorn.Config(app, log_level="warning", lifespan="on", ws="websockets-sansio")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        yield Served(bound.getsockname()[1])
        server.should_exit = True
        thread.join(15)
