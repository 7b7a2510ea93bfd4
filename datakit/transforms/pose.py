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

from ..arrays import Box, Image, Mask
from ..images import reduction
from .crop import Window, cut_image, cut_mask
from .object_crop import ObjectCrop
from .sampling import Matrix, SamplingMap, composed, reduced
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
    turned, stretched = (2 * rng.random(2) - 1).tolist()
    if not target.width or not (config.turn or config.stretch) or max(target.size) > _LONGEST:
        return None
    angle, ratio = math.radians(turned * config.turn), math.exp(stretched * config.stretch / 2)
    cos, sin = math.cos(angle), math.sin(angle)
    x0, y0, x1, y1 = target.box
    x, y = (x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2
    a, b, d, e = cos * ratio, -sin / ratio, sin * ratio, cos / ratio
    return np.array([[a, b, x - a * x - b * y], [d, e, y - d * x - e * y]])


def apply_pose(crop: ObjectCrop, pose: Matrix | None) -> ObjectCrop:
    """An object turned and stretched within its frame; what leaves it is dropped. Itself without a pose.

    Args:
        crop: the object.
        pose: of `sample_pose`.
    """
    if pose is None or not crop.width:
        return crop
    (H, W), (x0, y0, _, _), (left, top, right, bottom) = crop.size, crop.box, _room(crop, pose)
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, W), min(bottom, H)
    (a, b, c), (d, e, f) = pose.tolist()
    if left >= right or top >= bottom:
        return ObjectCrop.nothing(crop.size)
    matrix = np.array([[a, b, a * x0 + b * y0 + c - left], [d, e, d * x0 + e * y0 + f - top]])
    part = cv2.warpAffine(crop.pixels, matrix, (right - left, bottom - top), flags=cv2.INTER_NEAREST)
    return ObjectCrop.of(part, left, top, crop.size)  # type: ignore[arg-type]


def is_kept(crop: ObjectCrop, pose: Matrix) -> bool:
    """Whether anything of an object stays in the frame under a pose."""
    left, top, right, bottom = _room(crop, pose)
    within = min(left, top) >= 0 and right <= crop.size[1] and bottom <= crop.size[0]
    return within or apply_pose(crop, pose).width > 0


def _room(crop: ObjectCrop, pose: Matrix) -> Box:
    """A box that holds the turned object, which may reach beyond the frame."""
    x0, y0, x1, y1 = crop.box
    xs, ys = ([p * x + q * y + r for x in (x0, x1) for y in (y0, y1)] for p, q, r in pose.tolist())
    return math.floor(min(xs)) - 1, math.floor(min(ys)) - 1, math.ceil(max(xs)) + 1, math.ceil(max(ys)) + 1


@dataclass(frozen=True)
class PosedWindow:
    """What a window shows of a photo that was turned and stretched, or was not, mirrored or not.

    Without a pose it is cut as propagation cuts it; else photo and masks are read once, along one map. What the pose
    moves out of the frame is gone: a guide mask, which is drawn within the frame, does not know of it.

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

    def image(self, photo: Callable[[int], Image], fill: tuple[int, int, int]) -> Image:
        """What is shown of the photo, which is asked for at the smallest size that serves.

        Args:
            photo: gives (ceil(H / factor), ceil(W / factor), 3) uint8 RGB for a factor, a power of 2.
            fill: colour beyond the photo.

        Returns:
            (h, w, 3) uint8 RGB, in memory of its own.
        """
        if self.pose is None:
            return self._mirrored(cut_image(photo(1), self.window, fill))
        (a, b, _), (d, e, _) = self._to_photo.tolist()
        factor = reduction(math.sqrt(abs(a * e - b * d)))
        return self._framed(self._map_at(factor).image(photo(factor), fill), fill)

    def masks(self, *masks: Mask) -> tuple[list[Mask], Mask]:
        """What is shown of masks of the photo, 0 beyond it, and where the photo is shown at all.

        Args:
            masks: (H, W) uint8, 0 or 1; up to seven, which are read together.

        Returns:
            (h, w) uint8 0/1 of each, in memory of its own; and (h, w) uint8, 1 where the photo is shown, 0 beyond it.
        """
        if self.pose is None:
            whole = self.window.is_inside(self.frame_size)
            inside = np.ones(self.window.size if whole else self.frame_size, np.uint8)
            return [self.turned_mask(mask) for mask in masks], inside if whole else self.turned_mask(inside)
        coded = np.ones(self.frame_size, np.uint8)
        for bit, mask in enumerate(masks, 1):
            coded += mask * np.uint8(1 << bit)  # NumPy multiplies six times as fast as it shifts
        read = self._framed(self._map_at(1).mask(coded), (0,))
        one = np.uint8(1)
        return [read >> np.uint8(bit) & one for bit in range(1, len(masks) + 1)], read & one

    def turned_mask(self, mask: Mask) -> Mask:
        """What is shown of an (H, W) uint8 mask of the turned photo, 0 beyond it: (h, w) uint8, memory of its own."""
        return self._mirrored(cut_mask(mask, self.window))

    def _mirrored(self, plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return cv2.flip(plane, 1) if self.flip else plane  # type: ignore[return-value]

    @cached_property
    def _within(self) -> Box:
        """The part of the cut, x0, y0, x1, y1, that lies in the frame; never empty."""
        (x0, y0, x1, y1), (h, w), (H, W) = self.window.box, self.window.size, self.frame_size
        left, right = _columns_within(x0, x1, w, W)
        top, bottom = _columns_within(y0, y1, h, H)
        return (w - right, top, w - left, bottom) if self.flip else (left, top, right, bottom)

    @cached_property
    def _to_photo(self) -> Matrix:
        """(2, 3) float64, from pixels of the cut that lie in the frame to pixels of the photo."""
        (x0, y0, x1, y1), (h, w), (left, top, _, _) = self.window.box, self.window.size, self._within
        across, down = (x1 - x0) / w, (y1 - y0) / h
        step, first = (-across, x1) if self.flip else (across, x0)
        cut = np.array([[step, 0, first + (left + 0.5) * step - 0.5], [0, down, y0 + (top + 0.5) * down - 0.5]])
        assert self.pose is not None
        back: Matrix = cv2.invertAffineTransform(self.pose)  # type: ignore[assignment]
        return composed(back, cut)

    def _map_at(self, factor: int) -> SamplingMap:
        if factor not in self._maps:
            left, top, right, bottom = self._within
            self._maps[factor] = SamplingMap.linear(reduced(self._to_photo, factor), (bottom - top, right - left))
        return self._maps[factor]

    @cached_property
    def _maps(self) -> dict[int, SamplingMap]:
        return {}

    def _framed(self, part: NDArray[np.uint8], fill: tuple[int, ...]) -> NDArray[np.uint8]:
        """The cut of its part that lies in the frame."""
        (left, top, right, bottom), (h, w) = self._within, self.window.size
        if part.shape[:2] == (h, w):
            return part
        return cv2.copyMakeBorder(part, top, h - bottom, left, w - right, cv2.BORDER_CONSTANT, value=fill)  # type: ignore[return-value]


def _columns_within(start: int, stop: int, count: int, extent: int) -> tuple[int, int]:
    """Half-open range of the `count` columns of a window, at least one, whose middles lie in a frame that wide."""
    step = (stop - start) / count
    first, last = (math.ceil((edge - start) / step - 0.5) for edge in (0, extent))
    first = min(max(first, 0), count - 1)
    return first, max(min(last, count), first + 1)
