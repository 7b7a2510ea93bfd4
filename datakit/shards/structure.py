"""Is this HDF5 file laid out as a shard? Checked before any of its data is read or memory for it is taken.

A shard may come from anyone: every link, type, layout, place and length is compared with `layout`, so
that what remains to do is to slice a memory map. What the records mean is the business of `examine`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5l, h5o, h5t
from numpy.typing import NDArray

from ..hdf5 import opened
from . import layout

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_INDEX_BYTES = 1 << 30  # offsets, CRC-32 and tables together; those of a million triples take 0.35 GB
MAX_OTHER_BYTES = 4 << 20  # of the file that belong to no data set; HDF5's own structure takes about 10 kB
MAX_ROW_BYTES = 1 << 20  # of a table
MAX_TEXT = 1 << 20  # characters of an attribute


MEMBERS = {
    "": (*layout.KINDS, layout.TRIPLE_TABLE),
    **{kind: tuple(layout.RECORD_DTYPES) for kind in layout.KINDS},
    layout.IMAGES: (*layout.RECORD_DTYPES, "table"),
    layout.TARGETS: (*layout.RECORD_DTYPES, "table"),
}
Table = NDArray[Any]


class InvalidShard(ValueError):
    """Something in a file is not as the format says; `place` is the part of the shard."""

    def __init__(self, place: str, text: str):
        super().__init__(f"{place}: {text}")
        self.place = place


@dataclass(frozen=True)
class Extent:
    """Where the values of one data set lie in the file, and what they are."""

    start: int
    rows: int
    dtype: np.dtype[Any]

    @property
    def stop(self) -> int:
        """End of the values, in bytes from the start of the file."""
        return self.start + self.rows * self.dtype.itemsize


def find_extents(file: h5py.File, size: int) -> dict[str, Extent]:
    """Where every data set of a shard lies.

    Args:
        file: as HDF5 opened it.
        size: of the file, in bytes.

    Returns:
        Path within the file -> Extent; none overlap, all lie within the file.

    Raises:
        InvalidShard: other objects than the format has, or reached by other than hard links, or not contiguous,
            unfiltered arrays of exactly the format's types.
    """
    groups = {"": h5g.open(file.id, b"/")}
    groups |= {kind: _member(groups[""], kind, h5g.GroupID) for kind in layout.KINDS}
    found = {}
    for group, names in MEMBERS.items():
        if groups[group].get_num_objs() != len(names):
            raise InvalidShard(group or "/", f"has {groups[group].get_num_objs()} members, expected {', '.join(names)}")
        for name in names:
            if group or name == layout.TRIPLE_TABLE:
                path = f"{group}/{name}" if group else name
                found[path] = _extent(path, _member(groups[group], name, h5d.DatasetID), size)
    _check_space(found, size)
    return found


def find_photos(path: Path, size: int) -> Extent | None:
    """Where the photos of a shard lie, told from its beginning alone; None where that does not say.

    Args:
        path: a file as long as the shard, whose beginning is there; the rest may be zeros.
        size: of the shard, in bytes.
    """
    try:
        with opened(path, rdcc_nbytes=0) as file:
            group = _member(h5g.open(file.id, b"/"), layout.IMAGES, h5g.GroupID)
            return _extent(f"{layout.IMAGES}/data", _member(group, "data", h5d.DatasetID), size)
    except (OSError, LookupError, ValueError, TypeError, RuntimeError):
        return None


def _member(group: h5g.GroupID, name: str, kind: type[Any]) -> Any:
    encoded = name.encode()
    try:
        link = group.links.get_info(encoded)
    except (KeyError, ValueError, RuntimeError):
        raise InvalidShard(name, "is not there; this is not a shard of this package") from None
    if link.type != h5l.TYPE_HARD:
        raise InvalidShard(name, "is a soft, external or foreign link, expected the data themselves")
    member = h5o.open(group, encoded)
    if not isinstance(member, kind):
        raise InvalidShard(name, f"is a {type(member).__name__}, expected a {kind.__name__}")
    return member


def _extent(path: str, dataset: h5d.DatasetID, size: int) -> Extent:
    plist = dataset.get_create_plist()
    if plist.get_layout() != h5d.CONTIGUOUS or plist.get_external_count() or plist.get_nfilters():
        raise InvalidShard(path, "is chunked, filtered, virtual, compact or in another file, expected one plain array")
    if dataset.rank != 1:
        raise InvalidShard(path, f"has {dataset.rank} dimensions, expected 1")
    dtype, rows = _dtype(path, dataset), int(dataset.shape[0])
    start = dataset.get_offset()
    if rows and start is None:
        raise InvalidShard(path, f"has {rows} rows, none of which was ever written")
    found = Extent(start or 0, rows, dtype)
    if found.stop > size or dataset.get_storage_size() != rows * dtype.itemsize:
        raise InvalidShard(
            path, f"{rows} rows of {dtype.itemsize} bytes from byte {found.start} do not fit {size} bytes"
        )
    return found


def _dtype(path: str, dataset: h5d.DatasetID) -> np.dtype[Any]:
    """The NumPy type of a data set, which must be the format's; wide columns may be of any width."""
    if path not in layout.TABLES:
        expected = layout.RECORD_DTYPES[path.rpartition("/")[2]]
        if dataset.dtype != expected:
            raise InvalidShard(path, "is not of its type (data u1, offsets u8, crc32 u4; little-endian)")
        return expected
    columns, found = layout.COLUMNS[path], dataset.get_type()
    if not isinstance(found, h5t.TypeCompoundID) or found.get_size() > MAX_ROW_BYTES:
        raise InvalidShard(path, "is not a table with rows of a moderate size")
    names = [column.name for column in columns]
    if [found.get_member_name(i) for i in range(found.get_nmembers())] != [name.encode() for name in names]:
        raise InvalidShard(path, f"is not a table of the columns {', '.join(names)}")
    dtype = dataset.dtype
    expected = layout.row_dtype(columns, layout.widths_of(dtype, columns))
    if dtype != expected:
        raise InvalidShard(path, "has columns of other types than the format's")
    return expected


