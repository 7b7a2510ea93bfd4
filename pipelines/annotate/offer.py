"""Which picture most needs a look: where the forward and the backward run disagree, or the network is not sure.

Both are told on one scale: what a mask has lost in the mean, as clips of known truth say (`benchmarks/doubt.py`).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .project import Project

REACH = 100  # pictures, beyond which a drawing is worth nothing to another
# Confidence or agreement, and what masks have lost there in the mean: tables of `benchmarks/doubt.py`
SURE = np.array([
    (0, 0.35), (0.67, 0.55), (0.83, 0.45), (0.88, 0.37), (0.92, 0.25), (0.94, 0.15), (0.96, 0.08), (0.98, 0.05), (1, 0)
])  # fmt: skip
AGREED = np.array([(0.01, 0.32), (0.36, 0.23), (0.66, 0.24), (0.85, 0.14), (0.93, 0.12), (0.98, 0.04), (1, 0)])


def doubt(confidence: NDArray[np.float64], agreement: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 1 - IoU to be expected of masks that were made.

    Args:
        confidence: (N,) of the network, 0 to 1.
        agreement: (N,) IoU of two runs; NaN where there was one, which then is judged by its confidence alone.

    Returns:
        (N,) 0 to 1.
    """
    sure, agreed = np.interp(confidence, *SURE.T), np.interp(agreement, *AGREED.T)
    both: NDArray[np.float64] = (sure + agreed) / 2
    return np.where(np.isnan(agreement), sure, both)


def worth(doubts: NDArray[np.float64], drawn: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What a drawing of each picture would be worth: the doubt that it takes from its gap.

    A drawing helps its neighbours, the less the further they are away, and none beyond the next drawing.

    Args:
        doubts: (N,) of each picture, 0 where it was drawn.
        drawn: (N,) whether it was.

    Returns:
        (N,) 0 where it was drawn.
    """
    found = np.zeros(len(doubts))
    bounds = [-1, *np.flatnonzero(drawn).tolist(), len(doubts)]
    for left, right in pairwise(bounds):
        inside = np.arange(left + 1, right)
        if not inside.size:
            continue
        reach = max(1, min((right - left) // 2, REACH))
        nearness = 1 - np.abs(np.arange(1 - reach, reach)) / reach
        found[inside] = np.convolve(doubts[inside], nearness)[reach - 1 : reach - 1 + inside.size]
    return found


def offered(project: Project) -> int | None:
    """The place of the picture to look at next; None where nothing was made."""
    drawn = np.zeros(len(project.media), bool)
    drawn[project.drawn] = True
    confidence, agreement = np.ones(len(drawn)), np.full(len(drawn), np.nan)
    for place in project.made_places:
        row = project.row(place) or {}
        confidence[place] = row.get("confidence", 1.0)
        if (both := row.get("agreement")) is not None:
            agreement[place] = both
    doubts = np.where(drawn, 0.0, doubt(confidence, agreement))
    if not doubts.any():
        return None
    return int(worth(doubts, drawn).argmax())
