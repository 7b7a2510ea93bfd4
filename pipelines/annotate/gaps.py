"""Masks between drawings: each gap is made forwards from the drawing before it and backwards from the one after it.

Of two runs a picture gets that of the nearer drawing; where both have been there, their IoU says how much they agree. A
drawing is never changed. A correction makes the two gaps beside it anew and leaves all others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np

from datakit.arrays import Labels, iou

from .files import ids_in
from .media import Media
from .project import FROM, Project

Direction = Literal["forwards", "backwards", "both"]
DIRECTIONS: tuple[Direction, ...] = ("forwards", "backwards", "both")
LOOKED_BACK_AT = 6  # other drawings that a network with a memory sees before it begins


class Gap(NamedTuple):
    """Pictures between two drawings, whose places these are; None at an end of the film."""

    left: int | None
    right: int | None


@dataclass(frozen=True)
class Leg:
    """One run through some pictures of a gap.

    Attributes:
        gap: where.
        source: place of the drawing it begins from.
        places: in the order they are made.
        decides: how many of them, from the first on, get its masks; the others are only compared.
    """

    gap: Gap
    source: int
    places: Sequence[int]
    decides: int

    @property
    def shared(self) -> bool:
        """Whether another leg makes a part of the gap."""
        return self.decides < len(self.places)

    def made(self, row: dict[str, Any] | None, origin: str) -> bool:
        """Whether a mask was made by this leg, from drawings that are still the same."""
        return _is_of(row, origin) and row is not None and (row["source"], row["shared"]) == (self.source, self.shared)


class Made(NamedTuple):
    """One step of a propagation: a picture whose masks or whose agreement changed."""

    place: int
    seconds: float


def plan_legs(drawn: Sequence[int], count: int, direction: Direction, at: int) -> list[Leg]:
    """What a propagation runs through, the gap nearest to `at` first.

    Args:
        drawn: places of the drawings, ascending.
        count: of pictures.
        direction: `forwards` from each drawing to the next, `backwards` to the one before, or `both`.
        at: place of the picture that is looked at.
    """
    bounds = [None, *drawn, None]
    gaps = [Gap(*pair) for pair in pairwise(bounds)]
    legs = [
        leg for gap in sorted(gaps, key=lambda gap: _distance(gap, at, count)) for leg in _legs(gap, count, direction)
    ]
    return [leg for leg in legs if leg.places]


def _distance(gap: Gap, at: int, count: int) -> tuple[int, int]:
    """From `at` to a gap, of two beside it first the one after."""
    left, right = -1 if gap.left is None else gap.left, count if gap.right is None else gap.right
    return max(left - at, at - right, 0), -left


def _legs(gap: Gap, count: int, direction: Direction) -> Iterator[Leg]:
    left, right = gap
    onwards = range((-1 if left is None else left) + 1, count if right is None else right)
    back = onwards[::-1]
    both = direction == "both" and left is not None and right is not None
    nearer = (len(onwards) + 1) // 2
    if left is not None and direction != "backwards":
        yield Leg(gap, left, onwards, nearer if both else len(onwards))
    if right is not None and direction != "forwards":
        yield Leg(gap, right, back, len(back) - nearer if both else len(back))


class Carrier:
    """Carries masks through gaps.

    Args:
        project: whose drawings are carried, and which keeps what is made.
        fresh: `Masker.fresh`.
        memory: whether the network remembers pictures: it is then shown other drawings first.
        media: the pictures by a decoder of their own, where others look at the project's meanwhile.
        compares: whether both runs go through the whole of a gap, to tell where they agree; else each through its half.
    """

    def __init__(
        self,
        project: Project,
        fresh: Callable[[bool], Any],
        memory: bool = False,
        media: Media | None = None,
        compares: bool = True,
    ):
        self._project, self._fresh, self._memory, self._media = project, fresh, memory, media or project.media
        self._compares = compares
        self._drawing = lru_cache(LOOKED_BACK_AT + 2)(self._media.__getitem__)  # every leg shows some of them anew

    def run(self, direction: Direction, at: int) -> Iterator[tuple[Made, int]]:
        """Make all that is not up to date; each step with the number of steps that are left.

        Legs of a gap share it: the first half of each is made first, then each goes on where the other has been.
        Where a drawing changes meanwhile, it goes on from that one.
        """
        unchanged = False
        while not unchanged:
            changed = self._project.changed
            plan = self.plan(direction, at)
            left = sum(len(leg.places) for leg in plan)
            for step in self._steps(plan):
                left -= 1
                yield step, left
                if self._project.changed != changed:
                    break
            unchanged, at = self._project.changed == changed, self._project.changed[1]

    def _steps(self, plan: Sequence[Leg]) -> Iterator[Made]:
        for gap in dict.fromkeys(leg.gap for leg in plan):
            yield from self._run_gap([leg for leg in plan if leg.gap == gap])

    def plan(self, direction: Direction, at: int) -> list[Leg]:
        """The legs of the gaps in which something is to be made."""
        project = self._project
        if project.drawn and any(project.open_ids(place) for place in project.drawn):
            at = project.drawn[0]  # what one gap carries through a drawing, the next begins with
        legs = plan_legs(project.drawn, len(project.media), direction, at)
        return [leg for leg in legs if self._open(leg)]

    def _open(self, leg: Leg) -> bool:
        """Whether a leg has a picture that it is yet to make or to compare."""
        origin = self._project.origin(*leg.gap)
        made, compared = leg.places[: leg.decides], leg.places[leg.decides :]
        rows = self._project.row
        if any(not leg.made(rows(place), origin) for place in made):
            return True
        compared = compared if self._compares else ()
        return any(not _is_of(rows(place), origin) or "agreement" not in (rows(place) or {}) for place in compared)

    def _run_gap(self, legs: Sequence[Leg]) -> Iterator[Made]:
        """The halves that decide, one leg after the other, and then the halves that compare."""
        runs = [(leg, self._leg(leg)) for leg in legs]
        for leg, run in runs:
            for _ in range(leg.decides):
                yield next(run)
        for _, run in runs if self._compares else ():
            yield from run

    def _leg(self, leg: Leg) -> Iterator[Made]:
        project, origin = self._project, self._project.origin(*leg.gap)
        start = self._start(leg)
        ids = sorted(ids_in(start))
        propagator = self._begin(leg, start, ids) if ids else None
        for number, place in enumerate(leg.places):
            began = time.perf_counter()
            row, decides = project.row(place), number < leg.decides
            kept = project.made(place) if decides and leg.made(row, origin) else None
            margins: dict[int, float] = {}
            if propagator is None:
                labels = np.zeros(project.media.size(place), np.uint8)
            elif kept is not None:
                propagator.replay(kept, None, partial(self._media.__getitem__, place))
                labels = kept
            else:
                labels = propagator.step(self._media[place])
                margins = {number: round(float(margin), 4) for number, margin in propagator.margins.items()}
            if not decides:
                self._compare(leg, place, labels)
            elif kept is None:
                sure = min(margins.values(), default=1.0)
                project.keep_made(place, labels, _row(leg, origin, sure))
            yield Made(place, time.perf_counter() - began)
        self._carry_through(leg, propagator, ids, origin)

    def _start(self, leg: Leg) -> Labels:
        """The label map that a leg begins with. Objects that enter later are not looked for in earlier pictures."""
        project = self._project
        labels = project.labels(leg.source)
        if leg.source == leg.gap.right and leg.gap.left is not None and leg.shared:
            known = ids_in(project.labels(leg.gap.left)) | project.settled(leg.gap.left)
            labels = labels * np.isin(labels, sorted(known))
        return labels

    def _begin(self, leg: Leg, start: Labels, ids: Sequence[int]) -> Any:
        """A propagator that has seen the drawing, and before it others, the nearest last."""
        project, propagator = self._project, self._fresh(None not in leg.gap)
        others = [place for place in project.drawn if place != leg.source] if self._memory else []
        for place in sorted(others, key=lambda place: -abs(place - leg.source))[-LOOKED_BACK_AT:]:
            labels = project.labels(place)
            labels = labels * np.isin(labels, ids)
            if labels.any():
                propagator.replay(labels, labels, partial(self._drawing, place))
        propagator.replay(start, start, partial(self._drawing, leg.source))
        return propagator

    def _compare(self, leg: Leg, place: int, labels: Labels) -> None:
        """Note how far the other leg's masks agree, and keep objects that only this one knows of."""
        project = self._project
        other, row = project.made(place), project.row(place)
        if other is None or row is None:
            return
        assert leg.gap.left is not None and leg.gap.right is not None
        known_to_both = project.settled(leg.gap.left) & project.settled(leg.gap.right)
        ids = (ids_in(other) | ids_in(labels)) & known_to_both
        alike = [iou((other == n).view(np.uint8), (labels == n).view(np.uint8)) for n in ids]
        far = leg.gap.right if leg.source == leg.gap.left else leg.gap.left
        unknown = ids_in(labels) - project.settled(far) - ids_in(other)
        if unknown and leg.source == leg.gap.left:
            added = np.where((other == 0) & np.isin(labels, sorted(unknown)), labels, other)
            project.keep_made(place, added, row)
        project.note(place, agreement=round(min(alike, default=1.0), 4))

    def _carry_through(self, leg: Leg, propagator: Any, ids: Sequence[int], origin: str) -> None:
        """Objects of which the drawing at the end of a leg says nothing go on below it."""
        project = self._project
        end = leg.gap.right if leg.source == leg.gap.left else leg.gap.left
        forwards = leg.source == leg.gap.left
        if end is None or propagator is None or (leg.shared and not forwards):
            return
        open_ids = set(ids) - project.settled(end)
        if open_ids:
            labels = propagator.step(self._media[end])
            below = labels * np.isin(labels, sorted(open_ids))
            project.keep_made(end, below, _row(leg, origin))


def _row(leg: Leg, origin: str, confidence: float = 1.0) -> dict[str, Any]:
    return {FROM: origin, "source": leg.source, "shared": leg.shared, "confidence": confidence}


def _is_of(row: dict[str, Any] | None, origin: str) -> bool:
    """Whether a mask was made of these drawings."""
    return row is not None and row.get(FROM) == origin
