"""Growing of the mask by a disc, so that its contour loses detail."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Mask
from .ranges import setting, settle
from .warp import object_box


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

    def draw(self, rng: np.random.Generator, mask: Mask) -> NDArray[np.float64]:
        """The radius, (1,) float64; takes no number from `rng`."""
        return np.array([self.radius], np.float64)

    def apply(self, mask: Mask, parameters: NDArray[np.float64]) -> Mask:
        """Grow `mask` by the disc of the stored radius; see `dilate`."""
        return dilate(mask, int(parameters[0]))


def dilate(mask: Mask, radius: int) -> Mask:
    """Grow a mask by all pixels within `radius` of its foreground.

    Args:
        mask: (H, W) uint8, 0 or 1.
        radius: of the disc, in pixels; dx² + dy² <= radius².

    Returns:
        (H, W) uint8, 0 or 1; contains `mask`.
    """
    grown = mask.copy()
    box = object_box(mask)
    if box is None or radius == 0:
        return grown
    x0, y0, x1, y1 = box
    # Only the object's surroundings: the disc costs some 80 comparisons a pixel.
    rows, columns = slice(max(y0 - radius, 0), y1 + radius), slice(max(x0 - radius, 0), x1 + radius)
    grown[rows, columns] = cv2.dilate(mask[rows, columns], disc(radius))
    return grown


@cache
def disc(radius: int) -> NDArray[np.uint8]:
    """(2r + 1, 2r + 1) uint8, 1 within Euclidean distance `radius` of the centre."""
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    inside: NDArray[np.uint8] = (x * x + y * y <= radius * radius).astype(np.uint8)
    return inside
