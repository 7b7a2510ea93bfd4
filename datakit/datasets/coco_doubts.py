"""Where an annotation contradicts itself: a `bbox` or an `area` that cannot be its outline's.

The outline is what masks are drawn from; what stands beside it tells that a photo was resized after it was
annotated, or that ids were mixed up.
"""

from __future__ import annotations

from typing import Any, TypeGuard

from ..samples import Note

SLACK = 3.0  # pixels a side of the box may lie beside the outline's: tools round, and draw on pixel centres or edges
SLACK_SHARE = 0.05  # of the longer side of the outline's box, likewise
AREA_SLACK = 1.2  # tools write the area of the outline or of its box; more than this times the box's is neither
AREA_LEAST = 0.25  # less than this share of the outline's own area is no rounding
REASON = "boxes or areas that contradict their outlines"


def contradiction(annotation: dict[str, Any]) -> str:
    """How `bbox` or `area` contradict polygons, in words; empty where they do not, or where there is nothing to tell.

    Args:
        annotation: as its file holds it.
    """
    try:
        return _contradiction(annotation)
    except (TypeError, OverflowError):  # coordinates that are no numbers, which drawing tells
        return ""


def _contradiction(annotation: dict[str, Any]) -> str:
    segmentation = annotation.get("segmentation")
    if not isinstance(segmentation, list):
        return ""
    # plain lists, since this runs once for every annotation of a file: half a million in COCO
    rings = [ring for ring in segmentation if isinstance(ring, list) and len(ring) >= 6 and len(ring) % 2 == 0]
    if not rings:
        return ""
    left, top = min(min(ring[0::2]) for ring in rings), min(min(ring[1::2]) for ring in rings)
    right, bottom = max(max(ring[0::2]) for ring in rings), max(max(ring[1::2]) for ring in rings)
    box = annotation.get("bbox")
    if _is_box(box):
        slack = max(SLACK, SLACK_SHARE * max(right - left, bottom - top))
        sides = (box[0] - left, box[1] - top, box[0] + box[2] - right, box[1] + box[3] - bottom)
        if max(map(abs, sides)) > slack:
            return (
                f"its `bbox` says x {box[0]:.0f} to {box[0] + box[2]:.0f}, y {box[1]:.0f} to {box[1] + box[3]:.0f}, "
                f"its outline x {left:.0f} to {right:.0f}, y {top:.0f} to {bottom:.0f}"
            )
    area = annotation.get("area")
    if isinstance(area, int | float) and area > 0:
        whole = (right - left) * (bottom - top)
        is_large = area > AREA_SLACK * (right - left + SLACK) * (bottom - top + SLACK)
        own = max(map(_area, rings)) if is_large or area < AREA_LEAST * whole else 0.0
        if is_large or area < AREA_LEAST * own - SLACK**2:
            return f"its `area` says {area:.0f} pixels, its outline {own:.0f}"
    return ""


def doubt_note(key: str, image: str, number: int, text: str) -> Note:
    """What is told of an annotation that contradicts itself."""
    return Note(key, REASON, f"annotation {number} of {image}: {text}; was the photo resized after it was annotated?")


def _is_box(box: Any) -> TypeGuard[list[float]]:
    if not (isinstance(box, list) and len(box) == 4 and all(isinstance(side, int | float) for side in box)):
        return False
    return bool(box[2] > 0 and box[3] > 0)


def _area(ring: list[float]) -> float:
    xs, ys = ring[0::2], ring[1::2]
    following = zip(xs, ys, xs[1:] + xs[:1], ys[1:] + ys[:1], strict=True)
    return abs(sum(x * next_y - next_x * y for x, y, next_x, next_y in following)) / 2
