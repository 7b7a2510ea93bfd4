"""LabelMe and X-AnyLabeling: a JSON file of shapes beside each photo, which it may hold itself.

Shapes are filled as LabelMe's own exporter fills them, but for points and lines, which it makes areas of a fixed width
and which are left out here.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ItemRef, Problem, UsageError
from ..photo_files import read_photo
from ..samples import Photo
from .entries import Entry, find_files, left_out, pair_entries, strays
from .json_files import Broken, is_whole, load_json
from .layout import Layout, Match, Sureness
from .outlines import BrokenOutline
from .reader import Reader, ReadOptions
from .records import Record
from .shape_reader import Annotated, ShapeReader
from .shapes import (
    Paint,
    Shape,
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
from .sniff import heads

WITHOUT_AREA = ("point", "points", "line", "linestrip")


@dataclass(frozen=True)
class LabelMeLayout(Layout):
    """A folder of LabelMe's JSON files, with the photos beside them or elsewhere in the folder."""

    def match(self, root: Path) -> Match | None:
        """For a JSON file with shapes."""
        for path, text in heads(root, ".json"):
            if '"shapes"' in text and ('"imagePath"' in text or '"flags"' in text or '"shape_type"' in text):
                return Match(Sureness.COMMON, f"for the shapes in {path.name}")
        return None

    def open(self, label: str, root: Path, images: Path | None, options: ReadOptions) -> Reader:
        """List the JSON files of a folder, or the one given, and the photos they name.

        Raises:
            UsageError: none of the files holds shapes.
        """
        folder = root if root.is_dir() else root.parent
        found = find_files(folder)
        photos = find_files(images).photos if images else found.photos
        files = [name for name in found.others if name.lower().endswith(".json")]
        files = sorted(files) if root.is_dir() else [root.name]
        entries: list[Entry] = []
        problems: list[Problem] = []
        for name in files:
            try:
                document = _document(folder / name)
            except Broken as error:
                kind = "failed" if error.is_damage else "left-out"
                problem = left_out(
                    label, name, "broken annotation file" if kind == "failed" else "stray file", str(error)
                )
                problems.append(problem if kind == "left-out" else _damaged(problem))
                continue
            entries.append(_entry(name, document, bool(images)))
        if not entries:
            raise UsageError(f"{root}: holds no LabelMe file, a .json with `shapes`. {self.source}")
        records, more = pair_entries(label, entries, photos)
        problems += more
        if root.is_dir():
            problems += strays(label, found.others, files, "photos and LabelMe's .json files")
        problems.sort(key=lambda problem: problem.key)
        return LabelMeReader(label, folder, images or folder, records, problems, options)


LABELME = LabelMeLayout(
    "labelme",
    "LabelMe and X-AnyLabeling save NAME.json beside NAME.jpg: shapes with label, group_id, points and shape_type"
    " (github.com/wkentaro/labelme, github.com/CVHub520/X-AnyLabeling).",
    ("**/*.json", "**/*.jpg"),
)


class LabelMeReader(ShapeReader):
    """Photos with a LabelMe file each; a record's annotation names the file."""

    def annotated(self, record: Record) -> Annotated:
        """The shapes of a photo's file; see the base class."""
        place = record.annotation["place"]
        try:
            document = _document(self.root / place)
        except Broken as error:
            raise ItemRef(record.key, place).failed("read", "broken annotation file", str(error)) from None
        height, width = document.get("imageHeight"), document.get("imageWidth")
        size = (height, width) if is_whole(height) and is_whole(width) else None
        shapes = tuple(_shapes(document["shapes"], self.options.max_pixels))
        return Annotated(shapes, _crc32(document["shapes"]), size)

    def photo(self, record: Record) -> Photo:
        """Decode the photo, or the one in the JSON file where there is no other."""
        place = record.annotation["place"]
        if record.image != place:
            return super().photo(record)
        where = ItemRef(record.key, place)
        try:
            data = base64.b64decode(_document(self.root / place)["imageData"])
        except (Broken, binascii.Error, ValueError, TypeError):
            raise where.failed("read", "broken annotation file", "`imageData` is no base64 text") from None
        return read_photo(place, place, self.options.max_pixels, record.key, data)


def _document(path: Path) -> dict[str, Any]:
    """The parsed file, certain to hold a list `shapes`.

    Raises:
        Broken: it is no JSON, or no LabelMe file.
    """
    document = load_json(path)
    if not isinstance(document, dict) or not isinstance(document.get("shapes"), list):
        raise Broken("holds no list `shapes`, as LabelMe's files do", is_damage=False)
    return document


def _damaged(problem: Problem) -> Problem:
    return Problem(problem.key, "failed", problem.stage, problem.reason, problem.detail)


def _entry(name: str, document: dict[str, Any], elsewhere: bool) -> Entry:
    """What a file says of its photo: `imagePath`, else a photo of the file's own name."""
    base, _, own = name.rpartition("/")
    written = document.get("imagePath")
    names = [written] if isinstance(written, str) and written else []
    suffix = Path(names[0].replace("\\", "/")).suffix if names else ".jpg"
    names += [own[: -len(".json")] + end for end in dict.fromkeys((suffix, ".jpg", ".jpeg", ".png", ".JPG", ".PNG"))]
    numbers = sorted(set(_numbers(document["shapes"])))
    holds_photo = isinstance(document.get("imageData"), str) and not elsewhere
    return Entry(tuple(names), name, "" if elsewhere else base, numbers, {}, name if holds_photo else "")


def _numbers(shapes: list[Any]) -> Iterator[int]:
    """The number of each shape's object: one object is a label with a group_id, or a shape without a group."""
    seen: dict[Any, int] = {}
    for position, shape in enumerate(shapes):
        group = shape.get("group_id") if isinstance(shape, dict) else None
        own = ("", position) if group is None else (str(shape.get("label")), str(group))
        yield seen.setdefault(own, len(seen) + 1)


def _shapes(shapes: list[Any], most: int) -> Iterator[Shape]:
    for position, (shape, number) in enumerate(zip(shapes, _numbers(shapes), strict=True)):
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


def _crc32(shapes: list[Any]) -> int:
    return zlib.crc32(json.dumps(shapes, sort_keys=True, separators=(",", ":")).encode())
