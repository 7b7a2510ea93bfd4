"""The HTML page of scores: J and F of every object over its frames, and its worst frames.

Frames are small WebP pictures, masks the run-length strings of shards, drawn in the page. Written one object
at a time, so memory stays flat. Reading files and choosing words for a set is left to the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np

from ..arrays import Box, Image, Mask, area
from ..evaluation import MEASURES, ObjectScores, Scores
from ..resize import resize_mask, shrunk_size
from ..rle import encode_rle
from . import tiles
from .document import (
    COLOURS,
    LEAST_A_PICTURE,
    LEAST_SIDE,
    MOST_A_PICTURE,
    data_block,
    picture_block,
    small_picture,
    template,
)

FRAME = (270, 480)  # the shape of the part of a frame that is shown
PICTURE_SIDE, MASK_SIDE = 480, 640
APART = 10  # worst frames are at least a tenth of the sequence apart
SCRIPTS = ("basics.js", "masks.js", "dialog.js", "stage.js", "objects.js", "curves.js", "scores_curves.js", "scores.js")
LEGEND = (
    (tiles.TARGET, True, "ground truth"),
    (tiles.ROUGH, True, "prediction"),
    ((200, 200, 200), False, "both"),
    (tiles.ADDED, False, "predicted, but not in the ground truth"),
    (tiles.LOST, False, "missed"),
)
LEGEND_IGNORE = (tiles.IGNORE_COLOUR, False, "ignored: not scored")


@dataclass(frozen=True)
class ScoresPage:
    """What a page says of the whole set.

    Attributes:
        title: stands above everything.
        about: what was scored and how, a sentence each.
        scores: of the set.
        remarks: what else a reader should know.
        picture_bytes: most bytes of one picture.
    """

    title: str
    about: Sequence[str]
    scores: Scores
    remarks: Sequence[str] = ()
    picture_bytes: int = MOST_A_PICTURE


@dataclass(frozen=True)
class ShownFrame:
    """A frame to look at.

    Attributes:
        place: among the frames that count, from 0.
        found, target: (H, W) uint8, 0 or 1.
        void: (H, W) uint8, 1 where nobody judges, or None.
        image: (H, W, 3) uint8 RGB, or None where there is no picture of it.
    """

    place: int
    found: Mask
    target: Mask
    ignore: Mask | None = None
    image: Image | None = None


@dataclass(frozen=True)
class ShownObject:
    """An object of a sequence with its worst frames; `several` is whether the sequence has others."""

    sequence: str
    scores: ObjectScores
    several: bool
    worst: Sequence[ShownFrame] = ()


def worst_places(each: ObjectScores, count: int) -> list[int]:
    """Where the mean of J and F is least: at most `count` places, in the order of the frames.

    Neighbours show the same failure, so that places are kept some frames apart.
    """
    separate = max(1, len(each.frames) // APART)
    chosen: list[int] = []
    for place in np.argsort(each.J + each.F, kind="stable").tolist():
        if len(chosen) < count and all(abs(place - other) >= separate for other in chosen):
            chosen.append(place)
    return sorted(chosen)


def write_scores_page(out: TextIO, page: ScoresPage, objects: Iterable[ShownObject]) -> None:
    """Write a page; an object is written before the next one is asked for.

    Args:
        out: a text file in UTF-8.
        page: what stands above.
        objects: in the order to show them.
    """
    before, after = template("scores.html", page.title, ("page.css", "scores.css"), SCRIPTS)
    out.write(before)
    out.write(data_block("header", _header(page)))
    for shown in objects:
        out.write(data_block("", _object(shown), 'class="object" '))
        out.write(picture_block([picture for f in shown.worst for picture in _pictures(f, page.picture_bytes)]))
    out.write(after)


def _header(page: ScoresPage) -> dict[str, Any]:
    return {
        "about": list(page.about),
        "remarks": list(page.remarks),
        "scores": _scores(page.scores),
        "colours": COLOURS,
        "legend": LEGEND,
        "legend_void": LEGEND_IGNORE,
    }


def _scores(scores: Scores) -> Mapping[str, list[float]]:
    return {name: [round(value, 9) for value in scores.of(name)] for name in MEASURES}


def _object(shown: ShownObject) -> dict[str, Any]:
    each = shown.scores
    return {
        "sequence": shown.sequence,
        "id": each.id,
        "several": shown.several,
        "scores": _scores(each.scores),
        "frames": list(each.frames),
        "J": [round(value, 4) for value in each.J.tolist()],
        "F": [round(value, 4) for value in each.F.tolist()],
        "worst": [_frame(frame) for frame in shown.worst],
    }


def _frame(frame: ShownFrame) -> dict[str, Any]:
    x0, y0, x1, y1 = region = _region(frame)
    size = shrunk_size((y1 - y0, x1 - x0), MASK_SIDE)

    def code(mask: Mask) -> str:
        return encode_rle(resize_mask(_cut(mask, region), size)).decode("ascii")

    return {
        "place": frame.place,
        "frame": list(frame.target.shape),
        "region": list(region),
        "size": list(size),
        "found_area": area(frame.found),
        "target_area": area(frame.target),
        "rough": code(frame.found),
        "target": code(frame.target),
        "void": None if frame.ignore is None else code(frame.ignore),
    }


def _region(frame: ShownFrame) -> Box:
    return tiles.region_of([frame.found, frame.target], FRAME)


def _pictures(frame: ShownFrame, most: int) -> tuple[bytes, bytes]:
    """The part of the frame that is shown, and all of it, small; empty where there is no picture of it."""
    if frame.image is None:
        return b"", b""
    part = small_picture(_cut(frame.image, _region(frame)), PICTURE_SIDE, most)
    return part, small_picture(frame.image, LEAST_SIDE, LEAST_A_PICTURE)


def _cut(array: Image | Mask, region: Box) -> Image:
    x0, y0, x1, y1 = region
    return np.ascontiguousarray(array[y0:y1, x0:x1])
