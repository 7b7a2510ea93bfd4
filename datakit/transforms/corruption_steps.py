"""Steps that damage a guide mask as video does: moved too far, cut by an occlusion, leaked into what is near.

Each comes to a share of the guide masks. `corruption` does the same in training, with shares of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ..config import setting
from .base import Params, Transform
from .object_crop import ObjectCrop

_PARTS = 1024  # of a direction's unit length; whole numbers decide pixels the same way on any CPU


@dataclass(frozen=True)
class Shift(Transform):
    """A move by whole pixels, as a fast object leaves its mask behind; left out where nothing would stay in the frame.

    Unlike `affine`'s it may go as far as it is asked to: `min_iou` is judged before it.

    Attributes:
        by: largest move, as a fraction of the box's width and height.
        prob: share of guide masks that are moved.
    """

    kind: ClassVar[str] = "shift"

    by: float = setting(0.3, 0, 2)
    prob: float = setting(1.0, 0, 1)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The move in pixels."""
        return "dx", "dy"

    def sample_params(self, rng: np.random.Generator, crop: ObjectCrop) -> Params:
        """(2,) float64 whole numbers: the move in x and y; NaN where it does not apply."""
        is_hit, x, y = rng.random(3).tolist()
        if is_hit >= self.prob or not crop.width:
            return np.full(2, np.nan)
        move = move_of(crop, np.array([x, y]), self.by)
        return move if self.apply(crop, move).width else np.full(2, np.nan)

    def apply(self, crop: ObjectCrop, parameters: Params) -> ObjectCrop:
        """The moved object; what leaves the frame is dropped."""
        if not crop.width or np.isnan(parameters).any():
            return crop
        return crop.shifted(int(parameters[0]), int(parameters[1]))

    def describe(self, numbers: Mapping[str, float]) -> list[str]:
        """The move."""
        return [f"moved {numbers['dx']:+g} / {numbers['dy']:+g} px"]


@dataclass(frozen=True)
class Occlude(Transform):
    """The part of the object beyond a straight line erased, as after an occlusion.

    Attributes:
        lost: share of the object that is erased, or its range; something is always left.
        prob: share of guide masks that are cut.
    """

    kind: ClassVar[str] = "occlude"
    noun: ClassVar[str] = "occlusion"

    lost: float | tuple[float, float] = setting((0.0, 0.65), 0, 0.95, kind=float, allows_range=True)
    prob: float = setting(1.0, 0, 1)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The line: pixels with nx * x + ny * y above `limit` are erased."""
        return "nx", "ny", "limit"

    def sample_params(self, rng: np.random.Generator, crop: ObjectCrop) -> Params:
        """(3,) float64 whole numbers: direction in 1/1024, and the limit; NaN where it does not apply."""
        is_hit, direction, amount = rng.random(3).tolist()
        if is_hit >= self.prob or not crop.width:
            return np.full(3, np.nan)
        nx, ny = (round(_PARTS * part(2 * math.pi * direction)) for part in (math.cos, math.sin))
        low, high = self.lost if isinstance(self.lost, tuple) else (self.lost, self.lost)
        along = np.sort(along_line(crop, nx, ny))
        kept = math.ceil((1 - low - (high - low) * amount) * len(along))
        return np.array([nx, ny, along[max(kept, 1) - 1]], np.float64)

    def apply(self, crop: ObjectCrop, parameters: Params) -> ObjectCrop:
        """The object on this side of the line; part of the object."""
        if not crop.width or np.isnan(parameters).any():
            return crop
        nx, ny, limit = parameters.astype(int).tolist()
        return erase_beyond(crop, nx, ny, limit)

    def describe(self, numbers: Mapping[str, float]) -> list[str]:
        """From where it is cut."""
        angle = math.degrees(math.atan2(-numbers["ny"], numbers["nx"]))
        return [f"cut at {angle:+.0f} deg"]


@dataclass(frozen=True)
class Leak(Transform):
    """An ellipse added near the object, as where a mask leaked into something beside it.

    Attributes:
        size: half the axes of the ellipse as a share of the box's longer side, or its range.
        reach: farthest centre from the middle of the box, in x and y, as a multiple of the box's longer side.
        prob: share of guide masks that leak.
    """

    kind: ClassVar[str] = "leak"

    size: float | tuple[float, float] = setting((0.05, 0.25), 0, 1, kind=float, allows_range=True)
    reach: float = setting(1.0, 0, 10)
    prob: float = setting(1.0, 0, 1)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Centre and half axes, in pixels."""
        return "x", "y", "rx", "ry"

    def sample_params(self, rng: np.random.Generator, crop: ObjectCrop) -> Params:
        """(4,) float64 whole numbers: centre and half axes in pixels; NaN where it does not apply."""
        is_hit, *units = rng.random(5).tolist()
        if is_hit >= self.prob or not crop.width:
            return np.full(4, np.nan)
        longest = max(crop.width, crop.height)
        low, high = self.size if isinstance(self.size, tuple) else (self.size, self.size)
        axes = [max(1, round((low + (high - low) * unit) * longest)) for unit in units[2:]]
        return np.array([*centre_of(crop, np.array(units[:2]), self.reach), *axes])

    def apply(self, crop: ObjectCrop, parameters: Params) -> ObjectCrop:
        """The object and the part of the ellipse that lies in the frame; contains the object."""
        if not crop.width or np.isnan(parameters).any():
            return crop
        return add_ellipse(crop, parameters)

    def describe(self, numbers: Mapping[str, float]) -> list[str]:
        """The ellipse."""
        return [f"leak {2 * numbers['rx']:g} x {2 * numbers['ry']:g} px at ({numbers['x']:g}, {numbers['y']:g})"]


