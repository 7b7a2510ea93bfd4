"""The process that local workers are forked from: it imports once for all of them, while the parent plans.

Started anew, every worker of a cluster would import NumPy, OpenCV, HDF5 and Dask by itself; that was
two thirds of a cluster's start-up (docs/decisions.md). What workers do is left to `cluster`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence

# The frameworks of macOS do not survive a fork.
METHOD = "forkserver" if sys.platform == "linux" else "spawn"
PRELOAD = ["distributed", "pipelines.shard_parts"]
# Of glibc: freed memory that is kept, and the largest block that counts as such.
KEPT_BYTES, LARGEST_BLOCK = 256 << 20, 32 << 20
ENVIRONMENT = {
    # Dask has its workers give freed memory back at once; getting it again for every photo made them a third slower.
    "MALLOC_TRIM_THRESHOLD_": str(KEPT_BYTES),
    # With that set, glibc no longer learns to keep what it maps; this is as far as it would have learnt.
    "MALLOC_MMAP_THRESHOLD_": str(LARGEST_BLOCK),
    # One process per core is all the threads there should be; as Dask's nanny has it.
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def start_fork_server(preload: Sequence[str] = PRELOAD) -> None:
    """Start the process, without waiting for its imports; does nothing where it runs already, or may not fork.

    Args:
        preload: modules it imports; by default those of a build.
    """
    if METHOD != "forkserver":
        return
    from multiprocessing import forkserver

    forkserver.set_forkserver_preload(list(preload))
    with interrupts_ignored(), environment(ENVIRONMENT):
        forkserver.ensure_running()


@contextlib.contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Children started inside inherit an ignored SIGINT, so that Ctrl-C reaches this process alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables for what starts inside; afterwards all are as before, also those that a library has set.

    Only what differs is touched, so another thread never finds a variable missing.
    """
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        for name, value in before.items():
            if os.environ.get(name) != value:
                os.environ[name] = value
