"""Scaling, rotating, shearing and shifting the object: masks of the previous frame are a little off."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..arrays import Box
from ..config import setting
from .base import Params, Transform
from .object_crop import ObjectCrop
from .warp import Frame, PointMap, Points


@dataclass(frozen=True)
class Affine(Transform):
    """A random scale, rotation and shear about the centre of the object's box and a random shift, drawn continuously.

    Attributes:
        scale: the factor lies in 1 ± this.
        shift: x and y move by at most this fraction of the box's width and height.
        rotation: largest angle in degrees, counter-clockwise or clockwise; 0 draws none.
        shear: largest horizontal move per pixel of height, before the rotation; 0 draws none.

    Source: arXiv 1612.02646 §4, "±5% random scaling", "±10% shift"; rotation and shear are ours.
    """

    kind: ClassVar[str] = "affine"

    scale: float = setting(0.05, 0, 0.9)
    shift: float = setting(0.10, 0, 2)
    rotation: float = setting(0.0, 0, 180, is_optional=True)
    shear: float = setting(0.0, 0, 1, is_optional=True)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """`rotation` and `shear` only where they are drawn."""
        more = (name for name in ("rotation", "shear") if getattr(self, name))
        return ("scale", "dx", "dy", *more)

    def sample_params(self, rng: np.random.Generator, crop: ObjectCrop) -> Params:
        """Draw one scale and shift, then rotation and shear where they are asked for.

        Args:
            rng: source of the numbers; three to five are used.
            crop: the object, whose box the shift is measured by.

        Returns:
            (3..5,) float64: scale factor, shift in x and y in pixels, degrees, shear; NaN for an empty mask.
        """
        ranges = [most for most in (self.rotation, self.shear) if most]
        scale, x, y, *more = (2 * unit - 1 for unit in rng.random(3 + len(ranges)).tolist())
        height, width = crop.pixels.shape
        if not width:
            return np.full(3 + len(ranges), np.nan)
        reach_x, reach_y = self.shift * width, self.shift * height
        rest = [most * unit for most, unit in zip(ranges, more, strict=True)]
        return np.array([1 + self.scale * scale, reach_x * x, reach_y * y, *rest])

    def point_map(self, parameters: Params, box: Box, before: Sequence[PointMap]) -> PointMap | None:
        """The point map of drawn numbers for an object in `box`; earlier warps of the group do not change it."""
        scale, dx, dy, *more = parameters.tolist()
        if math.isnan(scale):
            return None
        x, y = (box[0] + box[2] - 1) / 2, (box[1] + box[3] - 1) / 2
        if not more:
            return ScaleShift(scale, x, y, dx, dy)
        drawn = dict(zip(self.parameter_names[3:], more, strict=True))
        return Linear.turned(drawn.get("rotation", 0.0), drawn.get("shear", 0.0), scale, (x, y), (dx, dy))

    def describe(self, numbers: Mapping[str, float]) -> list[str]:
        """Scale, shift, and what else was drawn."""
        change = (numbers["scale"] - 1) * 100
        captions = [f"scale {change:+.1f} %", f"shift {numbers['dx']:+.1f} / {numbers['dy']:+.1f} px"]
        if "rotation" in numbers:
            captions.append(f"rotation {numbers['rotation']:+.1f} deg")
        return captions + ([f"shear {numbers['shear']:+.2f}"] if "shear" in numbers else [])


@dataclass(frozen=True)
class ScaleShift(PointMap):
    """Scaling by `scale` about (x, y), then a shift by (dx, dy); all in pixels."""

    keeps_shape: ClassVar[bool] = True

    scale: float
    x: float
    y: float
    dx: float
    dy: float

    def forward(self, x: Points, y: Points) -> tuple[Points, Points]:
        """Where points of the mask go."""
        return self.x + self.scale * (x - self.x) + self.dx, self.y + self.scale * (y - self.y) + self.dy

    def inverse(self, x: Points, y: Points) -> tuple[Points, Points]:
        """Where points of the warped mask come from."""
        return self.x + (x - (self.x + self.dx)) / self.scale, self.y + (y - (self.y + self.dy)) / self.scale

    def spread(self, box: Frame) -> Frame:
        """The moved box, and a pixel for rounding."""
        x0, x1 = (self.x + self.scale * (x - self.x) + self.dx for x in (box[0], box[2]))
        y0, y1 = (self.y + self.scale * (y - self.y) + self.dy for y in (box[1], box[3]))
        return x0 - 1, y0 - 1, x1 + 1, y1 + 1

    def curvature(self) -> float:
        """A linear map has none."""
        return 0.0


@dataclass(frozen=True)
class Linear(PointMap):
    """The matrix [[a, b], [c, d]] about the point (x, y), then a shift by (dx, dy); all in pixels."""

    a: float
    b: float
    c: float
    d: float
    x: float
    y: float
    dx: float = 0.0
    dy: float = 0.0

    @classmethod
    def turned(
        cls, degrees: float, shear: float, scale: float, centre: tuple[float, float], shift: tuple[float, float]
    ) -> Linear:
        """Shear, then scale, then rotation (counter-clockwise on the screen) about a centre, then a shift."""
        cos, sin = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
        return cls(cos, cos * shear + sin, -sin, cos - sin * shear, *centre, *shift)

    def forward(self, x: Points, y: Points) -> tuple[Points, Points]:
        """Where points of the mask go."""
        x, y = x - self.x, y - self.y
        return self.x + self.dx + self.a * x + self.b * y, self.y + self.dy + self.c * x + self.d * y

    def inverse(self, x: Points, y: Points) -> tuple[Points, Points]:
        """Where points of the warped mask come from."""
        x, y = x - (self.x + self.dx), y - (self.y + self.dy)
        area = self.a * self.d - self.b * self.c
        return self.x + (self.d * x - self.b * y) / area, self.y + (self.a * y - self.c * x) / area

    def spread(self, box: Frame) -> Frame:
        """Around the moved corners, and a pixel for rounding."""
        x, y = self.forward(np.array(box)[[0, 2, 0, 2]], np.array(box)[[1, 1, 3, 3]])
        return float(x.min()) - 1, float(y.min()) - 1, float(x.max()) + 1, float(y.max()) + 1

    def curvature(self) -> float:
        """A linear map has none."""
        return 0.0
