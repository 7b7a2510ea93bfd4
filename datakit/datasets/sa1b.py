"""SA-1B: sa_N.json beside sa_N.jpg, a list of masks that may overlap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .annotation_files import AnnotationFiles, PhotoFileReader
from .entries import Entry
from .json_files import size_in
from .shapes import Shape, Size, broken, coco_shape


class Sa1bReader(PhotoFileReader):
    """Photos with an SA-1B file each; every mask is an object, and keeps what others cover."""

    overlaps = True

    holds = (("image", dict), ("annotations", list))

    @classmethod
    def entry(cls, name: str, document: Any) -> Entry:
        """The photo is `image.file_name`, else the one of the file's own name; see the base class."""
        base, _, own = name.rpartition("/")
        written = document["image"].get("file_name")
        names = [written] if isinstance(written, str) and written else []
        numbers = range(1, len(document["annotations"]) + 1)
        return Entry((*names, own[: -len(".json")] + ".jpg"), name, base, numbers, {})

    @classmethod
    def size(cls, document: Any) -> Size | None:
        """As `image.height` and `image.width` say."""
        return size_in(document["image"], "height", "width")

    @classmethod
    def shapes(cls, document: Any, most: int) -> Iterator[Shape]:
        """The masks in the order of the file; see the base class."""
        for number, annotation in enumerate(document["annotations"], 1):
            name = f"annotation {number}"
            if isinstance(annotation, dict):
                yield coco_shape(number, name, annotation.get("segmentation"))
            else:
                yield broken(number, name, f"is {type(annotation).__name__}, expected one with `segmentation`")


SA1B = AnnotationFiles(
    "sa-1b",
    "SA-1B's archives hold sa_N.jpg beside sa_N.json (Kirillov et al., Segment Anything, ICCV 2023).",
    ("*.json", "*.jpg"),
    reader=Sa1bReader,
    marks=('"image"', '"annotations"', '"segmentation"'),
    what="SA-1B file, a .json with `image` and `annotations`",
)
