"""A frame that somebody painted on: what was painted is what differs from the frame itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from ..arrays import Image, Labels
from ..errors import DatakitError, ItemError, ItemRef
from ..masks import LabelMap, objects_in_colours
from ..photo_files import read_colours

MOSTLY = 0.5  # of what is not the picture's commonest colour, equal to the frame before it is a painted frame
MANY_COLOURS, SOME_PIXELS = 64, 0.05  # so many colours, each where the frame has it, on a share of it: no mask has that
LEAKED = 0.02  # of an object: pixels beside it that had its colour before anything was painted
RIM = 0.5  # of the border: a cut-out that fills more of it may be the ground, from which the object was erased
FLAT = 0.25  # of some pixels one colour has more, and more of these lie inside areas of it, where they are paint
SAME, LIKE = 0, 32  # difference of a pixel in a file that kept it, and in one that kept it only nearly


def painted_objects(path: Path, frame: Image, max_pixels: int, threshold: int = 127) -> LabelMap | None:
    """Objects painted on a frame: every flat colour of the changed pixels is one, numbered as in any mask in colours.

    Args:
        path: file of the mask.
        frame: (H, W, 3) uint8, the frame it belongs to.
        max_pixels: of the largest picture that is read.
        threshold: alpha above which a pixel is seen.

    Returns:
        Its objects, one where a part of the frame was cut out; None where the file is no picture of the frame.

    Raises:
        DatakitError: it is the frame, but nothing is painted on it, or what is painted cannot be told from it; or it
            cannot be told whether the object is what was cut out or what was left.
    """
    try:
        pixels = read_colours(path, str(path), max_pixels).copy()
    except ItemError:
        return None  # whoever reads it as a mask says why
    if pixels.shape[:2] != frame.shape[:2]:
        return None
    distance, packed = np.abs(pixels[..., :3].astype(np.int16) - frame).max(axis=2), _packed(pixels[..., :3])
    is_seen = pixels[..., 3] > threshold
    is_same, is_like = is_seen & (distance <= SAME), is_seen & (distance <= LIKE)
    if not is_seen.all() and not _is_paint(packed, is_seen & ~is_like):
        return _cut_out(path, is_seen, is_like, packed)
    if not (is_same.mean() > SOME_PIXELS and len(np.unique(packed[is_same])) > MANY_COLOURS):
        telling = _not_commonest(frame, packed)
        if np.count_nonzero(telling) < 0.01 * telling.size or is_like[telling].mean() <= MOSTLY:
            return None
        is_kept = is_same[telling].mean() > MOSTLY
    else:
        is_kept = is_same.mean() > 0.5 * is_like.mean()
    if not is_kept:
        raise DatakitError(
            f"{path}: is the frame, but saved with loss, so that paint cannot be told from it; save it as PNG"
        )
    changed = is_seen & ~is_same
    if not changed.any():
        raise DatakitError(f"{path}: is the frame itself, nothing is painted on it; paint each object in a flat colour")
    pixels[..., 3] = np.where(changed, 255, 0)
    try:
        found = objects_in_colours(pixels, ItemRef(str(path), str(path)))
    except ItemError:
        raise DatakitError(
            f"{path}: is the frame, but what was changed in it has no flat colour; save it as PNG, without loss, and "
            "paint with an opaque brush, each object in a colour of its own, or paint white on black"
        ) from None
    return replace(found, labels=_with_equals(path, found.labels, packed, changed))


def _is_paint(packed: NDArray[np.int32], where: NDArray[np.bool_]) -> bool:
    """Whether some pixels are flat paint, and not a part of a photo, such as the rim of a cut-out.

    Their commonest colour is then that of many of them, and fills areas.
    """
    values, counts = np.unique(packed[where], return_counts=True)
    if not counts.size or counts.max() <= FLAT * counts.sum():
        return False
    area = (where & (packed == values[counts.argmax()])).view(np.uint8)
    return bool(cv2.countNonZero(cv2.erode(area, np.ones((3, 3), np.uint8))) > FLAT * counts.max())


def _cut_out(
    path: Path, is_seen: NDArray[np.bool_], is_like: NDArray[np.bool_], packed: NDArray[np.int32]
) -> LabelMap | None:
    """What was cut out of the frame as one object; None where what is seen is not the frame.

    Args:
        path: of the file.
        is_seen: (H, W), what is not transparent.
        is_like: (H, W), where that is nearly the frame.
        packed: (H, W) colours.

    Raises:
        DatakitError: what is left of the frame lies around what is transparent.
    """
    border = np.concatenate([is_like[0], is_like[-1], is_like[:, 0], is_like[:, -1]])
    if border.mean() > RIM:
        raise DatakitError(
            f"{path}: is the frame with transparent places, and what is left fills most of its border, so that it may "
            "be the ground; paint the object white on black, or in a flat colour on the opaque frame"
        )
    is_frame = np.count_nonzero(is_like) > MOSTLY * np.count_nonzero(is_seen)
    if not is_frame or _is_paint(packed, is_seen):
        return None
    return LabelMap(is_seen.view(np.uint8), (1,), numbered=False)


def _with_equals(path: Path, labels: Labels, packed: NDArray[np.int32], changed: NDArray[np.bool_]) -> Labels:
    """The objects with the few pixels inside a stroke that had its colour before; many of them are refused."""
    for number in np.unique(labels[labels > 0]):
        is_own = labels == number
        values, counts = np.unique(packed[is_own], return_counts=True)
        colour = int(values[counts.argmax()])
        alike = ~changed & (packed == colour)
        _, parts = cv2.connectedComponents((is_own | alike).view(np.uint8))
        leaked = alike & np.isin(parts, np.unique(parts[is_own]))
        if np.count_nonzero(leaked) > LEAKED * np.count_nonzero(is_own):
            rgb = f"{colour >> 16}, {colour >> 8 & 255}, {colour & 255}"
            raise DatakitError(
                f"{path}: is painted in a colour ({rgb}) that the frame itself has beside or under the paint, so that "
                "nobody sees where it ends; paint in a colour that is not in the frame"
            )
        labels[leaked] = number
    return labels


def is_colour_file(path: Path) -> bool:
    """Whether a file holds colours, by its header: neither grey values nor a palette."""
    try:
        with Pillow.open(path) as picture:
            return picture.mode not in ("1", "L", "LA", "P", "PA", "I", "F") and not picture.mode.startswith("I;")
    except (OSError, UnidentifiedImageError, Pillow.DecompressionBombError):
        return True  # whoever reads it says what is wrong with it


def _packed(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    packed: NDArray[np.int32] = pixels.astype(np.int32) @ np.array([65536, 256, 1], np.int32)
    return packed


def _not_commonest(frame: Image, packed: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(H, W): where the frame has another colour than the one that fills most of the file.

    A dark frame is equal to the black ground of a mask in many pixels; those say nothing.
    """
    values, counts = np.unique(packed, return_counts=True)
    common = int(values[counts.argmax()])
    ground = np.array([common >> 16, common >> 8 & 255, common & 255], np.int16)
    different: NDArray[np.bool_] = np.abs(frame.astype(np.int16) - ground).max(axis=2) > LIKE
    return different
