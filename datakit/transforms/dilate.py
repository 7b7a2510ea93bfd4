"""Growing and shrinking of the mask by a disc, so that its contour loses detail."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ..config import setting
from .base import Params, Transform
from .object_crop import ObjectCrop

LARGEST = 255  # pixels of a radius


@dataclass(frozen=True)
class Dilate(Transform):
    """Dilation by a Euclidean disc; the radius is stored with the triple.

    Attributes:
        radius: in pixels, or its range; 0 changes nothing.
        share: radius as a share of the square root of the object's area, or its range; where it is not 0, `radius`
            is not used.

    Source: arXiv 1612.02646 §4, "dilation operation using 5 pixel radius"; ranges and shares are ours.
    """

    kind: ClassVar[str] = "dilate"
    noun: ClassVar[str] = "dilation"

    radius: int | tuple[int, int] = setting(5, 0, LARGEST, allows_range=True)
    share: float | tuple[float, float] = setting(0.0, 0, 1, allows_range=True, is_optional=True)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The radius in pixels."""
        return ("radius",)

    def sample_params(self, rng: np.random.Generator, crop: ObjectCrop) -> Params:
        """The radius, (1,) float64 whole number; takes a number from `rng` where it is a range."""
        return np.array([sample_radius(rng, self.radius, self.share, crop)], np.float64)

    def apply(self, crop: ObjectCrop, parameters: Params) -> ObjectCrop:
        """Grow the object by all pixels within the stored radius of it; contains the object."""
        radius = int(parameters[0])
        if not (radius and crop.pixels.size):
            return crop
        padded, x, y = crop.padded(radius)
        grown = cv2.dilate(padded, disc(radius))
        # The object touches all sides of its box, so the grown one touches all sides of the padded box.
        box = x, y, x + grown.shape[1], y + grown.shape[0]
        return ObjectCrop(crop.size, box, grown)  # type: ignore[arg-type]

    def describe(self, numbers: Mapping[str, float]) -> list[str]:
        """The disc."""
        return [f"disc {numbers['radius']:g} px"]


@dataclass(frozen=True)
class Erode(Transform):
    """Erosion by a Euclidean disc. What lies beyond the frame counts as object: a cut object is not eaten from there.

    Attributes:
        radius: in pixels, or its range; halved as often as it takes where nothing of the object would be left.
        share: radius as a share of the square root of the object's area, or its range; where it is not 0, `radius`
            is not used.
    """

    kind: ClassVar[str] = "erode"
    noun: ClassVar[str] = "erosion"

    radius: int | tuple[int, int] = setting(3, 0, LARGEST, allows_range=True)
    share: float | tuple[float, float] = setting(0.0, 0, 1, allows_range=True)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The radius in pixels."""
        return ("radius",)

    def sample_params(self, rng: np.random.Generator, crop: ObjectCrop) -> Params:
        """The radius, (1,) float64 whole number, at which something is left; 0 for an empty mask."""
        radius = sample_radius(rng, self.radius, self.share, crop)
        while radius and not _eroded(crop, radius).width:
            radius //= 2
        return np.array([radius], np.float64)

    def apply(self, crop: ObjectCrop, parameters: Params) -> ObjectCrop:
        """Keep the pixels that are farther than the stored radius from all background; part of the object."""
        radius = int(parameters[0])
        return _eroded(crop, radius) if radius and crop.width else crop

    def describe(self, numbers: Mapping[str, float]) -> list[str]:
        """The disc."""
        return [f"eroded by {numbers['radius']:g} px"]


def sample_radius(
    rng: np.random.Generator,
    radius: int | tuple[int, int],
    share: float | tuple[float, float],
    crop: ObjectCrop,
) -> int:
    """A radius in whole pixels, by a share of the object's size where one is given.

    Args:
        rng: source of one number where a range is given.
        radius: in pixels, or its least and largest.
        share: of the square root of the object's area, or its least and largest; 0 for none.
        crop: the object.
    """
    if share:
        low, high = share if isinstance(share, tuple) else (share, share)
        part = low if low == high else low + (high - low) * float(rng.random())
        return min(round(part * math.sqrt(crop.area)), LARGEST)
    least, most = radius if isinstance(radius, tuple) else (radius, radius)
    return least if least == most else least + int(rng.random() * (most - least + 1))


@cache
def disc(radius: int) -> NDArray[np.uint8]:
    """(2r + 1, 2r + 1) uint8, 1 within Euclidean distance `radius` of the centre."""
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    inside: NDArray[np.uint8] = (x * x + y * y <= radius * radius).astype(np.uint8)
    return inside


def _eroded(crop: ObjectCrop, radius: int) -> ObjectCrop:
    if not crop.width:
        return crop
    padded, x, y = crop.padded(radius)
    left = cv2.erode(padded, disc(radius))  # OpenCV's border is foreground
    return ObjectCrop.of(left, x, y, crop.size)  # type: ignore[arg-type]
