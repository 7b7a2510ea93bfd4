"""How a long call tells how far it is, whoever may listen: a bar, a line every ten seconds, nobody."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

Track = Callable[[int], contextlib.AbstractContextManager[Any]]
"""Number of things to do -> context manager of what is told of each by `advance(1)`."""


class _Silence:
    def advance(self, count: int) -> None:
        """Tell nobody."""


def silent(_: int) -> contextlib.AbstractContextManager[Any]:
    """The `Track` of whoever does not want to know."""
    return contextlib.nullcontext(_Silence())
