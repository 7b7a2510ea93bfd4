"""Scaling and shifting of the object: where the previous frame's mask was a little smaller and a little elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arrays import Box
from .object_crop import ObjectCrop
from .ranges import setting, settle
from .warp import Frame, PointMap, Points


@dataclass(frozen=True)
class Affine:
    """Ranges of a random scale about the centre of the object's box and of a random shift, drawn continuously.

    Attributes:
        scale: the factor lies in 1 ± this.
        shift: x and y move by at most this fraction of the box's width and height.

    Source: arXiv 1612.02646 §4, "±5% random scaling", "±10% shift".
    """

    kind: ClassVar[str] = "affine"
    names: ClassVar[tuple[str, ...]] = ("scale", "dx", "dy")

    scale: float = setting(0.05, 0, 0.9)
    shift: float = setting(0.10, 0, 2)

    def __post_init__(self) -> None:
        settle(self, self.kind)

    def draw(self, rng: np.random.Generator, figure: ObjectCrop) -> NDArray[np.float64]:
        """Draw one scale and shift.

        Args:
            rng: source of the numbers; three are used.
            figure: the object, whose box the shift is measured by.

        Returns:
            (3,) float64: scale factor, shift in x and y in pixels; NaN for an empty mask.
        """
        scale, x, y = (2 * unit - 1 for unit in rng.random(3).tolist())
        if not figure.width:
            return np.full(3, np.nan)
        reach_x, reach_y = self.shift * figure.width, self.shift * figure.height
        return np.array([1 + self.scale * scale, reach_x * x, reach_y * y])

    def bind(self, parameters: NDArray[np.float64], box: Box, before: Sequence[PointMap]) -> PointMap | None:
        """The point map of drawn numbers for an object in `box`; earlier warps of the run do not change it."""
        scale, dx, dy = parameters.tolist()
        if math.isnan(scale):
            return None
        return ScaleShift(scale, (box[0] + box[2] - 1) / 2, (box[1] + box[3] - 1) / 2, dx, dy)


@dataclass(frozen=True)
class ScaleShift:
    """Scaling by `scale` about (x, y), then a shift by (dx, dy); all in pixels."""

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
