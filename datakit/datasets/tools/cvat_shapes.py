"""The shapes of CVAT's XML, filled and ordered as its export to segmentation masks does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from ...arrays import Mask, area
from ..outlines import BrokenOutline, Ring, overrun
from ..shapes import Paint, Shape, Size, box_ring, broken, coco_polygon, disc_ring, no_area, patch, ring_of, turned

WITHOUT_AREA = ("points", "polyline", "skeleton", "cuboid")  # CVAT's own export leaves them out, too

DIGITS = 2  # decimals that CVAT keeps of a coordinate

Attributes = Mapping[str, str]
Drawn = tuple[str, int, Attributes]


def cvat_shape(tag: str, number: int, attributes: Attributes, most: int) -> Shape:
    """One shape.

    Args:
        tag: name of its element.
        number: of its object.
        attributes: of its element.
        most: pixels of a photo at most.
    """
    name = f"{tag[:20]} {attributes.get('label', '')[:60]!r} of object {number}"
    if tag in WITHOUT_AREA:
        return no_area(number, name)
    try:
        paint, ring = _painted(tag, attributes, most)
    except BrokenOutline as error:
        return broken(number, name, error, error.reason)
    return Shape(number, name, paint, (ring,))


def _painted(tag: str, attributes: Attributes, most: int) -> tuple[Paint, Ring]:
    """How a shape is filled, and its outline.

    Raises:
        BrokenOutline: it is damaged, or of a kind that CVAT does not have.
    """
    if tag == "polygon":
        ring = ring_of([pair.split(",") for pair in attributes.get("points", "").split(";")])
        return coco_polygon(ring), ring
    if tag == "box":
        left, top, right, bottom = _numbers(attributes, "xtl", "ytl", "xbr", "ybr")
        ring = _turned(box_ring(left, top, right, bottom), ((left + right) / 2, (top + bottom) / 2), attributes)
        return coco_polygon(ring), ring
    if tag == "ellipse":
        x, y, across, down = _numbers(attributes, "cx", "cy", "rx", "ry")
        if across < 0 or down < 0:
            raise BrokenOutline("broken shape", f"has radii {across:g} and {down:g}, expected none below 0")
        ring = _turned(disc_ring((x, y), (across, down)), (x, y), attributes)
        # CVAT keeps its right and upper end
        axes = round(round(x + across, DIGITS) - x), round(y - round(y - down, DIGITS))
        return partial(_ellipse, (round(x), round(y)), axes, _rotation(attributes)), ring
    if tag == "mask":
        left, top, width, height = (int(side) for side in _numbers(attributes, "left", "top", "width", "height"))
        if width < 1 or height < 1 or width * height > most:
            raise BrokenOutline("broken run lengths", f"its box is {width} wide and {height} high")
        runs = attributes.get("rle", "")
        paint = partial(_brushed, runs, left, top, (height, width))
        return paint, box_ring(left, top, left + width, top + height)
    raise BrokenOutline("broken shape", "is of a kind that CVAT's files do not have")


def _ellipse(centre: tuple[int, int], axes: tuple[int, int], angle: float, size: Size) -> Mask:
    mask: Mask = np.zeros(size, np.uint8)
    cv2.ellipse(mask, centre, axes, angle, 0, 360, 1, thickness=-1)
    return mask


def _brushed(text: str, left: int, top: int, box: Size, size: Size) -> Mask:
    """The mask of runs, ground first, row by row in their box.

    Raises:
        BrokenOutline: they are no whole numbers, or do not fill the box.
    """
    try:
        runs: NDArray[np.int64] = np.array(text.split(","), np.int64)
    except (ValueError, OverflowError):
        raise BrokenOutline("broken run lengths", "`rle` holds more than whole numbers with commas") from None
    if runs.min() < 0 or runs.max() > box[0] * box[1] or runs.sum() != box[0] * box[1]:
        found = f"`rle` has {runs.sum()} pixels, expected {box[0] * box[1]} of a box {box[1]} wide and {box[0]} high"
        raise BrokenOutline("broken run lengths", f"{found}; draw it anew in CVAT")
    mask = np.repeat((np.arange(len(runs)) % 2).astype(np.uint8), runs).reshape(box)
    return patch(mask, left, top)(size)


def _numbers(attributes: Attributes, *names: str) -> tuple[float, ...]:
    """Finite numbers among the attributes.

    Raises:
        BrokenOutline: one is missing, or is none.
    """
    try:
        numbers = tuple(float(attributes[name]) for name in names)
    except (KeyError, ValueError):
        raise BrokenOutline("broken shape", f"lacks numbers for {', '.join(names)}") from None
    if not np.isfinite(numbers).all():
        raise BrokenOutline("broken shape", "has coordinates that are not finite")
    return numbers


def _rotation(attributes: Attributes) -> float:
    return _numbers(attributes, "rotation")[0] if attributes.get("rotation") else 0.0


def _turned(ring: Ring, centre: tuple[float, float], attributes: Attributes) -> Ring:
    degrees = _rotation(attributes)
    return turned(ring, centre, degrees).round(DIGITS) if degrees else ring


def painting_order(drawn: Sequence[Drawn], size: Size | None) -> list[Drawn]:
    """Shapes as CVAT's exporter stacks them, the lowest first.

    By `z_order`; of equals those without a group first, then by group; of these, boxes that are turned last. The
    largest shape of a group gives its `z_order` to all.

    Args:
        drawn: the shapes of one photo.
        size: (H, W) of the photo, in which shapes of a group are compared; None where it is unknown or unlikely.
    """
    members: dict[int, list[Drawn]] = {}
    for each in drawn:
        members.setdefault(_whole(each[2], "group_id"), []).append(each)
    heights = {group: _height(members[group], size) for group in members if group and size}

    def place(shape: Drawn) -> tuple[int, int, bool]:
        tag, _, attributes = shape
        group = _whole(attributes, "group_id")
        is_turned = tag == "box" and bool(attributes.get("rotation"))
        return heights.get(group, _whole(attributes, "z_order")), group, is_turned and not group

    return sorted(drawn, key=place)


def _height(members: Sequence[Drawn], size: Size) -> int:
    """The `z_order` of a group: that of its largest shape."""
    orders = [_whole(attributes, "z_order") for _, _, attributes in members]
    if len(set(orders)) == 1:
        return orders[0]
    areas = [_area(tag, attributes, size) for tag, _, attributes in members]
    return orders[areas.index(max(areas))]


def _whole(attributes: Attributes, name: str) -> int:
    """A whole number among the attributes, 0 where there is none."""
    text = attributes.get(name, "")
    return int(text) if len(text) < 12 and text.isascii() and text.removeprefix("-").isdigit() else 0


def _area(tag: str, attributes: Attributes, size: Size) -> int:
    """Pixels of a shape; 0 where it gives none."""
    try:
        paint, ring = _painted(tag, attributes, size[0] * size[1])
        return 0 if overrun(ring, size) > 2 * max(size) else area(paint(size))
    except BrokenOutline:
        return 0
