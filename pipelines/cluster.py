"""Run tasks one after the other, on worker processes of this machine, or on a running Dask cluster.

Dask lives here and nowhere else. Each worker has one task at a time, the others wait here,
so that a stop is prompt, the scheduler small and no task waits for one worker while another is idle.
The scheduler needs Dask alone: it unpickles every task, and finds `pickle.loads` and bytes there.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import signal
import sys
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from datakit.errors import DatakitError
from datakit.extras import require
from datakit.tools import tool_versions

from .fork_server import ENVIRONMENT, METHOD, environment, interrupts_ignored, start_fork_server
from .interrupt import deferred
from .worker_watch import AbsenceMessages, Watch

logger = logging.getLogger(__name__)
Task = TypeVar("Task")
Result = TypeVar("Result")
CHATTY = ("distributed", "tornado", "bokeh", "asyncio")  # loggers of a cluster
QUICK = {
    # A hundred looks a second at the running task cost it 5 %, and only a performance report shows them.
    "distributed.worker.profile.enabled": False,
    # How late the worker's own loop is, asked every 20 ms and every time while the task waits: 2.5 % of a build.
    "distributed.admin.tick.interval": "2s",
    "distributed.admin.system-monitor.interval": "5s",
}
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
        scheduler: address of a Dask scheduler to use instead.
        scratch: folder for the local cluster's own files.
        report: HTML file for Dask's performance report.

    Raises:
        KeyboardInterrupt: stopped; no task of ours runs on.
        DatakitError: a task killed its worker again and again, or the cluster cannot be used.
        Exception: whatever a task raised, after the others were stopped.
    """
    if not tasks:
        return
    if scheduler is None and report is None and min(jobs, len(tasks)) == 1:
        waiting = list(tasks)[::-1]
        while waiting:
            task = waiting.pop()
            waiting += done(task, function(task)) or ()
        return
    if report is not None:
        require("report", "--performance-report")
    with (
        _loss_told(),
        _client(min(jobs, len(tasks)), scheduler, scratch, report is not None) as client,
        _reported(report),
    ):
        watch = Watch(client.nthreads, AbsenceMessages.of(scheduler), logger.warning)
        call = function if scheduler is None else Alike(function, tool_versions())
        _run(client, call, tasks, name, done, watch)


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
        if wrong := _other_versions(tool_versions(), self.versions):
            raise DatakitError(f"a worker that joined later has other versions: {wrong}; install the same ones there")
        return self.function(task)


class _Call:
    """Unpickled, it is what `function` makes of `task`: so a task is `pickle.loads` of bytes, and the scheduler, which
    unpickles the task but not those bytes, needs nothing of ours. By the function's own name it would (Dask 2026.8)."""

    def __init__(self, function: Callable[[Any], Any], task: Any):
        self.function, self.task = function, task

    def __reduce__(self) -> tuple[Callable[[Any], Any], tuple[Any]]:
        return self.function, (self.task,)


def _run(client: Any, function: Any, tasks: Sequence[Any], name: Callable[[Any], str], done: Any, watch: Watch) -> None:
    from distributed.protocol.pickle import dumps

    waiting = list(tasks)[::-1]
    running: dict[Any, Any] = {}
    with deferred() as stop:
        try:
            while waiting or running:
                # No more: Dask ties a task to a worker when it is submitted, and one that waited behind another was
                # left there for 0.8 s while its neighbour had nothing to do. Handing in the next takes milliseconds.
                window = max(sum(client.nthreads().values()), 1)  # a foreign cluster may grow and shrink
                while waiting and len(running) < window:
                    task = waiting.pop()
                    key = f"{name(task)}-{uuid.uuid4().hex}"
                    running[client.submit(pickle.loads, dumps(_Call(function, task)), pure=False, key=key)] = task
                room = len(running) if waiting else sys.maxsize
                watch.poll()  # tasks that are done at once leave no other time for it
                for future in _finished(list(running), stop, watch, room):
                    result = _result(future, name(running[future]))
                    if result is not LOST:
                        waiting += done(running.pop(future), result) or ()
        finally:
            if running:
                with contextlib.suppress(OSError):  # the scheduler may be gone
                    client.cancel(list(running))


