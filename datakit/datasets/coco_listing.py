"""The bookkeeping of an instances file: which annotation belongs to which photo on disk, and what fits nowhere.

Ids may be whole numbers, as COCO has them, or be written as text or with a decimal point.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path, PurePosixPath
from typing import Any, NotRequired, TypedDict

from ..errors import Problem
from ..keys import object_key, photo_key
from .coco_doubts import contradiction
from .coco_file import OF_ANNOTATIONS
from .coco_photos import PhotoFolder, match_ends, written_name
from .listing import is_utf8, split_suffix
from .outlines import has_outline
from .records import Record

Id = int | str


class Annotation(TypedDict):
    """What a mask needs of an annotation; `box` is there where it has a box and no outline."""

    id: int
    segmentation: Any  # as its file holds it; see `outlines`
    iscrowd: int
    box: NotRequired[int]


Objects = dict[Id, list[Annotation]]
NO = (None, "", "0", "false", "False", "0.0")
YES = ("1", "true", "True", "1.0")


class Listing:
    """The bookkeeping of one instances file.

    Args:
        label: of the source.
        file: the instances file.
        folder: of the photos.

    Attributes:
        problems: what does not fit, found by `pair`.
        doubts: id of an annotation -> how it contradicts itself, found by `pair`.
    """

    def __init__(self, label: str, file: Path, folder: PhotoFolder):
        self.label, self.path, self.file, self.folder = label, file, file.name, folder
        self.problems: list[Problem] = []
        self.doubts: dict[int, str] = {}
        self.shared: set[Id] = set()  # image ids of several photos
        self._climbing: dict[str, bool] = {}

    def pair(self, entries: list[Any], annotations: list[Any]) -> list[Record]:
        """Records of all photos with objects, sorted by key; the rest goes to `problems`."""
        objects = self._objects(annotations, Ids(entries))
        self._drop_shared_ids(entries, objects)
        names = [self._name(position, entry) for position, entry in enumerate(entries)]
        written = [name for name in names if name is not None]
        files = self.folder.files(written, self.path)
        missing = dict.fromkeys(name for name in written if name not in files)
        ends = match_ends(missing, files, {name for name in written if name in files})
        places = {name: ends.get(name, name.lstrip("/")) for name in written}
        records = []
        keys: set[str] = set()
        for name, entry in zip(names, entries, strict=True):
            number = _id_of(entry)
            if name is None or number is None or number in self.shared:
                continue
            path, mine = places[name], objects.pop(number, [])
            key = photo_key(self.label, split_suffix(path)[0])
            if key in keys:
                self._fail(key, mine, "duplicate name", f"two photos are called {path}")
            elif not mine:
                detail = f"{self.file}: no annotation for {path}"
                self.problems.append(Problem(key, "left-out", "list", "no object", detail))
            elif path not in files:
                self._fail(key, mine, "missing image", f"{path} is not in the folder of photos")
            else:
                annotation = {"size": _size(entry), "objects": sorted(mine, key=lambda each: each["id"])}
                records.append(Record(key, path, annotation, files[path]))
            keys.add(key)
        for number, orphans in objects.items():
            key = photo_key(self.label, f"image-{number}")
            self._fail(key, orphans, "unknown image", f"no photo has the id {number!r}")
        self._not_listed(files, set(places.values()))
        self.problems.sort(key=lambda problem: problem.key)
        return sorted(records, key=lambda record: record.key)

    def _drop_shared_ids(self, entries: list[Any], objects: Objects) -> None:
        """Fail every annotation whose image id stands for several photos: nobody knows which one is meant."""
        names = {(number, str(written_name(each))) for each in entries if (number := _id_of(each)) is not None}
        self.shared = {number for number, count in Counter(number for number, _ in names).items() if count > 1}
        for number in self.shared:
            mine = objects.pop(number, [])
            if mine:
                key, detail = photo_key(self.label, f"image-{number}"), f"several photos have the id {number!r}"
                self._fail(key, mine, "duplicate image id", detail)

    def _not_listed(self, files: dict[str, int], named: set[str]) -> None:
        """Leave out by name every file of the folder that no entry means."""
        for path in files.keys() - named:
            shown = path.encode("utf-8", "backslashreplace").decode()
            detail = f"{shown}: not read: {self.file} does not name it"
            self.problems.append(Problem(photo_key(self.label, shown), "left-out", "list", "not listed", detail))

    def _objects(self, annotations: list[Any], ids: Ids) -> Objects:
        """Image id -> its annotations, reduced to what a mask needs; those without an id are numbered by position."""
        objects: Objects = defaultdict(list)
        seen: set[int] = set()
        given = [whole(each.get("id")) if isinstance(each, dict) else None for each in annotations]
        start = max((number for number in given if number is not None), default=0) + 1
        for position, (each, number) in enumerate(zip(annotations, given, strict=True)):
            key = f"{self.label}/annotation-{position}"
            if isinstance(each, dict) and each.get("id") is None:
                number = start + position
            image, fault = _fault(each, number)
            if fault:
                self._fail(key, [], fault[0], f"annotation {position} {fault[1]}")
            elif number in seen:
                self._fail(key, [], "duplicate annotation id", f"entry {position} has the id {number} of another")
            else:
                assert number is not None and image is not None  # or `_fault` had named it
                seen.add(number)
                if text := contradiction(each):
                    self.doubts[number] = text
                objects[ids.meant(image)].append(_reduced(number, each))
        return objects

    def _name(self, position: int, entry: Any) -> str | None:
        """The photo's file name as written, '/' between folders; None and a problem where it cannot be used."""
        key, name = f"{self.label}/photo-{position}", written_name(entry)
        if name is None or image_id(entry.get("id")) is None:
            lacks = (
                _lacks(entry, "id", "file_name")
                or "has an `id` that is not a number or text, or a `file_name` that is not a name"
            )
            self._fail(key, [], "broken image entry", f"image entry {position} {lacks}")
            return None
        path = PurePosixPath(name)
        if ".." in path.parts or not path.parts or self._leads_out(path) or self._climbs(str(path.parent)):
            detail = f"`file_name` {name!r} leaves the folder of photos; write it relative to that folder"
            self._fail(key, [], "path outside the source", detail)
            return None
        name = self._inside(path)
        if image_id(entry["id"]) in self.shared:
            detail = f"{name!r}: its id {entry['id']!r} is that of another photo, too"
            self._fail(key, [], "duplicate image id", detail)
        return name

    def _leads_out(self, path: PurePosixPath) -> bool:
        """Whether an absolute path is there on this machine, and not in the folder of photos."""
        try:
            return (
                path.is_absolute()
                and Path(path).exists()
                and not Path(path).is_relative_to(self.folder.path.absolute())
            )
        except (OSError, ValueError):
            return True

    def _inside(self, path: PurePosixPath) -> str:
        """A path relative to the folder of photos where it leads there; else as it is."""
        home = PurePosixPath(self.folder.path.absolute())
        inside = path.relative_to(home) if path.is_absolute() and path.is_relative_to(home) else path
        return str(inside)

    def _climbs(self, parent: str) -> bool:
        """Whether a folder of photos leads elsewhere by a link; a linked file, as DVC keeps them, does no harm."""
        if parent.startswith("/"):
            return False  # of another machine: only the end of it is ever looked for
        if parent not in self._climbing:
            try:
                home = self.folder.path
                inside = (home / parent).resolve().is_relative_to(home.resolve())
            except (OSError, RuntimeError, ValueError):  # links that never end, names too long
                inside = False
            self._climbing[parent] = not inside
        return self._climbing[parent]

    def _fail(self, key: str, objects: list[Annotation], reason: str, detail: str) -> None:
        """One failed problem for every object of a photo, or one for the entry itself."""
        for one in [object_key(key, each["id"]) for each in objects] or [key]:
            self.problems.append(Problem(one, "failed", "list", reason, f"{self.file}: {detail}"))


