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

from .arrays import Mask

TOLERANCE = 0.008  # of the frame's diagonal: how far contours may lie apart and still match
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


def measure(mask: Mask, target: Mask, void: Mask | None = None) -> Measures:
    """J and F of a predicted mask.

    Both are 1 where neither mask holds a pixel, and 0 where only one does. F alone is also 1 where both masks
    fill the frame, since neither has a contour then.

    Args:
        mask: (H, W) uint8, 0 or 1: what was predicted.
        target: (H, W) uint8, 0 or 1: the ground truth.
        void: (H, W) uint8, 0 or 1: pixels that are not judged; both masks count as empty there.

    Returns:
        Equal to the reference code's to the last bit: all counts are whole numbers.
    """
    if void is not None:
        mask, target = mask & ~void, target & ~void
    radius = math.ceil(TOLERANCE * math.hypot(*target.shape))
    mask, target = _cut_out(mask, target)
    return Measures(region_similarity(mask, target), contour_accuracy(mask, target, radius))


def _cut_out(mask: Mask, target: Mask) -> tuple[Mask, Mask]:
    """The part of the frame that holds both masks and one pixel around, where contours can be.

    That pixel also keeps an object's end apart from the frame's, which has a rule of its own in `contour`.
    """
    x, y, width, height = cv2.boundingRect(mask | target)
    part = np.s_[max(y - 1, 0) : y + height + 1, max(x - 1, 0) : x + width + 1]
    return mask[part], target[part]


def region_similarity(mask: Mask, target: Mask) -> float:
    """J, the intersection over union of two (H, W) 0/1 masks; 1 where both are empty."""
    union = cv2.countNonZero(mask | target)
    return cv2.countNonZero(mask & target) / union if union else 1.0


def contour_accuracy(mask: Mask, target: Mask, radius: int) -> float:
    """F, the harmonic mean of how much of either contour lies near the other.

    Args:
        mask: (H, W) uint8, 0 or 1.
        target: (H, W) uint8, 0 or 1.
        radius: how near, in pixels.
    """
    stride = mask.shape[1] + radius
    found, true = _as_bits(contour(mask), stride), _as_bits(contour(target), stride)
    if not (found and true):
        return float(found == true)
    precision = (found & _grown(true, radius, stride)).bit_count() / found.bit_count()
    recall = (true & _grown(found, radius, stride)).bit_count() / true.bit_count()
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def contour(mask: Mask) -> Mask:
    """Pixels of an (H, W) 0/1 mask that differ from the one to the right, below, or below to the right.

    Where the frame ends no contour is seen: the neighbour beyond counts as equal.
    """
    gradient = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, SQUARE, anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    return gradient.astype(np.uint8, copy=False)


def _as_bits(mask: Mask, stride: int) -> int:
    """An (H, W) 0/1 mask as one number: pixel (x, y) is bit y * stride + x, the rest of a row is zeros."""
    rows = np.zeros((mask.shape[0], stride), np.uint8)
    rows[:, : mask.shape[1]] = mask
    return int.from_bytes(np.packbits(rows, bitorder="little").tobytes(), "little")


def _grown(bits: int, radius: int, stride: int) -> int:
    """All pixels within Euclidean distance `radius` of the given ones: a shift moves the whole picture.

    Takes 6 * radius operations on an eighth of the bytes, where dilating by a disc takes 3 * radius² on all of them.

    Returns:
        A number with more bits than the picture has pixels: what grew over its upper or lower edge, and what
        grew into the zeros at the end of a row, which hold `radius` of them and so keep the rows apart.
    """
    runs = [bits, bits | bits << 1 | bits << 2]  # grown to the right by twice 0, 1, 2 … pixels
    while len(runs) <= radius:
        runs.append(runs[-1] | runs[-1] << 2)
    grown = runs[radius] >> radius
    for rows in range(1, radius + 1):
        reach = math.isqrt(radius**2 - rows**2)
        grown |= runs[reach] << rows * stride - reach | runs[reach] >> rows * stride + reach
    return grown


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