def _finished(futures: list[Any], stop: threading.Event, watch: Watch, room: int) -> list[Any]:
    """Futures that are done; none of them when the cluster has grown to more than `room` threads."""
    from distributed import wait

    while True:
        if stop.is_set():
            raise KeyboardInterrupt
        with contextlib.suppress(TimeoutError):
            return list(wait(futures, timeout=POLL_S, return_when="FIRST_COMPLETED").done)
        if watch.poll() > room:
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
            f"install the same there: pip install {_dask_here()}"
        ) from error
    except KilledWorker as error:
        raise DatakitError(
            f"{name}: its worker died {error.allowed_failures + 1} times while making it (out of memory?); "
            "what was finished is kept: run the same command again, with fewer -j"
        ) from error


@contextlib.contextmanager
def _client(jobs: int, scheduler: str | None, scratch: Path | None, profiled: bool) -> Iterator[Any]:
    """A client of a cluster of our own, or of the one at `scheduler`, which is left as it was found."""
    from distributed import Client

    with _quiet():
        if scheduler is None:
            with _local_cluster(jobs, scratch, profiled) as cluster, Client(cluster) as client:
                client.register_plugin(_ignore_interrupts())
                yield client
            return
        try:
            client = Client(scheduler, timeout="10s")
        except (OSError, ValueError) as error:
            raise DatakitError(f"--scheduler {scheduler}: no Dask scheduler answers there ({error})") from error
        with client:
            check_workers(client, scheduler)
            yield client


@contextlib.contextmanager
def _local_cluster(jobs: int, scratch: Path | None, profiled: bool) -> Iterator[Any]:
    start_fork_server()
    import dask
    from distributed import LocalCluster

    # Dask's nannies would write such variables into this process; the fork server has them.
    ours = {"distributed.worker.multiprocessing-method": METHOD, "distributed.nanny.pre-spawn-environ": {}}
    # Until the end, since a nanny starts the worker that replaces a killed one by the same settings.
    with (
        dask.config.set(ours | ({} if profiled else QUICK)),
        environment({} if METHOD == "forkserver" else ENVIRONMENT),
    ):
        with interrupts_ignored():
            cluster = LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                dashboard_address=":0",
                silence_logs=logging.CRITICAL,
                local_directory=scratch,
            )
        with cluster:
            yield cluster


def _ignore_interrupts() -> Any:
    """A plugin that holds for workers a nanny restarts too: those would inherit our handler otherwise."""
    from distributed import WorkerPlugin

    class IgnoreInterrupts(WorkerPlugin):
        def setup(self, worker: Any) -> None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    return IgnoreInterrupts()


def _dask_here() -> str:
    return f"dask=={version('dask')} distributed=={version('distributed')}"


def check_workers(client: Any, scheduler: str) -> None:
    """Refuse a cluster whose workers would make other bytes.

    Raises:
        DatakitError: no worker, a worker without this package, or one with other versions.
    """
    try:
        found = client.run(tool_versions)
    except Exception as error:
        raise DatakitError(
            f"--scheduler {scheduler}: a worker cannot load this package ({error}); install masktrack-datakit there"
        ) from error
    if not found:
        raise DatakitError(f"--scheduler {scheduler}: it has no workers; start some with `dask worker {scheduler}`")
    here = tool_versions()
    for worker, there in sorted(found.items()):
        if wrong := _other_versions(there, here):
            raise DatakitError(f"worker {worker} has other versions: {wrong}; install the same ones")


def _other_versions(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """What differs, in words; empty where nothing does."""
    return ", ".join(
        f"{name} {there.get(name)} (here {version})" for name, version in here.items() if there.get(name) != version
    )


@contextlib.contextmanager
def _reported(report: Path | None) -> Iterator[None]:
    if report is None:
        yield
        return
    from distributed import performance_report

    report.parent.mkdir(parents=True, exist_ok=True)
    with performance_report(filename=str(report)):
        yield


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the cluster's own log lines off the terminal; what matters comes as an error of ours."""
    before = mute_dask()
    try:
        yield
    finally:
        for logger, level in before.items():
            logger.setLevel(level)


def mute_dask() -> dict[logging.Logger, int]:
    """Silence the loggers of Dask and of what it stands on, and no others; gives the levels they had.

    A command leaves it so after an error: Dask's background tasks complain of it until the process ends.
    """
    import distributed  # noqa: F401 (sets its loggers up when it is imported)

    names = [*CHATTY, *(name for name in logging.root.manager.loggerDict if name.startswith(CHATTY))]
    before = {logger: logger.level for logger in map(logging.getLogger, names)}
    for logger in before:
        logger.setLevel(logging.CRITICAL + 1)
    return before
