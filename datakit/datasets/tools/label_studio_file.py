"""Label Studio's JSON: tasks with annotations, each a list of regions; which of them count, which photo is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from ...places import Place
from ..json_files import Broken, is_whole, uncollected
from ..listing import split_suffix
from ..pairs import IMAGE_SUFFIXES
from ..shapes import Size
from .json_parts import parts_of

PREFIX = re.compile(r"[0-9a-f]{8}-(?=[^/]+$)")  # before the name of an uploaded photo
PHOTO_KEYS = ("image", "img", "photo", "picture")  # of a task's data, where several are pictures
KINDS = {  # a key of a region's value -> what it is, the first that is there
    "rle": "brush",
    "imageDataURL": "bitmask",
    "points": "polygon",
    "radiusX": "ellipse",
    "vertices": "vector",
    "sequence": "video region",
    "height": "rectangle",
    "x": "key point",
}
TYPES = {  # a region's type without `labels` behind it -> the same; another type says what its value's keys say
    "brush": "brush",
    "bitmask": "bitmask",
    "polygon": "polygon",
    "ellipse": "ellipse",
    "rectangle": "rectangle",
    "keypoint": "key point",
    "vector": "vector",
    "videorectangle": "video region",
}
DAMAGED = "damaged"


class Task(NamedTuple):
    """What is kept of a task: which photo it is of, and where it stands in its file.

    Attributes:
        own: its id; None where it has none.
        names: that its photo may have, the surest first.
        regions: how many it has.
        start: of its first byte in the file.
        length: in bytes.
    """

    own: int | None
    names: tuple[str, ...]
    regions: int
    start: int
    length: int


class Region(NamedTuple):
    """One region of a photo.

    Attributes:
        number: of its object.
        kind: one of `KINDS`, or `DAMAGED`.
        label: its first label.
        value: as the file holds it.
        size: (H, W) of the photo it was drawn on, where that is said.
        why: why it does not count; '' where it does.
    """

    number: int
    kind: str
    label: str
    value: dict[str, Any]
    size: Size | None
    why: str


def read_tasks(path: Place | str) -> list[Task]:
    """The tasks of an export, or of a file that Label Studio keeps for each annotation in a target storage.

    Raises:
        Broken: it is no JSON, or of another kind.
    """
    tasks = []
    with uncollected():
        for part in parts_of(path):
            task = task_of(part.value)
            own = task.get("id")
            regions = len(regions_of(task))
            tasks.append(Task(own if is_whole(own) else None, photo_names(task), regions, part.start, part.length))
    if not tasks:
        raise Broken("holds no tasks", is_damage=False)
    return tasks


def task_of(value: Any) -> dict[str, Any]:
    """A task in the form of an export.

    Raises:
        Broken: it is none.
    """
    if isinstance(value, dict) and isinstance(value.get("task"), dict) and "result" in value:
        value = {**value["task"], "annotations": [value]}
    if isinstance(value, dict) and "annotation_id" in value and "data" not in value:
        raise Broken("is Label Studio's JSON-MIN, which lacks regions' ids; export it as JSON")
    if not isinstance(value, dict) or not isinstance(value.get("data"), dict):
        raise Broken("holds no tasks with `data`, as Label Studio's files do", is_damage=False)
    return value


def photo_names(task: dict[str, Any]) -> tuple[str, ...]:
    """The names that a task's photo may have, the surest first; none where it has no photo, or several."""
    texts = {key: value for key, value in task["data"].items() if isinstance(value, str) and value}
    pictures = {key: path for key, path in ((key, _path_of(text)) for key, text in texts.items()) if _is_picture(path)}
    chosen = [pictures.get(key) or _path_of(texts.get(key, "")) for key in PHOTO_KEYS if key in texts]
    if not chosen and len(set(pictures.values())) == 1:
        chosen = list(pictures.values())
    upload = task.get("file_upload")
    if chosen and isinstance(upload, str) and _is_picture(upload):
        chosen = [chosen[0], upload]
    whole = [name for path in chosen[:2] for name in (path, PREFIX.sub("", path))]
    return tuple(dict.fromkeys(name for name in (*whole, *(each.rpartition("/")[2] for each in whole)) if name))


