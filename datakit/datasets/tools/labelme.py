"""LabelMe and X-AnyLabeling: a JSON file of shapes beside each photo, which it may hold itself.

Shapes are filled as LabelMe's own exporter fills them, but for points and lines, which it makes areas of a fixed width
and which are left out here.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...errors import ItemRef
from ...photo_files import read_photo
from ...places import beneath
from ...samples import Photo
from ..annotation_files import AnnotationFiles, PhotoFileReader
from ..entries import Entry
from ..json_files import Broken, size_in
from ..outlines import BrokenOutline
from ..records import Record
from ..shapes import (
    Paint,
    Shape,
    Size,
    box_ring,
    broken,
    by_pillow,
    disc_ring,
    no_area,
    patch,
    picture_of_text,
    pillow_polygon,
    pixels_of,
    ring_of,
)

WITHOUT_AREA = ("point", "points", "line", "linestrip")


class LabelMeReader(PhotoFileReader):
    """Photos with a LabelMe file each."""

    holds = (("shapes", list),)

    @classmethod
    def entry(cls, name: str, document: Any) -> Entry:
        """The photo is `imagePath`, else one of the file's own name, else the picture inside the file."""
        base, _, own = name.rpartition("/")
        written = document.get("imagePath")
        names = [written] if isinstance(written, str) and written else []
        names += [own[: -len(".json")] + end for end in (".jpg", ".jpeg", ".png", ".JPG", ".PNG")]
        numbers = range(1, max(_numbers(document["shapes"]), default=0) + 1)
        return Entry(tuple(names), name, base, numbers, {}, name if isinstance(document.get("imageData"), str) else "")

    @classmethod
    def size(cls, document: Any) -> Size | None:
        """As `imageHeight` and `imageWidth` say."""
        return size_in(document, "imageHeight", "imageWidth")

    @classmethod
    def shapes(cls, document: Any, most: int) -> Iterator[Shape]:
        """The shapes in the order of the file; see the base class."""
        numbers = _numbers(document["shapes"])
        for position, (shape, number) in enumerate(zip(document["shapes"], numbers, strict=True)):
            name = f"shape {position}"
            if not isinstance(shape, dict):
                yield broken(number, name, f"is {type(shape).__name__}, expected an object with label and points")
                continue
            kind = shape.get("shape_type") or "polygon"
            name = f"{name} ({str(kind)[:40]} {str(shape.get('label'))[:60]!r})"
            if kind in WITHOUT_AREA:
                yield no_area(number, name)
                continue
            try:
                yield _painted(kind, shape, number, name, most)
            except BrokenOutline as error:
                yield broken(number, name, error)

    def photo(self, record: Record) -> Photo:
        """Decode the photo, or the one in the JSON file where there is no other."""
        place = record.annotation["place"]
        if record.image != place:
            return super().photo(record)
        where = ItemRef(record.key, place)
        try:
            data = base64.b64decode(self.load(beneath(self.root, place))["imageData"])
        except (Broken, binascii.Error, ValueError, TypeError):
            raise where.failed("read", "broken annotation file", "`imageData` is not base64 text") from None
        return read_photo(place, place, self.options.max_pixels, record.key, data)


LABELME = AnnotationFiles(
    "labelme",
    "LabelMe and X-AnyLabeling save NAME.json beside NAME.jpg: shapes with label, group_id, points and shape_type"
    " (github.com/wkentaro/labelme, github.com/CVHub520/X-AnyLabeling).",
    ("**/*.json", "**/*.jpg"),
    reader=LabelMeReader,
    marks=('"shapes"',),
    what="LabelMe file, a .json with `shapes`",
)


def _numbers(shapes: list[Any]) -> Iterator[int]:
    """The number of each shape's object: one object is a label with a group_id, or a shape without a group."""
    seen: dict[Any, int] = {}
    for position, shape in enumerate(shapes):
        group = shape.get("group_id") if isinstance(shape, dict) else None
        own = ("", position) if group is None else (str(shape.get("label")), str(group))
        yield seen.setdefault(own, len(seen) + 1)


def _painted(kind: Any, shape: dict[str, Any], number: int, name: str, most: int) -> Shape:
    """One shape that has an area.

    Raises:
        BrokenOutline: it is damaged, or of a kind that LabelMe does not have.
    """
    points = shape.get("points")
    if kind in ("polygon", "oriented_rectangle", "rotation"):
        ring = ring_of(points, 3 if kind == "polygon" else 4, None if kind == "polygon" else 4)
        return Shape(number, name, pillow_polygon(ring), (ring,))
    if kind == "rectangle" and isinstance(points, list) and len(points) == 4:  # X-AnyLabeling, since 2.2
        ring = ring_of(points)
        return Shape(number, name, pillow_polygon(ring), (ring,))
    if kind == "rectangle":
        (left, top), (right, bottom) = _sorted(ring_of(points, 2, 2))
        box = (left, top, right, bottom)
        return Shape(number, name, by_pillow(lambda pen: pen.rectangle(box, outline=1, fill=1)), (box_ring(*box),))
    if kind == "circle":
        centre, rim = ring_of(points, 2, 2).tolist()
        radius = math.dist(centre, rim)
        around = (centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius)
        paint = by_pillow(lambda pen: pen.ellipse(around, outline=1, fill=1))
        return Shape(number, name, paint, (disc_ring(centre, (radius, radius)),))
    if kind == "mask":
        return Shape(number, name, *_mask(shape, most))
    raise BrokenOutline("broken shape", "is of a kind that LabelMe's files do not have")


def _mask(shape: dict[str, Any], most: int) -> tuple[Paint, tuple[Any, ...]]:
    """A mask shape: whole corners lie on its first and last pixel, others are rounded, and the picture has its size.

    Raises:
        BrokenOutline: it is damaged.
    """
    corners = ring_of(shape.get("points"), 2, 2)
    pixels = pixels_of(picture_of_text(shape.get("mask"), most))
    if pixels.ndim != 2:
        raise BrokenOutline("broken shape", f"`mask` is a picture of {pixels.shape}, expected one channel")
    (left, top), (right, bottom) = (
        (int(side) for side in corners[0].round()),
        (int(side) for side in corners[1].round()),
    )
    if (corners == np.trunc(corners)).all():
        pixels = pixels[: max(bottom - top + 1, 0), : max(right - left + 1, 0)]
    height, width = pixels.shape
    mask = (pixels != 0).astype(np.uint8)
    return patch(mask, left, top), (box_ring(left, top, left + width, top + height),)


def _sorted(ring: np.ndarray) -> list[list[float]]:
    """Two corners of a box, the upper left one first."""
    return [ring.min(axis=0).tolist(), ring.max(axis=0).tolist()]
