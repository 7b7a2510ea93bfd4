"""Listing files: what a source lists, kept in a table, so that nothing is walked to build from it.

`write_listing` keeps what a reader has listed, with a header that says how; `open_listing` makes the same reader of it.
A table without our header was written by hand, see `own_table`.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from .. import looking
from ..errors import Problem, UsageError
from ..places import Place, is_stored, place_of
from ..stores import is_address
from ..wording import counted, no_such
from .layout import LAYOUTS, Layout
from .listing import is_utf8
from .reader import Reader, ReadOptions
from .records import DuplicateKey, PackedRecords, Record, sorted_records
from .tables import FORMAT, Table, open_table, write_table

VERSION = 1
COLUMNS = ("key", "image", "annotation", "size", "problem")
_SUSPECT = re.compile(r"^[A-Za-z]:|^/|\.\.|//|\0|\\")  # what is looked at closer, and most paths have not


@dataclass(frozen=True)
class ListingHeader:
    """What a listing file says about itself.

    Attributes:
        label: of the keys.
        layout: that listed.
        root: of the source, absolute, as the user gave it.
        folder: that annotation files are relative to, relative to the root's folder where it lies near.
        images: that pictures are relative to, likewise.
        asked_images: the picture folder the user named, absolute; None where the layout found it.
        mask_names: what the user said of mask names, as `ReadOptions` has it.
        opened_with: what opening sets in the reader, see `Reader`.
        photos: number of records.
        problems: number of problems.
    """

    label: str
    layout: str
    root: str
    folder: str
    images: str
    asked_images: str | None
    mask_names: Mapping[str, str] = field(default_factory=dict)
    opened_with: Mapping[str, Any] = field(default_factory=dict)
    photos: int = 0
    problems: int = 0

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form, with the version."""
        return {"version": VERSION, **{name: _plain(value) for name, value in vars(self).items()}}

    @classmethod
    def of(cls, table: Table) -> ListingHeader | None:
        """The header of a table; None where it was written by hand.

        Raises:
            UsageError: it is damaged, or of another version.
        """
        said = table.header
        if said is None:
            return None
        anew = "make it anew with `datakit list`"
        if not isinstance(said, dict) or said.get("format") != FORMAT:
            raise UsageError(f"{table.path}: its header is not that of a {FORMAT}; {anew}")
        if said.get("version") != VERSION:
            raise UsageError(
                f"{table.path}: a listing of version {said.get('version')!r}, this datakit reads {VERSION}; {anew}"
            )
        try:
            found = cls(**{name: said[name] for name in cls.__dataclass_fields__})
        except KeyError as error:
            raise UsageError(f"{table.path}: its header lacks {error}; {anew}") from None
        texts = (found.label, found.layout, found.root, found.folder, found.images)
        numbers, maps = (found.photos, found.problems), (found.mask_names, found.opened_with)
        is_sound = all(isinstance(each, str) for each in texts) and all(isinstance(each, int) for each in numbers)
        if not is_sound or not all(isinstance(each, dict) for each in maps):
            raise UsageError(f"{table.path}: its header is damaged; {anew}")
        return found


def read_header(path: Path) -> ListingHeader | None:
    """The header of a listing file; None where it was written by hand.

    Raises:
        UsageError: it cannot be read, or not by this version.
    """
    return ListingHeader.of(open_table(path))


def write_listing(path: Path, reader: Reader, root: Path, images: Path | None) -> ListingHeader:
    """Keep what a reader has listed, in one step; equal bytes for equal sources.

    Args:
        path: ends in .csv, .jsonl or .parquet.
        reader: as a layout opened it.
        root: of the source, as the user gave it.
        images: its picture folder, where the user named one.

    Raises:
        DatakitError: the layout cannot be opened from a listing, or the file cannot be written.
    """
    if LAYOUTS.find(reader.layout, "datakit list").reader_type is not type(reader):
        raise UsageError(
            f"layout {reader.layout!r} cannot be opened from a listing: give its `Layout` a `reader_type` that is "
            f"{type(reader).__name__}, or build from the source itself"
        )
    root = root.absolute()
    home = _home(root)
    within = home.parent if looking.is_file(root) else home  # a file's photos lie in a folder beside its own
    opened_with = {name: _plain(getattr(reader, name)) for name in reader.opened_with}
    names = {label: text for label, text in reader.options.mask_names.items() if label in ("", reader.label)}
    header = ListingHeader(
        reader.label,
        reader.layout,
        str(root),
        _near(reader.root, home, within),
        _near(reader.images, home, within),
        str(images.absolute()) if images else None,
        {reader.label: names[reader.label]} if reader.label in names else names,
        opened_with,
        len(reader.records),
        len(reader.problems),
    )
    write_table(path, header.to_dict(), COLUMNS, _rows_of(reader))
    return header


def _rows_of(reader: Reader) -> Iterator[Sequence[Any]]:
    for record in reader.records:
        yield (*record, None)
    for problem in reader.problems:
        yield problem.key, None, None, None, [problem.kind, problem.stage, problem.reason, problem.detail]