def _path_of(text: str) -> str:
    """The path in an address: of `/data/local-files/?d=PATH`, of a URL, or the text itself."""
    if not text.startswith("/data/") and not re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
        return text
    try:
        parts = urlsplit(text)
        local = (
            parse_qs(parts.query, max_num_fields=100).get("d") if parts.path.startswith("/data/local-files") else None
        )
    except ValueError:
        return text
    return local[0] if local else unquote(parts.path).lstrip("/")


def _is_picture(path: str) -> bool:
    return split_suffix(path)[1] in IMAGE_SUFFIXES


def regions_of(task: dict[str, Any]) -> list[Region]:
    """The regions of a task: those that count first, then those of other annotators, predictions and drafts.

    One object is a region's id; a second entry of an id repeats the region for another tag.
    """
    regions: list[Region] = []
    for result, why in _results(task):
        seen: set[str] = set()
        for entry in result:
            if not isinstance(entry, dict):
                regions.append(Region(len(regions) + 1, DAMAGED, "", {}, None, why))
                continue
            own, kind = entry.get("id"), _kind(entry)
            if kind and str(own) not in seen:
                value = entry["value"] if isinstance(entry.get("value"), dict) else {}
                regions.append(Region(len(regions) + 1, kind, _label(value), value, _size(entry), why))
                if own is not None:
                    seen.add(str(own))
    return regions


def _kind(entry: dict[str, Any]) -> str:
    """What a region is, by its type, else by what its value holds; '' where it is none, as relations and choices."""
    own, value = entry.get("type"), entry.get("value")
    by_type = TYPES.get(own.removesuffix("labels"), "") if isinstance(own, str) else ""
    if by_type or own == "relation":
        return by_type
    if not isinstance(value, dict):
        return DAMAGED
    return next((KINDS[key] for key in KINDS if key in value), "")


def _results(task: dict[str, Any]) -> Iterator[tuple[list[Any], str]]:
    """The lists of regions of a task, the one that counts first, and why each other does not.

    It is that of the annotation that was made last, as Label Studio's own exporters put it first; one that is marked
    as ground truth goes before; skipped ones never count.
    """
    found = _listed(task.get("annotations", task.get("completions")))
    annotations = [each for each in found if isinstance(each, dict)]
    skipped = [each for each in annotations if each.get("was_cancelled") or each.get("skipped")]
    valid = [each for each in annotations if each not in skipped]
    valid.sort(key=lambda each: (each.get("ground_truth") is True, str(each.get("created_at", ""))))
    if valid or len(found) > len(annotations):
        damaged = [each for each in found if not isinstance(each, dict)]
        yield damaged + (_listed(valid[-1].get("result")) if valid else []), ""
    yield from ((_listed(each.get("result")), "another annotation of the photo counts") for each in valid[-2::-1])
    yield from ((_listed(each.get("result")), "its annotation was skipped") for each in skipped)
    for key, why in (
        ("predictions", "is a prediction; accept it in Label Studio"),
        ("drafts", "is a draft; submit it"),
    ):
        for each in _listed(task.get(key)):
            yield _listed(each.get("result")) if isinstance(each, dict) else [each], why


def _listed(value: Any) -> list[Any]:
    """A list; of another value the one that holds it, so that it is named as damage."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _label(value: dict[str, Any]) -> str:
    labels = next((each for key, each in value.items() if key.endswith("labels") and isinstance(each, list)), [])
    return str(labels[0])[:60] if labels else ""


def _size(entry: dict[str, Any]) -> Size | None:
    height, width = entry.get("original_height"), entry.get("original_width")
    return (height, width) if is_whole(height) and is_whole(width) else None
