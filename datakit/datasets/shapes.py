"""What files of annotation tools say of a photo: shapes, each of one object, and how tools fill them.

Two tools fill one outline in two ways (docs/datasets.md has the table), so a shape carries its own way. Reading a file
is left to each layout, scenes are made of shapes in `shape_reader`.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw

from ..arrays import Mask
from ..headers import open_lazily
from ..rle import polygons_to_mask
from .outlines import BrokenOutline, Outline, Ring, parse_outline, rasterise

Size = tuple[int, int]  # (H, W) in pixels
MOST_WORK = 2_000_000_000  # of filling by OpenCV: some five seconds
GROUND = 0  # number of a shape that takes its pixels from every object below it
Paint = Callable[[Size], Mask]  # (H, W) uint8 0/1 of a shape in a frame of that size


class Fault(NamedTuple):
    """Why a shape gives no pixels: what it is (`failed` or `left-out`), a reason that groups, and a sentence."""

    kind: Literal["failed", "left-out"]
    reason: str
    text: str


class Shape(NamedTuple):
    """One shape, a part of one object.

    Attributes:
        number: of its object within the photo, from 1; `GROUND` cuts a hole.
        name: as messages call it: `shape 3 (circle "cat")`.
        paint: fills it, as its tool does; None where it gives no pixels.
        rings: (N, 2) float64 x, y in pixels of the frame it was drawn in: what it lies on is judged by these.
        fault: why it gives no pixels.
    """

    number: int
    name: str
    paint: Paint | None
    rings: tuple[Ring, ...] = ()
    fault: Fault | None = None


def no_area(number: int, name: str) -> Shape:
    """A shape that encloses nothing: a point, a line, a skeleton."""
    return Shape(number, name, None, fault=Fault("left-out", "no area", f"{name} has no area, so there is no mask"))


def broken(number: int, name: str, text: object, reason: str = "broken shape") -> Shape:
    """A shape that is damaged."""
    return Shape(number, name, None, fault=Fault("failed", reason, f"{name}: {text}"))


def coco_shape(number: int, name: str, segmentation: Any) -> Shape:
    """A shape written as COCO's `segmentation`: polygons or run lengths, filled as COCO's tools fill them."""
    try:
        outline = parse_outline(segmentation)
    except BrokenOutline as error:
        return broken(number, name, error, error.reason)
    return Shape(number, name, partial(_rasterised, outline), outline.rings)


def _rasterised(outline: Outline, size: Size) -> Mask:
    return rasterise(outline, size).mask


def is_absent(segmentation: Any) -> bool:
    """Whether a `segmentation` says that an object is not to be seen: nothing, an empty list, or one run of ground."""
    if not isinstance(segmentation, dict):
        return not segmentation
    counts = segmentation.get("counts")
    if isinstance(counts, str):
        return sum(ord(character) - 48 < 32 for character in counts) <= 1
    return isinstance(counts, list) and len(counts) <= 1


def ring_of(points: object, least: int = 3, most: int | None = None) -> Ring:
    """(N, 2) float64 of x, y pairs as JSON holds them.

    Args:
        points: a list of [x, y].
        least: fewest points.
        most: most points; None for any number.

    Raises:
        BrokenOutline: they are too few or too many, no numbers, or not finite.
    """
    try:
        ring = np.array(points, np.float64)
    except (TypeError, ValueError, OverflowError):
        ring = np.empty(0)
    count = f"{least}" if most == least else f"{least} or more" if most is None else f"{least} to {most}"
    if ring.ndim != 2 or ring.shape[1] != 2 or not least <= len(ring) <= (len(ring) if most is None else most):
        found = f"{len(points)} of them" if isinstance(points, list) else type(points).__name__
        raise BrokenOutline("broken shape", f"expected {count} points, each x and y; found {found}")
    if not np.isfinite(ring).all():
        raise BrokenOutline("broken shape", "has coordinates that are not finite")
    return ring


def box_ring(left: float, top: float, right: float, bottom: float) -> Ring:
    """The four corners of a box."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


def disc_ring(centre: Sequence[float], radii: Sequence[float]) -> Ring:
    """(32, 2) points around an ellipse whose axes lie along x and y."""
    angles = np.arange(32) * (np.pi / 16)
    return np.column_stack([centre[0] + radii[0] * np.cos(angles), centre[1] + radii[1] * np.sin(angles)])


def turned(ring: Ring, centre: Sequence[float], degrees: float) -> Ring:
    """A ring turned about a point, clockwise as pictures show it (y points down)."""
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    moved: Ring = (ring - centre) @ np.array([[cos, sin], [-sin, cos]])
    return moved + np.asarray(centre, np.float64)


def by_pillow(draw: Callable[[ImageDraw.ImageDraw], None]) -> Paint:
    """The painter that draws with Pillow: `draw` fills with 1."""

    def paint(size: Size) -> Mask:
        canvas = PillowImage.new("L", size[::-1])
        draw(ImageDraw.Draw(canvas))
        return np.asarray(canvas)

    return paint


def pillow_polygon(ring: Ring) -> Paint:
    """Pillow's polygon with its outline, on float coordinates."""
    points = [tuple(point) for point in ring.tolist()]
    return by_pillow(lambda pen: pen.polygon(points, outline=1, fill=1))


