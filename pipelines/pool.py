"""Work of seconds on a few processes of this machine.

A Dask cluster takes longer to start than such work takes at all; what runs for minutes, or on several
machines, is left to `cluster`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

import cv2

from datakit.errors import DatakitError

from .fork_server import METHOD, interrupts_ignored, start_fork_server

Task = TypeVar("Task")
Result = TypeVar("Result")
WINDOW = 10  # tasks handed to each of the other processes: enough that none waits while this one is busy


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
    start_fork_server([function.__module__])
    pool = ProcessPoolExecutor(jobs, get_context(METHOD), initializer=cv2.setNumThreads, initargs=(0,))
    try:
        with interrupts_ignored():  # handing in starts the processes
            results = pool.map(function, tasks)
        yield from results
    except BrokenProcessPool as error:
        raise DatakitError("a worker process died (out of memory?); run the command again with fewer -j") from error
    finally:
        pool.shutdown(cancel_futures=True)
