"""VIA (VGG Image Annotator) 1 and 2: one JSON file of regions for many photos.

VIA draws on a canvas and exports no masks. Polygons are filled as scikit-image fills them, which is how the well-known
trainers of such files do it; discs and ellipses hold the pixels whose centre lies inside, a box its width times height.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np

from ...arrays import Mask
from ...places import Place
from ..annotation_files import AnnotationFiles, FileReader, crc32_of
from ..entries import Entry
from ..json_files import Broken, is_number
from ..outlines import BrokenOutline, Ring
from ..records import Record
from ..shape_reader import Annotated
from ..shapes import Paint, Shape, Size, box_ring, broken, covered_pixels, disc_ring, no_area, patch, ring_of, turned

WITHOUT_AREA = ("point", "polyline", "line")


class ViaReader(FileReader):
    """Photos of a VIA file; a record holds the regions of its photo."""

    @classmethod
    def load(cls, path: Place | str) -> Any:
        """The photos of the file, whether it is a project or an export; see the base class."""
        document = super().load(path)
        if isinstance(document, dict) and isinstance(document.get("_via_img_metadata"), dict):
            document = document["_via_img_metadata"]
        if not isinstance(document, dict) or not any(_is_photo(each) for each in document.values()):
            raise Broken("holds no photo with `filename` and `regions`, as VIA's files do", is_damage=False)
        return document

    @classmethod
    def entries(cls, name: str, document: Any) -> Iterable[Entry]:
        """An entry for each photo; its regions are a list, or in VIA 1 a dict numbered from "0"."""
        for key, photo in document.items():
            place = f"{name}: {key[:200]}"
            if not _is_photo(photo):
                yield Entry((key,), place, name.rpartition("/")[0], (), {})
                continue
            regions = photo["regions"]
            regions = list(regions.values()) if isinstance(regions, dict) else regions
            numbers = range(1, len(regions) + 1)
            yield Entry((photo["filename"],), place, name.rpartition("/")[0], numbers, {"regions": regions})

    def annotated(self, record: Record) -> Annotated:
        """The regions of a photo in their order; see the base class."""
        regions = record.annotation["regions"]
        return Annotated(tuple(_shapes(regions)), crc32_of(regions))


VIA = AnnotationFiles(
    "via",
    "VIA exports via_region_data.json, or saves a project; both hold photos as NAME+SIZE with regions"
    " (robots.ox.ac.uk/~vgg/software/via).",
    ("*.json", "*.jpg"),
    reader=ViaReader,
    marks=('"filename"', '"regions"'),
    what="VIA file, a .json of photos with `filename` and `regions`",
)


def _is_photo(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("filename"), str)
        and isinstance(value.get("regions"), list | dict)
    )


def _shapes(regions: list[Any]) -> Iterator[Shape]:
    for number, region in enumerate(regions, 1):
        name = f"region {number}"
        attributes = region.get("shape_attributes") if isinstance(region, dict) else None
        if not isinstance(attributes, dict):
            yield broken(number, name, "holds no `shape_attributes`")
            continue
        kind = attributes.get("name")
        name = f"{name} ({str(kind)[:40]})"
        if kind in WITHOUT_AREA:
            yield no_area(number, name)
            continue
        try:
            yield Shape(number, name, *_painted(kind, attributes))
        except BrokenOutline as error:
            yield broken(number, name, error)


def _painted(kind: Any, attributes: dict[str, Any]) -> tuple[Paint, tuple[Ring, ...]]:
    """How a region is filled, and where it lies.

    Raises:
        BrokenOutline: it is damaged, or of another kind.
    """
    if kind == "polygon":
        columns, rows = attributes.get("all_points_x"), attributes.get("all_points_y")
        if not isinstance(columns, list) or not isinstance(rows, list) or len(columns) != len(rows):
            raise BrokenOutline("broken shape", "`all_points_x` and `all_points_y` are not two lists of one length")
        ring = ring_of([list(point) for point in zip(columns, rows, strict=True)])
        return covered_pixels(ring), (ring,)
    if kind == "rect":
        left, top, width, height = _numbers(attributes, "x", "y", "width", "height")
        if not (1 <= width < 1e6 and 1 <= height < 1e6):
            raise BrokenOutline("broken shape", f"a box of {width:g} by {height:g} pixels")
        plane = np.ones((round(height), round(width)), np.uint8)
        return patch(plane, round(left), round(top)), (box_ring(left, top, left + width, top + height),)
    if kind == "circle":
        x, y, radius = _numbers(attributes, "cx", "cy", "r")
        return _ellipse(x, y, radius, radius, 0.0)
    if kind == "ellipse":
        x, y, rx, ry = _numbers(attributes, "cx", "cy", "rx", "ry")
        return _ellipse(x, y, rx, ry, _numbers({"theta": 0, **attributes}, "theta")[0])
    raise BrokenOutline("broken shape", "is of a kind that VIA does not have")


def _numbers(attributes: dict[str, Any], *names: str) -> list[float]:
    values = [attributes.get(name) for name in names]
    if not all(is_number(value) for value in values):
        raise BrokenOutline("broken shape", f"needs the numbers {', '.join(names)}; found {str(values)[:100]}")
    return [float(value) for value in values]  # type: ignore[arg-type]


def _ellipse(x: float, y: float, rx: float, ry: float, theta: float) -> tuple[Paint, tuple[Ring, ...]]:
    """Pixels whose centre lies inside an ellipse turned by `theta` radians, clockwise as shown."""
    if rx <= 0 or ry <= 0:
        raise BrokenOutline("broken shape", f"radii of {rx:g} and {ry:g} pixels")
    ring = turned(disc_ring((x, y), (rx, ry)), (x, y), np.rad2deg(theta))
    return partial(_inside_ellipse, (x, y), (rx, ry), theta), (ring,)


def _inside_ellipse(centre: tuple[float, float], radii: tuple[float, float], theta: float, size: Size) -> Mask:
    rows, columns = np.ogrid[: size[0], : size[1]]
    right, down = columns - centre[0], rows - centre[1]
    along = (right * np.cos(theta) + down * np.sin(theta)) / radii[0]
    across = (down * np.cos(theta) - right * np.sin(theta)) / radii[1]
    mask: Mask = (along**2 + across**2 < 1).view(np.uint8)
    return mask
