"""Values that were used lately, up to a size; the one that was used longest ago goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

V = TypeVar("V")


class Recent(Generic[V]):
    """Values by keys; several threads may use it at once.

    Args:
        most: of all sizes together; the latest value is kept, however large.
        size: of a value; by default values are counted.
    """

    def __init__(self, most: int, size: Callable[[V], int] = lambda _value: 1):
        self._most, self._size = most, size
        self._values: OrderedDict[Hashable, V] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Hashable]:
        """Keys, that of the value that goes next first."""
        return iter(list(self._values))

    @property
    def size(self) -> int:
        """Of all values together."""
        return sum(map(self._size, self._values.values()))

    def get(self, key: Hashable) -> V | None:
        """The value of a key; None where there is none, or none any more."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Hashable, value: V) -> V:
        """Keep a value; gives it back."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > 1 and self.size > self._most:
                self._values.popitem(last=False)
        return value
