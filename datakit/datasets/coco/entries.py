"""One entry of an instances file, an image or an annotation: its id however written, its faults, what a mask needs.

Ids may be whole numbers, as COCO has them, or be written as text or with a decimal point.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any, NotRequired, TypedDict

from ..listing import is_utf8
from ..outlines import has_outline
from .file import OF_ANNOTATIONS

Id = int | str


class Annotation(TypedDict):
    """What a mask needs of an annotation, and 1 for what is out of the common.

    Attributes:
        segmentation: as its file holds it; see `outlines`. Of a panoptic file the name of the PNG.
        stuff: its category's name, where that is stuff and no thing.
        box: it has a box and no outline.
        brushed: it is called a crowd by a tool that calls all brushed objects so; see `crowds`.
    """

    id: int
    segmentation: Any
    iscrowd: int
    box: NotRequired[int]
    brushed: NotRequired[int]
    stuff: NotRequired[str]


NO = (None, "", "0", "false", "False", "0.0")
INFINITY = float("inf")
YES = ("1", "true", "True", "1.0")


class Ids:
    """The ids of photos, and which of them is meant by one that is written another way (7, "7", 7.0)."""

    def __init__(self, entries: list[Any]):
        self._exact = {number for each in entries if (number := id_of(each)) is not None}
        self._alike: dict[int, list[Id]] = defaultdict(list)
        for number in self._exact:
            value = whole(number)
            if value is not None:
                self._alike[value].append(number)

    def meant(self, number: Id) -> Id:
        """The photo's own way of writing this id, where exactly one photo has it; else the id itself."""
        if number in self._exact:
            return number
        value = whole(number)
        alike = self._alike.get(value, ()) if value is not None else ()
        return alike[0] if len(alike) == 1 else number


def whole(value: Any) -> int | None:
    """A whole number of at most 64 bits, also where it is written as text or with a decimal point; else None."""
    if type(value) is int:
        return value if value.bit_length() <= 63 else None
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,20}(\.0+)?", value):
        value = int(value.partition(".")[0])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and value.bit_length() <= 63 else None


def image_id(value: Any) -> Id | None:
    """The id of a photo as written, whole numbers without their decimal point; None where it is none."""
    if type(value) is int:
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if type(value) is str and is_utf8(value) else None


def id_of(entry: Any) -> Id | None:
    return image_id(entry.get("id")) if isinstance(entry, dict) else None


def first_free(annotations: list[Any]) -> int:
    """The number behind the largest id."""
    given = (whole(each.get("id")) for each in annotations if isinstance(each, dict))
    return max((number for number in given if number is not None), default=0) + 1


def plain(each: dict[str, Any]) -> Annotation | None:
    """What a mask needs of an annotation with a sound outline, if it is numbered as COCO numbers it."""
    number, crowd = each.get("id"), each.get("iscrowd", 0)
    if type(number) is int and crowd == 0 and type(each.get("image_id")) in (int, str) and number.bit_length() <= 63:
        return {"id": number, "segmentation": each["segmentation"], "iscrowd": 0}
    return None


def fault_of(each: Any, number: int | None) -> tuple[Id | None, tuple[str, str] | None]:
    """The image id of an annotation, and why it cannot be used, as reason and text."""
    image = image_id(each.get("image_id")) if isinstance(each, dict) else None
    if isinstance(each, dict) and "segmentation" not in each:
        for key in OF_ANNOTATIONS.keys() & each.keys():
            name, kind = OF_ANNOTATIONS[key]
            return image, (
                f"annotation of {name}",
                f"holds `{key}`, as {kind.partition(',')[0].removeprefix('is ')} does",
            )
    if image is None and (missing := lacks(each, "image_id")):
        return image, ("broken annotation", missing)
    if image is None:
        return image, ("broken annotation", f"has the `image_id` {each['image_id']!r}, expected a number or a text")
    if number is None:
        found = repr(each["id"])[:60]
        return image, (
            "broken annotation",
            f"has the `id` {found}, expected a whole number of at most 64 bits, or none",
        )
    if number.bit_length() > 63:
        return image, ("broken annotation", "has no `id`, and no number is left to give it")
    if _crowd(each) is None:
        found = repr(each["iscrowd"])[:60]
        return image, ("broken annotation", f"has `iscrowd` {found}, expected 0 or 1")
    return image, None


def lacks(each: Any, *keys: str) -> str:
    """Which keys an entry lacks, in words; nothing where it has them."""
    if not isinstance(each, dict):
        return f"is {type(each).__name__}, expected an object"
    missing = [f"`{key}`" for key in keys if each.get(key) is None]
    return f"lacks {' and '.join(missing)}" if missing else ""


def _crowd(annotation: dict[str, Any]) -> int | None:
    """1 for a crowd region, 0 for one object, None where it cannot be told."""
    value = annotation.get("iscrowd")
    if type(value) in (bool, int, float):
        return 1 if value else 0
    if isinstance(value, str) or value is None:
        return 0 if value in NO else 1 if value in YES else None
    return None


def mask_fields(number: int, annotation: dict[str, Any]) -> Annotation:
    """What a mask needs of an annotation, as records hold it."""
    segmentation = annotation.get("segmentation")
    kept: Annotation = {"id": number, "segmentation": finite(segmentation), "iscrowd": _crowd(annotation) or 0}
    if not has_outline(segmentation) and _is_box(annotation.get("bbox")):
        kept["box"] = 1
    return kept


def finite(value: Any) -> Any:
    """A value of JSON with the names of numbers that no float can hold in their place, so that it can be hashed."""
    if type(value) is list:
        kinds = set(map(type, value))
        if kinds & {list, dict} or (float in kinds and (INFINITY in value or -INFINITY in value)):
            return [finite(each) for each in value]
        return value
    if type(value) is dict:
        return {key: finite(each) for key, each in value.items()}
    return str(value) if value in (INFINITY, -INFINITY) else value


def _is_box(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(isinstance(side, int | float) for side in value)


def size_of_entry(entry: dict[str, Any]) -> list[int] | None:
    size = [entry.get("height"), entry.get("width")]
    return size if all(type(side) is int for side in size) else None  # type: ignore[return-value]
