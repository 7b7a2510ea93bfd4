"""From what annotation files say to records: which photo each means, by name, and what fits nowhere.

Names may carry folders, drives or addresses of the machine that wrote them. Such a name means the file that its end
names, if no other name and no other file could be meant. No file outside of the source is ever looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from posixpath import normpath
from typing import Any, NamedTuple

from ..errors import Problem
from ..keys import object_key, photo_key
from .coco.photos import match_ends
from .listing import is_utf8, scan, size_of, split_suffix
from .pairs import IMAGE_SUFFIXES
from .records import Record


class Entry(NamedTuple):
    """What an annotation file says of one photo.

    Attributes:
        names: of the photo as written, the surest first.
        place: of the annotation, as messages name it: `labels/a.json`, `annotations.xml: image 3`.
        base: folder of the annotation file relative to the root ('' for the root): names may be relative to it.
        numbers: of its objects.
        more: what the record holds beside `place` and `objects`, as JSON has it.
        itself: path of a file that holds the picture, too, where there is no photo; '' for none.
    """

    names: tuple[str, ...]
    place: str
    base: str
    numbers: Sequence[int]
    more: Mapping[str, Any]
    itself: str = ""


class Found(NamedTuple):
    """The files of a source: bytes by path relative to its root, photos apart from all others."""

    photos: dict[str, int]
    others: dict[str, int]


def find_files(root: Path) -> Found:
    """Every file of a folder; links that lead out of it are not followed.

    Raises:
        UsageError: a folder cannot be listed.
    """
    found = Found({}, {})
    for name, entry in scan(root, stay=True):
        is_photo = split_suffix(name)[1] in IMAGE_SUFFIXES and not entry.name.startswith(".")
        (found.photos if is_photo else found.others)[name] = size_of(entry)
    return found


def pair_entries(label: str, entries: Sequence[Entry], photos: Mapping[str, int]) -> tuple[list[Record], list[Problem]]:
    """Records of all photos that have objects, sorted by key, and a problem for whatever fits nowhere.

    Args:
        label: name of the source in keys.
        entries: what the annotation files say; an entry without objects leaves its photo out by name.
        photos: bytes of the photos, by path relative to their folder.
    """
    paths = _meant(entries, photos)
    records: dict[str, Record] = {}
    problems: list[Problem] = []
    for entry, path in zip(entries, paths, strict=True):
        written = next(iter(entry.names), "")
        key = photo_key(label, split_suffix(path or entry.itself or _plain(written))[0] or entry.place)
        if path is None and not entry.itself:
            text = (
                f"its photo is expected at {written[:200]!r}, which is not in the source"
                if written
                else "names no photo"
            )
            if not photos:
                text += f", nor is any photo: give the folder above, or --images {label}=DIR"
            problems += _failed(key, entry, "missing image", text)
        elif not entry.numbers:
            problems.append(Problem(key, "left-out", "list", "no object", f"{entry.place}: no object on {written}"))
        elif key in records:
            problems += _failed(key, entry, "duplicate name", f"{records[key].annotation['place']} has {path}, too")
        else:
            annotation = {"place": entry.place, "objects": len(entry.numbers), **entry.more}
            records[key] = Record(key, path or entry.itself, annotation, photos[path] if path else 0)
    named = {path for path in paths if path}
    for path in photos.keys() - named:
        problems.append(left_out(label, path, "no annotation", "no annotation file names this photo"))
    ordered = sorted(records.values(), key=lambda record: record.key)
    return ordered, sorted(problems, key=lambda problem: problem.key)


def strays(label: str, others: Iterable[str], read: Iterable[str], expected: str) -> list[Problem]:
    """A problem for every file that is neither a photo nor an annotation file.

    Args:
        label: name of the source in keys.
        others: files that are no photos.
        read: those of them that are annotation files.
        expected: what an annotation file is, for the message.
    """
    return [left_out(label, path, "stray file", f"expected {expected}") for path in sorted(set(others) - set(read))]


def left_out(label: str, path: str, reason: str, why: str) -> Problem:
    """The problem of a file that is not read."""
    shown = path.encode("utf-8", "backslashreplace").decode()
    return Problem(photo_key(label, shown), "left-out", "list", reason, f"{shown}: not read: {why}")


def _failed(key: str, entry: Entry, reason: str, text: str) -> list[Problem]:
    """One failed problem for every object of an entry, or one for the entry itself."""
    keys = [object_key(key, number) for number in entry.numbers] or [key]
    return [Problem(each, "failed", "list", reason, f"{entry.place}: {text}") for each in keys]


def _meant(entries: Sequence[Entry], photos: Mapping[str, int]) -> list[str | None]:
    """The photo that each entry means; None where there is none, or several could be meant."""
    paths = [_exact(entry, photos) for entry in entries]
    for rank in range(max((len(entry.names) for entry in entries), default=0)):
        lost = {at: _end(entries[at], rank) for at, path in enumerate(paths) if not path}
        taken = {path for path in paths if path}
        ends = match_ends(dict.fromkeys(filter(None, lost.values())), photos, taken)
        for at, name in lost.items():
            paths[at] = ends.get(name)
    return paths


def _exact(entry: Entry, photos: Mapping[str, int]) -> str | None:
    """The photo that a name means beside its annotation file, or from the root on."""
    for name in map(_plain, entry.names):
        for path in (normpath(f"{entry.base}/{name}" if entry.base else name), normpath(name)):
            if name and path in photos:
                return path
    return None


def _end(entry: Entry, rank: int) -> str:
    """A name without what climbs out of the folder, to be looked for by its end; '' where there is none."""
    name = _plain(entry.names[rank]) if rank < len(entry.names) else ""
    return "/".join(part for part in name.split("/") if part not in ("..", ".", ""))


def _plain(name: str) -> str:
    """A name with '/' between folders and without a drive; '' where it cannot be one."""
    if "\0" in name or not is_utf8(name):
        return ""
    return re.sub(r"^[A-Za-z]:/?", "", name.replace("\\", "/"))
