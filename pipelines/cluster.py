"""Run tasks one after the other, on processes of this machine, on jobs of a queueing system, or on a Dask cluster.

Dask lives here and in `dask_client` and nowhere else. Each worker has one task at a time, the others wait here,
so that a stop is prompt, the scheduler small and no task waits for one worker while another is idle.
The scheduler needs Dask alone: it unpickles every task, and finds `pickle.loads` and bytes there.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from datakit.errors import DatakitError
from datakit.extras import require
from datakit.tools import tool_versions

from .dask_client import dask_here, open_client, other_versions
from .interrupt import deferred
from .scaling import Scaling, WorkerRange
from .worker_watch import AbsenceMessages, Watch

logger = logging.getLogger(__name__)
Task = TypeVar("Task")
Result = TypeVar("Result")
LOST = object()  # instead of a result that went with its worker after the task was done: Dask makes it again
RESULT_S = 2.0  # how long a finished task's result, a few hundred bytes, may take to arrive
POLL_S = 0.2  # how long Ctrl-C may go unnoticed
UNREADABLE = "Error during deserialization of the task graph"  # how Dask's scheduler begins when it cannot read a task


def run_tasks(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    name: Callable[[Task], str],
    done: Callable[[Task, Result], Iterable[Task] | None],
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    adaptive: WorkerRange | None = None,
    scratch: Path | None = None,
    report: Path | None = None,
) -> None:
    """Run `function` over `tasks`, handing every result to `done` in this process as it comes.

    Args:
        function: importable by name on the workers.
        tasks: picklable.
        name: of a task, for messages.
        done: called with task and result; may give further tasks, which come next.
        jobs: worker processes; 1 runs here, without a cluster.
        scheduler: address of a Dask scheduler to use instead, or the name of a queueing system.
        adaptive: workers there may be, by the work left, instead of `jobs`. A cluster at an address follows by itself:
            it is handed so many tasks as there may be workers, which is how it sees that more are wanted.
        scratch: folder for the local cluster's own files.
        report: HTML file for Dask's performance report.

    Raises:
        KeyboardInterrupt: stopped; no task of ours runs on.
        DatakitError: a task killed its worker again and again, or the cluster cannot be used.
        Exception: whatever a task raised, after the others were stopped.
    """
    if not tasks:
        return
    workers = (adaptive or WorkerRange(jobs, jobs)).within(len(tasks))
    if scheduler is None and report is None and workers.most == 1:
        waiting = list(tasks)[::-1]
        while waiting:
            task = waiting.pop()
            waiting += done(task, function(task)) or ()
        return
    if report is not None:
        require("report", "--performance-report")
    with (
        _loss_told(),
        open_client(workers, scheduler, adaptive is not None, scratch, report is not None) as (client, scaling),
        _reported(report),
    ):
        crew = Crew(client, scheduler, scaling, workers.most if adaptive and scaling is None else 1)
        call = function if scheduler is None else Alike(function, tool_versions())
        _run(crew, call, tasks, name, done)


class Crew:
    """The workers of a cluster: how many tasks they can have, and what becomes of them meanwhile.

    Args:
        client: of the cluster.
        scheduler: as `run_tasks` takes it.
        scaling: of a cluster whose workers follow the work left.
        least: tasks handed in though there are fewer threads.
    """

    def __init__(self, client: Any, scheduler: str | None, scaling: Scaling | None = None, least: int = 1):
        self.client, self._scaling, self._least = client, scaling, least
        leaving = scaling is None and least > 1
        gone = scaling.let_go if scaling else ()
        self._watch = Watch(client.nthreads, AbsenceMessages.of(scheduler, leaving), logger.warning, let_go=gone)

    def look(self, left: int) -> int:
        """Tasks that may be handed in, as of a second ago at most: a cluster may grow and shrink.

        Tells of workers that went, and has more or fewer of them for so many tasks left.
        """
        if self._scaling is not None:
            self._scaling.follow(left)
        return max(self._watch.poll(), self._least)


@contextlib.contextmanager
def _loss_told() -> Iterator[None]:
    """Turn what Dask raises when its scheduler goes away, in whichever call, into one sentence."""
    from distributed.comm.core import CommClosedError

    try:
        yield
    except (CommClosedError, CancelledError) as error:
        raise DatakitError(
            "the Dask scheduler went away; what was finished is kept: run the same command again"
        ) from error


@dataclass(frozen=True)
class Alike:
    """A function for the workers of a foreign cluster, where one of other versions may join at any time.

    Attributes:
        function: importable by name.
        versions: of the tools here, as `tool_versions` gives them.
    """

    function: Callable[[Any], Any]
    versions: Mapping[str, str]

    def __call__(self, task: Any) -> Any:
        """What the function makes of a task.

        Raises:
            DatakitError: this process has other versions, so its bytes could be others.
        """
        if wrong := other_versions(tool_versions(), self.versions):
            raise DatakitError(f"a worker that joined later has other versions: {wrong}; install the same ones there")
        return self.function(task)


class _Call:
    """Unpickled, it is what `function` makes of `task`: so a task is `pickle.loads` of bytes, and the scheduler, which
    unpickles the task but not those bytes, needs nothing of ours. By the function's own name it would (Dask 2026.8)."""

    def __init__(self, function: Callable[[Any], Any], task: Any):
        self.function, self.task = function, task

    def __reduce__(self) -> tuple[Callable[[Any], Any], tuple[Any]]:
        return self.function, (self.task,)


