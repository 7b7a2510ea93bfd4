"""J, F and Ḟ of MOSEv2: what its published scorer computes, and the same with whole radii, as its formula reads.

Ding et al., "MOSEv2: A More Challenging Dataset for Video Object Segmentation in Complex Scenes", arXiv 2508.05630, and
`MOSEv2/sam2_rcms/tools/{metricsv2,score}.py` of github.com/henghuiding/MOSE-api at 241977a (2025-09-23).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .arrays import Mask
from .metrics import TOLERANCE, CroppedMask, contour_accuracy, overlap

OF_SIDE = 0.1  # share of the root of an object's area that its contour may be off


class Mosev2Measures(NamedTuple):
    """One object in one frame, all 0..1.

    Attributes:
        J: (intersection + 1) / (union + 1); 1 where both masks are empty.
        F: within .008 of the frame's diagonal, as the published scorer computes it: rounded up to pixels only where the
            object is so small that `F_new` has a smaller radius.
        F_new: Ḟ as the published scorer computes it: within ceil(.1 * root of the true area), at most .008 of the
            diagonal, which is not rounded.
        F_rounded: as `F`, the radius always rounded up: DAVIS's F.
        F_new_rounded: as `F_new`, the radius always rounded up.
    """

    J: float
    F: float
    F_new: float
    F_rounded: float
    F_new_rounded: float


NOWHERE_MOSEV2 = Mosev2Measures(1.0, 1.0, 1.0, 1.0, 1.0)


def measure_mosev2(mask: Mask, target: Mask, ignore: Mask | None = None) -> Mosev2Measures:
    """J, F and Ḟ of a predicted mask.

    Args:
        mask: (H, W) uint8, 0 or 1: what was predicted.
        target: (H, W) uint8, 0 or 1: the ground truth.
        ignore: (H, W) uint8, 0 or 1: pixels that are not judged, of which MOSEv2 has none; both masks count as empty.

    Returns:
        As the published scorer's with scikit-image 0.26, to the last bit.
    """
    if ignore is not None:
        mask, target = mask & ~ignore, target & ~ignore
    found, true = CroppedMask.around(mask), CroppedMask.around(target)
    intersection, union = overlap(found, true)
    J = (intersection + 1) / (union + 1) if union else 1.0
    # `hypot` may differ in the last bit, and so would the disc
    widest = float(TOLERANCE * np.linalg.norm(target.shape))
    area = cv2.countNonZero(true.pixels)
    own = math.ceil(OF_SIDE * math.sqrt(area)) if area else math.inf
    rounded = contour_accuracy(found, true, math.ceil(widest))
    if own < widest:
        small = contour_accuracy(found, true, own)
        return Mosev2Measures(J, rounded, small, rounded, small)
    exact = contour_accuracy(found, true, widest)
    return Mosev2Measures(J, exact, exact, rounded, rounded)


class Mosev2Means(NamedTuple):
    """Means over the frames of an object, or over objects, all 0..1.

    Attributes:
        J, F, F_new: see `Mosev2Measures`.
        disappear: J&Ḟ over the frames in which an object is gone after it was seen; None where that never is.
        reappear: J&Ḟ over the frames in which an object is back; None where that never is.
    """

    J: float
    F: float
    F_new: float
    disappear: float | None
    reappear: float | None

    def as_dict(self) -> dict[str, float | None]:
        """By the names that the published scorer writes; `F_new` is Ḟ."""
        return {
            "J&F_new": (self.J + self.F_new) / 2,
            "J": self.J,
            "F_new": self.F_new,
            "disappear_J&F_new": self.disappear,
            "reappear_J&F_new": self.reappear,
            "F": self.F,
            "J&F": (self.J + self.F) / 2,
        }


@dataclass(frozen=True)
class Mosev2Scores:
    """The numbers of the published scorer, and those with every radius rounded up."""

    scorer: Mosev2Means
    rounded: Mosev2Means


def scores_of_frames(values: NDArray[np.float64], absent: Sequence[bool]) -> Mosev2Scores:
    """The scores of one object.

    Args:
        values: (T, 5) float64, a `Mosev2Measures` for every frame that counts, in order.
        absent: of each of these frames, whether the ground truth lacks the object.
    """
    gone, back = _stretches(absent)
    J, F, F_new, F_rounded, F_new_rounded = values.T

    def means(plain: NDArray[np.float64], adaptive: NDArray[np.float64]) -> Mosev2Means:
        both = (J + adaptive) / 2
        return Mosev2Means(float(J.mean()), float(plain.mean()), float(adaptive.mean()),
                           _mean_of_stretches(both, gone), _mean_of_stretches(both, back))  # fmt: skip

    return Mosev2Scores(means(F, F_new), means(F_rounded, F_new_rounded))


def _stretches(absent: Sequence[bool]) -> tuple[list[slice], list[slice]]:
    """Runs of frames in which an object is gone after it was seen, and in which it is back.

    A run that begins with the first frame that counts is neither; one that follows an absence there is "back".
    """
    changes = [place for place in range(1, len(absent)) if absent[place] != absent[place - 1]]
    runs = [slice(begin, end) for begin, end in pairwise([*changes, len(absent)])]
    return [run for run in runs if absent[run.start]], [run for run in runs if not absent[run.start]]


def _mean_of_stretches(values: NDArray[np.float64], runs: Sequence[slice]) -> float | None:
    """Mean over runs of each one's mean, so that a short run counts as much as a long one."""
    return float(np.mean([values[run].mean() for run in runs])) if runs else None


def mean_mosev2(scores: Sequence[Mosev2Scores]) -> Mosev2Scores:
    """Mean over objects; disappearance and reappearance over those objects that have one."""

    def mean(which: Callable[[Mosev2Scores], Mosev2Means]) -> Mosev2Means:
        J, F, F_new, *rest = zip(*map(which, scores), strict=True)
        seen = [[value for value in values if value is not None] for values in rest]
        return Mosev2Means(*(float(np.mean(values)) for values in (J, F, F_new)),
                           *(float(np.mean(values)) if values else None for values in seen))  # fmt: skip

    return Mosev2Scores(mean(lambda each: each.scorer), mean(lambda each: each.rounded))
