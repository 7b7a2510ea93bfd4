"""Work of seconds on a few processes of this machine.

A Dask cluster takes longer to start than such work takes at all; what runs for minutes, or on several
machines, is left to `cluster`.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

import cv2

from datakit.errors import DatakitError

from .fork_server import METHOD, interrupts_ignored, start_fork_server

Task = TypeVar("Task")
Result = TypeVar("Result")
AHEAD = 4  # tasks of a stream handed to each process: enough that none waits while this one makes the next


def map_on_processes(function: Callable[[Task], Result], tasks: Sequence[Task], jobs: int) -> Iterator[Result]:
    """Results of `function` in the order of `tasks`.

    Args:
        function: importable by name.
        tasks: picklable.
        jobs: processes; 1 works in this one.

    Raises:
        DatakitError: a process died.
        Exception: whatever a task raised.
    """
    jobs = min(jobs, len(tasks))
    if jobs <= 1:
        yield from map(function, tasks)
        return
    with _processes(jobs, function.__module__) as pool:
        with interrupts_ignored():  # handing in starts the processes
            results = pool.map(function, tasks)
        yield from results


def stream_on_processes(
    function: Callable[[Task], Result], tasks: Iterable[Task], jobs: int, module: str
) -> Generator[Result, None, None]:
    """Results of `function` in the order of `tasks`, which are taken as they are needed: memory stays flat.

    Args:
        function: picklable.
        tasks: picklable; made by this process, `AHEAD` for each of the others.
        jobs: processes; 1 works in this one.
        module: is imported once for all processes.

    Raises:
        DatakitError: a process died.
        Exception: whatever a task raised, or making one.
    """
    if jobs <= 1:
        yield from map(function, tasks)
        return
    waiting: deque[Future[Result]] = deque()
    with _processes(jobs, module) as pool:
        for task in tasks:
            with interrupts_ignored():
                waiting.append(pool.submit(function, task))
            if len(waiting) >= AHEAD * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextlib.contextmanager
def _processes(jobs: int, module: str) -> Iterator[ProcessPoolExecutor]:
    start_fork_server([module])
    pool = ProcessPoolExecutor(jobs, get_context(METHOD), initializer=cv2.setNumThreads, initargs=(0,))
    try:
        yield pool
    except BrokenProcessPool as error:
        raise DatakitError("a worker process died (out of memory?); run the command again with fewer -j") from error
    finally:
        pool.shutdown(cancel_futures=True)
