"""Looking at the files of a source, on a disk or in a store, where every question is a request.

On a disk everything is asked of the disk. Of a store, folders are listed whole; inside `remembered` each is asked for
once, and a tree in one go. A store that fails ends the work with one sentence: no single file is to blame for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from . import places
from .places import Entry, Place, StoreEntry, is_stored
from .store_memory import MEMORY, NOTHING, known_entry, size_of_object, text_of, told
from .stores import READ_ONLY


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
    memory = MEMORY.get()
    if memory is None:
        return told(lambda: places.entries_in(folder))
    text = text_of(folder)
    if text not in memory.folders:
        try:
            memory.folders[text] = told(lambda: places.entries_in(folder))
        except OSError as error:
            memory.folders[text] = error
    found = memory.folders[text]
    if isinstance(found, OSError):
        raise found
    return found


def learn_tree(folder: Place) -> None:
    """Inside `remembered`, list all folders below one of a store in one go: a request for 1 000 files, not for each."""
    memory = MEMORY.get()
    if memory is None or not is_stored(folder) or folder.protocol in READ_ONLY:  # type: ignore[attr-defined]
        return
    text = text_of(folder)
    if any(f"{text}/".startswith(f"{tree}/") for tree in memory.trees):
        return
    try:
        found = told(lambda: places.files_below(folder))
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
    memory.folders |= {text_of(place): entries for place, entries in known.values()}


def is_folder(place: Place) -> bool:
    """Whether there is a folder; in a store, an address below which something lies."""
    if not is_stored(place):
        return place.is_dir()
    known = known_entry(place)
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
    known = known_entry(place)
    if known is not None:
        return known is not NOTHING and not known.is_dir()
    if place.protocol in READ_ONLY and not place.suffix:  # type: ignore[attr-defined]
        return False  # a server has pages of folders as well
    return size_of_object(place) is not None


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
    return resolved(place).name or text_of(place).rpartition("/")[2]
