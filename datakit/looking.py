"""Looking at the files of a source, on a disk or in a store, where every question is a request.

On a disk everything is asked of the disk. Of a store, folders are listed whole; inside `remembered` each is asked for
once, and a tree in one go. A store that fails ends the work with one sentence: no single file is to blame for it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

from . import places
from .errors import DatakitError
from .places import READ_ONLY, Entry, Place, StoreEntry, StoreError, is_stored

Result = TypeVar("Result")
Group = TypeVar("Group", bound=Sequence[Place | str])
THREADS = 16  # files of a store that are fetched at once
GROUPS_AHEAD = 16  # photos, each with the files of its masks, that are fetched before their turn


@dataclass
class _Memory:
    """What a store has told: entries by folder, files and heads by address, folders that are known with all below."""

    folders: dict[str, list[Entry] | OSError] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    heads: dict[str, bytes] = field(default_factory=dict)
    trees: list[str] = field(default_factory=list)


_memory: ContextVar[_Memory | None] = ContextVar("memory", default=None)
_kept: ContextVar[dict[str, bytes] | None] = ContextVar("kept", default=None)
_coming: dict[str, Future[bytes]] = {}  # files that `ahead` fetches, by address


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """Inside, a folder of a store is listed once; what is written there meanwhile is not seen."""
    if _memory.get() is not None:
        yield
        return
    token = _memory.set(_Memory())
    try:
        yield
    finally:
        _memory.reset(token)


@contextlib.contextmanager
def at_hand() -> Iterator[None]:
    """Inside, a file of a store is read once: where its size is looked at before its pixels."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


# ---- which files there are


def each_entry(folder: Place | str) -> Iterator[Entry]:
    """What lies in a folder, in no order; on a disk one by one, since a folder may hold a million.

    Raises:
        OSError: it is none, or cannot be listed.
    """
    if isinstance(folder, str | Path):
        with os.scandir(folder) as here:
            yield from here
    else:
        yield from entries_in(folder)


def entries_in(folder: Place | str) -> list[Entry]:
    """What lies in a folder, in no order.

    Raises:
        OSError: it is none, or cannot be listed.
        DatakitError: the store fails.
    """
    if isinstance(folder, str | Path):
        return places.entries_in(folder)
    memory = _memory.get()
    if memory is None:
        return _told(lambda: places.entries_in(folder))
    text = _text(folder)
    if text not in memory.folders:
        try:
            memory.folders[text] = _told(lambda: places.entries_in(folder))
        except OSError as error:
            memory.folders[text] = error
    found = memory.folders[text]
    if isinstance(found, OSError):
        raise found
    return found


def learn_tree(folder: Place) -> None:
    """Inside `remembered`, list all folders below one of a store in one go: a request for 1 000 files, not for each."""
    memory = _memory.get()
    if memory is None or not is_stored(folder) or folder.protocol in READ_ONLY:  # type: ignore[attr-defined]
        return
    text = _text(folder)
    if any(f"{text}/".startswith(f"{tree}/") for tree in memory.trees):
        return
    try:
        found = _told(lambda: places.files_below(folder))
    except OSError:
        found = []
    if not found:
        return  # listing says why
    memory.trees.append(text)
    known: dict[str, tuple[Place, list[Entry]]] = {"": (folder, [])}

    def inside(path: str) -> tuple[Place, list[Entry]]:
        if path not in known:
            above, _, name = path.rpartition("/")
            within, siblings = inside(above)
            siblings.append(StoreEntry(name, within, 0, True))
            known[path] = within / name, []
        return known[path]

    for path, size in found:
        above, _, name = path.rstrip("/").rpartition("/")
        if path.endswith("/"):
            inside(path.rstrip("/"))
        elif name and "//" not in f"/{path}":  # a folder without a name is none
            within, siblings = inside(above)
            siblings.append(StoreEntry(name, within, size, False))
    memory.folders |= {_text(place): entries for place, entries in known.values()}


def is_folder(place: Place) -> bool:
    """Whether there is a folder; in a store, an address below which something lies."""
    if not is_stored(place):
        return place.is_dir()
    known = _known(place)
    if known is not None:
        return known is not NOTHING and known.is_dir()
    if place.protocol in READ_ONLY and place.suffix:  # type: ignore[attr-defined]
        return False  # its whole text would be looked through for links
    try:
        return bool(entries_in(place))
    except OSError:
        return False


