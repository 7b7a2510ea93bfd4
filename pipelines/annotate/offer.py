"""Which picture most needs a look: where the forward and the backward run disagree, or the network is not sure."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .project import Project

REACH = 100  # pictures, beyond which a drawing is worth nothing to another


def doubt(row: Mapping[str, Any]) -> float:
    """0 to 1, of a mask that was made: 1 - IoU of both runs, or where there was one run 1 - confidence."""
    return 1 - float(row.get("agreement", row.get("confidence", 1.0)))


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
    doubts = np.zeros(len(drawn))
    for place in range(len(drawn)):
        row = project.row(place)
        if row is not None and not drawn[place]:
            doubts[place] = doubt(row)
    if not doubts.any():
        return None
    return int(worth(doubts, drawn).argmax())
