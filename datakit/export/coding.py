"""Masks and their numbers as several formats write them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Mask, area, bounding_box
from ..files import canonical_json
from ..images import encode_palette_png, encode_png
from ..rle import encode_rle
from ..video.palette import palette
from .videos import Frame


def rle_of(mask: Mask) -> dict[str, Any]:
    """COCO's compressed run lengths of an (H, W) 0/1 mask: `size` [H, W] and `counts` as text."""
    return {"size": list(mask.shape), "counts": encode_rle(mask).decode()}


def box_of(mask: Mask) -> list[int]:
    """[x, y, width, height] in pixels of an (H, W) 0/1 mask that is not empty."""
    box = bounding_box(mask)
    assert box is not None
    x0, y0, x1, y1 = box
    return [x0, y0, x1 - x0, y1 - y0]


def measured(mask: Mask) -> dict[str, Any]:
    """`segmentation` as run lengths, `area` and `bbox` of an (H, W) 0/1 mask that is not empty."""
    return {"segmentation": rle_of(mask), "area": area(mask), "bbox": box_of(mask)}


def label_png(frame: Frame) -> bytes:
    """The frame's label picture as palette PNG, in the colours of DAVIS."""
    return encode_palette_png(frame.labels, palette())


def grey_png(mask: Mask) -> bytes:
    """A grey PNG, 255 inside and 0 outside, of an (H, W) 0/1 mask."""
    return encode_png(np.multiply(mask, 255, dtype=np.uint8))


def json_bytes(value: Any) -> bytes:
    """Compact JSON, equal for equal values."""
    return canonical_json(value).encode()


def document_bytes(**parts: Any) -> bytes:
    """Compact JSON whose parts stand in the order given: what a file is can be told from its first bytes."""
    return ("{" + ",".join(f'"{name}":{canonical_json(value)}' for name, value in parts.items()) + "}").encode()


def outlines(mask: Mask) -> list[NDArray[np.float64]]:
    """The outer outline of each part of an (H, W) 0/1 mask, through the middles of its rim's pixels; holes are filled.

    Returns:
        (N, 2) arrays of x and y in pixels, where 0.5 is the middle of the first pixel; parts of one pixel have N = 1.
    """
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [part.reshape(-1, 2).astype(np.float64) + 0.5 for part in found]


def bridged(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """One outline out of several, largest first: each is joined to those before by a line there and back."""
    first, *others = sorted(parts, key=len, reverse=True)
    joined = first
    for part in others:
        distance = ((joined[:, None] - part[None]) ** 2).sum(axis=2)
        here, there = np.unravel_index(int(distance.argmin()), distance.shape)
        around = np.concatenate([part[there:], part[: there + 1]])
        joined = np.concatenate([joined[: here + 1], around, joined[here:]])
    return joined