def opencv_polygons(rings: Iterable[Ring], whole: Callable[[Ring], Ring] = np.trunc) -> Paint:
    """OpenCV's fillPoly of all rings together, even-odd, once `whole` has made coordinates whole numbers."""
    corners = [whole(ring).astype(np.int32) for ring in rings]

    def paint(size: Size) -> Mask:
        if sum(_work(ring, size[0]) for ring in corners) > MOST_WORK:
            raise BrokenOutline("tangled outline", "it crosses the photo's rows so often that filling would not end")
        return cv2.fillPoly(np.zeros(size, np.uint8), corners, 1)  # type: ignore[return-value]

    return paint


def coco_polygon(ring: Ring) -> Paint:
    """A polygon filled by COCO's rule, as pycocotools does it."""
    return lambda size: polygons_to_mask([ring.ravel().tolist()], size)


def _work(corners: NDArray[np.int32], height: int) -> int:
    """About what OpenCV does to fill a ring: in each row it sorts the edges that cross it, in the square of them."""
    ends = corners[:, 1].clip(0, height)
    starts = np.roll(ends, 1)
    changes = np.bincount(np.minimum(starts, ends), minlength=height + 1)
    changes -= np.bincount(np.maximum(starts, ends), minlength=height + 1)
    return int((np.cumsum(changes) ** 2).sum())


def covered_pixels(ring: Ring) -> Paint:
    """All pixels whose centre lies inside a polygon or on its edge, even-odd, as scikit-image's `draw.polygon`."""
    return partial(_covered, ring)


def _covered(ring: Ring, size: Size) -> Mask:
    height, width = size
    flips = np.zeros((height, width + 1), np.int32)  # changes of side along each row
    on_edge = np.zeros(size, bool)
    for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        rows = np.arange(max(math.ceil(min(y0, y1)), 0), min(math.floor(max(y0, y1)), height - 1) + 1)
        if y0 == y1:
            columns = np.arange(max(math.ceil(min(x0, x1)), 0), min(math.floor(max(x0, x1)), width - 1) + 1)
            on_edge[rows[:, None], columns] = True
            continue
        cuts = x0 + (rows - y0) * (x1 - x0) / (y1 - y0)
        nearest = np.rint(cuts)
        whole = (np.abs(cuts - nearest) < 1e-9) & (nearest >= 0) & (nearest < width)
        on_edge[rows[whole], nearest[whole].astype(int)] = True
        crossing = rows < max(y0, y1)  # the lower end belongs to the next edge
        np.add.at(flips, (rows[crossing], np.clip(np.floor(cuts[crossing]) + 1, 0, width).astype(int)), 1)
    inside = (np.cumsum(flips[:, :width], axis=1) & 1).astype(bool)
    return (inside | on_edge).view(np.uint8)


def patch(mask: Mask, left: int, top: int) -> Paint:
    """The painter of a small mask whose corner lies at (left, top); what sticks out of the frame is cut off."""
    return partial(_pasted, mask, left, top)


def _pasted(mask: Mask, left: int, top: int, size: Size) -> Mask:
    canvas = np.zeros(size, np.uint8)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + mask.shape[1], size[1]), min(top + mask.shape[0], size[0])
    if x0 < x1 and y0 < y1:
        canvas[y0:y1, x0:x1] = mask[y0 - top : y1 - top, x0 - left : x1 - left]
    return canvas


def picture_of_text(text: object, most: int, what: str = "`mask`") -> PillowImage.Image:
    """The picture behind base64 text, its header read and no pixel yet.

    Args:
        text: as JSON holds it; a data URL is taken, too.
        most: more pixels than this are refused before decoding.
        what: how messages call it.

    Raises:
        BrokenOutline: it is no text, no base64, no picture, or too large.
    """
    if not isinstance(text, str):
        raise BrokenOutline("broken shape", f"{what} is {type(text).__name__}, expected a picture as base64 text")
    try:
        data = base64.b64decode(text.partition("base64,")[2] or text)
    except (binascii.Error, ValueError):
        raise BrokenOutline("broken shape", f"{what} is not base64 text; save the annotation again") from None
    return picture_of_bytes(data, most, what)


def picture_of_bytes(data: bytes, most: int, what: str) -> PillowImage.Image:
    """The picture in a file's bytes; see `picture_of_text`.

    Raises:
        BrokenOutline: it is no picture, or too large.
    """
    try:
        picture = open_lazily(data)
    except Exception:  # Pillow's plugins raise whatever they meet
        raise BrokenOutline("broken shape", f"{what} holds no picture; save the annotation again") from None
    if picture.width * picture.height > most:
        raise BrokenOutline("broken shape", f"{what} is a picture of {picture.width}x{picture.height} pixels, too many")
    return picture


def pixels_of(picture: PillowImage.Image, what: str = "`mask`") -> np.ndarray:
    """(H, W) or (H, W, C) pixels of an opened picture.

    Raises:
        BrokenOutline: it is damaged.
    """
    try:
        return np.asarray(picture)
    except Exception as error:  # as above
        raise BrokenOutline("broken shape", f"{what} is a damaged picture ({error})") from None
