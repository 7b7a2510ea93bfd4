"""Geometric steps on whole frames: a photo and its masks warped along one point map, in one resampling each.

For clips and for training views. A guide mask of a recipe, which is only as large as its object, is left to `warp`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Box, Image, Labels, Mask
from ..errors import UsageError
from .apply import point_maps
from .base import Transform
from .object_crop import ObjectCrop
from .sampling import PARTS, SamplingMap
from .warp import PointMap, Points

Border = Literal["constant", "reflect", "replicate"]

_BORDERS = {"constant": cv2.BORDER_CONSTANT, "reflect": cv2.BORDER_REFLECT_101, "replicate": cv2.BORDER_REPLICATE}
_ROWS = 64  # computed at a time; the temporaries of a spline stay in the processor's caches


@dataclass(frozen=True)
class FrameWarp(PointMap):
    """Point maps one after the other, as one map of a whole frame.

    Attributes:
        maps: forward direction, first applied first; none leaves everything as it is.
        size: (H, W) of the frame.
    """

    maps: tuple[PointMap, ...]
    size: tuple[int, int]

    def forward(self, x: Points, y: Points) -> tuple[Points, Points]:
        """About where points of the frame go, (x, y) in pixels."""
        for each in self.maps:
            x, y = each.forward(x, y)
        return x, y

    def inverse(self, x: Points, y: Points) -> tuple[Points, Points]:
        """Where points of the warped frame come from."""
        for each in reversed(self.maps):
            x, y = each.inverse(x, y)
        return x, y

    def curvature(self) -> float:
        """Of all maps together."""
        return sum(each.curvature() for each in self.maps)

    def warp_image(self, image: Image, border: Border = "constant", fill: tuple[int, int, int] = (0, 0, 0)) -> Image:
        """A photo along the map, bilinear.

        Args:
            image: (H, W, 3) uint8 RGB.
            border: what lies beyond the photo: `constant` for `fill`, `reflect` or `replicate`.
            fill: RGB, for `constant`.

        Returns:
            (H, W, 3) uint8 RGB.

        Raises:
            ValueError: another size.
            UsageError: an unknown border.
        """
        if border not in _BORDERS:
            raise UsageError(f"border {border!r}: expected {', '.join(_BORDERS)}")
        self._check(image)
        return self._map.image(image, fill, _BORDERS[border]) if self.maps else image.copy()

    def warp_mask(self, labels: Labels, fill: int = 0) -> Labels:
        """A mask or label map along the map, the nearest pixel each, so no new values.

        Args:
            labels: (H, W) uint8.
            fill: value of what lies beyond the frame, such as the ignore label.

        Returns:
            (H, W) uint8.

        Raises:
            ValueError: another size.
        """
        self._check(labels)
        return self._map.mask(labels, fill) if self.maps else labels.copy()

    def inside(self) -> Mask:
        """(H, W) uint8, 1 where the warped frame shows something of the frame, 0 where it shows what lies beyond."""
        return self.warp_mask(np.ones(self.size, np.uint8))

    def _check(self, plane: NDArray[np.uint8]) -> None:
        if plane.shape[:2] != self.size:
            raise ValueError(f"warp: plane is {plane.shape[:2]}, expected {self.size}")

    @cached_property
    def _map(self) -> SamplingMap:
        """Where each pixel is read from, evaluated at every pixel."""
        H, W = self.size
        values = np.empty((2, H, W), np.float32)
        across = np.arange(W, dtype=np.float64)[None, :]
        for top in range(0, H, _ROWS):
            down = np.arange(top, min(top + _ROWS, H), dtype=np.float64)[:, None]
            for into, found in zip(values[:, top : top + _ROWS], self.inverse(across, down), strict=True):
                into[:] = np.rint(found * PARTS) / PARTS
        return SamplingMap(*values)


def sample_warp(
    steps: Sequence[Transform],
    rng: np.random.Generator,
    size: tuple[int, int],
    around: Mask | Box | None = None,
) -> FrameWarp:
    """Draw the parameters of geometric steps, and compose them into one map of a whole frame.

    Args:
        steps: first applied first, such as `Affine()`, `RotateFlip()`, `Tps()`.
        rng: source of all chance.
        size: (H, W) of the frame.
        around: what amounts and centres are measured by: an (H, W) uint8 0/1 mask, a box (x0, y0, x1, y1), or None
            for the whole frame. Splines draw their control points around it.

    Returns:
        A map; without those steps that do not apply to what they are drawn around.

    Raises:
        UsageError: a step is not geometric.
        ValueError: the mask has another size.
    """
    other = [step.kind for step in steps if not step.is_geometric]
    if other:
        raise UsageError(f"sample_warp: {other[0]} is no geometric step and cannot warp an image")
    crop = _crop(size, around)
    return FrameWarp(tuple(point_maps(crop, steps, [step.sample_params(rng, crop) for step in steps])), size)


def _crop(size: tuple[int, int], around: Mask | Box | None) -> ObjectCrop:
    if isinstance(around, np.ndarray):
        if around.shape != size:
            raise ValueError(f"sample_warp: mask is {around.shape}, expected {size}")
        return ObjectCrop.of(around)
    H, W = size
    # The frame without its outermost pixels: splines find a ring to draw from.
    x0, y0, x1, y1 = around or (min(1, W - 1), min(1, H - 1), max(W - 1, 1), max(H - 1, 1))
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, W), min(y1, H)
    if x0 >= x1 or y0 >= y1:
        return ObjectCrop.nothing(size)
    return ObjectCrop(size, (x0, y0, x1, y1), np.ones((y1 - y0, x1 - x0), np.uint8))
