"""Label Studio: its JSON export, with the photos as their addresses' ends name them.

Polygons and boxes are filled by COCO's rule, as its exporter to COCO leaves them to be filled; a brush is its stream's
pixels; an ellipse, which no exporter fills, is what the browser shows: pixels whose centre lies in it.
Every region is an object of its own, and keeps the pixels that others share with it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ... import looking
from ...arrays import Mask
from ...errors import ItemRef
from ...places import Place, beneath
from ..annotation_files import AnnotationFiles, FileReader
from ..entries import Entry
from ..json_files import Broken, parse_json
from ..layout import Match, Sureness
from ..outlines import BrokenOutline, Ring
from ..records import Record
from ..shape_reader import Annotated
from ..shapes import (
    Fault,
    Shape,
    Size,
    box_ring,
    broken,
    coco_polygon,
    disc_ring,
    no_area,
    picture_of_text,
    pixels_of,
    ring_of,
    turned,
)
from ..sniff import heads
from .json_parts import read_part
from .label_studio_brush import brush_mask
from .label_studio_file import DAMAGED, Region, Task, read_tasks, regions_of, task_of
from .shares import shared_shape, shown_size

LISTS = re.compile(r'"(annotations|completions|predictions|result)"\s*:\s*\[')
OWN = re.compile(r'"(completed_by|was_cancelled|file_upload|original_width|lead_time|from_name)"\s*:')
WITHOUT_AREA = ("vector", "video region", "key point")


class LabelStudioReader(FileReader):
    """Photos of tasks.

    A record's annotation holds `file`, the path of the JSON file, and `at`, first byte and length of the task in it.
    """

    overlaps = True

    @classmethod
    def load(cls, path: Place | str) -> list[Task]:
        """The tasks in a file; see the base class."""
        return read_tasks(path)

    @classmethod
    def entries(cls, name: str, document: list[Task]) -> Iterable[Entry]:
        """The photo of each task; see the base class."""
        return (_entry(name, position, task) for position, task in enumerate(document, 1))

    def annotation_files(self, record: Record) -> Sequence[str]:
        """The JSON file, of which a part is read; see the base class."""
        return [record.annotation["file"]]

    def annotated(self, record: Record) -> Annotated:
        """The regions of one photo; see the base class."""
        where, held = ItemRef(record.key, record.annotation["place"]), record.annotation
        try:
            data = read_part(beneath(self.root, held["file"]), *held["at"])
            regions = regions_of(task_of(parse_json(data)))
        except (Broken, ValueError, RecursionError) as error:
            raise where.failed("read", "broken annotation file", f"{error}; was it changed since?") from None
        if len(regions) != held["objects"]:
            found = f"holds {len(regions)} regions, {held['objects']} when it was listed; open it again"
            raise where.failed("read", "broken annotation file", found)
        shown = shown_size(beneath(self.images, record.image))
        shapes = tuple(_shape(region, shown, self.options.max_pixels) for region in regions)
        return Annotated(shapes, zlib.crc32(data), next((each.size for each in regions if each.size), None))


class LabelStudioLayout(AnnotationFiles):
    """A folder with Label Studio's JSON and the photos, or the file itself."""

    def match(self, root: Path) -> Match | None:
        """For a JSON file of tasks."""
        for path, text in heads(root, self.suffix):
            if LISTS.search(text) and OWN.search(text):
                return Match(
                    Sureness.FILE if looking.is_file(root) else Sureness.COMMON, f"for Label Studio's {path.name}"
                )
        return None


LABEL_STUDIO = LabelStudioLayout(
    "label-studio",
    "Label Studio exports a project as JSON, tasks with annotations; put the photos beside it, under any folder"
    " (labelstud.io/guide/export, format JSON).",
    ("*.json", "**/*.jpg"),
    reader=LabelStudioReader,
    what="task of Label Studio's with a photo",
)


def _entry(name: str, position: int, task: Task) -> Entry:
    place = f"{name}: task at place {position}" if task.own is None else f"{name}: task {task.own}"
    more = {"file": name, "at": [task.start, task.length]}
    return Entry(task.names, place, name.rpartition("/")[0], range(1, task.regions + 1), more)


def _shape(region: Region, shown: Size | None, most: int) -> Shape:
    name = f"region {region.number} ({region.kind} {region.label!r})"
    if region.why:
        fault = Fault("left-out", "not the annotation that counts", f"{name}: {region.why}")
        return Shape(region.number, name, None, fault=fault)
    if region.kind in WITHOUT_AREA:
        return no_area(region.number, name)
    if region.kind == DAMAGED:
        return broken(region.number, name, "is not a region of Label Studio's; export the project anew")
    try:
        return _painted(region, name, shown, most)
    except BrokenOutline as error:
        return broken(region.number, name, error, error.reason)


