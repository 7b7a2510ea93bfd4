"""Progress of long calls: silent, unless the caller installs a display.

    with displaying(my_display):
        build_shards(config)

News are told by `logging`, by loggers named after their modules: `datakit`, `model`, `pipelines`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Protocol


class Progress(Protocol):
    """Counts what is done."""

    def advance(self, count: int) -> None:
        """Count `count` more units as done."""


Display = Callable[[int, str], contextlib.AbstractContextManager[Progress]]
"""Number of units to do and what they are, in the plural -> context manager of a `Progress`."""


class _Silence:
    def advance(self, count: int) -> None:
        """Nobody wants to know."""


def silent(_total: int, _unit: str) -> contextlib.AbstractContextManager[Progress]:
    """The display that shows nothing."""
    return contextlib.nullcontext(_Silence())


_display: ContextVar[Display] = ContextVar("display", default=silent)


def progress(total: int, unit: str) -> contextlib.AbstractContextManager[Progress]:
    """Progress over `total` things, shown by the display in force: `with progress(9, "photos") as shown`.

    Args:
        total: number of units to do.
        unit: what is counted, in the plural.
    """
    return _display.get()(total, unit)


@contextlib.contextmanager
def displaying(display: Display) -> Iterator[None]:
    """Calls inside, of this thread, show their progress by `display`."""
    token = _display.set(display)
    try:
        yield
    finally:
        _display.reset(token)
