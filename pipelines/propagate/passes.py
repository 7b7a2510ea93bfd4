"""In which order the frames of a video are made: forwards from an annotated frame, backwards to those before it.

A frame is made from the nearest annotation that shows every object known so far. An annotation that shows only some
brings these in, or corrects them, from its frame on. An object that enters later is not looked for in earlier frames.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from datakit.arrays import Image, Labels, only_ids
from datakit.video.frames import Frames

SHOWN_BEFORE = 6  # other annotations that a network with a memory sees before it begins
Written = Callable[[int], Labels | None]
FlowOf = Callable[[int], Image | None]


@dataclass(frozen=True)
class Step:
    """One frame's label map as it is made, or found.

    Attributes:
        place: of the frame among the chosen ones.
        labels: (H, W) uint8 ids.
        lost: ids not found in this frame.
        seconds: that it took.
        margins: id -> how sure the network was of it, 0 to 1; none of objects that were given here.
        image: the frame; None where it was not needed.
        kept: whether an earlier run had made it.
    """

    place: int
    labels: Labels
    lost: Collection[int]
    seconds: float
    image: Image | None = None
    kept: bool = False
    margins: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Pass:
    """Neighbouring frames, made one after the other.

    Attributes:
        places: of the frames, in the order they are made.
        masks: place -> (H, W) uint8 ids given there.
        seed: label map of the frame before the first, when that one is made by another pass.
        empty: whether these frames are known to hold no object.
    """

    places: Sequence[int]
    masks: Mapping[int, Labels] = field(default_factory=dict)
    seed: Labels | None = None
    empty: bool = False


def plan_passes(count: int, masks: Mapping[int, Labels], begins: int = 0, complete: Collection[int] = ()) -> list[Pass]:
    """The passes that make every frame of a video once.

    Args:
        count: of frames.
        masks: place -> (H, W) uint8 ids; at least one.
        begins: frames before this one are known to hold no object.
        complete: places whose masks show all objects: those that are missing there are gone, not left open.
    """
    annotated = sorted(masks)
    begin, before = annotated[0], annotated[0]
    known, passes = _ids(masks[begin]), []
    for place in annotated[1:]:
        ids = _ids(masks[place])
        if known <= ids or place in complete:
            seed = only_ids(masks[place], known)
            middle = (before + place) // 2 if seed.any() else place - 1
            passes.append(_forwards(begin, middle + 1, masks))
            if middle + 1 < place:
                passes.append(Pass(range(place - 1, middle, -1), seed=seed))
            begin = place
        known = ids if place in complete else known | ids
        before = place
    passes.append(_forwards(begin, count, masks))
    if annotated[0] > begins:
        passes.append(Pass(range(annotated[0] - 1, begins - 1, -1), seed=masks[annotated[0]]))
    return [Pass(range(begins), empty=True), *passes] if begins else passes


def _forwards(begin: int, end: int, masks: Mapping[int, Labels]) -> Pass:
    return Pass(range(begin, end), {place: mask for place, mask in masks.items() if begin <= place < end})


def _ids(labels: Labels) -> frozenset[int]:
    return frozenset(int(number) for number in np.unique(labels) if number)


def nearest(places: Iterable[int], start: int) -> list[int]:
    """The places that a network with a memory is shown before it begins at `start`, the nearest last."""
    others = [place for place in places if place != start]
    return sorted(others, key=lambda place: -abs(place - start))[-SHOWN_BEFORE:]


def run_passes(
    passes: Sequence[Pass],
    fresh: Callable[[], Any],
    frames: Frames,
    written: Written,
    flow: FlowOf,
    masks: Mapping[int, Labels] | None = None,
) -> Iterator[Step]:
    """Make every frame of some passes.

    Args:
        passes: in this order.
        fresh: gives a `model.propagate.Propagator` that knows no object yet.
        frames: the video.
        written: gives what an earlier run has made of a frame; asked in order, until it gives None.
        flow: gives the picture of the movement in a frame; None where there is none.
        masks: all that is given of the video, for a network with a memory; each pass is shown the nearest first.
    """
    resumed = True
    for each in passes:
        propagator = fresh()
        if masks and not each.empty:
            _show(propagator, each, masks, frames)
        if each.seed is not None:
            before = each.places[0] + 1  # only passes that go backwards begin with a seed
            propagator.replay(each.seed, each.seed, partial(frames.__getitem__, before))
        for place in each.places:
            mask = each.masks.get(place)
            began = time.perf_counter()
            labels = written(place) if resumed else None
            resumed = labels is not None
            if labels is not None:
                if not each.empty:
                    propagator.replay(labels, mask, partial(frames.__getitem__, place))
                yield Step(place, labels, () if each.empty else propagator.lost, 0.0, kept=True)
                continue
            image = frames[place]
            if each.empty:
                yield Step(place, np.zeros(frames.size, np.uint8), (), time.perf_counter() - began, image)
                continue
            labels = propagator.step(image, mask, flow(place))
            seconds, margins = time.perf_counter() - began, dict(propagator.margins)
            yield Step(place, labels, propagator.lost, seconds, image, margins=margins)


def _show(propagator: Any, each: Pass, masks: Mapping[int, Labels], frames: Frames) -> None:
    """Let a network remember what is given elsewhere of the objects that a pass begins with."""
    start = each.places[0] if each.seed is None else each.places[0] + 1
    known = sorted(_ids(masks[start] if each.seed is None else each.seed))
    for place in nearest((place for place in masks if place not in each.masks), start):
        labels = only_ids(masks[place], known)
        if labels.any():
            propagator.replay(labels, labels, partial(frames.__getitem__, place))
