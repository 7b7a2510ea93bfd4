"""Tables of photos and masks that somebody wrote: a column `image` and a column `mask`, and what else is known.

| column | meaning |
|---|---|
| `image`, `mask` | paths relative to the source's folder, which is the table's own unless another is named |
| `key` | name of the photo in keys, without the label; else the image's path without suffix |
| `object` | number of the object that the mask is of: several rows may then have one image |
| `size`, `mask_size` | bytes of the files; else they are asked for one by one |
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from .. import looking
from ..errors import UsageError
from ..keys import photo_key
from ..looking import Sizes
from ..wording import no_such, shorten
from .layout import Layout
from .listing import split_suffix
from .listing_file import open_listing, path_fault, read_header, rows_of_key, whole_bytes
from .pairs import IMAGE_SUFFIXES, MASK_SUFFIXES, PairsLayout
from .reader import Reader, ReadOptions
from .records import DuplicateKey, PackedRecords, Record, sorted_records
from .tables import Table, open_table

OWN_LAYOUT = "pairs"  # where nobody names another
COLUMNS = ("image", "mask", "key", "object", "size", "mask_size")

logger = logging.getLogger(__name__)


def open_listed(
    label: str, layout: Layout, path: Path, root: Path, images: Path | None, options: ReadOptions
) -> Reader:
    """The reader of a source that a file lists, whether `datakit list` or a person wrote it.

    Args:
        label: name of the source in keys.
        layout: of the source.
        path: the listing file.
        root: where the source lies now.
        images: its picture folder, where the user names one.
        options: how annotations become masks.

    Raises:
        UsageError: the file cannot be used, or is of another label or layout.
    """
    header = read_header(path)
    if header is None:
        if not isinstance(layout, PairsLayout):
            raise UsageError(f"{path}: names a mask file for each photo, which layout {layout.name} has not")
        return open_own_table(label, layout, path, root, images, options)
    if (header.label, header.layout) != (label, layout.name):
        raise UsageError(
            f"{path}: lists {header.label}:{header.layout}, asked for as {label}:{layout.name}; leave its label out, "
            f"or make it anew with `datakit list {label}:{layout.name}={header.root}`"
        )
    return open_listing(path, root, images, options)


def open_own_table(
    label: str, layout: PairsLayout, path: Path, root: Path, images: Path | None, options: ReadOptions
) -> Reader:
    """A reader of the photos and masks that a table names; no folder is looked into.

    Args:
        label: name of the source in keys.
        layout: whose masks they are.
        path: the table, a .csv, .jsonl or .parquet file.
        root: folder that masks are relative to.
        images: folder that pictures are relative to, where it is another.
        options: how annotations become masks.

    Raises:
        UsageError: the table cannot be used; the message has the line.
    """
    table = open_table(path)
    check_columns(table)
    layout.check(root, options)
    for folder in (root, images or root):
        if not looking.is_folder(folder):
            raise UsageError(no_such(folder, f"the folder that paths of {path.name} are relative to"))
    if label in options.mask_names:
        raise UsageError(f"{path}: names the mask of each photo, so --mask-name cannot be meant for {label!r}")
    records = _records(table, label, root, images or root)
    try:
        if "object" in table.columns:
            packed = PackedRecords(_by_photo(table, sorted_records(records, unique=False)))
        else:
            packed = sorted_records(records)
    except DuplicateKey as error:
        keys = ((number, _key(label, *values)) for number, values in table.rows(("image", "key")))
        way_out = "name them apart in a column `key`, or number the objects of one photo in a column `object`"
        raise UsageError(f"{path}: {rows_of_key(table, keys, str(error))}; {way_out}") from None
    if not packed:
        raise UsageError(f"{path}: names no photo; expected a line for each below its columns")
    reader = layout.reader_type(label, root, images or root, packed, (), options)
    reader.layout, reader.nature = layout.name, layout.nature
    return reader


def check_columns(table: Table) -> None:
    """Refuse a table without the columns it needs; tell of those that are not read.

    Raises:
        UsageError: as said.
    """
    found = shorten(table.columns, 9) or "none"
    if {"key", "annotation"} <= set(table.columns):
        raise UsageError(f"{table.path}: a listing without its header; make it anew with `datakit list`")
    for name in ("image", "mask"):
        if name not in table.columns:
            raise UsageError(f"{table.path}: has no column {name!r}; found {found}; expected at least image and mask")
    if more := [name for name in table.columns if name not in COLUMNS]:
        logger.info(f"{table.path}: columns that are not read: {shorten(more)}; known are {', '.join(COLUMNS)}")


def _records(table: Table, label: str, root: Path, images: Path) -> Iterator[Record]:
    """A record for each row; its annotation begins with the object's number where there is such a column."""
    has_objects = "object" in table.columns
    masks, pictures = Sizes(root), Sizes(images)
    for number, (image, mask, name, thing, size, mask_size) in table.rows(COLUMNS):
        for what, path, suffixes in (("image", image, IMAGE_SUFFIXES), ("mask", mask, MASK_SUFFIXES)):
            if fault := path_fault(path) or _suffix_fault(path, suffixes):
                raise table.fault(number, f"{what} {fault}")
        if name is not None and (not isinstance(name, str) or path_fault(name)):
            raise table.fault(
                number, f"key {name!r}: expected a name without the label, such as {split_suffix(image)[0]!r}"
            )
        key = _key(label, image, name)
        annotation = [mask, _bytes(table, number, "mask_size", mask_size, masks, mask)]
        if has_objects:
            which = whole_bytes(thing)
            if not which:
                raise table.fault(number, f"object {thing!r}: expected a whole number from 1")
            annotation = [which, *annotation]
        yield Record(key, image, annotation, _bytes(table, number, "size", size, pictures, image))


def _key(label: str, image: str, name: str | None) -> str:
    return photo_key(label, split_suffix(image)[0] if name is None else name)


def _suffix_fault(path: str, suffixes: tuple[str, ...]) -> str:
    if "\\" in path:
        return f"{path!r} holds '\\'; write '/' between folders"
    suffix = split_suffix(path)[1]
    return "" if suffix in suffixes else f"{path!r} ends in {suffix or 'no suffix'}; expected {', '.join(suffixes)}"


def _bytes(table: Table, number: int, column: str, value: Any, folder: Sizes, path: str) -> int:
    """Bytes of a file as its row says, else as its folder says; 0 where it is not there, which reading will name."""
    if column in table.columns and value not in (None, ""):
        count = whole_bytes(value)
        if count is None:
            raise table.fault(number, f"{column} {value!r}: expected a whole number of bytes")
        return count
    return folder.of(path)


def _by_photo(table: Table, records: Iterable[Record]) -> Iterator[Record]:
    """Records of objects, sorted by key, as one of each photo.

    Raises:
        UsageError: rows of one key contradict each other.
    """
    for key, group in groupby(records, key=lambda record: record.key):
        rows = sorted(group, key=lambda record: record.annotation[0])
        first = rows[0]
        if other := next((each.image for each in rows if each.image != first.image), None):
            raise UsageError(
                f"{table.path}: {first.image} and {other} have one key, {key!r}; name them apart in a column `key`"
            )
        for one, two in pairwise(rows):
            if one.annotation[0] == two.annotation[0]:
                masks = f"{one.annotation[1]} and {two.annotation[1]}"
                raise UsageError(
                    f"{table.path}: {masks} are both object {one.annotation[0]} of {first.image}; number them apart"
                )
        yield first._replace(annotation={"objects": [row.annotation for row in rows]})