def _check_space(extents: Mapping[str, Extent], size: int) -> None:
    """No byte belongs to two data sets, the index fits in memory, and nothing large hides beside it."""
    placed = sorted((extent.start, extent.stop, path) for path, extent in extents.items() if extent.rows)
    for (_, stop, before), (start, _, path) in itertools.pairwise(placed):
        if start < stop:
            raise InvalidShard(path, f"shares bytes with {before}")
    index = sum(stop - start for start, stop, path in placed if not path.endswith("/data"))
    if index > MAX_INDEX_BYTES:
        raise InvalidShard("structure", f"an index of {index} bytes, at most {MAX_INDEX_BYTES} are read")
    other = size - sum(stop - start for start, stop, _ in placed)
    if other > MAX_OTHER_BYTES:
        raise InvalidShard("structure", f"{other} bytes belong to no data set, at most {MAX_OTHER_BYTES} are accepted")


def read_attributes(file: h5py.File) -> dict[str, Any]:
    """The root attributes, each a short text or one integer.

    Raises:
        InvalidShard: others than the format's, of other types, or longer than `MAX_TEXT`.
    """
    if h5a.get_num_attrs(file.id) != len(layout.ATTRIBUTES):
        raise InvalidShard(
            "attributes", f"{h5a.get_num_attrs(file.id)} of them, expected {', '.join(layout.ATTRIBUTES)}"
        )
    return {name: _attribute(file, name) for name in layout.ATTRIBUTES}


def _attribute(file: h5py.File, name: str) -> Any:
    attribute = h5a.open(file.id, name.encode())
    expected = h5t.TypeStringID if isinstance(layout.ATTRIBUTES[name], str) else h5t.TypeIntegerID
    kind = attribute.get_type()
    if attribute.shape != () or not isinstance(kind, expected) or attribute.get_storage_size() > MAX_TEXT:
        raise InvalidShard(name, "the attribute is not the single text or number that the format has there")
    value: Any = np.empty((), attribute.dtype)
    attribute.read(value)
    value = value[()]
    if isinstance(value, bytes):
        value = value.decode()
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise InvalidShard(name, f"an attribute of {len(value)} characters, at most {MAX_TEXT} are read")
    return value


