"""Work in the background, one job at a time: it tells how far it is, and stops between two pictures."""

from __future__ import annotations

import logging
import math
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from datakit.errors import DatakitError, UsageError

Event = dict[str, Any]
Tell = Callable[[Event], None]
TOLD_EVERY = 0.1  # seconds between two reports of progress
PATIENCE = 10  # seconds for something small to end
RECENT, LEAST = 10, 3  # steps whose seconds tell what the others take: at most, at least
CALLED = {"propagate": "Propagation", "learn": "Learning", "forget": "Forgetting", "export": "An export"}

logger = logging.getLogger(__name__)


class StopJob(Exception):
    """Raised inside a job that was asked to stop."""


class Advance(Protocol):
    """What a job calls after each of its steps."""

    def __call__(self, left: int, event: Event | None = None) -> None:
        """Tell how many steps are left, and what there is to be told of this one; one that leaves no fewer is none.

        Raises:
            StopJob: the job is to end here.
        """


Work = Callable[[Advance], None]


class Jobs:
    """Runs one job in a thread.

    Args:
        tell: gets every event; called from that thread.

    Attributes:
        state: the last report: `job` its name, `state` one of running, done, stopped and failed, `done`, `left`,
            `seconds_left`, and `message` where there is something to say; empty before the first.
    """

    def __init__(self, tell: Tell):
        self._tell = tell
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self.state: Event = {}

    @property
    def running(self) -> bool:
        """Whether a job is under way."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, name: str, work: Work, end: Callable[[], Event]) -> None:
        """Begin a job.

        Args:
            name: of it.
            work: does it.
            end: gives the event to tell when it is over, however it ended.

        Raises:
            UsageError: one is running.
        """
        with self._lock:
            if self.running:
                raise UsageError(f"{CALLED[self.state['job']]} is running: stop it first, or wait.")
            self._stopping.clear()
            self.state = {"kind": "job", "job": name, "state": "running", "done": 0, "left": 0, "seconds_left": None}
            self._tell(self.state)
            self._thread = threading.Thread(target=self._run, args=(name, work, end), daemon=True, name=name)
            self._thread.start()

    def stop(self, wait: float = 0) -> None:
        """Have the job stop after the picture it is at; wait so many seconds for it."""
        self._stopping.set()
        if wait and self._thread is not None:
            self._thread.join(wait)

    def wait(self) -> None:
        """Until nothing runs."""
        if self._thread is not None:
            self._thread.join()

    def _run(self, name: str, work: Work, end: Callable[[], Event]) -> None:
        outcome: Event = {"state": "done", "left": 0}
        try:
            work(_Counter(self._advance))
        except StopJob:
            outcome = {"state": "stopped"}
        except DatakitError as error:
            outcome = {"state": "failed", "message": str(error)}
        except OSError as error:
            outcome = {"state": "failed", "message": file_error(error, name)}
        except Exception as error:  # a thread that dies says nothing to anybody
            logger.exception(f"{name} failed")
            outcome = {"state": "failed", "message": f"{name} failed: {error!r}"}
        self._tell(end())
        self.state = {**self.state, "seconds_left": None, **outcome}
        self._tell(self.state)

    def _advance(self, counter: _Counter, left: int, event: Event | None) -> None:
        if event is not None:
            self._tell(event)
        if counter.is_due():
            seconds = None if counter.each is None else round(counter.each * left, 1)
            self.state = {**self.state, "done": counter.done, "left": left, "seconds_left": seconds}
            self._tell(self.state)
        if self._stopping.is_set():
            raise StopJob


class WhenQuiet:
    """Does something small, in a thread of its own, once nobody has asked for anything for a moment; one at a time.

    Args:
        seconds: of quiet.
    """

    def __init__(self, seconds: float):
        self._seconds, self._working = seconds, threading.Lock()
        self._timer: threading.Timer | None = None  # the last one; those before do nothing any more

    def ask(self, work: Callable[[Callable[[], bool]], None]) -> None:
        """Do this, and nothing that was asked for before and has not begun.

        Args:
            work: is given what says whether it is still wanted.
        """
        timer = threading.Timer(self._seconds, lambda: self._run(lambda: self._timer is timer, work))
        timer.daemon = True
        self._timer = timer
        timer.start()

    def _run(self, wanted: Callable[[], bool], work: Callable[[Callable[[], bool]], None]) -> None:
        with self._working:
            if wanted():
                work(wanted)

    def end(self) -> None:
        """Do nothing that has not begun, and wait for what has, for a while."""
        self._timer = None
        if self._working.acquire(timeout=PATIENCE):
            self._working.release()

    def wait(self) -> None:
        """Until what was asked for is done."""
        if self._timer is not None:
            self._timer.join()


def file_error(error: OSError, name: str = "this machine") -> str:
    """What a file or disk refused, in words: its name, or that of what was tried, and why."""
    return f"{error.filename or name}: {error.strerror or error}"


class _Counter:
    """Steps of a job: how many, and how long one takes."""

    def __init__(self, advance: Callable[[_Counter, int, Event | None], None]):
        self._advance = advance
        self.done = 0
        self._seconds: deque[float] = deque(maxlen=RECENT)
        self._left, self._last, self._told = math.inf, time.monotonic(), 0.0

    def __call__(self, left: int, event: Event | None = None) -> None:
        """As `Advance`."""
        now = time.monotonic()
        if left < self._left:
            self.done += 1
            if self.done > 1:  # the first has to prepare
                self._seconds.append(now - self._last)
        self._left, self._last = left, now
        self._advance(self, left, event)

    @property
    def each(self) -> float | None:
        """Seconds of a step, the mean of the last; None before there are some."""
        return statistics.fmean(self._seconds) if len(self._seconds) >= LEAST else None

    def is_due(self) -> bool:
        """Whether progress is to be told again."""
        now = time.monotonic()
        due = now - self._told >= TOLD_EVERY
        self._told = now if due else self._told
        return due
