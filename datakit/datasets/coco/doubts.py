"""Where an annotation contradicts itself: a `bbox` or an `area` that cannot be its outline's.

The outline is what masks are drawn from; what stands beside it tells that a photo was resized after it was
annotated, or that ids were mixed up.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from ...samples import Note

SLACK = 3.0  # pixels a side of the box may lie beside the outline's: tools round, and draw on pixel centres or edges
SLACK_SHARE = 0.05  # of the longer side of the outline's box, likewise
AREA_SLACK = 1.2  # tools write the area of the outline or of its box; more than this times the box's is neither
AREA_LEAST = 0.25  # less than this share of the outline's own area is no rounding
BATCH = 4096  # annotations
LESS = 1 - 1e-9  # rounding of either way to the same number
NAN = float("nan")
UNKNOWN = [NAN] * 4
REASON = "boxes or areas that contradict their outlines"


def contradictions(annotations: Sequence[Any]) -> tuple[dict[int, str], set[int]]:
    """How annotations contradict themselves, and which are worth a closer look.

    Args:
        annotations: as their file holds them.

    Returns:
        Position -> what `contradiction` says, for those of which it says something; and the positions of all that are
        neither run lengths in a string nor polygons of finite coordinates that go well with their box and area.
    """
    found, odd = {}, set()
    for start in range(0, len(annotations), BATCH):
        batch = annotations[start : start + BATCH]
        for position in _odd(batch):
            odd.add(start + position)
            each = batch[position]
            if isinstance(each, dict) and (text := contradiction(each)):
                found[start + position] = text
    return found, odd


def _odd(batch: Sequence[Any]) -> Sequence[int]:
    """Positions of all annotations that may contradict themselves, and of some that do not.

    Half a million annotations are looked at so in a quarter of the time that each of them alone would take.
    """
    rings: list[list[float]] = []
    lengths: list[int] = []
    boxes: list[list[float]] = []
    areas: list[float] = []
    plain, odd = [], []
    for position, each in enumerate(batch):
        try:
            segmentation, box, area = each["segmentation"], each.get("bbox") or UNKNOWN, each.get("area") or NAN
            if type(segmentation) is list and type(box) is list and len(box) == 4 and (length := _points(segmentation)):
                rings += segmentation
                lengths.append(length)
                boxes.append(box)
                areas.append(area)
                plain.append(position)
            elif not _is_packed(segmentation):
                odd.append(position)
        except (KeyError, TypeError, AttributeError):  # no object, no outline, no polygons
            odd.append(position)
    try:
        return [*odd, *(plain[index] for index in _doubtful(rings, lengths, boxes, areas))] if plain else odd
    except (TypeError, ValueError, OverflowError):  # what should be numbers is something else
        return range(len(batch))


def _points(segmentation: list[Any]) -> int:
    """How many points a list of polygons has; 0 where it is something else."""
    count = 0
    for ring in segmentation:
        if type(ring) is not list or len(ring) < 6 or len(ring) % 2:
            return 0
        count += len(ring) // 2
    return count


def _is_packed(segmentation: Any) -> bool:
    """Whether these are run lengths in a string, with their size."""
    if type(segmentation) is not dict:
        return False
    size = segmentation.get("size")
    return type(segmentation.get("counts")) is str and type(size) is list and all(type(side) is int for side in size)


def _doubtful(rings: list[list[float]], lengths: list[int], boxes: list[list[float]], areas: list[float]) -> list[int]:
    """Indices of those whose box or area may be another's, a little generously, and of those that are not finite."""
    points = np.fromiter(chain.from_iterable(rings), np.float64, 2 * sum(lengths)).reshape(-1, 2)
    starts = np.cumsum([0, *lengths[:-1]])
    low, high = np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)
    box = np.fromiter(chain.from_iterable(boxes), np.float64, 4 * len(boxes)).reshape(-1, 2, 2)
    area, sides = np.fromiter(areas, np.float64, len(areas)), high - low
    with np.errstate(invalid="ignore", over="ignore"):
        slack = np.maximum(SLACK, SLACK_SHARE * sides.max(axis=1)) * LESS
        off = np.maximum(np.abs(box[:, 0] - low), np.abs(box.sum(axis=1) - high)).max(axis=1)
        most, least = AREA_SLACK * LESS * (sides + SLACK).prod(axis=1), AREA_LEAST * sides.prod(axis=1)
        odd = ~np.isfinite(sides).all(axis=1) | (off > slack) | (area > most) | ((area > 0) & (area < least / LESS))
    return [int(index) for index in np.flatnonzero(odd)]


def contradiction(annotation: dict[str, Any]) -> str:
    """How `bbox` or `area` contradict polygons, in words; empty where they do not, or where there is nothing to tell.

    Args:
        annotation: as its file holds it.
    """
    segmentation = annotation.get("segmentation")
    if not isinstance(segmentation, list):
        return ""
    try:
        return _contradiction(segmentation, annotation.get("bbox"), annotation.get("area"))
    except (TypeError, OverflowError):  # coordinates that are no numbers, which drawing tells
        return ""


def _contradiction(segmentation: list[Any], box: Any, area: Any) -> str:
    # plain lists, since this runs once for every annotation of a file: half a million in COCO
    xs: list[float] = []
    ys: list[float] = []
    for ring in segmentation:
        if isinstance(ring, list) and len(ring) >= 6 and len(ring) % 2 == 0:
            xs += ring[0::2]
            ys += ring[1::2]
    if not xs:
        return ""
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    width, height = right - left, bottom - top
    if isinstance(box, list) and len(box) == 4:
        x, y, box_width, box_height = box
        slack = max(SLACK, SLACK_SHARE * max(width, height))
        is_near = abs(x - left) <= slack and abs(y - top) <= slack
        is_near = is_near and abs(x + box_width - right) <= slack and abs(y + box_height - bottom) <= slack
        if not is_near and box_width > 0 and box_height > 0:
            return (
                f"its `bbox` says x {x:.0f} to {x + box_width:.0f}, y {y:.0f} to {y + box_height:.0f}, "
                f"its outline x {left:.0f} to {right:.0f}, y {top:.0f} to {bottom:.0f}"
            )
    if isinstance(area, int | float) and area > 0:
        is_large = area > AREA_SLACK * (width + SLACK) * (height + SLACK)
        if is_large or area < AREA_LEAST * width * height:
            rings = [ring for ring in segmentation if isinstance(ring, list) and len(ring) >= 6 and len(ring) % 2 == 0]
            own = max(map(_area, rings))
            if is_large or area < AREA_LEAST * own - SLACK**2:
                return f"its `area` says {area:.0f} pixels, its outline {own:.0f}"
    return ""


def doubt_note(key: str, image: str, number: int, text: str) -> Note:
    """What is told of an annotation that contradicts itself."""
    return Note(key, REASON, f"annotation {number} of {image}: {text}; was the photo resized after it was annotated?")


def _area(ring: list[float]) -> float:
    xs, ys = ring[0::2], ring[1::2]
    following = zip(xs, ys, xs[1:] + xs[:1], ys[1:] + ys[:1], strict=True)
    return abs(sum(x * next_y - next_x * y for x, y, next_x, next_y in following)) / 2
