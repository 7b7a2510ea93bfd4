"""Masks between drawings: each gap is made forwards from the drawing before it and backwards from the one after it.

Of two runs a picture gets that of the nearer drawing; where both have been there, their IoU says how much they agree. A
drawing is never changed. A correction makes the two gaps beside it anew and leaves all others.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np

from datakit.arrays import Image, Labels, iou, only_ids

from ..propagate.passes import SHOWN_BEFORE, nearest
from .files import ids_in
from .media import Media
from .project import BELOW, FROM, UPON, WITHOUT, Project

Direction = Literal["forwards", "backwards", "both"]
DIRECTIONS: tuple[Direction, ...] = ("forwards", "backwards", "both")


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

    @property
    def forwards(self) -> bool:
        """Whether it runs forwards."""
        return self.source == self.gap.left

    @property
    def end(self) -> int | None:
        """Place of the drawing at its end."""
        return self.gap.right if self.forwards else self.gap.left

    @property
    def takes_up(self) -> bool:
        """Whether it goes on with what was carried below the drawing that it begins from."""
        return self.forwards or not self.shared

    @property
    def carries_through(self) -> bool:
        """Whether objects of which the drawing at its end says nothing go on below it."""
        return self.end is not None and self.takes_up


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
    gaps.sort(key=lambda gap: _distance(gap, at, count, direction))
    legs = [leg for gap in gaps for leg in _legs(gap, count, direction)]
    return [leg for leg in legs if leg.places or leg.carries_through]


def _distance(gap: Gap, at: int, count: int, direction: Direction) -> tuple[int, int]:
    """From `at` to a gap, of two beside it first the one that lies in the direction."""
    left, right = -1 if gap.left is None else gap.left, count if gap.right is None else gap.right
    return max(left - at, at - right, 0), left if direction == "backwards" else -left


def _legs(gap: Gap, count: int, direction: Direction) -> Iterator[Leg]:
    left, right = gap
    onwards = range((-1 if left is None else left) + 1, count if right is None else right)
    back = onwards[::-1]
    both = direction == "both" and left is not None and right is not None
    nearer = (len(onwards) + 1) // 2
    if left is not None and direction != "backwards":
        yield Leg(gap, left, onwards, nearer if both else len(onwards))
    if right is not None and direction != "forwards" and not (both and not onwards):
        yield Leg(gap, right, back, len(back) - nearer if both else len(back))


def kept_drawings(media: Media) -> Callable[[int], Image]:
    """The pictures of drawings by their places; as many are kept as a leg shows, and every leg shows some anew."""
    return lru_cache(SHOWN_BEFORE + 2)(media.once)


class Carrier:
    """Carries masks through gaps.

    Args:
        project: whose drawings are carried, and which keeps what is made.
        fresh: `Masker.fresh`.
        memory: whether the network remembers pictures: it is then shown other drawings first.
        media: the pictures by a decoder of their own, where others look at the project's meanwhile.
        compares: whether both runs go through the whole of a gap, to tell where they agree; else each through its half.
        drawing: the pictures of drawings, where somebody keeps them for longer; None for those of `media`.
    """

    def __init__(
        self,
        project: Project,
        fresh: Callable[[bool], Any],
        memory: bool = False,
        media: Media | None = None,
        compares: bool = True,
        drawing: Callable[[int], Image] | None = None,
    ):
        self._project, self._fresh, self._memory, self._media = project, fresh, memory, media or project.media
        self._compares = compares
        self._carried = False  # whether other objects go on below a drawing than when the plan was made
        self._drawing = drawing or kept_drawings(self._media)

    def run(self, direction: Direction, at: int) -> Iterator[tuple[Made, int]]:
        """Make all that is not up to date; each step with the number of steps that are left.

        Legs of a gap share it: the first half of each is made first, then each goes on where the other has been.
        Where a drawing changes meanwhile, it goes on from that one.
        """
        unchanged, rounds = False, 0
        while not unchanged:
            changed, self._carried = self._project.changed, False
            plan = self.plan(direction, at)
            left = sum(len(leg.places) + bool(self._open_at_end(leg)) for leg in plan)
            for step in self._steps(plan):
                left -= 1
                yield step, left
                if self._project.changed != changed:
                    break
            same, rounds = self._project.changed == changed, rounds + 1
            at, rounds = (at, rounds) if same else (self._project.changed[1], 0)
            unchanged = same and not (self._carried and rounds <= len(self._project.drawn))

    def _steps(self, plan: Sequence[Leg]) -> Iterator[Made]:
        for gap in dict.fromkeys(leg.gap for leg in plan):
            yield from self._run_gap([leg for leg in plan if leg.gap == gap])

    def plan(self, direction: Direction, at: int) -> list[Leg]:
        """The legs of the gaps in which something is to be made."""
        project, forwards = self._project, direction != "backwards"
        if any(project.open_ids(place, forwards) for place in project.drawn):
            at = project.drawn[0 if forwards else -1]  # what one gap carries through a drawing, the next begins with
        legs = plan_legs(project.drawn, len(project.media), direction, at)
        return [leg for leg in legs if self._open(leg)]

    def _open(self, leg: Leg) -> bool:
        """Whether a leg has a picture that it is yet to make or to compare, or objects to carry through a drawing."""
        project, origin = self._project, self._project.origin(*leg.gap)
        made, compared = leg.places[: leg.decides], leg.places[leg.decides :]
        if any(not self._is_made(leg, place) for place in made):
            return True
        if self._owes(leg, origin):
            return True
        rows = [project.row(place) or {} for place in (compared if self._compares else ())]
        return any(not project.is_current(row, origin) or "agreement" not in row for row in rows)

    def _owes(self, leg: Leg, origin: str) -> bool:
        """Whether objects that go on below the drawing at its end were not carried there yet."""
        if leg.end is None or not self._open_at_end(leg):
            return False
        row = self._project.row(leg.end) or {}
        return not self._project.is_current(row, origin) or row.get(UPON) != self._upon(leg)

    def _open_at_end(self, leg: Leg) -> set[int]:
        """Objects that a leg carries through the drawing at its end."""
        return self._project.open_ids(leg.end, leg.forwards) if leg.end is not None and leg.carries_through else set()

    def _is_made(self, leg: Leg, place: int) -> bool:
        """Whether a mask was made by a leg, from what is still the same."""
        row, origin = self._project.row(place), self._project.origin(*leg.gap)
        if row is None or not self._project.is_current(row, origin):
            return False
        return (row["source"], row["shared"], row.get(UPON)) == (leg.source, leg.shared, self._upon(leg))

    def _below(self, place: int) -> str | None:
        """A digest of what goes on below a drawing."""
        return (self._project.row(place) or {}).get(BELOW)

    def _upon(self, leg: Leg) -> str | None:
        """A digest of what a leg begins with beside what is drawn."""
        return self._below(leg.source) if leg.takes_up else None

    def _run_gap(self, legs: Sequence[Leg]) -> Iterator[Made]:
        """The halves that decide, one leg after the other, and then the halves that compare."""
        runs = [(leg, self._leg(leg)) for leg in legs]
        for leg, run in runs:
            for _ in range(leg.decides):
                yield next(run)
        for leg, run in runs:
            if self._compares or self._open_at_end(leg):
                yield from run

    def _leg(self, leg: Leg) -> Iterator[Made]:
        project, origin, hidden = self._project, self._project.origin(*leg.gap), self._project.hidden()
        start = self._start(leg)
        ids = sorted(ids_in(start))
        propagator = self._begin(leg, start, ids) if ids else None
        for number, place in enumerate(leg.places):
            began = time.perf_counter()
            decides = number < leg.decides
            kept = project.made(place) if decides and self._is_made(leg, place) else None
            sure = 1.0
            if kept is None:
                labels, sure = self._step(propagator, place)
            else:
                labels = kept
                if propagator is not None:
                    propagator.replay(kept, None, partial(self._media.__getitem__, place))
            if not decides:
                self._compare(leg, place, labels, sure)
            elif kept is None:
                project.keep_made(place, labels, self._row(leg, origin, hidden, sure))
            yield Made(place, time.perf_counter() - began)
        if leg.end is not None and self._open_at_end(leg):
            began = time.perf_counter()
            labels, sure = self._step(propagator, leg.end)
            self._carry_through(leg, leg.end, labels, self._row(leg, origin, hidden, sure))
            yield Made(leg.end, time.perf_counter() - began)

    def _step(self, propagator: Any, place: int) -> tuple[Labels, float]:
        """The masks of the next picture, and how sure the network is of the least sure one."""
        if propagator is None:
            return np.zeros(self._project.media.size(place), np.uint8), 1.0
        labels = propagator.step(self._media[place])
        return labels, min((round(float(margin), 4) for margin in propagator.margins.values()), default=1.0)

    def _start(self, leg: Leg) -> Labels:
        """The label map that a leg begins with. Objects that enter later are not looked for in earlier pictures."""
        project = self._project
        labels = project.labels(leg.source)
        if not leg.takes_up and leg.gap.left is not None:
            known = ids_in(project.labels(leg.gap.left)) | project.settled(leg.gap.left)
            labels = only_ids(labels, known & project.settled(leg.source))
        return labels

    def _begin(self, leg: Leg, start: Labels, ids: Sequence[int]) -> Any:
        """A propagator that has seen the drawing, and before it others, the nearest last."""
        project, propagator = self._project, self._fresh(None not in leg.gap)
        for place in nearest(project.drawn, leg.source) if self._memory else ():
            labels = only_ids(project.labels(place), ids)
            if labels.any():
                propagator.replay(labels, labels, partial(self._drawing, place))
        propagator.replay(start, start, partial(self._drawing, leg.source))
        return propagator

    def _compare(self, leg: Leg, place: int, labels: Labels, sure: float) -> None:
        """Note how far the other leg's masks agree, None if both know none alike; keep what only this one knows."""
        project = self._project
        other, row = project.made(place), project.row(place)
        if other is None or row is None:
            return
        assert leg.gap.left is not None and leg.gap.right is not None
        known_to_both = project.settled(leg.gap.left) & project.settled(leg.gap.right)
        ids = (ids_in(other) | ids_in(labels)) & known_to_both
        alike = [iou((other == n).view(np.uint8), (labels == n).view(np.uint8)) for n in ids]
        unknown = ids_in(labels) - project.settled(leg.gap.right) - ids_in(other)
        if unknown and leg.forwards:
            added = np.where((other == 0) & np.isin(labels, sorted(unknown)), labels, other)
            project.keep_made(place, added, {**row, "confidence": min(sure, row["confidence"])})
        project.note(place, agreement=round(min(alike), 4) if alike else None)

    def _carry_through(self, leg: Leg, end: int, labels: Labels, row: dict[str, Any]) -> None:
        """Objects of which the drawing at the end of a leg says nothing go on below it.

        Masks of objects that the drawing says something of are kept, too: they are seen if it is taken back.
        """
        project, open_ids = self._project, self._open_at_end(leg)
        below = only_ids(labels, open_ids)
        if (before := project.made(end)) is not None:  # what comes from the other side stays
            others = only_ids(before, project.open_ids(end, not leg.forwards) - open_ids)
            below = np.where(below > 0, below, others)
        digest = hashlib.blake2b(below.tobytes(), digest_size=6).hexdigest()
        self._carried |= digest != self._below(end)
        under = only_ids(labels, project.settled(end))
        project.keep_made(end, np.where(below > 0, below, under), {**row, BELOW: digest})

    def _row(self, leg: Leg, origin: str, hidden: Sequence[int], confidence: float) -> dict[str, Any]:
        about = {FROM: origin, "source": leg.source, "shared": leg.shared, "confidence": confidence}
        further = {WITHOUT: hidden, UPON: self._upon(leg)}
        return about | {name: value for name, value in further.items() if value}
