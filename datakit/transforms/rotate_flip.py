"""First-frame views: image and mask rotated and flipped together, for the online stage.

Every view is a whole picture again: the rotated picture is cropped to the largest upright rectangle
inside it and brought back to its size, both in one resampling.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Box, Image, Mask
from ..config import setting, validate
from .affine import Linear
from .base import Params, Transform
from .object_crop import ObjectCrop
from .warp import PointMap

_STEPS_PER_PIXEL = 32  # of OpenCV's fixed-point maps; whole numbers are the same on any CPU
_ANGLES = tuple(float(angle) for angle in range(-20, 21, 2))


@dataclass(frozen=True)
class Augment:
    """Which views of the first frame are made.

    Attributes:
        angles: degrees, counter-clockwise; 0 is the picture as it is.
        flip: each also mirrored left to right.

    Source: arXiv 1612.02646 §3.2, "image flipping and rotations"; the angles are those of the authors' code.
    """

    kind: ClassVar[str] = "augment"
    parameter_names: ClassVar[tuple[str, ...]] = ("angle", "flip")

    angles: tuple[float, ...] = setting(_ANGLES, -180, 180)
    flip: bool = setting(True)

    def __post_init__(self) -> None:
        validate(self, self.kind)

    def turns(self) -> Iterator[tuple[float, bool]]:
        """(angle, flip) of every view."""
        for angle in self.angles:
            yield from ((angle, flip) for flip in ((False, True) if self.flip else (False,)))

    def describe(self, numbers: Mapping[str, float]) -> list[str]:
        """Captions of one view."""
        if math.isnan(numbers["angle"]):
            return ["no augment"]
        turn = f"turned {numbers['angle']:+g} deg" if numbers["angle"] else "not turned"
        return [turn, "mirrored"] if numbers["flip"] else [turn]


@dataclass(frozen=True)
class RotateFlip(Transform):
    """A random rotation, and now and then a mirroring left to right, about the object or the frame.

    Attributes:
        rotation: largest angle in degrees, counter-clockwise or clockwise.
        flip: share that is mirrored, before the rotation.
        about: `object` for the centre of the object's box, which then stays where it is, or `frame`.
    """

    kind: ClassVar[str] = "rotate_flip"
    noun: ClassVar[str] = "rotation"

    rotation: float = setting(10.0, 0, 180)
    flip: float = setting(0.0, 0, 1)
    about: str = setting("object", choices=("object", "frame"))

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Degrees, 0 or 1, and the centre in pixels."""
        return "angle", "flip", "x", "y"

    def sample_params(self, rng: np.random.Generator, crop: ObjectCrop) -> Params:
        """(4,) float64: degrees, whether it is mirrored, and the centre in pixels; NaN for an empty mask."""
        turned, mirrored = rng.random(2).tolist()
        if not crop.width:
            return np.full(4, np.nan)
        box = crop.box if self.about == "object" else (0, 0, crop.size[1], crop.size[0])
        x, y = (box[0] + box[2] - 1) / 2, (box[1] + box[3] - 1) / 2
        return np.array([self.rotation * (2 * turned - 1), mirrored < self.flip, x, y], np.float64)

    def point_map(self, parameters: Params, box: Box, before: Sequence[PointMap]) -> PointMap | None:
        """The rotation of drawn numbers; earlier warps of the group do not change it."""
        angle, is_flipped, x, y = parameters.tolist()
        if math.isnan(angle):
            return None
        turned = Linear.turned(angle, 0.0, 1.0, (x, y), (0.0, 0.0))
        sign = -1 if is_flipped else 1
        return Linear(sign * turned.a, turned.b, sign * turned.c, turned.d, x, y)

    def describe(self, numbers: Mapping[str, float]) -> list[str]:
        """Angle and mirroring."""
        turn = f"rotated {numbers['angle']:+.1f} deg"
        return [turn, "mirrored"] if numbers["flip"] else [turn]


def turned_image(image: Image, angle: float, flip: bool) -> Image:
    """Rotate, crop, resize back and mirror a picture, bilinear.

    Bilinear, not bicubic as the authors' code: OpenCV's bicubic differs by a grey level here and there between
    its optimised and its plain code, and the same bytes on any CPU are worth more (docs/decisions.md).

    Args:
        image: (H, W, 3) uint8 RGB.
        angle: degrees, counter-clockwise.
        flip: mirror left to right, last.

    Returns:
        (H, W, 3) uint8 RGB; an angle of 0 resamples nothing.
    """
    if angle:
        x, y = _source_steps(image.shape[:2], angle)
        whole = np.stack([x >> 5, y >> 5], axis=-1).astype(np.int16)
        part = ((y & 31) * _STEPS_PER_PIXEL + (x & 31)).astype(np.uint16)
        image = cv2.remap(image, whole, part, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)  # type: ignore[assignment]
    return np.ascontiguousarray(image[:, ::-1]) if flip else image


def turned_mask(mask: Mask, angle: float, flip: bool) -> Mask:
    """Rotate, crop, resize back and mirror a mask as `turned_image` does its picture, nearest pixel.

    Args:
        mask: (H, W) uint8.
        angle: degrees, counter-clockwise.
        flip: mirror left to right, last.

    Returns:
        (H, W) uint8.
    """
    if angle:
        x, y = _source_steps(mask.shape, angle)
        nearest = np.stack([(x + 16) >> 5, (y + 16) >> 5], axis=-1).astype(np.int16)
        mask = cv2.remap(mask, nearest, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.ascontiguousarray(mask[:, ::-1]) if flip else mask


def _source_steps(size: tuple[int, ...], angle: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(H, W) x and y each pixel is read from, in 1/32 px."""
    height, width = size
    crop_width, crop_height = inscribed(width, height, angle)
    across = ((np.arange(width) + 0.5) / width - 0.5)[None, :] * crop_width
    down = ((np.arange(height) + 0.5) / height - 0.5)[:, None] * crop_height
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    x = width / 2 - 0.5 + cosine * across - sine * down
    y = height / 2 - 0.5 + sine * across + cosine * down
    steps = (np.rint(_STEPS_PER_PIXEL * each).astype(np.int64) for each in (x, y))
    return next(steps), next(steps)


def inscribed(width: float, height: float, angle: float) -> tuple[float, float]:
    """Width and height of the largest upright rectangle inside a rotated one of the same centre.

    Args:
        width: of the rotated rectangle.
        height: of the rotated rectangle.
        angle: degrees.
    """
    cosine, sine = abs(math.cos(math.radians(angle))), abs(math.sin(math.radians(angle)))
    short, long = min(width, height), max(width, height)
    if short <= 2 * sine * cosine * long or math.isclose(sine, cosine):
        # Two opposite corners lie on the long sides; the others are inside.
        along, across = short / 2 / sine, short / 2 / cosine
        return (along, across) if width >= height else (across, along)
    double = cosine * cosine - sine * sine
    return (width * cosine - height * sine) / double, (height * cosine - width * sine) / double
