"""Pictures and masks for miniature data sets: a gradient with a bright rectangle on it, of the photo's number alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = (48, 64)


def picture(number: int, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """(H, W, 3) RGB: a gradient, and the object of `mask` in another colour."""
    H, W = size
    rows, columns = np.mgrid[0:H, 0:W]
    image = np.stack([rows * 120 // H, columns * 255 // W, np.full(size, number * 37 % 256)], axis=2).astype(np.uint8)
    image[mask(number, size) > 0] = (250, 40 + number % 100, 30)
    return image


def mask(number: int, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """(H, W) 0/1: one rectangle, its place a matter of the photo's number."""
    H, W = size
    plane = np.zeros(size, np.uint8)
    top, left = 4 + number % 7, 6 + number % 11
    plane[top : top + H // 2, left : left + W // 2] = 1
    return plane


def labels(number: int, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """(H, W) ids: 1 the upper part of the rectangle, 2 the lower, 255 a void line between."""
    plane = mask(number, size)
    row = int(np.flatnonzero(plane.any(axis=1))[0]) + size[0] // 4
    lower = plane.copy()
    lower[:row] = 0
    plane[lower > 0] = 2
    plane[row][plane[row] > 0] = 255
    return plane


def write_picture(path: Path, image: NDArray[np.uint8]) -> Path:
    """RGB or grey pixels in the format of the suffix, JPEG at OpenCV's quality 95."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    assert cv2.imwrite(str(path), stored)
    return path
