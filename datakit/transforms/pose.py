"""Turning and stretching of a photo together with its masks about the object's middle, and what a window then shows.

Pose, window, scale and mirroring are one map: photo and masks are resampled once, and lie on each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Image, Mask
from ..images import reduction
from .crop import Window, cut_image, cut_mask
from .object_crop import ObjectCrop
from .sampling import Matrix, SamplingMap, composed, moved, reduced
from .views import ViewConfig

_LONGEST = 32766  # side of a photo that OpenCV's maps reach


def sample_pose(rng: np.random.Generator, target: ObjectCrop, config: ViewConfig) -> Matrix | None:
    """How photo and masks are turned and stretched together.

    Args:
        rng: source of all numbers.
        target: the object; its middle stays where it is.
        config: the ranges.

    Returns:
        (2, 3) float64, from the photo to the turned one; None where nothing is drawn, or the photo is longer than
        32 766 pixels.
    """
    turned, stretched = 2 * rng.random(2) - 1
    if not target.width or not (config.turn or config.stretch) or max(target.size) > _LONGEST:
        return None
    angle, ratio = math.radians(turned * config.turn), math.exp(stretched * config.stretch / 2)
    cos, sin = math.cos(angle), math.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([ratio, 1 / ratio])
    x0, y0, x1, y1 = target.box
    middle = np.array([x0 + x1 - 1, y0 + y1 - 1]) / 2
    return np.column_stack([linear, middle - linear @ middle])


def apply_pose(crop: ObjectCrop, pose: Matrix | None) -> ObjectCrop:
    """An object turned and stretched within its frame; what leaves it is dropped. Itself without a pose.

    Args:
        crop: the object.
        pose: of `sample_pose`.
    """
    if pose is None or not crop.width:
        return crop
    (H, W), (x0, y0, x1, y1) = crop.size, crop.box
    x, y = pose @ [[x0, x1, x0, x1], [y0, y0, y1, y1], [1, 1, 1, 1]]
    left, top = max(math.floor(x.min()) - 1, 0), max(math.floor(y.min()) - 1, 0)
    right, bottom = min(math.ceil(x.max()) + 1, W), min(math.ceil(y.max()) + 1, H)
    if left >= right or top >= bottom:
        return ObjectCrop.nothing(crop.size)
    matrix = moved(composed(pose, np.array([[1.0, 0, x0], [0, 1, y0]])), left, top)
    part = cv2.warpAffine(crop.pixels, matrix, (right - left, bottom - top), flags=cv2.INTER_NEAREST)
    return ObjectCrop.of(part, left, top, crop.size)  # type: ignore[arg-type]


@dataclass(frozen=True)
class PosedWindow:
    """What a window shows of a photo that was turned and stretched, or was not, mirrored or not.

    Without a pose it is cut as propagation cuts it; else photo and masks are read once, along one map.

    Attributes:
        window: of the turned photo.
        frame_size: (H, W) of the photo, and of the turned one.
        pose: of `sample_pose`.
        flip: whether it is mirrored left to right.
    """

    window: Window
    frame_size: tuple[int, int]
    pose: Matrix | None = None
    flip: bool = False

    @property
    def matrix(self) -> Matrix:
        """(2, 3) float64, from pixels of the cut to pixels of the turned photo."""
        x0, y0, x1, y1 = self.window.box
        h, w = self.window.size
        across, down = (x1 - x0) / w, (y1 - y0) / h
        right, left = (-across, x1) if self.flip else (across, x0)
        return np.array([[right, 0, left + (right - 1) / 2], [0, down, y0 + (down - 1) / 2]])

    @cached_property
    def _to_photo(self) -> Matrix:
        """From pixels of the cut to pixels of the photo."""
        assert self.pose is not None
        back = np.linalg.inv(self.pose[:, :2])
        return composed(np.column_stack([back, -back @ self.pose[:, 2]]), self.matrix)

    @cached_property
    def _map(self) -> SamplingMap:
        return SamplingMap.linear(self._to_photo, self.window.size)

    def image(self, photo: Callable[[int], Image], fill: tuple[int, int, int]) -> Image:
        """What is shown of the photo, which is asked for at the smallest size that serves.

        Args:
            photo: gives (ceil(H / factor), ceil(W / factor), 3) uint8 RGB for a factor, a power of 2.
            fill: colour beyond the photo.

        Returns:
            (h, w, 3) uint8 RGB.
        """
        if self.pose is None:
            return self._mirrored(cut_image(photo(1), self.window, fill))
        factor = reduction(math.sqrt(abs(np.linalg.det(self._to_photo[:, :2]))))
        if factor == 1:
            return self._map.image(photo(1), fill)
        return SamplingMap.linear(reduced(self._to_photo, factor), self.window.size).image(photo(factor), fill)

    def mask(self, mask: Mask) -> Mask:
        """What is shown of a mask of the photo, 0 beyond it.

        Args:
            mask: (H, W) uint8.

        Returns:
            (h, w) uint8, in memory of its own.
        """
        return self.turned_mask(mask) if self.pose is None else self._map.mask(mask)

    def turned_mask(self, mask: Mask) -> Mask:
        """What is shown of a mask of the turned photo, as `mask` gives it."""
        return self._mirrored(cut_mask(mask, self.window))

    def inside(self) -> Mask | None:
        """(h, w) uint8, 1 where the photo is shown and 0 beyond it; None where it is shown everywhere."""
        H, W = self.frame_size
        if self.pose is None:
            everywhere = self.window.is_inside(self.frame_size)
        else:
            h, w = self.window.size
            x, y = self._to_photo @ [[0, w - 1, 0, w - 1], [0, 0, h - 1, h - 1], [1, 1, 1, 1]]
            everywhere = min(x.min(), y.min()) >= 0 and x.max() <= W - 1 and y.max() <= H - 1
        return None if everywhere else self.mask(np.ones(self.frame_size, np.uint8))

    def _mirrored(self, plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return cv2.flip(plane, 1) if self.flip else plane  # type: ignore[return-value]