class Ids:
    """The ids of photos, and which of them is meant by one that is written another way (7, "7", 7.0)."""

    def __init__(self, entries: list[Any]):
        self._exact = {number for each in entries if (number := _id_of(each)) is not None}
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
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if type(value) is int or (type(value) is str and is_utf8(value)) else None


def _id_of(entry: Any) -> Id | None:
    return image_id(entry.get("id")) if isinstance(entry, dict) else None


def _fault(each: Any, number: int | None) -> tuple[Id | None, tuple[str, str] | None]:
    """The image id of an annotation, and why it cannot be used, as reason and text."""
    image = image_id(each.get("image_id")) if isinstance(each, dict) else None
    if isinstance(each, dict) and "segmentation" not in each:
        for key in OF_ANNOTATIONS.keys() & each.keys():
            name, kind = OF_ANNOTATIONS[key]
            return image, (
                f"annotation of {name}",
                f"holds `{key}`, as {kind.partition(',')[0].removeprefix('is ')} does",
            )
    if image is None and (lacks := _lacks(each, "image_id")):
        return image, ("broken annotation", lacks)
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


def _lacks(each: Any, *keys: str) -> str:
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


def _reduced(number: int, annotation: dict[str, Any]) -> Annotation:
    """What a mask needs of an annotation, as records hold it."""
    segmentation = annotation.get("segmentation")
    kept = Annotation(id=number, segmentation=segmentation, iscrowd=_crowd(annotation) or 0)
    if not has_outline(segmentation) and _is_box(annotation.get("bbox")):
        kept["box"] = 1
    return kept


def _is_box(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(isinstance(side, int | float) for side in value)


def _size(entry: dict[str, Any]) -> list[int] | None:
    size = [entry.get("height"), entry.get("width")]
    return size if all(type(side) is int for side in size) else None  # type: ignore[return-value]
