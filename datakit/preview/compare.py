"""The HTML page of several methods: a table of all, their curves over each other, and any frame beside the truth.

Frames are small WebP pictures, masks the run-length strings of shards, drawn in the page. Each picture and each mask
has a most of bytes, and frames are left out evenly where there are too many, so that the page stays of bounded size
whatever it is of. Written one sequence at a time, so memory stays flat. Reading files is left to the caller.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np

from ..arrays import Image, Mask
from ..evaluation import MEASURES, ObjectScores, Scores
from ..resize import resize_mask, shrunk_size
from ..rle import encode_rle
from .document import COLOURS, MOST_A_PICTURE, data_block, picture_block, picture_bytes, small_picture, template
from .scores import LEGEND, LEGEND_IGNORE

PICTURE_SIDE, MASK_SIDE, LEAST_MASK_SIDE = 480, 400, 8
MOST_FRAMES = 4_000  # that can be looked at, of all sequences together
ALL_MASKS = 16_000_000  # bytes of all masks together
MOST_A_MASK, LEAST_A_MASK = 2_000, 120
SCRIPTS = ("basics.js", "masks.js", "dialog.js", "objects.js", "curves.js",
           "compare_curves.js", "compare_view.js", "compare.js")  # fmt: skip
LEGEND_OUTLINES = (LEGEND[0], (None, False, "predictions: in the colours of their methods"))


@dataclass(frozen=True)
class ComparePage:
    """What a page says of the whole set.

    Attributes:
        title: stands above everything.
        about: what was scored and how, a sentence each.
        methods: their names.
        scores: of the set, one a method.
        remarks: what else a reader should know.
        total: what the means of the set are of, such as `all 10 sequences`.
    """

    title: str
    about: Sequence[str]
    methods: Sequence[str]
    scores: Sequence[Scores]
    remarks: Sequence[str] = ()
    total: str = ""


@dataclass(frozen=True)
class ShownMasks:
    """A frame that can be looked at, small, as text and bytes ready for the page.

    Attributes:
        frame: its name.
        size: (h, w) of the masks.
        picture: WebP, or empty where there is none.
        target: object -> run-length string of the ground truth.
        found: object -> those of the methods, in their order.
        ignore: of what nobody judges, or None.
    """

    frame: str
    size: tuple[int, int]
    picture: bytes
    target: Mapping[int, str]
    found: Mapping[int, Sequence[str]]
    ignore: str | None = None


@dataclass(frozen=True)
class ComparedSequence:
    """A sequence: its objects by every method, and the frames that can be looked at.

    Attributes:
        name: of the sequence.
        part: which part of it was scored, or nothing.
        objects: for each the scores of the methods, in their order; frames are alike in all.
        frames: in their order.
    """

    name: str
    part: str
    objects: Sequence[Sequence[ObjectScores]]
    frames: Iterable[ShownMasks]


@dataclass(frozen=True)
class Room:
    """How much of every frame a page has room for.

    Attributes:
        step: of so many frames one is kept; 1 for all.
        picture: most bytes of a picture.
        mask: most bytes of a mask.
    """

    step: int = 1
    picture: int = MOST_A_PICTURE
    mask: int = MOST_A_MASK


def room_for(frames: int, masks: int) -> Room:
    """The room for so many frames, of all sequences, with so many masks altogether: at most 60 MB, whatever they are.

    Args:
        frames: of all sequences.
        masks: of all of them, ground truth and every method, each object for itself.
    """
    step = max(1, math.ceil(frames / MOST_FRAMES), math.ceil(masks * LEAST_A_MASK / ALL_MASKS))
    kept = max(1, masks // step)
    return Room(step, picture_bytes(frames // step), max(LEAST_A_MASK, min(MOST_A_MASK, ALL_MASKS // kept)))


def kept_places(count: int, step: int, wanted: Iterable[int] = ()) -> list[int]:
    """Of so many frames of a sequence those that can be looked at: each `step`-th, or a neighbour that is `wanted`.

    Args:
        count: of its frames.
        step: as `Room` says.
        wanted: places that say most, such as those where methods differ most; each stands for its neighbours.
    """
    places = {place // step: place for place in range(0, count, step)}
    places |= {place // step: place for place in wanted}
    return sorted(places.values())


def shown_masks(
    frame: str,
    image: Image | None,
    targets: Mapping[int, Mask],
    found: Mapping[int, Sequence[Mask]],
    ignore: Mask | None,
    room: Room,
) -> ShownMasks:
    """A frame with its masks, made small.

    Args:
        frame: its name.
        image: (H, W, 3) uint8 RGB, or None where there is no picture of it.
        targets: object -> (H, W) uint8, 0 or 1.
        found: object -> the same of every method.
        ignore: (H, W) uint8, 1 where nobody judges, or None.
        room: for each picture and mask.
    """
    masks = [*targets.values(), *(mask for each in found.values() for mask in each)]
    if ignore is not None:
        masks.append(ignore)
    size, codes = _codes(masks, room.mask)
    count = len(targets)
    of_methods = iter(codes[count:])
    return ShownMasks(
        frame,
        size,
        b"" if image is None else small_picture(image, PICTURE_SIDE, room.picture),
        dict(zip(targets, codes, strict=False)),
        {number: [next(of_methods) for _ in each] for number, each in found.items()},
        None if ignore is None else codes[-1],
    )


def _codes(masks: Sequence[Mask], most: int) -> tuple[tuple[int, int], list[str]]:
    """Run-length strings of masks of one size, as coarse as makes none longer than `most`; and that size."""
    H, W = masks[0].shape
    side = MASK_SIDE
    while True:
        size = shrunk_size((H, W), side)
        codes = [encode_rle(resize_mask(mask, size)).decode("ascii") for mask in masks]
        longest = max(map(len, codes))
        if longest <= most or side <= LEAST_MASK_SIDE:
            return size, codes
        side = max(LEAST_MASK_SIDE, min(max(size) - 1, int(max(size) * max(0.5, 0.95 * most / longest))))


def write_compare_page(out: TextIO, page: ComparePage, sequences: Iterable[ComparedSequence]) -> None:
    """Write a page; a sequence is written before the next one is asked for.

    Args:
        out: a text file in UTF-8.
        page: what stands above.
        sequences: in the order to show them.
    """
    before, after = template("compare.html", page.title, ("page.css", "scores.css", "compare.css"), SCRIPTS)
    out.write(before)
    out.write(data_block("header", _header(page)))
    for sequence in sequences:
        frames = list(sequence.frames)
        out.write(data_block("", _sequence(sequence, frames), 'class="sequence" '))
        out.write(picture_block([frame.picture for frame in frames]))
    out.write(after)


def _header(page: ComparePage) -> dict[str, Any]:
    return {
        "about": list(page.about),
        "remarks": list(page.remarks),
        "methods": list(page.methods),
        "scores": [_scores(each) for each in page.scores],
        "total": page.total,
        "colours": COLOURS,
        "legend": LEGEND,
        "legend_outlines": LEGEND_OUTLINES,
        "legend_void": LEGEND_IGNORE,
    }


def _scores(scores: Scores) -> dict[str, list[float]]:
    return {name: [round(value, 9) for value in scores.of(name)] for name in MEASURES}


def _sequence(sequence: ComparedSequence, frames: Sequence[ShownMasks]) -> dict[str, Any]:
    return {
        "name": sequence.name,
        "part": sequence.part,
        "objects": [_object(each) for each in sequence.objects],
        "shown": [
            {
                "frame": each.frame,
                "size": list(each.size),
                "target": {str(number): code for number, code in each.target.items()},
                "found": {str(number): list(codes) for number, codes in each.found.items()},
                "void": each.ignore,
            }
            for each in frames
        ],
    }


def _object(methods: Sequence[ObjectScores]) -> dict[str, Any]:
    def values(each: ObjectScores, name: str) -> list[float]:
        return [round(value, 4) for value in getattr(each, name).tolist()]

    one = methods[0]
    return {
        "id": one.id,
        "frames": list(one.frames),
        "scores": [_scores(each.scores) for each in methods],
        "J": [values(each, "J") for each in methods],
        "F": [values(each, "F") for each in methods],
        "apart": apart_place(methods),
    }


def apart_place(methods: Sequence[ObjectScores]) -> int:
    """Where the methods differ most: the frame with the widest range of J + F."""
    totals = np.stack([each.J + each.F for each in methods])
    return int(np.argmax(totals.max(axis=0) - totals.min(axis=0)))
