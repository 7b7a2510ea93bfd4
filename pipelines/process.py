"""What a process is set to: one thread of OpenCV, idle threads of torch that sleep, memory that is not given back."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator

import cv2

from .fork_server import KEPT_BYTES, LARGEST_BLOCK

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4  # of glibc's malloc.h
MOST = 2**31 - 1  # that can be said there


@contextlib.contextmanager
def single_threaded_opencv() -> Iterator[None]:
    """One OpenCV thread inside, the number from before afterwards: a foreign worker is left as it was found."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(0)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def let_idle_threads_sleep() -> None:
    """Call before torch is imported: its threads then sleep while they wait for each other, instead of spinning.

    With a busy process (a loader, a browser) on one of two cores, spinning made a step of training take 5.8 to 8.9 s
    instead of 1.6 to 1.9 s, and a frame of a propagation 0.25 to 2 s instead of 0.03 s (docs/decisions.md).
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def keep_freed_memory(trains: bool = False) -> None:
    """Have the C library keep what is freed instead of giving it back to the system, up to 256 MB.

    Getting it again, page by page, cost a third of the time to read and compare masks of 854x480 in a virtual
    machine. As `fork_server.ENVIRONMENT` does it for processes yet to start; does nothing but on Linux with glibc.

    Args:
        trains: keep all, large blocks too: the features of a training step, which the next one needs again.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:
        return
    mallopt(M_TRIM_THRESHOLD, MOST if trains else KEPT_BYTES)
    mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK)
    if trains:
        mallopt(M_MMAP_MAX, 0)
