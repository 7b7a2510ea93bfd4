"""Turning and stretching of a photo together with its masks, about the object's middle."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Mask, bounding_box
from .views import ViewConfig


def sample_pose(rng: np.random.Generator, target: Mask, config: ViewConfig) -> NDArray[np.float64] | None:
    """How photo and masks are turned and stretched together.

    Args:
        rng: source of all numbers.
        target: (H, W) uint8, 0 or 1; its middle stays where it is.
        config: the ranges.

    Returns:
        (2, 3) float64 for `apply_pose`; None where nothing is drawn.
    """
    turned, stretched = 2 * rng.random(2) - 1
    box = bounding_box(target)
    if box is None or not (config.turn or config.stretch):
        return None
    angle, ratio = math.radians(turned * config.turn), math.exp(stretched * config.stretch / 2)
    cos, sin = math.cos(angle), math.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([ratio, 1 / ratio])
    middle = np.array([box[0] + box[2] - 1, box[1] + box[3] - 1]) / 2
    return np.column_stack([linear, middle - linear @ middle])


def apply_pose(
    plane: NDArray[np.uint8], pose: NDArray[np.float64] | None, outside: int | tuple[int, ...]
) -> NDArray[np.uint8]:
    """An image (bilinear) or a mask (nearest) turned and stretched within its frame; `plane` itself without a pose.

    Args:
        plane: (H, W, 3) or (H, W) uint8.
        pose: of `sample_pose`.
        outside: value of what was not in the frame.
    """
    if pose is None:
        return plane
    way = cv2.INTER_LINEAR if plane.ndim == 3 else cv2.INTER_NEAREST
    return cv2.warpAffine(plane, pose, plane.shape[1::-1], flags=way, borderValue=outside)  # type: ignore[return-value]
