"""What a store has told while a source is opened, so that nothing is asked twice; and its errors as one sentence."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

from . import places
from .errors import DatakitError
from .places import Entry, Place
from .stores import StoreError

Result = TypeVar("Result")


@dataclass
class Memory:
    """What a store has told: entries by folder; bytes, heads and sizes by address; folders known with all below."""

    folders: dict[str, list[Entry] | OSError] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    heads: dict[str, bytes] = field(default_factory=dict)
    sizes: dict[str, int | None] = field(default_factory=dict)
    trees: list[str] = field(default_factory=list)


MEMORY: ContextVar[Memory | None] = ContextVar("memory", default=None)


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """Inside, a folder of a store is listed once; what is written there meanwhile is not seen."""
    if MEMORY.get() is not None:
        yield
        return
    token = MEMORY.set(Memory())
    try:
        yield
    finally:
        MEMORY.reset(token)


class Nothing:
    """What is known not to be there."""

    def is_dir(self) -> bool:
        return False

    def stat(self) -> os.stat_result:
        return os.stat_result((0,) * 10)


NOTHING = Nothing()


def known_entry(place: Place) -> Entry | Nothing | None:
    """What the listing of the folder above says of a place, where that was made; else None."""
    memory = MEMORY.get()
    above, _, name = text_of(place).rpartition("/")
    found = memory.folders.get(above) if memory else None
    if not isinstance(found, list):
        return None
    return next((entry for entry in found if entry.name == name), NOTHING)


def size_of_object(place: Place) -> int | None:
    """Bytes of an object; None where there is none, or no right to it."""
    memory, text = MEMORY.get(), text_of(place)
    if memory and text in memory.sizes:
        return memory.sizes[text]
    try:
        size = told(lambda: places.size_at(place))
    except OSError:
        size = None
    if memory:
        memory.sizes[text] = size
    return size


def text_of(place: Place | str) -> str:
    return str(place).rstrip("/")


def told(call: Callable[[], Result]) -> Result:
    """The result of requests; what is no answer about one file ends the work.

    Raises:
        OSError: it is not there, or there is no right to it.
        DatakitError: the store fails.
    """
    try:
        return call()
    except StoreError as error:
        if error.errno == errno.EACCES:
            raise PermissionError(errno.EACCES, str(error)) from error
        raise DatakitError(str(error)) from error
