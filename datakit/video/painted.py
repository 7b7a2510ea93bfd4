"""A frame that somebody painted on: what was painted is what differs from the frame itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..arrays import Image, Labels
from ..colours import colour_labels
from ..errors import DatakitError, ItemError
from ..headers import Place
from ..images import read_colours

MAX_PIXELS = 100_000_000
MOSTLY = 0.5  # of what is not the picture's commonest colour, equal to the frame before it is a painted frame
SAME, LIKE = 0, 32  # difference of a pixel in a file that kept it, and in one that kept it only nearly


def painted_labels(path: Path, frame: Image) -> Labels | None:
    """Objects painted on a frame: every flat colour of the pixels that were changed is one, the largest is 1.

    Args:
        path: file of the mask.
        frame: (H, W, 3) uint8, the frame it belongs to.

    Returns:
        (H, W) uint8 ids; None where the file is no picture of the frame.

    Raises:
        DatakitError: it is the frame, but nothing is painted on it, or what is painted cannot be told from it.
    """
    try:
        pixels = read_colours(path, str(path), MAX_PIXELS).copy()
    except ItemError:
        return None  # whoever reads it as a mask says why
    if pixels.shape[:2] != frame.shape[:2]:
        return None
    distance = np.abs(pixels[..., :3].astype(np.int16) - frame).max(axis=2)
    telling = _not_commonest(frame, pixels[..., :3])
    if np.count_nonzero(telling) < 0.01 * telling.size or (distance <= LIKE)[telling].mean() <= MOSTLY:
        return None
    if (distance <= SAME)[telling].mean() <= MOSTLY:
        raise DatakitError(
            f"{path}: is the frame, but saved with loss, so that paint cannot be told from it; save it as PNG"
        )
    changed = distance > SAME
    if not changed.any():
        raise DatakitError(f"{path}: is the frame itself, nothing is painted on it; paint each object in a flat colour")
    pixels[..., 3] = np.where(changed, 255, 0)
    try:
        return colour_labels(pixels, Place(str(path), str(path)))
    except ItemError:
        raise DatakitError(
            f"{path}: is the frame, but what was changed in it has no flat colour; paint with an opaque brush, "
            "each object in a colour of its own, or paint white on black"
        ) from None


def _not_commonest(frame: Image, pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(H, W): where the frame has another colour than the one that fills most of the file.

    A dark frame is equal to the black ground of a mask in many pixels; those say nothing.
    """
    packed = pixels.astype(np.int32) @ np.array([65536, 256, 1], np.int32)
    values, counts = np.unique(packed, return_counts=True)
    common = int(values[counts.argmax()])
    ground = np.array([common >> 16, common >> 8 & 255, common & 255], np.int16)
    different: NDArray[np.bool_] = np.abs(frame.astype(np.int16) - ground).max(axis=2) > LIKE
    return different