def _painted(region: Region, name: str, shown: Size | None, most: int) -> Shape:
    """One region that has an area.

    Raises:
        BrokenOutline: it is damaged.
    """
    value = region.value
    if region.kind == "brush":
        return Shape(region.number, name, partial(_brushed, value.get("rle"), region.size))
    if region.kind == "bitmask":
        return Shape(region.number, name, partial(_bitmask, value.get("imageDataURL"), most))
    if region.kind == "polygon":
        shares = ring_of(value.get("points")) / 100
        pixels: Callable[[Size], Ring] = partial(_scaled, shares)
    elif region.kind == "rectangle":
        box, degrees = _numbers(value, "x", "y", "width", "height"), _rotation(value)
        pixels = partial(_box, box, degrees)
    else:
        disc, degrees = _numbers(value, "x", "y", "radiusX", "radiusY"), _rotation(value)
        if min(disc[2:]) < 0:
            raise BrokenOutline("broken shape", f"has radii {disc[2]:g} and {disc[3]:g}, expected none below 0")
        pixels = partial(_around, disc, degrees)
        return shared_shape(region.number, name, pixels, partial(_disc, disc, degrees), shown)
    return shared_shape(region.number, name, pixels, lambda size: coco_polygon(pixels(size))(size), shown)


def _scaled(shares: Ring, size: Size) -> Ring:
    return shares * size[::-1]


def _box(box: Sequence[float], degrees: float, size: Size) -> Ring:
    """The corners of a box of shares in percent; it is turned about its first corner."""
    left, top, width, height = np.array(box) / 100 * (*size[::-1], *size[::-1])
    return turned(box_ring(left, top, left + width, top + height), (left, top), degrees)


def _around(disc: Sequence[float], degrees: float, size: Size) -> Ring:
    """Points around an ellipse of shares in percent."""
    x, y, across, down = np.array(disc) / 100 * (*size[::-1], *size[::-1])
    return turned(disc_ring((x, y), (across, down)), (x, y), degrees)


def _disc(disc: Sequence[float], degrees: float, size: Size) -> Mask:
    """The pixels of an ellipse: those whose centre lies in it."""
    x, y, across, down = np.array(disc) / 100 * (*size[::-1], *size[::-1])
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    right, below = np.arange(size[1]) + 0.5 - x, (np.arange(size[0]) + 0.5 - y)[:, None]
    if across <= 0 or down <= 0:
        return np.zeros(size, np.uint8)
    inside = ((right * cos + below * sin) / across) ** 2 + ((below * cos - right * sin) / down) ** 2 <= 1
    mask: Mask = inside.astype(np.uint8)
    return mask


def _brushed(stream: Any, drawn_on: Size | None, size: Size) -> Mask:
    """The mask of a brush.

    Raises:
        BrokenOutline: its stream is none, or is of another photo.
    """
    try:
        if not isinstance(stream, list):
            raise TypeError
        data = bytes(stream)
    except (TypeError, ValueError):
        raise BrokenOutline("broken run lengths", "`rle` is not a list of bytes; export the project anew") from None
    if drawn_on is not None and drawn_on != size:
        found = f"brushed on a photo of {drawn_on}, expected {size}"
        raise BrokenOutline("size mismatch", f"{found}; if EXIF turns the photo, say --annotated stored")
    return brush_mask(data, size)


def _bitmask(text: Any, most: int, size: Size) -> Mask:
    """The mask of a picture that is transparent elsewhere.

    Raises:
        BrokenOutline: it is none, or is of another size.
    """
    picture = picture_of_text(text, most, "`imageDataURL`")
    pixels = pixels_of(picture, "`imageDataURL`")
    if pixels.ndim != 3 or pixels.shape[2] != 4:
        raise BrokenOutline("broken shape", f"`imageDataURL` is a picture of {pixels.shape}, expected RGBA")
    if pixels.shape[:2] != size:
        raise BrokenOutline("size mismatch", f"`imageDataURL` is a picture of {pixels.shape[:2]}, expected {size}")
    mask: Mask = (pixels[:, :, 3] > 0).astype(np.uint8)
    return mask


def _numbers(value: Mapping[str, Any], *names: str) -> tuple[float, ...]:
    """Finite numbers of a region.

    Raises:
        BrokenOutline: one is missing, or is none.
    """
    try:
        numbers = tuple(float(value[name]) for name in names)
    except (KeyError, ValueError, TypeError, OverflowError):
        raise BrokenOutline("broken shape", f"lacks numbers for {', '.join(names)}") from None
    if not np.isfinite(numbers).all():
        raise BrokenOutline("broken shape", "has coordinates that are not finite")
    return numbers


def _rotation(value: Mapping[str, Any]) -> float:
    return _numbers(value, "rotation")[0] if value.get("rotation") else 0.0