def is_file(place: Place) -> bool:
    """Whether there is a file."""
    if not is_stored(place):
        return place.is_file()
    known = _known(place)
    if known is not None:
        return known is not NOTHING and not known.is_dir()
    if place.protocol in READ_ONLY and not place.suffix:  # type: ignore[attr-defined]
        return False  # a server has pages of folders as well
    try:
        return _told(lambda: places.size_at(place)) is not None
    except OSError:
        return False


def exists(place: Place) -> bool:
    """Whether there is a file or folder."""
    if not is_stored(place):
        return place.exists()
    tests = (is_file, is_folder) if place.suffix else (is_folder, is_file)
    return any(test(place) for test in tests)


def files_in(folder: Place, prefix: str = "", suffix: str = "") -> list[Place]:
    """What lies in a folder under a name that begins and ends so, in order of name; nothing where there is none."""
    try:
        names = sorted(e.name for e in each_entry(folder) if e.name.startswith(prefix) and e.name.endswith(suffix))
    except OSError:
        return []
    return [folder / name for name in names]


class Sizes:
    """Bytes of files below a folder, by their paths; a folder of a store is listed once."""

    def __init__(self, home: Place):
        self._home = home
        self._known: dict[str, dict[str, int]] = {}

    def of(self, path: str) -> int:
        """Bytes of a file; 0 where it is not there, which reading will name."""
        if not is_stored(self._home):
            try:
                return (self._home / path).stat().st_size
            except OSError:
                return 0
        inside, _, name = path.rpartition("/")
        if inside not in self._known:
            try:
                entries = entries_in(self._home / inside if inside else self._home)
            except OSError:
                entries = []
            self._known[inside] = {entry.name: entry.stat().st_size for entry in entries}
        return self._known[inside].get(name, 0)


def resolved(place: Place) -> Place:
    """A path without links; an address as it is, as no store has any."""
    return place if is_stored(place) else place.resolve()


def name_of(place: Place) -> str:
    """The name of a folder, also of one written as '.'; of a bucket its own."""
    return resolved(place).name or _text(place).rpartition("/")[2]


# ---- what they hold


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
    text, kept = _text(place), _kept.get()
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
    memory = _memory.get()
    if not is_stored(place) or memory is None:
        return read_part(place, 0, length)
    text = _text(place)
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
    size = place.stat().st_size if not is_stored(place) else Sizes(place.parent).of(place.name)
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
                    stored = {_text(place): place for place in group if is_stored(place)}
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


# ---- requests


class _Nothing:
    """What is known not to be there."""

    def is_dir(self) -> bool:
        return False


NOTHING = _Nothing()


def _known(place: Place) -> Entry | _Nothing | None:
    """What the listing of the folder above says of a place, where that was made; else None."""
    memory = _memory.get()
    above, _, name = _text(place).rpartition("/")
    found = memory.folders.get(above) if memory else None
    if not isinstance(found, list):
        return None
    return next((entry for entry in found if entry.name == name), NOTHING)


def _text(place: Place | str) -> str:
    return str(place).rstrip("/")


def _whole(place: Place, most: int | None = None) -> bytes:
    """All bytes of an object, in one request, or its first ones."""
    # with a range, as without one some clients ask for the size before
    data = _part(place, 0, (1 << 40) if most is None else most + 1)
    if most is not None and len(data) > most:
        raise OSError(errno.EFBIG, f"more than {most} bytes")
    return data


def _part(place: Place, start: int, length: int) -> bytes:
    """Some bytes of an object."""
    text = _text(place)
    if "/../" in text or text.endswith("/.."):
        raise FileNotFoundError(errno.ENOENT, "leads out of its folder by '..'", text)
    memory = _memory.get()
    if memory and text in memory.files:
        return memory.files[text][start : start + length]
    try:
        data = _told(lambda: places.read_some(place, start, start + length))
    except PermissionError as error:
        raise DatakitError(error.strerror or str(error)) from error
    if len(data) > length:  # of a server that knows no ranges
        if memory:
            memory.files[text] = data
        return data[start : start + length]
    return data


def _told(call: Callable[[], Result]) -> Result:
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
