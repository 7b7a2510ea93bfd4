"""How an object's outline is written in COCO-like files: polygons and run lengths, in the forms that tools give them.

Parsing keeps every part that can be drawn and says why the others cannot; drawing says what the frame cuts off.
What an outline lies on, the photo as stored or upright, is decided in `drawn`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Mask, area
from ..rle import decode_rle, polygons_area, polygons_to_mask, runs_to_mask

Ring = NDArray[np.float64]
SLACK = 2.0  # pixels an outline may leave the frame by without a word: tools round, and draw on pixel centres or edges
MOST = 0.5  # share of an outline's area that must lie inside the photo


class BrokenOutline(ValueError):
    """An outline that gives no mask; `reason` groups equal causes, the text says what was found and the way out."""

    def __init__(self, reason: str, text: str):
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True)
class Runs:
    """A mask as run lengths.

    Attributes:
        counts: COCO's compressed string, or the runs themselves, ground first.
        size: (H, W) they are for; None where the file does not say.
    """

    counts: bytes | NDArray[np.int64]
    size: tuple[int, int] | None


@dataclass(frozen=True)
class Outline:
    """One object's outline in one form.

    Attributes:
        rings: polygons, each (N, 2) float64 of x, y in pixels with three or more points, all finite; their union
            is the object.
        runs: run lengths instead; then there are no rings.
        strays: why parts were left out, a sentence each; the others make the object.
    """

    rings: tuple[Ring, ...] = ()
    runs: Runs | None = None
    strays: tuple[str, ...] = ()


def parse_outline(segmentation: Any) -> Outline:
    """The outline behind a `segmentation`, whichever of these forms it has.

    * a list of polygons, each x0, y0, x1, y1, … (COCO), a list of pairs, of {"x", "y"}, or of VIA's
      {"all_points_x", "all_points_y"}; or one such polygon without the list around it;
    * run lengths {"size", "counts"}, the counts a string, the text of Python bytes (`b'…'`) or a list; or a
      list of one of them.

    A polygon that cannot be drawn, or has no area, beside others that can is left out as a stray.

    Raises:
        BrokenOutline: nothing of it can be drawn, or it is of another form.

    Source: COCO data format, object detection; the forms of VIA, makesense, Supervisely and pandas are as met in files.
    """
    if isinstance(segmentation, dict) and "all_points_x" not in segmentation:
        return Outline(runs=_runs(segmentation))
    if isinstance(segmentation, dict):
        segmentation = [segmentation]
    if not isinstance(segmentation, list):
        found = type(segmentation).__name__ if segmentation is not None else "missing"
        raise BrokenOutline("no segmentation", f"`segmentation` is {found}, expected polygons or run lengths")
    if any(isinstance(part, dict) and "counts" in part for part in segmentation):
        if len(segmentation) > 1:
            found = f"a list of {len(segmentation)} run lengths and other things, expected one"
            raise BrokenOutline("broken run lengths", f"{found}; merge them, or give each an annotation of its own")
        return Outline(runs=_runs(segmentation[0]))
    rings, strays = [], []
    for part in _parts(segmentation):
        try:
            rings.append(_ring(part))
        except (ValueError, TypeError, OverflowError, KeyError) as error:
            strays.append(str(error))
    if not rings:
        raise BrokenOutline("broken polygon", strays[0] if strays else "holds no polygon")
    wide = [ring for ring in rings if _has_area(ring)] if len(rings) > 1 else rings
    if wide and len(wide) < len(rings):
        strays += [f"a polygon of {len(ring)} points without area" for ring in rings if not _has_area(ring)]
        rings = wide
    return Outline(tuple(rings), None, tuple(strays))


def has_outline(segmentation: Any) -> bool:
    """Whether a `segmentation` says anything at all; tools write nothing, or an empty list, where they have a box."""
    return segmentation is not None and segmentation != [] and segmentation != [[]] and segmentation != {}


def _parts(segmentation: list[Any]) -> Iterator[Any]:
    """The polygons of a list of polygons, or the one polygon that the list itself is."""
    is_flat = len(segmentation) > 2 and all(isinstance(each, int | float | str) for each in segmentation)
    if is_flat or (len(segmentation) > 2 and all(_is_point(each) for each in segmentation)):
        yield segmentation
    else:
        yield from segmentation


def _is_point(value: Any) -> bool:
    return (isinstance(value, list) and len(value) == 2) or (isinstance(value, dict) and {"x", "y"} <= value.keys())


def _ring(part: Any) -> Ring:
    """One polygon; four numbers would be taken for a box by pycocotools.

    Raises:
        ValueError, TypeError, OverflowError, KeyError: it is none.
    """
    if isinstance(part, dict) and "all_points_x" in part:
        part = [list(point) for point in zip(part["all_points_x"], part["all_points_y"], strict=True)]
    if isinstance(part, list) and part and all(_is_point(each) for each in part):
        part = [side for each in part for side in ((each["x"], each["y"]) if isinstance(each, dict) else each)]
    points = np.asarray(part, np.float64)
    if points.ndim != 1 or points.size < 6 or points.size % 2:
        raise ValueError(f"a polygon of shape {points.shape}, expected x, y pairs of three or more points")
    if not np.isfinite(points).all():
        raise ValueError("a polygon with coordinates that are not finite")
    return points.reshape(-1, 2)


def _has_area(ring: Ring) -> bool:
    """Whether the points of a ring are more than one line."""
    sides = ring - ring[0]
    far = sides[np.argmax(np.abs(sides).max(axis=1))]
    return bool((np.abs(sides[:, 0] * far[1] - sides[:, 1] * far[0]) > 1e-6 * (1 + np.abs(far).max())).any())


def _runs(segmentation: Any) -> Runs:
    """Run lengths, checked but for their sum.

    Raises:
        BrokenOutline: they are none.
    """
    counts, size = segmentation.get("counts"), segmentation.get("size")
    try:
        if size is not None:
            height, width = size
            if height != int(height) or width != int(width):
                raise ValueError(f"run lengths are for {size}, expected whole numbers")
            size = int(height), int(width)
        if isinstance(counts, str):
            return Runs(_packed(counts), size)
        if not isinstance(counts, list) or any(isinstance(run, bool) or run != int(run) for run in counts):
            raise ValueError("`counts` is neither a string nor a list of whole numbers")
        return Runs(np.array([int(run) for run in counts], np.int64), size)
    except (ValueError, TypeError, OverflowError) as error:
        raise BrokenOutline("broken run lengths", str(error)) from None


def _packed(text: str) -> bytes:
    """COCO's run-length string; where Python's `str` of bytes was written, what is between its quotes."""
    if text.startswith(("b'", 'b"')):
        try:
            inner = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            inner = None
        if not isinstance(inner, bytes):
            raise ValueError("`counts` begins like the text of Python bytes and is none")
        return inner
    return text.encode("ascii", "replace")


@dataclass(frozen=True)
class Drawn:
    """An outline as a mask of a frame.

    Attributes:
        mask: (H, W) uint8, 0 or 1; may be empty.
        inside: share of the outline's area that lies in the frame, 0..1; 1 where it hardly leaves it.
        strays: why parts of it are not in the mask.
    """

    mask: Mask
    inside: float
    strays: tuple[str, ...]


def rasterise(outline: Outline, size: tuple[int, int]) -> Drawn:
    """The mask of an outline in a frame of (H, W) pixels.

    A ring far from the frame, or wholly outside of it while the others lie mostly inside, is left out as a stray.

    Raises:
        BrokenOutline: the runs are for another size or do not add up, all rings are far from the frame, or most of
            the outline's area lies outside of it.
    """
    if outline.runs is not None:
        return Drawn(_mask_of_runs(outline.runs, size), 1.0, outline.strays)
    if all(_is_normalised(ring) for ring in outline.rings):
        found = "its coordinates lie between 0 and 1, as shares of width and height"
        raise BrokenOutline(
            "outline in shares, not pixels", f"{found}; multiply x by {size[1]} and y by {size[0]}, COCO holds pixels"
        )
    kept = _without_strays(outline, size)
    mask = polygons_to_mask([ring.ravel().tolist() for ring in kept.rings], size)
    inside = share_inside(kept.rings, size, mask)
    if inside < MOST:
        left, top, right, bottom = _box(kept.rings)
        raise BrokenOutline(
            "outline outside the photo",
            f"{1 - inside:.0%} of its outline (x {left:.0f} to {right:.0f}, y {top:.0f} to {bottom:.0f}) lies outside "
            f"the photo of {size}; was the photo resized or turned after it was annotated?",
        )
    return Drawn(mask, inside, kept.strays)


def share_inside(rings: Sequence[Ring], size: tuple[int, int], mask: Mask | None = None) -> float:
    """Share of the area of rings that lies in a frame, 0..1; 1 where they leave it by no more than `SLACK`.

    Args:
        rings: one or more.
        size: (H, W) of the frame.
        mask: the rings drawn in it, where that is done already.
    """
    if all(overrun(ring, size) <= SLACK for ring in rings):
        return 1.0
    whole = polygons_area([ring.ravel() for ring in rings])
    drawn = polygons_to_mask([ring.ravel().tolist() for ring in rings], size) if mask is None else mask
    return min(area(drawn) / whole, 1.0) if whole else 1.0


def _is_normalised(ring: Ring) -> bool:
    """Whether all coordinates lie in 0..1 and not all are whole, as in YOLO's files; such a ring covers no pixel."""
    return bool(ring.min() >= 0 and ring.max() <= 1 and (ring % 1).any())