def open_listing(path: Path, root: Path, images: Path | None, options: ReadOptions) -> Reader:
    """The reader that a layout opened when the listing was made; no folder is looked into.

    Args:
        path: the listing file, made by `write_listing`.
        root: where the source lies now.
        images: its picture folder, where the user names one.
        options: how annotations become masks.

    Raises:
        UsageError: the file is damaged, or was listed otherwise than the options ask.
    """
    table = open_table(path)
    header = ListingHeader.of(table)
    if header is None:
        raise UsageError(f"{path}: expected a listing made by `datakit list`, found a table without its header")
    layout = LAYOUTS.find(header.layout, str(path))
    check_names(path, header, options)
    layout.check(root, options)
    if not looking.exists(root):
        expected = f"the source {header.label!r}, or {header.label}=ROOT beside the listing, where it was moved"
        raise UsageError(no_such(root, expected))
    home = _home(root)
    reader = _empty(layout, table, header.label, _at(home, header.folder), images or _at(home, header.images), options)
    try:
        reader.take(header.opened_with)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{path}: its header is damaged ({error!r}); make it anew with `datakit list`") from None
    problems: list[Problem] = []
    try:
        reader.records = sorted_records(_records(table, reader, problems))
    except DuplicateKey as error:
        keys = ((number, values[0]) for number, values in table.rows(("key", "problem")) if not values[1])
        raise UsageError(f"{path}: {rows_of_key(table, keys, str(error))}; keep one of them") from None
    reader.problems = tuple(problems)
    found = len(reader.records), len(problems)
    if found != (header.photos, header.problems):
        raise UsageError(
            f"{path}: holds {counted(found[0], 'photo')} and {counted(found[1], 'problem')}, its header says "
            f"{header.photos} and {header.problems}; was it cut off? Where lines were taken out on purpose, say so in "
            f'its header: "photos": {found[0]}, "problems": {found[1]}'
        )
    return reader


def check_names(path: Path, header: ListingHeader, options: ReadOptions) -> None:
    """Refuse mask names other than those that photos were paired by.

    Raises:
        UsageError: as said.
    """
    asked, listed = options.mask_name(header.label), next(iter(header.mask_names.values()), None)
    if asked not in (None, listed):
        how = f"--mask-name {listed!r}" if listed else "no --mask-name"
        raise UsageError(
            f"{path}: was listed with {how}, --mask-name {asked!r} is asked for; leave the option out, or list again"
        )


def path_fault(path: Any) -> str:
    """What is wrong with a path that must lie in a source's folder; '' for nothing."""
    if not isinstance(path, str) or not path:
        return "is empty" if path in (None, "") else f"is {path!r}, expected a path"
    if _SUSPECT.search(path):
        if "://" in path:
            return f"{path!r} is an address; give paths relative to the source's folder"
        if path[0] == "/" or path[1:3] in (":/", ":\\"):
            return f"{path!r} is absolute; give it relative to the source's folder"
        if ".." in path.split("/"):
            return f"{path!r} leads out of its folder by '..'; give a path below the source's folder"
        if "\0" in path:
            return f"{path!r} holds a zero byte"
    return "" if path.isascii() or is_utf8(path) else f"{path!r} is no UTF-8"


def whole_bytes(value: Any) -> int | None:
    """A number of bytes as a table has it, also as a text; None where it is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def rows_of_key(table: Table, keys: Iterable[tuple[int, str]], key: str) -> str:
    """A phrase on the first two rows of a key, which the file is read once more for.

    Args:
        table: that holds it.
        keys: number and key of every row.
        key: that of two.
    """
    at = list(islice((number for number, each in keys if each == key), 2))
    return f"{table.place}s {' and '.join(map(str, at))} have one key, {key!r}"


def _records(table: Table, reader: Reader, problems: list[Problem]) -> Iterator[Record]:
    """The records of a table as they come; its problems are added to those given."""
    start = f"{reader.label}/"
    for number, (key, image, annotation, size, problem) in table.rows(COLUMNS):
        if not isinstance(key, str) or not key.startswith(start):
            raise table.fault(number, f"key {key!r}: expected one that begins with {start!r}")
        if problem is not None:
            problems.append(_problem(table, number, key, problem))
            continue
        if fault := path_fault(image):
            raise table.fault(number, f"image {fault}")
        count = whole_bytes(size)
        if count is None:
            raise table.fault(number, f"size {size!r}: expected a whole number of bytes")
        record = Record(key, image, annotation, count)
        try:
            files = reader.annotation_files(record)
            reader.listed_samples(record)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise table.fault(number, f"annotation is none of the layout {reader.layout} ({error!r})") from None
        for path in files:
            if fault := path_fault(path):
                raise table.fault(number, f"annotation {fault}")
        yield record


def _problem(table: Table, number: int, key: str, parts: Any) -> Problem:
    if not (isinstance(parts, list) and len(parts) == 4 and all(isinstance(part, str) for part in parts)):
        raise table.fault(number, "problem: expected four texts, kind, stage, reason and detail")
    return Problem(key, *parts)


def _empty(layout: Layout, table: Table, label: str, root: Path, images: Path, options: ReadOptions) -> Reader:
    """A reader of a layout that has no records yet."""
    kind = layout.reader_type
    if kind is None:
        raise UsageError(f"{table.path}: sources of layout {layout.name!r} cannot be opened from a listing")
    reader = kind(label, root, images, PackedRecords(()), (), options)
    reader.layout = layout.name
    return reader


def _home(root: Path) -> Path:
    return root.parent if looking.is_file(root) else root


def _near(path: Place, home: Place, within: Place) -> str:
    """A folder relative to `home` where it lies in `within`, so that both may move; else absolute."""
    if is_stored(path) or is_stored(home):
        is_inside = is_stored(path) and is_stored(within) and path.is_relative_to(within)
        return posixpath.relpath(str(path), str(home)) if is_inside else str(path)
    path = Path(os.path.normpath(path.absolute()))
    return os.path.relpath(path, home) if path.is_relative_to(within) else str(path)


def _at(home: Place, near: str) -> Place:
    """The folder that `_near` wrote down."""
    if is_address(near) or not is_stored(home) or near.startswith("/"):
        return home / near if not is_address(near) and not is_stored(home) else place_of(near)
    while near == ".." or near.startswith("../"):
        home, near = home.parent, near[3:]
    return home / near if near not in ("", ".") else home


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
