"""Shard format, version 1, on one page: every name, dtype and attribute of the file.

A shard is plain HDF5 that h5py >= 3.10 reads with no plugin. Encoded records of one kind
lie end to end in one contiguous byte array, so that a record can be read by offset without HDF5.
The same page in prose, with a 20-line independent reader: docs/shard-format.md.
"""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

FORMAT = "masktrack-datakit shard"
VERSION = 1

# HDF5 1.10 reads this; 'latest' would lock out every older library (docs/decisions.md).
LIBVER = ("earliest", "v110")

# Record kinds. Each is a group `<kind>/data` (uint8), `<kind>/offsets` (uint64, n + 1), `<kind>/crc32` (uint32, n).
IMAGES = "images"  # JPEG or PNG bytes; cv2.imdecode(..., IMREAD_COLOR) gives upright BGR
TARGETS = "targets"  # COCO run-length code of the true mask
IGNORES = "ignores"  # COCO run-length code of the void region, where a sample has one
DEFORMED = "deformed"  # COCO run-length code of the rough mask; row i belongs to triple i
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

TABLES = (IMAGE_TABLE, TARGET_TABLE, TRIPLE_TABLE)


def text(width: int) -> np.dtype[Any]:
    """Fixed-width UTF-8 string type of at least one byte."""
    dtype: np.dtype[Any] = np.dtype(h5py.string_dtype("utf-8", max(width, 1)))
    return dtype


def image_dtype(key_width: int, reason_width: int) -> np.dtype[Any]:
    """Row of `images/table`: the photo's key, its upright size and where its bytes come from."""
    return np.dtype(
        [
            ("key", text(key_width)),
            ("height", "<u4"),
            ("width", "<u4"),
            ("normalised", text(reason_width)),  # empty: source bytes untouched
            ("source_crc32", "<u4"),
        ]
    )


def target_dtype(key_width: int) -> np.dtype[Any]:
    """Row of `targets/table`: the sample's key, its photo, its object and its void region."""
    return np.dtype(
        [
            ("key", text(key_width)),
            ("image_row", "<u4"),
            ("object_id", "<i8"),
            ("area", "<u4"),
            ("ignore_row", "<i4"),
            ("source_crc32", "<u4"),
        ]
    )


def triple_dtype(key_width: int, recipe_width: int, flags_width: int, parameters: int) -> np.dtype[Any]:
    """Row of `triples`: which image, target and draw it is, and every drawn number."""
    return np.dtype(
        [
            ("key", text(key_width)),
            ("recipe", text(recipe_width)),
            ("kind", text(4)),  # mask | box
            ("variant", "<u4"),
            ("object_id", "<i8"),
            ("image_row", "<u4"),
            ("target_row", "<u4"),
            ("iou", "<f8"),
            ("area_ratio", "<f8"),
            ("redraws", "<u4"),
            ("flags", text(flags_width)),  # of the draw, before dilation: `low-iou` as people see it goes by `iou`
            ("parameters", "<f8", (max(parameters, 1),)),  # NaN beyond the recipe's own
        ]
    )
