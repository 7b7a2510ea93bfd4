"""ISAT: a JSON file of polygons beside each photo, whose pieces of one group are one object, painted by layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..annotation_files import AnnotationFiles, PhotoFileReader
from ..entries import Entry
from ..json_files import is_number, size_in
from ..outlines import BrokenOutline
from ..shapes import GROUND, Shape, Size, broken, covered_pixels, ring_of

BACKGROUND = "__background__"  # the category that cuts holes


class IsatReader(PhotoFileReader):
    """Photos with an ISAT file each."""

    holds = (("info", dict), ("objects", list))

    @classmethod
    def entry(cls, name: str, document: Any) -> Entry:
        """The photo is `info.name`, in `info.folder` or beside the file; see the base class."""
        base, _, own = name.rpartition("/")
        written, folder = document["info"].get("name"), document["info"].get("folder")
        names = [written] if isinstance(written, str) and written else [own[: -len(".json")] + ".jpg"]
        if isinstance(folder, str) and folder:
            names.append(f"{folder}/{names[0]}")
        return Entry(tuple(names), name, base, sorted(set(_numbers(document["objects"])) - {GROUND}), {})

    @classmethod
    def size(cls, document: Any) -> Size | None:
        """As `info.height` and `info.width` say."""
        return size_in(document["info"], "height", "width")

    @classmethod
    def shapes(cls, document: Any, most: int) -> Iterator[Shape]:
        """The polygons by ascending layer, those of one layer in the order of the file; see the base class."""
        objects = document["objects"]
        numbers = list(_numbers(objects))
        for position in sorted(range(len(objects)), key=lambda each: _layer(objects[each])):
            piece, number = objects[position], numbers[position]
            name = f"object {position}"
            if not isinstance(piece, dict):
                yield broken(number, name, f"is {type(piece).__name__}, expected category, group and segmentation")
                continue
            name = f"{name} ({str(piece.get('category'))[:60]!r})"
            try:
                ring = ring_of(piece.get("segmentation"))
            except BrokenOutline as error:
                yield broken(number, name, error)
            else:
                yield Shape(number, name, covered_pixels(np.trunc(ring)), (ring,))


ISAT = AnnotationFiles(
    "isat",
    "ISAT saves NAME.json beside NAME.jpg, or in a folder of its own: objects with category, group, layer and"
    " segmentation (github.com/yatengLG/ISAT_with_segment_anything).",
    ("**/*.json", "**/*.jpg"),
    reader=IsatReader,
    marks=('"ISAT"', '"info"'),
    what="ISAT file, a .json with `info` and `objects`",
    companions=("isat.yaml",),
)


def _numbers(objects: list[Any]) -> Iterator[int]:
    """The number of each piece's object: one object is a group; a piece without a group, or of group 0, is one."""
    seen: dict[Any, int] = {}
    for position, piece in enumerate(objects):
        if isinstance(piece, dict) and piece.get("category") == BACKGROUND:
            yield GROUND
            continue
        group = piece.get("group") if isinstance(piece, dict) else None
        own = ("", position) if group in (None, "", 0, "0") else ("group", str(group))
        yield seen.setdefault(own, len(seen) + 1)


def _layer(piece: Any) -> float:
    layer = piece.get("layer", 2) if isinstance(piece, dict) else 2
    return float(layer) if is_number(layer) else 2.0
