"""Masks as COCO run-length strings and from COCO polygons.

The strings are those of pycocotools, which writes them. Reading is done here: pycocotools hands out uninitialised
memory where the runs are too few for the size, and RLEMaskLib 0.8.1, though two to four times as fast both ways,
accepts strings that break off and numbers beyond 32 bits.
Readers of whole annotation files are `datasets.coco`.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from .arrays import Mask


def encode_rle(mask: Mask) -> bytes:
    """COCO's compressed run-length string of an (H, W) uint8 0/1 mask (0.06 ms and 750 bytes on an ECSSD mask).

    Source: pycocotools, `maskApi.c`, rleToString.
    """
    # OpenCV turns the mask twice as fast as numpy; the turned view is the column order pycocotools reads.
    return bytes(coco_mask.encode(cv2.transpose(mask).T)["counts"])


def decode_rle(data: bytes | memoryview, size: tuple[int, int]) -> Mask:
    """The mask behind a COCO compressed run-length string: (H, W) uint8, 0 or 1, C-contiguous.

    Decoded here because pycocotools leaves memory uninitialised where the runs are too few for the size.

    Raises:
        ValueError: the string is broken, or its runs do not add up to the size.

    Source: pycocotools, `maskApi.c`, rleFrString: 5 bits a character, low first, bit 5 "more follows",
    bit 4 of the last one the sign; from the fourth number on, differences to the number two before.
    """
    characters = np.frombuffer(data, np.uint8).astype(np.int64) - 48
    if not characters.size or characters.min() < 0 or characters.max() > 63 or characters[-1] & 32:
        raise ValueError(f"{len(data)} bytes are not a COCO run-length string")
    ends = np.flatnonzero(characters < 32)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    if lengths.max() > 7:  # 7 x 5 bits hold any 32-bit run
        raise ValueError("run-length string holds a number of more than 32 bits")
    shifts = 5 * (np.arange(characters.size) - np.repeat(starts, lengths))
    numbers = np.add.reduceat((characters & 31) << shifts, starts)
    numbers -= np.where(characters[ends] & 16, 1 << (5 * lengths), 0)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return runs_to_mask(numbers, size)


def runs_to_mask(runs: NDArray[np.int64], size: tuple[int, int]) -> Mask:
    """The mask of alternating run lengths, ground first, column by column: (H, W) uint8, 0 or 1.

    Raises:
        ValueError: a run is negative, or they do not add up to the size.
    """
    total = int(runs.sum())
    if (runs < 0).any() or (runs > size[0] * size[1]).any() or total != size[0] * size[1]:
        raise ValueError(f"runs add up to {total} pixels, expected {size[0]}x{size[1]} = {size[0] * size[1]}")
    values = (np.arange(runs.size) & 1).astype(np.uint8)
    return cv2.transpose(np.repeat(values, runs).reshape(size[1], size[0]))  # type: ignore[return-value]


def polygons_to_mask(polygons: list[list[float]], size: tuple[int, int]) -> Mask:
    """The union of COCO polygons, each [x0, y0, x1, y1, …] of three or more points: (H, W) uint8, 0 or 1.

    Source: pycocotools, `maskApi.c`, rleFrPoly.
    """
    runs = coco_mask.merge(coco_mask.frPyObjects(polygons, *size))
    return decode_rle(runs["counts"], size)


def polygons_area(polygons: list[NDArray[np.float64]]) -> float:
    """Pixels that the union of COCO polygons would cover on a plane without edges.

    Args:
        polygons: each [x0, y0, x1, y1, …] of three or more points.
    """
    points = np.concatenate([polygon.reshape(-1, 2) for polygon in polygons])
    corner = np.floor(points.min(axis=0))
    extent = np.ceil(points.max(axis=0)) - corner + 1
    scale = min(1.0, 16_384 / float(extent.max()))  # runs of more than 2**32 pixels would overflow
    moved = [((polygon.reshape(-1, 2) - corner) * scale).ravel().tolist() for polygon in polygons]
    width, height = (int(side) for side in np.ceil(extent * scale))
    return float(coco_mask.area(coco_mask.merge(coco_mask.frPyObjects(moved, height, width)))) / scale**2
