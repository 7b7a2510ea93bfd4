"""What the files of a source hold, on a disk or in a store; there many are fetched at once, before their turn."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from itertools import islice
from pathlib import Path
from typing import TypeVar

from . import places
from .errors import DatakitError
from .places import Place, beneath, is_stored
from .store_memory import MEMORY, known_entry, size_of_object, text_of, told

Group = TypeVar("Group", bound=Sequence[Place | str])
THREADS = 16  # files of a store that are fetched at once
GROUPS_AHEAD = 16  # photos, each with the files of its masks, that are fetched before their turn
_kept: ContextVar[dict[str, bytes] | None] = ContextVar("kept", default=None)
_coming: dict[str, Future[bytes]] = {}  # files that `ahead` fetches, by address


@contextlib.contextmanager
def at_hand() -> Iterator[None]:
    """Inside, a file of a store is read once: where its size is looked at before its pixels."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def read_file(place: Place | str, most: int | None = None) -> bytes:
    """All bytes of a regular file; a pipe is refused instead of waited for.

    Args:
        place: the file.
        most: bytes beyond which it is refused.

    Raises:
        OSError: there is none, or it cannot be read; EFBIG where it is larger.
        DatakitError: the store fails, or gives no right.
    """
    if isinstance(place, str | Path):
        with open(place, "rb", opener=regular) as file:
            return file.read()
    text, kept = text_of(place), _kept.get()
    if kept is not None and text in kept:
        return kept[text]
    data = _coming[text].result() if text in _coming else _whole(place, most)
    if kept is not None:
        kept[text] = data
    return data


def read_part(place: Place | str, start: int, length: int) -> bytes:
    """Some bytes of a regular file, fewer where it ends.

    Raises: as `read_file`.
    """
    if isinstance(place, str | Path):
        with open(place, "rb", opener=regular) as file:
            file.seek(start)
            return file.read(length)
    return _part(place, start, length)


def read_head(place: Place, length: int) -> bytes:
    """The first bytes of a file.

    Raises: as `read_file`.
    """
    memory = MEMORY.get()
    if not is_stored(place) or memory is None:
        return read_part(place, 0, length)
    text = text_of(place)
    if len(memory.heads.get(text, b"")) < length:
        memory.heads[text] = _part(place, 0, length)
    return memory.heads[text][:length]


def read_ends(place: Place, length: int) -> tuple[bytes, bytes]:
    """The first and the last bytes of a file; no byte is in both.

    Raises: as `read_file`.
    """
    head = read_head(place, length)
    if len(head) < length:
        return head, b""
    if not is_stored(place):
        size = place.stat().st_size
    else:
        known = known_entry(place)
        size = known.stat().st_size if known else size_of_object(place) or 0
    start = max(size - length, length)
    return head, read_part(place, start, size - start) if size > start else b""


def chunks(place: Place | str, size: int) -> Iterator[bytes]:
    """All bytes of a regular file, a part at a time.

    Raises: as `read_file`.
    """
    if isinstance(place, str | Path):
        with open(place, "rb", opener=regular) as file:
            while chunk := file.read(size):
                yield chunk
    else:
        data = read_file(place)
        yield from (data[start : start + size] for start in range(0, len(data), size))


def regular(path: str, flags: int) -> int:
    """Opens a file, and nothing that would be waited for, such as a pipe."""
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError("not a regular file")
    return handle


def in_turn(folder: Place, names: Iterable[str]) -> Iterator[Place | str]:
    """The files of a folder as they are read; while one is worked on, those behind it are fetched from a store."""
    if is_stored(folder):
        yield from (path for (path,) in ahead((beneath(folder, name),) for name in names))
    else:
        yield from (f"{folder}/{name}" for name in names)


def ahead(groups: Iterable[Group], most: int | None = None) -> Iterator[Group]:
    """The groups as they are; files of a store among them are fetched before their turn, many at once.

    Args:
        groups: files that are read together, by `read_file`; what is on a disk is left alone.
        most: bytes of a file beyond which reading it is refused.
    """
    waiting: deque[tuple[Group, list[str]]] = deque()
    coming = iter(groups)
    with ThreadPoolExecutor(THREADS) as pool:  # starts no thread before there is something to fetch
        try:
            while True:
                for group in islice(coming, GROUPS_AHEAD + 1 - len(waiting)):
                    stored = {text_of(place): place for place in group if is_stored(place)}
                    new = [text for text in stored if text not in _coming]
                    _coming.update({text: pool.submit(_whole, stored[text], most) for text in new})
                    waiting.append((group, new))
                if not waiting:
                    return
                yield waiting[0][0]
                for text in waiting.popleft()[1]:
                    del _coming[text]
        finally:
            for _, new in waiting:
                for text in new:
                    _coming.pop(text).cancel()


def _whole(place: Place, most: int | None = None) -> bytes:
    """All bytes of an object, in one request, or its first ones."""
    # with a range, as without one some clients ask for the size before
    data = _part(place, 0, (1 << 40) if most is None else most + 1)
    if most is not None and len(data) > most:
        raise OSError(errno.EFBIG, f"more than {most} bytes")
    return data


def _part(place: Place, start: int, length: int) -> bytes:
    """Some bytes of an object."""
    text = text_of(place)
    if "/../" in text or text.endswith("/.."):
        raise FileNotFoundError(errno.ENOENT, "leads out of its folder by '..'", text)
    memory = MEMORY.get()
    if memory and text in memory.files:
        return memory.files[text][start : start + length]
    try:
        data = told(lambda: places.read_some(place, start, start + length))
    except PermissionError as error:
        raise DatakitError(error.strerror or str(error)) from error
    if len(data) > length:  # of a server that knows no ranges
        if memory:
            memory.files[text] = data
        return data[start : start + length]
    return data
