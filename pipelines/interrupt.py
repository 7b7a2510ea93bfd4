"""Ctrl-C and SIGTERM: either at once as KeyboardInterrupt, or, where a pool must be wound down first, as a flag."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class Stopped(KeyboardInterrupt):
    """A run that was interrupted, and what goes on with it.

    Args:
        words: of the command that does, behind `datakit`.
    """

    def __init__(self, *words: str):
        super().__init__(*words)
        self.words = words


def _raise(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Inside, SIGTERM stops the run as Ctrl-C does."""
    with _handled(signal.SIGTERM, _raise):
        yield


@contextlib.contextmanager
def deferred() -> Iterator[threading.Event]:
    """Inside, SIGINT and SIGTERM only set the event that is handed out."""
    stop = threading.Event()

    def note(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    with _handled(signal.SIGINT, note), _handled(signal.SIGTERM, note):
        yield stop


@contextlib.contextmanager
def _handled(number: signal.Signals, handler: signal._HANDLER) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # only there may handlers be set
        yield
        return
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
