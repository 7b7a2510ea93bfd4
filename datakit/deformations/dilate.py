"""Growing of the mask by a disc, so that its contour loses detail."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Mask
from .figure import Figure
from .ranges import setting, settle


@dataclass(frozen=True)
class Dilate:
    """Dilation by a Euclidean disc; nothing random, but the radius is stored with the triple.

    Attributes:
        radius: in pixels; 0 changes nothing.

    Source: arXiv 1612.02646 §4, "dilation operation using 5 pixel radius".
    """

    kind: ClassVar[str] = "dilate"
    names: ClassVar[tuple[str, ...]] = ("radius",)

    radius: int = setting(5, 0, 255)

    def __post_init__(self) -> None:
        settle(self, self.kind)

    def draw(self, rng: np.random.Generator, figure: Figure) -> NDArray[np.float64]:
        """The radius, (1,) float64; takes no number from `rng`."""
        return np.array([self.radius], np.float64)

    def apply(self, figure: Figure, parameters: NDArray[np.float64]) -> Figure:
        """Grow the object by all pixels within the stored radius of it; contains the object."""
        radius = int(parameters[0])
        if not (radius and figure.width):
            return figure
        padded, x, y = figure.padded(radius)
        grown: Mask = cv2.dilate(padded, disc(radius))  # type: ignore[assignment]
        # The object touches all sides of its box, so the grown one touches all sides of the padded box.
        return Figure(figure.size, (x, y, x + grown.shape[1], y + grown.shape[0]), grown)


@cache
def disc(radius: int) -> NDArray[np.uint8]:
    """(2r + 1, 2r + 1) uint8, 1 within Euclidean distance `radius` of the centre."""
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    inside: NDArray[np.uint8] = (x * x + y * y <= radius * radius).astype(np.uint8)
    return inside
