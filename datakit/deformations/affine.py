"""Scaling and shifting of the object: where the previous frame's mask was a little smaller and a little elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arrays import Box, Mask
from .ranges import setting, settle
from .warp import PointMap, Points, object_box


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

    def draw(self, rng: np.random.Generator, mask: Mask) -> NDArray[np.float64]:
        """Draw one scale and shift.

        Args:
            rng: source of the numbers; three are used.
            mask: (H, W) uint8, 0 or 1.

        Returns:
            (3,) float64: scale factor, shift in x and y in pixels; NaN for an empty mask.
        """
        unit = 2 * rng.random(3) - 1
        box = object_box(mask)
        if box is None:
            return np.full(3, np.nan)
        x0, y0, x1, y1 = box
        return np.array([1, 0, 0]) + unit * (self.scale, self.shift * (x1 - x0), self.shift * (y1 - y0))

    def bind(self, parameters: NDArray[np.float64], box: Box, before: Sequence[PointMap]) -> PointMap | None:
        """The point map of drawn numbers for an object in `box`; earlier warps of the run do not change it."""
        if np.isnan(parameters).any():
            return None
        scale, dx, dy = parameters.tolist()
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

    def stretch(self) -> float:
        """By how much the inverse map enlarges distances."""
        return 1 / self.scale

    def bend(self, step: float, reach: float) -> float:
        """A linear map equals its interpolation."""
        return 0.0

    def knots(self) -> Points:
        """None."""
        return np.empty((0, 2))