def _run(crew: Crew, function: Any, tasks: Sequence[Any], name: Callable[[Any], str], done: Any) -> None:
    from distributed.protocol.pickle import dumps

    waiting = list(tasks)[::-1]
    running: dict[Any, Any] = {}
    with deferred() as stop:
        try:
            while waiting or running:
                # No more: Dask ties a task to a worker when it is submitted, and one that waited behind another was
                # left there for 0.8 s while its neighbour had nothing to do. Handing in the next takes milliseconds.
                room = crew.look(len(waiting) + len(running))
                while waiting and len(running) < room:
                    task = waiting.pop()
                    key = f"{name(task)}-{uuid.uuid4().hex}"
                    running[crew.client.submit(pickle.loads, dumps(_Call(function, task)), pure=False, key=key)] = task
                for future in _finished(list(running), stop, crew, len(waiting)):
                    result = _result(future, name(running[future]))
                    if result is not LOST:
                        waiting += done(running.pop(future), result) or ()
        finally:
            if running:
                with contextlib.suppress(OSError):  # the scheduler may be gone
                    crew.client.cancel(list(running))


def _finished(futures: list[Any], stop: threading.Event, crew: Crew, waiting: int) -> list[Any]:
    """Futures that are done; none of them when tasks wait and the cluster has grown."""
    from distributed import wait

    while True:
        if stop.is_set():
            raise KeyboardInterrupt
        with contextlib.suppress(TimeoutError):
            return list(wait(futures, timeout=POLL_S, return_when="FIRST_COMPLETED").done)
        if crew.look(waiting + len(futures)) > len(futures) and waiting:
            return []


def _result(future: Any, name: str) -> Any:
    from distributed import KilledWorker

    try:
        return future.result(timeout=RESULT_S)
    except TimeoutError:
        if future.status == "error":  # the task's own: a disk far away, perhaps
            raise
        return LOST
    except ImportError as error:
        raise DatakitError(
            f"{name}: a worker cannot load this package ({error}); install masktrack-datakit where it runs, "
            "then run the same command again: what was finished is kept"
        ) from error
    except RuntimeError as error:
        if not str(error).startswith(UNREADABLE):
            raise
        raise DatakitError(
            "the Dask scheduler cannot read what this version of Dask sends; "
            f"install the same there: pip install {dask_here()}"
        ) from error
    except KilledWorker as error:
        raise DatakitError(
            f"{name}: its worker died {error.allowed_failures + 1} times while making it (out of memory?); "
            "what was finished is kept: run the same command again, with fewer -j"
        ) from error


@contextlib.contextmanager
def _reported(report: Path | None) -> Iterator[None]:
    if report is None:
        yield
        return
    from distributed import performance_report

    report.parent.mkdir(parents=True, exist_ok=True)
    with performance_report(filename=str(report)):
        yield