def read_crc32(file: h5py.File, table: str) -> int:
    """The CRC-32 that a table carries as its only attribute.

    Raises:
        InvalidShard: it is no single 32-bit number.
    """
    dataset = h5o.open(file.id, table.encode())
    attribute = h5a.open(dataset, b"crc32")
    if attribute.shape != () or attribute.dtype != np.dtype("<u4"):
        raise InvalidShard(table, "its attribute crc32 is not a single 32-bit number")
    value = np.zeros((), "<u4")
    attribute.read(value)
    return int(value)


def check_offsets(kind: str, offsets: NDArray[np.uint64], crc32: NDArray[np.uint32], length: int) -> None:
    """Records of one kind must follow one another, none empty, from the first byte of their data to the last.

    Args:
        kind: of the records.
        offsets: (n + 1,) uint64.
        crc32: (n,) uint32.
        length: of the data, in bytes.

    Raises:
        InvalidShard: they do not.
    """
    place = f"{kind}/offsets"
    if len(offsets) != len(crc32) + 1:
        raise InvalidShard(place, f"{len(offsets)} of them for {len(crc32)} records")
    if int(offsets[0]) != 0 or int(offsets[-1]) != length:
        raise InvalidShard(place, f"run from {int(offsets[0])} to {int(offsets[-1])}, expected 0 to {length}")
    if not (offsets[1:] > offsets[:-1]).all():
        row = int(np.argmin(offsets[1:] > offsets[:-1]))
        raise InvalidShard(place, f"run backwards or stand still at record {row}")


def check_rows(tables: Mapping[str, Table], records: Mapping[str, int], names: Mapping[str, Any], pixels: int) -> None:
    """Every row must point at a record that is there, be of a size that can be decoded, and hold readable text.

    Args:
        tables: of `layout.TABLES`.
        records: kind -> number of records.
        names: recipe -> names of its numbers.
        pixels: most pixels of a photo.

    Raises:
        InvalidShard: names table, row and value.
    """
    images, targets, triples = (tables[name] for name in layout.TABLES)
    for place, kind in zip(layout.TABLES, (layout.IMAGES, layout.TARGETS, layout.DEFORMED), strict=True):
        if len(tables[place]) != records[kind]:
            raise InvalidShard(place, f"has {len(tables[place])} rows for {records[kind]} records")
        _check_text(place, tables[place])
    area = images["height"].astype(np.uint64) * images["width"]
    _check(layout.IMAGE_TABLE, images, "height", (area >= 1) & (area <= pixels), f"width: 1 to {pixels} pixels")
    for place, columns in layout.COLUMNS.items():
        for column in columns:
            if kind := column.refers_to:
                rows, first = tables[place][column.name], -1 if column.dtype == "<i4" else 0
                inside = (rows >= first) & (rows < records[kind])
                text = f"points nowhere, {kind} has rows 0 to {records[kind] - 1}"
                _check(place, tables[place], column.name, inside, text)
    agree = targets["image_row"][triples["target_row"]] == triples["image_row"]
    _check(layout.TRIPLE_TABLE, triples, "image_row", agree, "is not the photo of its target")
    known = np.isin(triples["kind"], (b"mask", b"box"))
    _check(layout.TRIPLE_TABLE, triples, "kind", known, "is neither mask nor box")
    known = np.isin(triples["recipe"], [name.encode() for name in names])
    _check(layout.TRIPLE_TABLE, triples, "recipe", known, f"is not one of {', '.join(names)}")
    room = triples.dtype["parameters"].shape[0]
    for row in names.values():
        if not isinstance(row, list) or len(row) > room or not all(isinstance(name, str) for name in row):
            raise InvalidShard("parameter_names_json", f"a recipe has no list of at most {room} names")


def _check(place: str, table: Table, column: str, fits: NDArray[np.bool_], text: str) -> None:
    if not fits.all():
        row = int(np.argmin(fits))
        raise InvalidShard(place, f"row {row}: {column} {table[column][row].tolist()!r} {text}")


def _check_text(place: str, table: Table) -> None:
    """Columns of text must be UTF-8; where all bytes are ASCII, they are."""
    for column in table.dtype.names or ():
        if table.dtype[column].kind == "S" and len(table):
            values = np.ascontiguousarray(table[column])
            if values.view(np.uint8).max() < 128:
                continue
            for row, value in enumerate(values.tolist()):
                try:
                    value.decode()
                except UnicodeDecodeError:
                    raise InvalidShard(place, f"row {row}: {column} {value!r} is not UTF-8") from None
