"""Where the photos of an instances file lie, and which file a `file_name` means: by name, only where it can be one.

Names may carry folders of the machine that wrote them. Such a name means the file that its end names, if no other
name and no other file could be meant.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from ... import looking
from ...errors import UsageError
from ...places import UNTOLD, Place, is_stored
from ...stores import READ_ONLY
from ..listing import folders_in, is_folder, is_utf8, scan, size_of


@dataclass(frozen=True)
class PhotoFolder:
    """A folder of photos.

    Attributes:
        path: where it lies.
        shared: whether other things lie there as well (the instances file's own folder): then only those of its folders
            are looked into that hold a named photo.
    """

    path: Place
    shared: bool = False

    def files(self, named: Iterable[str], itself: Place) -> dict[str, int]:
        """Bytes of every file, by path relative to the folder; `itself`, the instances file, is none of them.

        Raises:
            UsageError: a folder cannot be listed.
        """
        own = str(itself.relative_to(self.path)) if itself.is_relative_to(self.path) else None
        if self.unlisted:
            return {path: UNTOLD for name in named if (path := "/".join(next(ends(name), ()))) not in ("", own)}
        return {name: size for name, size in self._listed(named) if name != own}

    @property
    def unlisted(self) -> bool:
        """Whether it is on a web server that gives no list of it: named photos are then taken to be there."""
        if not (is_stored(self.path) and self.path.protocol in READ_ONLY):  # type: ignore[attr-defined]
            return False
        try:
            return not looking.entries_in(self.path)
        except OSError:
            return True

    def _listed(self, named: Iterable[str]) -> Iterator[tuple[str, int]]:
        if not self.shared:
            yield from ((name, size_of(entry)) for name, entry in scan(self.path, stay=True))
            return
        lookup = Look()
        longest = (next((parts for parts in ends(name) if lookup.has(self.path, parts)), None) for name in named)
        for parent in sorted({parts[:-1] for parts in longest if parts}):
            files = [entry for entry in looking.each_entry(self.path.joinpath(*parent)) if not is_folder(entry)]
            yield from (("/".join((*parent, entry.name)), size_of(entry)) for entry in files)


def find_images(file: Place, images: list[Any], root: Place | None = None) -> PhotoFolder:
    """The folder in which most photos of an instances file lie.

    For `…/annotations/instances_X.json` these are tried, and of equals the first is taken: `…/X`, `…/images/X`,
    `…/images`, the same beside the file (for a file elsewhere these first), the file's own folder, and the one above.
    Where no photo is in any of them, the folder of the source's, whatever it is called, in which most are; else the
    first usual one that is there.

    Args:
        file: the instances file.
        images: its entries.
        root: the source's folder, where it is known; else that of the file, of `…/annotations/X.json` the one above.

    Raises:
        UsageError: none of them is there.
    """
    split = re.sub(".*(instances|panoptic)_", "", file.stem)
    above, beside = (
        [base / inside for inside in (split, f"images/{split}", "images")] for base in (file.parent.parent, file.parent)
    )
    is_usual = file.parent.name == "annotations"
    usual, more = ([*above, *beside], []) if is_usual else (beside, above)
    own = [file.parent, file.parent.parent]
    tried = [PhotoFolder(folder) for folder in (*usual, *more) if looking.is_folder(folder)]
    tried += [PhotoFolder(folder, shared=True) for folder in own]
    names = [name for name in map(written_name, images) if name]
    lookup = Look()
    home = root or (file.parent.parent if is_usual else file.parent)
    inside = [folder for folder in folders_in(home) if not folder.is_symlink()]
    inside += [folder for each in inside for folder in folders_in(each) if not folder.is_symlink()]
    others = (PhotoFolder(folder) for folder in inside)
    best = _most_held(tried, names, lookup) or _most_held(others, names, lookup)
    if best:
        return best
    for folder in usual:
        if looking.is_folder(folder):
            return PhotoFolder(folder)
    if PhotoFolder(file.parent).unlisted:
        return PhotoFolder(file.parent)
    expected = ", ".join(str(folder) for folder in (*usual, *own))
    raise UsageError(f"{file}: its photos are in none of {expected}; say where with --images LABEL=DIR")


def _most_held(folders: Iterable[PhotoFolder], names: list[str], lookup: Look) -> PhotoFolder | None:
    """The folder that holds most of the names, of equals the first; None where none holds any."""
    best, most = None, (0, 0)
    for candidate in folders:
        by_name = sum(lookup.holds(candidate.path, name) for name in names)
        by_end = 0 if by_name == len(names) else sum(lookup.holds_end(candidate.path, name) for name in names)
        if (max(by_name, by_end), by_name) > most:
            best, most = candidate, (max(by_name, by_end), by_name)
        if by_name == len(names):
            break
    return best


def written_name(entry: Any) -> str | None:
    """The file name of an image entry with '/' between folders.

    LVIS gives the photo's address on the web instead: its last folder and name, as photos of its validation lie in
    COCO's train2017 as well.
    """
    if not isinstance(entry, dict):
        return None
    name = entry.get("file_name")
    if name is None and isinstance(entry.get("coco_url"), str):
        name = "/".join(unquote(_path_of(entry["coco_url"])).split("/")[-2:])
    if not isinstance(name, str) or not name or "\0" in name or not is_utf8(name):
        return None
    return name.replace("\\", "/")


def _path_of(address: str) -> str:
    """The path of an address on the web; nothing where it is none."""
    try:
        return urlsplit(address).path
    except ValueError:
        return ""


@dataclass
class Look:
    """Which files are there; every folder is looked into once, and none that a link leads to elsewhere."""

    _names: dict[str, frozenset[str]] = field(default_factory=dict)

    def holds(self, folder: Path, name: str) -> bool:
        """Whether a folder holds a file of this name."""
        if "/" not in name and name not in (".", ".."):
            return self.has(folder, (name,))
        parts = PurePosixPath(name).parts
        return bool(parts) and ".." not in parts and not name.startswith("/") and self.has(folder, parts)

    def holds_end(self, folder: Path, name: str) -> bool:
        """Whether a folder holds a file of this name, or of an end of it (`b/c` of `a/b/c`)."""
        return any(self.has(folder, parts) for parts in ends(name))

    def has(self, folder: Path, parts: tuple[str, ...]) -> bool:
        """Whether a folder holds a file of this path, given in its parts."""
        parent = "/".join((str(folder), *parts[:-1]))
        if parent not in self._names:
            self._names[parent] = frozenset()
            inside = folder.joinpath(*parts[:-1])
            try:
                if looking.resolved(inside).is_relative_to(looking.resolved(folder)):
                    self._names[parent] = frozenset(entry.name for entry in looking.each_entry(inside))
            except (OSError, RuntimeError, ValueError):  # not there, no folder, links that never end
                return False
        return parts[-1] in self._names[parent]


def ends(name: str) -> Iterator[tuple[str, ...]]:
    """The parts of a path, then those of every shorter end of it; none where it climbs by '..'."""
    parts = PurePosixPath(name.lstrip("/")).parts
    if ".." not in parts:
        yield from (parts[start:] for start in range(len(parts)))


def match_ends(names: Iterable[str], files: Iterable[str], taken: set[str]) -> dict[str, str]:
    """Name -> the file it must mean, for names that are no file's own, where exactly one can be meant.

    A file is meant where its whole path is the end of the name, or the whole name the end of its path; the
    longer the common end the better. A file that two names could mean is meant by none of them.

    Args:
        names: as written, '/' between folders.
        files: paths relative to the folder of photos.
        taken: files that a name calls by their very path.
    """
    by_last: dict[str, list[str]] = {}
    for path in files:
        if path not in taken:
            by_last.setdefault(path.rpartition("/")[2], []).append(path)
    found: dict[str, str] = {}
    for name in names:
        bare = name.lstrip("/")
        fitting = [
            path for path in by_last.get(bare.rpartition("/")[2], ()) if _is_end(path, bare) or _is_end(bare, path)
        ]
        longest = max((path.count("/") for path in fitting if _is_end(path, bare)), default=-1)
        best = [path for path in fitting if path.count("/") == longest] if longest >= 0 else fitting
        if len(best) == 1:
            found[name] = best[0]
    claims = Counter(found.values())
    return {name: path for name, path in found.items() if claims[path] == 1}


def _is_end(short: str, long: str) -> bool:
    return short == long or long.endswith("/" + short)
