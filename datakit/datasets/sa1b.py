"""SA-1B: sa_N.json beside sa_N.jpg, a list of masks that may overlap."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .annotation_files import AnnotationFiles, PhotoFileReader
from .entries import Entry
from .json_files import Broken, is_whole
from .shapes import Shape, Size, broken, coco_shape


class Sa1bReader(PhotoFileReader):
    """Photos with an SA-1B file each; every mask is an object, and keeps what others cover."""

    overlaps = True

    @classmethod
    def load(cls, path: Path | str) -> Any:
        """The parsed file, certain to hold `image` and a list `annotations`; see the base class."""
        document = super().load(path)
        is_one = isinstance(document, dict) and isinstance(document.get("image"), dict)
        if not is_one or not isinstance(document.get("annotations"), list):
            raise Broken("holds no `image` and `annotations`, as SA-1B's files do", is_damage=False)
        return document

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
        height, width = document["image"].get("height"), document["image"].get("width")
        return (height, width) if is_whole(height) and is_whole(width) else None

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