def move_of(crop: ObjectCrop, units: NDArray[np.float64], by: float) -> NDArray[np.float64]:
    """(2,) float64 whole numbers: a move in x and y.

    Args:
        crop: the object, not empty.
        units: (2,) in 0..1, how far across and down; 0.5 is not at all.
        by: largest move, as a fraction of the box's width and height.
    """
    return np.rint((2 * units - 1) * by * (crop.width, crop.height))


def along_line(crop: ObjectCrop, nx: float, ny: float) -> NDArray[Any]:
    """(area,) nx * x + ny * y of every pixel of the object, row by row; int64 for whole nx and ny, else float64."""
    return _along(crop, nx, ny)[crop.pixels.view(np.bool_)]


def erase_beyond(crop: ObjectCrop, nx: float, ny: float, limit: float) -> ObjectCrop:
    """The object without its pixels for which nx * x + ny * y is above `limit`."""
    kept = crop.pixels & (_along(crop, nx, ny) <= limit)
    return ObjectCrop.of(kept.astype(np.uint8), crop.box[0], crop.box[1], crop.size)


def centre_of(crop: ObjectCrop, units: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """(2,) float64 whole numbers: x and y of a point around the middle of the object's box.

    Args:
        crop: the object, not empty.
        units: (2,) in 0..1; 0.5 is the middle.
        reach: farthest in x and y, as a multiple of the box's longer side.
    """
    middle = np.array([crop.box[0] + crop.box[2], crop.box[1] + crop.box[3]]) / 2
    return np.rint(middle + (2 * units - 1) * reach * max(crop.width, crop.height))


def add_ellipse(crop: ObjectCrop, ellipse: Sequence[float] | NDArray[np.float64]) -> ObjectCrop:
    """The object and the part of an ellipse that lies in the frame.

    Args:
        crop: the object.
        ellipse: x and y of its centre, then half its axes across and down: whole numbers, in pixels.
    """
    x, y, rx, ry = (int(number) for number in ellipse)
    mask = crop.mask()
    cv2.ellipse(mask, (x, y), (rx, ry), 0, 0, 360, 1, -1)
    return ObjectCrop.of(mask)


def _along(crop: ObjectCrop, nx: float, ny: float) -> NDArray[Any]:
    """(h, w) int64 or float64: how far along a direction each pixel of the box lies."""
    x0, y0, x1, y1 = crop.box
    return nx * np.arange(x0, x1)[None, :] + ny * np.arange(y0, y1)[:, None]
