"""What a camera and its codec do to frames: motion blur, exposure, JPEG, blocks that lag behind. Exact on any CPU."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Image
from ..images import decode_picture, encode_jpeg
from .colour import shaded
from .plan import Finish

_WEIGHT = 256  # what the weights of a smear sum to: products with bytes are then exact
_FARTHEST = 6.0  # pixels that one pass smears; OpenCV filters small kernels exactly, large ones by Fourier transform
_STEPS = 8  # places a pixel
_BITS = 7
_ALL = np.uint8(1 << _BITS)  # a weight of one
_BLOCK = 16  # side of a codec's blocks in pixels


def smeared(image: NDArray[np.uint8], way: tuple[float, float]) -> NDArray[np.uint8]:
    """A picture whose points move while it is exposed; what they draw has its middle where they were.

    Args:
        image: (H, W, 3) or (H, W) uint8.
        way: x and y in pixels, from the beginning of the exposure to its end.

    Returns:
        As `image`.
    """
    passes = max(math.ceil(max(map(abs, way)) / _FARTHEST), 1)
    x, y = (round(each / passes * _STEPS) for each in way)
    if x == y == 0:
        return image
    for _ in range(passes):
        image = cv2.filter2D(image, -1, _line(x, y), borderType=cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    return image


@lru_cache(256)
def _line(x: int, y: int) -> NDArray[np.float32]:
    """Weights along a line whose ends lie 1/8 x and 1/8 y apart; multiples of 1/256."""
    right, down = math.ceil(abs(x) / (2 * _STEPS)), math.ceil(abs(y) / (2 * _STEPS))
    count = max(abs(x), abs(y)) + 1
    raw = np.zeros((2 * down + 2, 2 * right + 2))
    for n in range(count):
        at = n / (count - 1) - 0.5
        column, row = right + at * x / _STEPS, down + at * y / _STEPS
        i, j = int(column), int(row)
        u, v = column - i, row - j
        for dy, dx, weight in ((0, 0, (1 - u) * (1 - v)), (0, 1, u * (1 - v)), (1, 0, (1 - u) * v), (1, 1, u * v)):
            raw[j + dy, i + dx] += weight / count
    kernel = np.floor(raw[:-1, :-1] * _WEIGHT + 0.5)
    kernel[down, right] += _WEIGHT - kernel.sum()
    return (kernel / _WEIGHT).astype(np.float32)


def lay(below: Image, image: Image, share: NDArray[np.uint8], way: tuple[float, float] | None) -> None:
    """Lay a picture on another, in place; smeared along its way if it has one.

    Args:
        below, image: (H, W, 3) uint8.
        share: (H, W) uint8: how much of `image` is seen, 255 for all.
        way: as in `smeared`.
    """
    weight = (share >> 1) + (share >> 7)
    part = _times(image, weight)
    if way is not None:
        part, weight = smeared(part, way), smeared(weight, way)
    cv2.add(part, _times(below, _ALL - weight), below)


def _times(image: Image, weight: NDArray[np.uint8]) -> Image:
    """A picture times weights of which `_ALL` is one."""
    wide = np.multiply(image, cv2.merge([weight] * 3), dtype=np.uint16)
    wide += _ALL // 2
    wide >>= _BITS
    return wide.astype(np.uint8)


def finish_frames(frames: NDArray[np.uint8], finishes: Sequence[Finish]) -> None:
    """Give all frames their finish, in place.

    Args:
        frames: (T, S, S, 3) uint8 RGB.
        finishes: of each frame.
    """
    for number, finish in enumerate(finishes):
        shaded(frames[number], finish.shades, into=frames[number])
        if finish.quality:
            frames[number] = decode_picture(encode_jpeg(frames[number], finish.quality))
        if finish.lag and number:
            _let_lag(frames[number], frames[number - 1], finish.lag)


def _let_lag(frame: Image, before: Image, lag: float) -> None:
    """Keep the blocks of the frame before that have hardly changed."""
    changed = cv2.boxFilter(cv2.absdiff(frame, before), cv2.CV_32S, (_BLOCK, _BLOCK), anchor=(0, 0), normalize=False,
                            borderType=cv2.BORDER_CONSTANT)[::_BLOCK, ::_BLOCK].sum(2)  # fmt: skip
    stays = (changed < lag * 3 * _BLOCK**2).astype(np.uint8)
    H, W = frame.shape[:2]
    cv2.copyTo(before, np.ascontiguousarray(stays.repeat(_BLOCK, 0).repeat(_BLOCK, 1)[:H, :W]), frame)
