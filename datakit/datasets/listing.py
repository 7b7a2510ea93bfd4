"""What lies in a folder, and which picture belongs to which mask: by name, never by position.

Listing opens no file; it walks with `os.scandir`, so that millions of files cost one look each.
Every file it meets ends up in a record or in a problem.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from ..errors import Problem, UsageError
from ..formats import SUFFIXES
from ..keys import escape_name, photo_key
from .records import Record
from .unpaired import Unpaired, UnreadFile, unpaired_problems


class Folder(NamedTuple):
    """A folder to list: files are found under `root / inside`, and named relative to `root`."""

    root: Path
    inside: str

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.root / self.inside


class Listed(NamedTuple):
    """A file that was chosen for a name: path relative to the root, bytes."""

    path: str
    size: int


def scan(folder: Path, stay: bool = False) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file below a folder with its '/'-separated path relative to it; links are followed, loops are not.

    Hidden folders, macOS resource folders and links to a folder above are given as entries instead of being entered.

    Args:
        folder: where to begin.
        stay: give links to folders outside `folder` as entries, too.

    Raises:
        UsageError: a folder cannot be listed.
    """
    waiting = [("", str(folder))]
    home = folder.resolve() if stay else None
    while waiting:
        prefix, path = waiting.pop()
        for entry in _entries(path):
            name = prefix + entry.name
            if not is_folder(entry) or entry.name.startswith((".", "__MACOSX")) or _leads_away(entry, path, home):
                yield name, entry
            else:
                waiting.append((name + "/", entry.path))


def _entries(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return list(entries)
    except OSError as error:
        raise UsageError(f"{path}: cannot be listed: {error.strerror}") from None


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, which reading will name
        return False


def _leads_away(entry: os.DirEntry[str], path: str, home: Path | None) -> bool:
    """Whether a folder is a link to one above it, or out of `home`."""
    if not entry.is_symlink():
        return False
    target = Path(entry.path).resolve()
    return Path(path).resolve().is_relative_to(target) or (home is not None and not target.is_relative_to(home))


def size_of(entry: os.DirEntry[str]) -> int:
    """Bytes of a listed file; 0 where it is a dangling link, which reading will name."""
    try:
        return entry.stat().st_size
    except OSError:
        return 0


def split_suffix(path: str) -> tuple[str, str]:
    """('a/b', '.jpg') of 'a/b.JPG'; a name that only begins with a dot has no suffix."""
    stem, dot, suffix = path.rpartition(".")
    has_suffix = dot and "/" not in suffix and stem and not stem.endswith("/")
    return (stem, f".{suffix.lower()}") if has_suffix else (path, "")


class FileIndex:
    """The files of one role (pictures or masks) by key name, the best suffix first.

    Attributes:
        suffixes: accepted ones, lower case, in order of preference.
        files: key name -> file.
        shadowed: (path, path of the file preferred to it).
    """

    def __init__(self, suffixes: Sequence[str]):
        self.suffixes = suffixes
        self.files: dict[str, Listed] = {}
        self.shadowed: list[tuple[str, str]] = []

    def add(self, name: str, file: Listed) -> None:
        """Keep the file unless a better one has its name."""
        held = self.files.setdefault(name, file)
        if held is not file:
            best, other = sorted((held, file), key=self._rank)
            self.files[name] = best
            self.shadowed.append((other.path, best.path))

    def _rank(self, file: Listed) -> tuple[int, str]:
        return self.suffixes.index(split_suffix(file.path)[1]), file.path


def list_pairs(
    label: str,
    images: Folder,
    masks: Folder,
    image_suffixes: Sequence[str],
    mask_suffixes: Sequence[str],
    unpaired: Literal["failed", "left-out"],
) -> tuple[list[Record], list[Problem]]:
    """Pair the pictures of one folder with the masks of another (or the same) by relative path without suffix.

    Args:
        label: name of the source in keys.
        images: folder of the pictures.
        masks: folder of the masks; where it is the same, suffixes tell the two apart.
        image_suffixes: accepted ones, lower case, in order of preference.
        mask_suffixes: the same for masks.
        unpaired: what a picture without a mask is.

    Returns:
        Records sorted by key; annotation = [mask path, mask bytes]. Problems sorted by key.
    """
    pictures, annotations = FileIndex(image_suffixes), FileIndex(mask_suffixes)
    problems: list[Problem] = []
    if images.path == masks.path:
        unread_pictures = unread_masks = _index_folder(label, images, [pictures, annotations], problems)
    else:
        unread_pictures = _index_folder(label, images, [pictures], problems)
        unread_masks = _index_folder(label, masks, [annotations], problems)
    for path, best in pictures.shadowed + annotations.shadowed:
        problems.append(_stray(label, path, f"a twin of {best}, which is read instead"))
    records = []
    for name, file in pictures.files.items():
        if name in annotations.files:
            mask = annotations.files[name]
            records.append(Record(f"{label}/{name}", file.path, [mask.path, mask.size], file.size))
    alone = Unpaired(
        {name: file.path for name, file in pictures.files.items() if name not in annotations.files},
        {name: file.path for name, file in annotations.files.items() if name not in pictures.files},
        unread_pictures,
        unread_masks,
    )
    problems += unpaired_problems(label, alone, pictures.files.keys(), (images.inside, masks.inside), unpaired)
    return sorted(records, key=lambda record: record.key), sorted(problems, key=lambda problem: problem.key)


def _index_folder(
    label: str, folder: Folder, indexes: Sequence[FileIndex], problems: list[Problem]
) -> dict[str, list[UnreadFile]]:
    """Put every file of the folder in the index that takes its suffix, among the problems, or among those returned."""
    prefix = "" if folder.inside in ("", ".") else folder.inside + "/"
    takers = {suffix: index for index in reversed(indexes) for suffix in index.suffixes}
    unread: dict[str, list[UnreadFile]] = {}
    for name, entry in scan(folder.path):
        stem, suffix = split_suffix(name)
        if not is_utf8(name):
            problems.append(_bad_name(label, prefix + name))
        elif suffix in takers and not entry.name.startswith("."):
            takers[suffix].add(escape_name(stem), Listed(prefix + name, size_of(entry)))
        elif suffix in SUFFIXES and not entry.name.startswith("."):
            file = UnreadFile(prefix + name, escape_name(prefix + name), SUFFIXES[suffix])
            unread.setdefault(escape_name(stem), []).append(file)
        else:
            problems.append(_stray(label, prefix + name, f"expected {', '.join(takers)}"))
    return unread


def is_utf8(name: str) -> bool:
    """Whether a name can be written down; one made of bytes that are no text cannot."""
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _bad_name(label: str, path: str) -> Problem:
    shown = path.encode("utf-8", "backslashreplace").decode()
    detail = f"{shown}: the file name is not UTF-8, so no key can be made of it; rename it"
    return Problem(photo_key(label, shown), "failed", "list", "name not UTF-8", detail)


def _stray(label: str, path: str, why: str) -> Problem:
    """The problem of a file nobody asked for."""
    detail = f"{path}: not read: {why}"
    return Problem(photo_key(label, path), "left-out", "list", "stray file", detail)
