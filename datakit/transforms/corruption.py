"""Corruption of a guide mask as only video brings it: moved too far, cut by an occlusion, leaked into what is near.

Numbers are drawn from the generator that is handed in, always as many, as in `views`, which holds the shares.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Mask, bounding_box
from .crop import MARGIN
from .views import CORRUPTIONS, ViewConfig


def corrupt_guide(rng: np.random.Generator, guide: Mask, config: ViewConfig) -> Mask:
    """The guide corrupted as in video, each way with its own share; none leaves it empty.

    Args:
        rng: source of all numbers.
        guide: (H, W) uint8, 0 or 1.
        config: the shares.

    Returns:
        (H, W) uint8, 0 or 1.
    """
    is_moved, is_cut, is_leaked = rng.random(3) < [getattr(config, name) for name in CORRUPTIONS]
    moved_by, cut_by, leaked_by = rng.random(2), rng.random(2), rng.random(4)
    if not guide.any():
        return guide
    if is_moved:
        guide = shift_mask(guide, moved_by, config.off_centre_by)
    if is_cut:
        guide = occlude(guide, cut_by)
    return leak(guide, leaked_by) if is_leaked else guide


def shift_mask(guide: Mask, draw: NDArray[np.float64], by: float) -> Mask:
    """A mask shifted by up to `by` of its object's width and height; as it was where nothing would stay in the frame.

    Args:
        guide: (H, W) uint8 0/1, not empty.
        draw: (2,) in 0..1: how far across and down.
        by: 0..1.
    """
    x0, y0, x1, y1 = bounding_box(guide) or (0, 0, 0, 0)
    dx, dy = (2 * draw - 1) * by * (x1 - x0, y1 - y0)
    matrix = np.array([[1, 0, round(dx)], [0, 1, round(dy)]], np.float32)
    shifted = cv2.warpAffine(guide, matrix, guide.shape[::-1], flags=cv2.INTER_NEAREST)
    return shifted if shifted.any() else guide  # type: ignore[return-value]


def occlude(guide: Mask, draw: NDArray[np.float64]) -> Mask:
    """A mask without the part of the object beyond a straight line, at most two thirds of it.

    Args:
        guide: (H, W) uint8 0/1, not empty.
        draw: (2,) in 0..1: direction of the part, and how much is kept.
    """
    y, x = np.nonzero(guide)
    along = x * math.cos(2 * math.pi * draw[0]) + y * math.sin(2 * math.pi * draw[0])
    gone = along > np.quantile(along, (1 + 2 * draw[1]) / 3)
    kept = guide.copy()
    kept[y[gone], x[gone]] = 0
    return kept


def leak(guide: Mask, draw: NDArray[np.float64]) -> Mask:
    """A mask with an ellipse added, its centre anywhere in a window of the middle margin.

    Args:
        guide: (H, W) uint8 0/1, not empty.
        draw: (4,) in 0..1: the centre, and half the axes, a twentieth to a quarter of the object's longer side.
    """
    x0, y0, x1, y1 = bounding_box(guide) or (0, 0, 0, 0)
    longest = max(x1 - x0, y1 - y0)
    middle = np.array([x0 + x1, y0 + y1]) / 2
    x, y = np.rint(middle + (draw[:2] - 0.5) * (1 + 2 * MARGIN) * longest).astype(int).tolist()
    axes = np.ceil((0.05 + 0.2 * draw[2:]) * longest).astype(int).tolist()
    return cv2.ellipse(guide.copy(), (x, y), axes, 0, 0, 360, 1, -1)  # type: ignore[return-value]
