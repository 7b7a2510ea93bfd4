"""Supervisely: img/ and ann/ with a JSON file a photo: bitmaps, polygons with holes and rectangles."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from ...arrays import Mask
from ...places import Place
from ..annotation_files import AnnotationFiles, PhotoFileReader
from ..entries import Entry
from ..json_files import Broken, is_whole
from ..outlines import BrokenOutline, Ring
from ..shapes import (
    Paint,
    Shape,
    Size,
    box_ring,
    broken,
    no_area,
    opencv_polygons,
    patch,
    picture_of_bytes,
    pixels_of,
    ring_of,
)

WITHOUT_AREA = ("point", "line", "graph", "polyline", "any_shape", "cuboid", "multichannel_bitmap")


class SuperviselyReader(PhotoFileReader):
    """Photos with a Supervisely file each."""

    @classmethod
    def load(cls, path: Place | str) -> Any:
        """The parsed file, certain to hold a list `objects`; see the base class."""
        document = super().load(path)
        if not isinstance(document, dict) or not isinstance(document.get("objects"), list) or "info" in document:
            raise Broken("holds no `size` and `objects`, as Supervisely's files do", is_damage=False)
        return document

    @classmethod
    def entry(cls, name: str, document: Any) -> Entry:
        """The photo has the file's name without `.json`, in img/ beside ann/; older files lack the photo's suffix."""
        base, _, own = name.rpartition("/")
        stem = own[: -len(".json")]
        names = [stem, *(stem + suffix for suffix in (".jpg", ".jpeg", ".png"))]
        return Entry(tuple(f"../img/{each}" for each in names), name, base, _numbers(document["objects"]), {})

    @classmethod
    def size(cls, document: Any) -> Size | None:
        """As `size` says."""
        size = document.get("size")
        if not isinstance(size, dict) or not is_whole(size.get("height")) or not is_whole(size.get("width")):
            return None
        return size["height"], size["width"]

    @classmethod
    def shapes(cls, document: Any, most: int) -> Iterator[Shape]:
        """The figures in the order of the file; see the base class."""
        for number, figure in zip(_numbers(document["objects"]), document["objects"], strict=True):
            name = f"object {number}"
            if not isinstance(figure, dict):
                yield broken(number, name, f"is {type(figure).__name__}, expected an object with geometryType")
                continue
            kind = figure.get("geometryType") or figure.get("shape")
            name = f"{name} ({str(kind)[:40]} {str(figure.get('classTitle'))[:60]!r})"
            if kind in WITHOUT_AREA:
                yield no_area(number, name)
                continue
            try:
                yield Shape(number, name, *_painted(kind, figure, most))
            except BrokenOutline as error:
                yield broken(number, name, error)


SUPERVISELY = AnnotationFiles(
    "supervisely",
    "Supervisely exports a project as meta.json and DATASET/img/NAME.EXT beside DATASET/ann/NAME.EXT.json"
    " (docs.supervisely.com, annotation format of images).",
    ("*/ann/*.json", "*/img/*"),
    reader=SuperviselyReader,
    marks=('"objects"', '"size"'),
    what="Supervisely file, an ann/NAME.EXT.json with `size` and `objects`",
    companions=("meta.json", "key_id_map.json", "obj_class_to_machine_color.json"),
)


def _numbers(objects: list[Any]) -> list[int]:
    return list(range(1, len(objects) + 1))


def _painted(kind: Any, figure: dict[str, Any], most: int) -> tuple[Paint, tuple[Ring, ...]]:
    """How a figure is filled, and where it lies.

    Raises:
        BrokenOutline: it is damaged, or of another kind.
    """
    if kind == "bitmap":
        return _bitmap(figure.get("bitmap"), most)
    if kind not in ("polygon", "rectangle"):
        raise BrokenOutline("broken shape", "is of a kind that has no mask; expected bitmap, polygon or rectangle")
    points = figure.get("points")
    if not isinstance(points, dict):
        raise BrokenOutline("broken shape", "holds no `points` with `exterior` and `interior`")
    if kind == "rectangle":
        corners = np.floor(ring_of(points.get("exterior"), 2, 2))
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        ring = box_ring(left, top, right, bottom)
        return opencv_polygons([ring]), (ring,)
    exterior = ring_of(points.get("exterior"))
    interior = points.get("interior") or []
    if not isinstance(interior, list):
        raise BrokenOutline("broken shape", f"`interior` is {type(interior).__name__}, expected a list of polygons")
    outer, holes = opencv_polygons([exterior], np.floor), [ring_of(hole) for hole in interior]
    inner = opencv_polygons(holes, np.floor)

    def paint(size: Size) -> Mask:
        return outer(size) & ~inner(size) if holes else outer(size)

    return paint, (exterior,)


def _bitmap(bitmap: Any, most: int) -> tuple[Paint, tuple[Ring, ...]]:
    """A picture, packed by zlib or not, whose first pixel lies at `origin`.

    Raises:
        BrokenOutline: it is damaged.
    """
    if not isinstance(bitmap, dict):
        raise BrokenOutline("broken shape", "holds no `bitmap` with `data` and `origin`")
    ((left, top),) = ring_of([bitmap.get("origin")], 1, 1).tolist()
    picture = picture_of_bytes(_unpacked(bitmap.get("data"), most), most, "`bitmap.data`")
    plane = _plane(picture)
    height, width = plane.shape
    left, top = int(left), int(top)
    return patch(plane, left, top), (box_ring(left, top, left + width, top + height),)


def _unpacked(text: Any, most: int) -> bytes:
    """The picture's bytes behind base64 text, at most four a pixel and some for its header.

    Raises:
        BrokenOutline: it is not base64 text, or unpacks to more than that.
    """
    if not isinstance(text, str):
        raise BrokenOutline("broken shape", f"`bitmap.data` is {type(text).__name__}, expected base64 text")
    try:
        data = base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise BrokenOutline("broken shape", "`bitmap.data` is not base64 text; export the project again") from None
    unpacking = zlib.decompressobj()
    try:
        picture = unpacking.decompress(data, 4 * most + 65_536)
    except zlib.error:
        return data  # a picture that was not packed
    if unpacking.unconsumed_tail:
        raise BrokenOutline("broken shape", "`bitmap.data` unpacks to more than any mask; export the project again")
    return picture


def _plane(picture: PillowImage.Image) -> Mask:
    """(H, W) uint8 0/1: what is not transparent; without transparency what is not black.

    Raises:
        BrokenOutline: the picture is damaged.
    """
    has_alpha = picture.mode in ("LA", "RGBA", "PA") or "transparency" in picture.info
    try:
        pixels = pixels_of(picture.convert("RGBA").getchannel("A") if has_alpha else picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise BrokenOutline("broken shape", f"`bitmap.data` is a damaged picture ({error})") from None
    plane: Mask = ((pixels if has_alpha else pixels.max(axis=2)) != 0).astype(np.uint8)
    return plane
