"""Shard format, version 1, on one page: every name, dtype and attribute of the file; the columns of a triple
are declared beside it, as `samples.TRIPLE_COLUMNS`.

A shard is plain HDF5 that h5py >= 3.10 reads with no plugin. Encoded records of one kind
lie end to end in one contiguous byte array, so that a record can be read by offset without HDF5.
The same page in prose, with a 20-line independent reader: docs/shard-format.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from ..samples import TRIPLE_COLUMNS, Column

FORMAT = "masktrack-datakit shard"
VERSION = 1

# HDF5 1.10 reads this; 'latest' would lock out every older library (docs/decisions.md).
LIBVER = ("earliest", "v110")

# Record kinds. Each is a group `<kind>/data` (uint8), `<kind>/offsets` (uint64, n + 1), `<kind>/crc32` (uint32, n).
IMAGES = "images"  # JPEG or PNG bytes; cv2.imdecode(..., IMREAD_COLOR) gives upright BGR
TARGETS = "targets"  # COCO run-length code of the true mask
IGNORES = "ignores"  # COCO run-length code of the ignore region, where a sample has one
DEFORMED = "deformed"  # COCO run-length code of the guide mask; row i belongs to triple i
KINDS = (IMAGES, TARGETS, IGNORES, DEFORMED)

# Tables with one row per image, per target (sample) and per triple.
IMAGE_TABLE = "images/table"
TARGET_TABLE = "targets/table"
TRIPLE_TABLE = "triples"

# Root attributes; those ending in _json hold canonical JSON text.
ATTRIBUTES = {
    "format": FORMAT,
    "version": VERSION,
    "source": "label of the source, first part of every key",
    "settings_json": "resolved settings of the build",
    "settings_digest": "SHA-256 of settings_json",
    "tools_json": "versions of what shaped the bytes",
    "parameter_names_json": "recipe -> names of the columns of triples.parameters",
    "conventions": "colour order, mask values and units, in words",
}
CONVENTIONS = (
    "images: JPEG/PNG bytes, cv2.imdecode(IMREAD_COLOR) gives upright BGR uint8 (H, W, 3); "
    "masks: COCO run-length code (column-major) of uint8 (H, W), 1 inside, 0 outside; "
    "rows are 0-based; lengths in pixels, angles in degrees; ignore_row -1 means no void region"
)

IMAGE_COLUMNS = (
    Column("key", "S", "of the photo"),
    Column("height", "<u4", "of the photo, upright", "px"),
    Column("width", "<u4", "of the photo, upright", "px"),
    Column("normalised", "S", "why it was re-encoded; empty: the source's own bytes"),
    Column("source_crc32", "<u4", "CRC-32 of the source file"),
)
TARGET_COLUMNS = (
    Column("key", "S", "of the sample"),
    Column("image_row", "<u4", "row of its photo", refers_to=IMAGES),
    Column("object_id", "<i8", "number of the object in its source"),
    Column("area", "<u4", "of the true mask", "px"),
    Column("ignore_row", "<i4", "row of its ignore region; -1: it has none", refers_to=IGNORES),
    Column("source_crc32", "<u4", "CRC-32 of the annotation"),
)
COLUMNS = {IMAGE_TABLE: IMAGE_COLUMNS, TARGET_TABLE: TARGET_COLUMNS, TRIPLE_TABLE: TRIPLE_COLUMNS}
TABLES = tuple(COLUMNS)

# Types of the three arrays that hold the records of one kind.
RECORD_DTYPES: dict[str, np.dtype[Any]] = {"data": np.dtype("u1"), "offsets": np.dtype("<u8"), "crc32": np.dtype("<u4")}


def row_dtype(columns: Sequence[Column], widths: Mapping[str, int]) -> np.dtype[Any]:
    """Type of one row of a table.

    Args:
        columns: of the table.
        widths: for each column that `is_wide`, the bytes of its text or its number of values; at least one is taken.
    """
    fields: list[tuple[Any, ...]] = []
    for column in columns:
        width = max(widths[column.name], 1) if column.is_wide else 0
        if column.is_text:
            fields.append((column.name, h5py.string_dtype("utf-8", width or int(column.dtype[1:]))))
        else:
            fields.append((column.name, column.dtype, *([(width,)] if column.shape else [])))
    return np.dtype(fields)


def widths_of(dtype: np.dtype[Any], columns: Sequence[Column]) -> dict[str, int]:
    """What `row_dtype` is given to make this type, which has these columns."""
    shapes = {column.name: dtype[column.name].shape for column in columns if column.is_wide and column.shape}
    texts = {column.name: dtype[column.name].itemsize for column in columns if column.is_wide and column.is_text}
    return texts | {name: shape[0] if shape else 1 for name, shape in shapes.items()}


def other_format(found: object, version: object, expected: str, known: int) -> str:
    """What to say of a file of another format or version than the one that is read."""
    if found != expected:
        return f"is a {found!r}, expected a {expected!r}"
    is_newer = isinstance(version, int | np.integer) and version > known
    way_out = "install a newer datakit" if is_newer else "build it anew with this datakit"
    return f"is of format version {version}, this datakit reads version {known}; {way_out}"