def _box(rings: Sequence[Ring]) -> tuple[float, ...]:
    points = np.concatenate(rings)
    return (*points.min(axis=0), *points.max(axis=0))


def overrun(ring: Ring, size: tuple[int, int]) -> float:
    """Pixels by which a ring leaves a frame of (H, W) at most; negative or 0 where it does not."""
    return float(max(-ring.min(), (ring.max(axis=0) - size[::-1]).max()))


def _is_apart(ring: Ring, size: tuple[int, int]) -> bool:
    """Whether a ring's box and the frame have no pixel in common."""
    return bool((ring.max(axis=0) <= 0).any() or (ring.min(axis=0) >= size[::-1]).any())


def _without_strays(outline: Outline, size: tuple[int, int]) -> Outline:
    reach = 2 * max(size)  # coordinates farther away would fill the memory
    near = [ring for ring in outline.rings if np.abs(ring).max() <= reach]
    if not near:
        raise BrokenOutline("broken polygon", f"a polygon leaves the photo of {size} by far")
    lost = len(outline.rings) - len(near)
    together = [ring for ring in near if not _is_apart(ring, size) or overrun(ring, size) <= SLACK]
    if together and len(together) < len(near) and share_inside(together, size) >= MOST:
        lost += len(near) - len(together)
        near = together
    strays = (f"a polygon outside the photo of {size}",) * lost
    return replace(outline, rings=tuple(near), strays=(*outline.strays, *strays))


def _mask_of_runs(runs: Runs, size: tuple[int, int]) -> Mask:
    if runs.size is not None and runs.size != size:
        raise BrokenOutline("broken run lengths", f"run lengths are for {list(runs.size)}, the photo is {list(size)}")
    try:
        return decode_rle(runs.counts, size) if isinstance(runs.counts, bytes) else runs_to_mask(runs.counts, size)
    except (ValueError, OverflowError, cv2.error) as error:
        raise BrokenOutline("broken run lengths", str(error)) from None
