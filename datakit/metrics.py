"""J and F of one object in one frame, and mean, recall and decay over its frames: arrays in, numbers out.

Which frames count, which ids are objects and how scores of many objects become one is left to `evaluation`.
Source of every definition: Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object
Segmentation", CVPR 2016, and its code.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .arrays import Box, Mask

TOLERANCE = 0.008
RECALLED = 0.5  # a frame above counts as recalled
SQUARE = np.ones((2, 2), np.uint8)
BINS = 4  # parts of a sequence; decay compares the first with the last


class Measures(NamedTuple):
    """Region similarity `J` and contour accuracy `F` of one object in one frame, both 0..1."""

    J: float
    F: float


class Statistics(NamedTuple):
    """What becomes of one measure over the frames of an object: `mean`, `recall` and `decay`."""

    mean: float
    recall: float
    decay: float


def measure(mask: Mask, target: Mask, ignore: Mask | None = None, tolerance: float = TOLERANCE) -> Measures:
    """J and F of a predicted mask.

    Both are 1 where neither mask holds a pixel, and 0 where only one does. F alone is also 1 where both masks
    fill the frame, since neither has a contour then.

    Args:
        mask: (H, W) uint8, 0 or 1: what was predicted.
        target: (H, W) uint8, 0 or 1: the ground truth.
        void: (H, W) uint8, 0 or 1: pixels that are not judged; both masks count as empty there.
        tolerance: how far apart contours still match, as a share of the frame's diagonal; rounded up to pixels.

    Returns:
        Equal to the reference code's to the last bit: all counts are whole numbers.
    """
    if ignore is not None:
        mask, target = mask & ~ignore, target & ~ignore
    radius = math.ceil(tolerance * math.hypot(*target.shape))
    found, true = CroppedMask.around(mask), CroppedMask.around(target)
    intersection, union = overlap(found, true)
    return Measures(intersection / union if union else 1.0, contour_accuracy(found, true, radius))


class CroppedMask(NamedTuple):
    """The part of a frame around a mask, one pixel wider, as contours can be; all measures look only at these.

    That pixel also keeps an object's end apart from the frame's, which has a rule of its own in `contour`.

    Attributes:
        box: (x0, y0, x1, y1) in the frame, half-open.
        pixels: (y1 - y0, x1 - x0) uint8, 0 or 1.
    """

    box: Box
    pixels: Mask

    @classmethod
    def around(cls, mask: Mask) -> CroppedMask:
        """The part of a whole frame's mask."""
        x, y, width, height = cv2.boundingRect(mask)
        left, top = max(x - 1, 0), max(y - 1, 0)
        pixels = mask[top : y + height + 1, left : x + width + 1]
        return cls((left, top, left + pixels.shape[1], top + pixels.shape[0]), pixels)

    def within(self, box: Box) -> Mask:
        """The pixels of a box that lies in this part."""
        (left, top, _, _), (x0, y0, x1, y1) = self.box, box
        return self.pixels[y0 - top : y1 - top, x0 - left : x1 - left]


def _meeting(a: Box, b: Box) -> Box | None:
    """What two boxes have in common; None where that is nothing."""
    x0, y0, x1, y1 = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def overlap(found: CroppedMask, true: CroppedMask) -> tuple[int, int]:
    """Pixels in both masks, and in either."""
    common = _meeting(found.box, true.box)
    intersection = 0 if common is None else cv2.countNonZero(found.within(common) & true.within(common))
    return intersection, cv2.countNonZero(found.pixels) + cv2.countNonZero(true.pixels) - intersection


def contour_accuracy(found: CroppedMask, true: CroppedMask, radius: float) -> float:
    """F, the harmonic mean of how much of either contour lies within `disc(radius)` of the other."""
    found, true = (CroppedMask(part.box, contour(part.pixels)) for part in (found, true))
    found_length, true_length = (cv2.countNonZero(part.pixels) for part in (found, true))
    if not (found_length and true_length):
        return float(found_length == true_length)
    reach = math.ceil(radius)
    near = _meeting(*((x0 - reach, y0 - reach, x1 + reach, y1 + reach) for x0, y0, x1, y1 in (found.box, true.box)))
    if near is None:
        return 0.0
    found_near, true_near = (_shown(part, near) for part in (found, true))
    near_disc = disc(radius)
    precision = _pixels_near(found_near, true_near, near_disc) / found_length
    recall = _pixels_near(true_near, found_near, near_disc) / true_length
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def contour(mask: Mask) -> Mask:
    """Pixels of an (H, W) 0/1 mask that differ from the one to the right, below, or below to the right.

    Where the frame ends no contour is seen: the neighbour beyond counts as equal.
    """
    gradient = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, SQUARE, anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    return gradient.astype(np.uint8, copy=False)


def _shown(part: CroppedMask, box: Box) -> Mask:
    """The pixels of a box, of which the part may hold only some; the others are 0."""
    plane = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
    common = _meeting(part.box, box)
    if common is not None:
        x0, y0, x1, y1 = common
        plane[y0 - box[1] : y1 - box[1], x0 - box[0] : x1 - box[0]] = part.within(common)
    return plane


def disc(radius: float) -> Mask:
    """(S, S) uint8, 0 or 1: what a contour is widened by.

    Of a whole radius: all pixels within Euclidean distance `radius`. Of any other: the grid begins at `-radius`, so
    that the disc lies off its centre by a part of a pixel, as that of scikit-image (0.26), by which MOSEv2 is scored.
    """
    squares = np.arange(-radius, radius + 1) ** 2
    inside: Mask = (np.add.outer(squares, squares) <= radius**2).astype(np.uint8)
    return inside


def _pixels_near(contour: Mask, other: Mask, near: Mask) -> int:
    """How many pixels of a contour lie on another that is widened by the disc `near`."""
    return cv2.countNonZero(cv2.bitwise_and(contour, cv2.dilate(other, near)))


def statistics(values: NDArray[np.float64]) -> Statistics:
    """Mean, recall and decay of one measure over the frames of one object.

    Recall is the share of frames above 0.5. Decay is the mean over the first of four parts of the sequence
    minus that over the last; a frame where two parts meet is in both.

    Args:
        values: (T,) in order of frames, at least one.

    Returns:
        As the reference code has it, up to 255 frames; it keeps the ends of the parts in 8 bits, so that of
        longer sequences it takes other frames for the last part, or none.
    """
    ends = (np.round(np.linspace(1, len(values), BINS + 1) + 1e-10) - 1).astype(np.int64)
    first, last = values[ends[0] : ends[1] + 1], values[ends[-2] : ends[-1] + 1]
    return Statistics(
        mean=float(values.mean()),
        recall=float((values > RECALLED).mean()),
        decay=float(first.mean() - last.mean()),
    )
