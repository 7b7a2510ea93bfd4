"""Holes in the mask, as a network leaves them where an object looks like its background."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..config import setting
from .base import Params, Transform
from .object_crop import ObjectCrop


@dataclass(frozen=True)
class Holes(Transform):
    """Discs cut out of the object, each around one of its pixels.

    Attributes:
        count: how many; they may overlap.
        share: radius of each as a share of the square root of the object's area, or its range; at least one pixel.
    """

    kind: ClassVar[str] = "holes"

    count: int = setting(2, 1, 16)
    share: float | tuple[float, float] = setting((0.03, 0.12), 0, 1, kind=float, allows_range=True)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Centre and radius of each hole, in pixels."""
        return tuple(f"{name}{n}" for n in range(self.count) for name in ("x", "y", "radius"))

    def sample_params(self, rng: np.random.Generator, crop: ObjectCrop) -> Params:
        """Draw the holes.

        Returns:
            (3 * count,) float64 whole numbers: x, y, radius of each; NaN for an empty mask. A hole that would leave
            nothing of the object has radius -1 and is not cut.
        """
        units = rng.random((self.count, 2))
        if not crop.width:
            return np.full(3 * self.count, np.nan)
        low, high = self.share if isinstance(self.share, tuple) else (self.share, self.share)
        pixels = np.flatnonzero(crop.pixels)
        drawn = np.empty((self.count, 3))
        for row, (where, size) in zip(drawn, units.tolist(), strict=True):
            y, x = divmod(int(pixels[int(where * len(pixels))]), crop.width)
            radius = max(1, round((low + (high - low) * size) * math.sqrt(crop.area)))
            row[:] = x + crop.box[0], y + crop.box[1], radius
        for n in range(self.count):
            if not self.apply(crop, drawn[: n + 1].ravel()).width:
                drawn[n, 2] = -1
        return drawn.ravel()

    def apply(self, crop: ObjectCrop, parameters: Params) -> ObjectCrop:
        """The object without the discs."""
        if not crop.width or np.isnan(parameters).any():
            return crop
        x0, y0, x1, y1 = crop.box
        left = crop.pixels.copy()
        for x, y, radius in parameters.reshape(-1, 3).astype(int).tolist():
            if radius >= 0:
                rows, columns = np.ogrid[y0 - y : y1 - y, x0 - x : x1 - x]
                left[rows * rows + columns * columns <= radius * radius] = 0
        return ObjectCrop.of(left, x0, y0, crop.size)

    def describe(self, numbers: Mapping[str, float]) -> list[str]:
        """How many, and the largest."""
        radii = [value for name, value in numbers.items() if name.startswith("radius") and value >= 0]
        return [f"{len(radii)} holes, radius up to {max(radii):g} px"] if radii else ["no holes"]
