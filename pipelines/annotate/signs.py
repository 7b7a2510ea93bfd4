"""A sign for each picture: drawn, made, made of drawings that have changed since, or nothing yet."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from itertools import pairwise

from .project import BELOW, UPON, Project

DRAWN, MADE, OLD, NONE = "d", "m", "o", "."


def signs(project: Project) -> str:
    """A letter for each picture of a project."""
    with project.lock:
        found = [NONE] * len(project.media)
        drawn = project.drawn
        origins = [project.origin(*gap) for gap in pairwise([None, *drawn, None])]
        carried = [_carried(project, drawn, origins, forwards) for forwards in (True, False)]
        for place in project.made_places:
            row = project.row(place) or {}
            same = bool(drawn) and project.is_current(row, origins[bisect.bisect_left(drawn, place)])
            stands = UPON not in row or any(each.get(row["source"]) == row[UPON] for each in carried)
            found[place] = MADE if same and stands else OLD
        for place in drawn:
            found[place] = DRAWN
        return "".join(found)


def _carried(project: Project, drawn: Sequence[int], origins: Sequence[str], forwards: bool) -> dict[int, str]:
    """Place of a drawing -> digest of what a direction carried below it, where that is still what it would carry."""
    found: dict[int, str] = {}
    for number in range(len(drawn)) if forwards else reversed(range(len(drawn))):
        row = project.row(drawn[number]) or {}
        if BELOW not in row or (row["source"] < drawn[number]) != forwards:
            continue
        same = project.is_current(row, origins[number if forwards else number + 1])
        if same and (UPON not in row or found.get(row["source"]) == row[UPON]):
            found[drawn[number]] = row[BELOW]
    return found
