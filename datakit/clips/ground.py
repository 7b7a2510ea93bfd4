"""What lies behind an object, and what is its own: photos with objects taken out, and objects without their old ground.

All sums are whole numbers, so that the pictures are the same on any CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Image, Labels, Mask

_RIM = 0.012  # of the longer side: what is filled around an object, with its shadow and its blurred outline
_AROUND = 16  # pixels around a hole that are looked at, and its own size
_BLOCK = 4  # pixels, side of the smallest blocks that means are made of
_BITS = 6
_PARTS = 1 << _BITS  # of a grey level
_GRAIN = 6  # pixels on each side of the mean that grain is measured from
_BESIDE = (0, -1), (0, 1), (1, 0), (-1, 0), (1, -1), (1, 1), (-1, -1), (-1, 1)  # of its own size, down and across
_ENOUGH = 0.8  # of what the best known place has, to be chosen by its looks
_PLACES = 4  # for one hole; each gives what the ones before did not have
_COARSEST = 20  # grey levels of grain; what is more is an edge of something
_REACH = 3  # pixels that an object's own colours are carried outwards

Part = tuple[slice, slice]


def without_objects(image: Image, labels: Labels, objects: Sequence[int], factor: int = 1) -> Image:
    """A photo without some of its objects.

    Their place is filled with the means of what lies around it, and with the grain of a place beside.

    Args:
        image: (ceil(H / factor), ceil(W / factor), 3) uint8 RGB.
        labels: (H, W) uint8, the numbers of objects.
        objects: those to take out; the others stay, and nothing is filled from them.
        factor: how much smaller the photo is.

    Returns:
        As `image`; `image` itself where there is nothing to take out, or nothing else.
    """
    taken, others = _masks(labels, objects, image.shape[:2], factor)
    if not taken.any():
        return image
    longer = max(image.shape[:2])
    rim = round(_RIM * longer) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1, 2 * rim + 1))
    hole = np.asarray(cv2.dilate(taken, disc), np.uint8) & (others ^ 1)
    known = (hole | others) ^ 1
    if not known.any():
        return image
    x, y, width, height = cv2.boundingRect(hole)
    around = _AROUND + max(width, height)
    rows, columns = slice(max(y - around, 0), y + height + around), slice(max(x - around, 0), x + width + around)
    part, seen = np.ascontiguousarray(image[rows, columns]), np.ascontiguousarray(known[rows, columns])
    made = image.copy()
    missing = np.ascontiguousarray(hole[rows, columns])
    cv2.copyTo(_filled(part, seen, missing), missing, made[rows, columns])
    return made


def of_objects(image: Image, labels: Labels, objects: Sequence[int], factor: int = 1) -> Image:
    """A photo in which some objects' own colours go on a few pixels beyond their outlines.

    The outermost pixels of an object hold some of the ground it was taken from: they are made anew as well.

    Args:
        image, labels, factor: as in `without_objects`.
        objects: whose colours.

    Returns:
        As `image`.
    """
    mask, _ = _masks(labels, objects, image.shape[:2], factor)
    if not mask.any():
        return image
    x, y, width, height = cv2.boundingRect(mask)
    around = _REACH + 1
    rows, columns = slice(max(y - around, 0), y + height + around), slice(max(x - around, 0), x + width + around)
    own, part = np.ascontiguousarray(mask[rows, columns]), image[rows, columns]
    inner = np.asarray(cv2.erode(own, np.ones((3, 3), np.uint8), borderValue=(1,)), np.uint8)
    outside = inner ^ 1
    sums, counts = _sums(part, inner, _REACH)
    ring = (outside & (counts > 0)).astype(np.bool_)
    made = image.copy()
    made[rows, columns][ring] = (sums[ring] + counts[ring, None] // 2) // counts[ring, None]
    return made


def _masks(labels: Labels, objects: Sequence[int], size: Sequence[int], factor: int) -> tuple[Mask, Mask]:
    """(h, w) uint8 0/1: these objects, and all others."""
    table = np.full(256, 2, np.uint8)
    table[0] = 0
    table[list(objects)] = 1
    start = factor // 2
    read = [np.minimum(np.arange(side) * factor + start, full - 1)
            for side, full in zip(size, labels.shape, strict=True)]  # fmt: skip
    small = labels if factor == 1 else labels[read[0]][:, read[1]]
    coded: Labels = table[small]
    return coded & np.uint8(1), coded >> np.uint8(1)


def _sums(image: Image, known: Mask, reach: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """(h, w, 3) and (h, w) int32: sums of the known colours around every pixel, and of how many."""
    return _blocks(_shown(image, known), 2 * reach + 1, reach), _blocks(known, 2 * reach + 1, reach)


def _shown(image: Image, known: Mask) -> Image:
    """A picture that is black where it is not known."""
    made = np.zeros_like(image)
    cv2.copyTo(image, known, made)
    return made


def _blocks(values: NDArray[np.uint8], side: int, anchor: int) -> NDArray[Any]:
    """Sums of squares, int32, with nothing beyond the picture."""
    return cv2.boxFilter(
        values, cv2.CV_32S, (side, side), anchor=(anchor, anchor), normalize=False, borderType=cv2.BORDER_CONSTANT
    )


def _filled(image: Image, known: Mask, hole: Mask) -> Image:
    """A picture whose hole is made of the known pixels: their means, and on them the grain of places beside."""
    made = _smooth(image, known)
    smooth, left = made.copy(), hole.copy()
    sums, counts = _sums(image, known, _GRAIN)
    each = cv2.merge([np.maximum(counts, 1).astype(np.float32)] * 3)
    means = np.rint(sums.astype(np.float32) / each).astype(np.int16)
    grain = np.clip(image - means, -_COARSEST, _COARSEST)
    for _ in range(_PLACES):
        here, there = _beside(image, smooth, known, left)
        own = left[here] & known[there]
        cv2.copyTo(np.clip(smooth[here] + grain[there], 0, 255).astype(np.uint8), own, made[here])
        left[here] -= own
        if not left.any():
            break
    return made


def _beside(image: Image, smooth: Image, known: Mask, hole: Mask) -> tuple[Part, Part]:
    """Rows and columns of a hole, and of a place beside of the same form that is known and looks most like it."""
    x, y, width, height = cv2.boundingRect(hole)
    here = slice(y, y + height), slice(x, x + width)
    H, W = known.shape
    own = np.array(cv2.mean(smooth[here], hole[here])[:3])
    found = []
    for down, across in _BESIDE:
        dy, dx = min(max(down * height, -y), H - height - y), min(max(across * width, -x), W - width - x)
        there = slice(y + dy, y + dy + height), slice(x + dx, x + dx + width)
        mask = hole[here] & known[there]
        away = float(np.abs(np.array(cv2.mean(image[there], mask)[:3]) - own).sum())
        found.append((cv2.countNonZero(mask), away, there))
    enough = _ENOUGH * max(count for count, *_ in found)
    return here, min((each for each in found if each[0] >= enough), key=lambda each: each[1])[2]


def _smooth(image: Image, known: Mask) -> Image:
    """The means of ever larger blocks of known pixels, the smallest that hold any, and smoothly between them."""
    levels = [tuple(_blocks(each, _BLOCK, 0)[::_BLOCK, ::_BLOCK] for each in (_shown(image, known), known))]
    while min(levels[-1][1].shape) > 1 and (levels[-1][1] == 0).any():
        levels.append(tuple(map(_quarter, levels[-1])))
    sums, counts = levels.pop()
    made = np.broadcast_to(_PARTS * sums.sum((0, 1), dtype=np.int64) // counts.sum(dtype=np.int64), sums.shape)
    for level in range(len(levels), -1, -1):
        if level < len(levels):
            sums, counts = levels[level]
            made = _twice(made, counts.shape)
        full = _BLOCK**2 * 4**level
        made = (_PARTS * sums.astype(np.int64) + (full - counts)[..., None] * made.astype(np.int64)) // full
    for _ in range(_BLOCK.bit_length() - 1):
        made = _twice(made, (made.shape[0] * 2, made.shape[1] * 2))
    return ((made[: known.shape[0], : known.shape[1]] + _PARTS // 2) >> _BITS).astype(np.uint8)


def _quarter(values: NDArray[np.int32]) -> NDArray[np.int32]:
    """Sums of blocks of 2 x 2; sides are rounded up, with nothing beyond them."""
    H, W = values.shape[:2]
    padded = np.pad(values, [(0, H % 2), (0, W % 2)] + [(0, 0)] * (values.ndim - 2))
    return padded[::2, ::2] + padded[1::2, ::2] + padded[::2, 1::2] + padded[1::2, 1::2]


def _twice(values: NDArray[Any], size: Sequence[int]) -> NDArray[Any]:
    """Enlarged, smoothly, and cut to a size."""
    large = cv2.resize(values.astype(np.uint16), None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR_EXACT)
    return large[: size[0], : size[1]]
