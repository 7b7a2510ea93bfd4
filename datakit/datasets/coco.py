"""COCO instances: one JSON file of objects as polygons or run lengths, one folder of photos.

Checking the file's bookkeeping happens once, on opening; a broken outline is found when
its photo is read, and costs that object only.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import Counter, defaultdict
from pathlib import Path, PurePosixPath
from typing import Any, Self

import numpy as np

from .. import images as pictures
from ..arrays import Mask
from ..errors import ItemError, UsageError
from ..rle import decode_rle, polygons_to_mask, runs_to_mask
from ..samples import Photo, Problem, Sample, Scene
from .listing import is_utf8, key_name, scan, size_of, split_suffix
from .masks import align, stored_size
from .reader import Reader, ReadOptions
from .records import Record


class CocoReader(Reader):
    """Photos of an instances file with their objects.

    A record's annotation is {"size": [height, width] or None, "objects": [{"id", "segmentation", "iscrowd"}, …]}.
    An unusable photo gives one problem for every object, so that annotations can be counted.
    """

    layout = "coco"

    @classmethod
    def open(cls, label: str, file: Path, images: Path | None, options: ReadOptions) -> Self:
        """Read an instances file and look which of its photos are there.

        Raises:
            UsageError: it is no instances file, or its photos' folder is not found.
        """
        document = load_instances(file)
        folder = images or find_images(file)
        listing = Listing(label, file.name, folder)
        records = listing.pair(document["images"], document["annotations"])
        return cls(label, file.parent, folder, records, listing.problems, options)

    def listed_samples(self, record: Record) -> int:
        """The photo's objects, crowds and small ones included; one where they are merged."""
        return 1 if self.options.objects == "merged" else len(record.annotation["objects"])

    def read(self, record: Record) -> Scene:
        """Decode one photo and draw its objects; see the base class."""
        size, objects = record.annotation["size"], record.annotation["objects"]
        kept = [each for each in objects if self.options.crowds or not each["iscrowd"]]
        problems = [_crowd(record.key, each["id"]) for each in objects if each["iscrowd"] and each not in kept]
        try:
            photo = pictures.read_photo(self.images / record.image, record.image, self.options.max_pixels, record.key)
            size = tuple(size or stored_size(photo))
            _check_size(pictures.Place(record.key, record.image), size, photo)
        except ItemError as error:
            problems += [_for_object(error.problem, each["id"]) for each in kept]
            return Scene(record.key, (), tuple(problems))
        masks: list[tuple[dict[str, Any], Mask]] = []
        for each in kept:
            place = pictures.Place(f"{record.key}#{each['id']}", f"annotation {each['id']} of {record.image}")
            try:
                masks.append((each, align(object_mask(each["segmentation"], size, place), 0, photo)))
            except ItemError as error:
                problems.append(error.problem)
        return Scene(record.key, tuple(self._samples(record.key, photo, masks)), tuple(problems))

    def _samples(self, key: str, photo: Photo, masks: list[tuple[dict[str, Any], Mask]]) -> list[Sample]:
        if self.options.objects == "merged":
            if not masks:
                return []
            union = np.maximum.reduce([mask for _, mask in masks])
            return [Sample(key, key, photo, union, 1, _crc([each for each, _ in masks]))]
        return [Sample(f"{key}#{each['id']}", key, photo, mask, each["id"], _crc(each)) for each, mask in masks]


class Listing:
    """The bookkeeping of one instances file: which annotation belongs to which photo on disk.

    Attributes:
        problems: what does not fit, found by `pair`.
    """

    def __init__(self, label: str, file: str, folder: Path):
        self.label, self.file, self.folder = label, file, folder
        self.problems: list[Problem] = []
        self.shared: set[int | str] = set()  # image ids of several photos
        self.named: set[str] = set()  # paths of photos the file speaks of
        self._climbing: dict[str, bool] = {}

    def pair(self, entries: list[Any], annotations: list[Any]) -> list[Record]:
        """Records of all photos with objects, sorted by key; the rest goes to `problems`."""
        objects = self._objects(annotations)
        self._drop_shared_ids(entries, objects)
        paths: dict[str, tuple[str, dict[str, Any], list[dict[str, Any]]]] = {}
        keys: set[str] = set()
        for position, entry in enumerate(entries):
            found = self._path(position, entry)
            if found is None:
                continue
            self.named.add(found)
            mine = objects.pop(entry["id"], [])
            key = f"{self.label}/{key_name(split_suffix(found)[0])}"
            if key in keys:
                self._fail(key, mine, "duplicate name", f"two photos are called {found}")
            elif not mine:
                detail = f"{self.file}: no annotation for {found}"
                self.problems.append(Problem(key, "left-out", "list", "no object", detail))
            else:
                paths[found] = key, entry, mine
            keys.add(key)
        for number, orphans in objects.items():
            key = f"{self.label}/image-{key_name(str(number))}"
            self._fail(key, orphans, "unknown image", f"no photo has the id {number!r}")
        sizes = self._sizes()
        records = []
        for path, (key, entry, mine) in paths.items():
            if path not in sizes:
                self._fail(key, mine, "missing image", f"{path} is not in the folder of photos")
                continue
            annotation = {"size": _size(entry), "objects": sorted(mine, key=lambda each: each["id"])}
            records.append(Record(key, path, annotation, sizes[path]))
        self.problems.sort(key=lambda problem: problem.key)
        return sorted(records, key=lambda record: record.key)

    def _drop_shared_ids(self, entries: list[Any], objects: dict[Any, list[dict[str, Any]]]) -> None:
        """Fail every annotation whose image id stands for several photos: nobody knows which one is meant."""
        names = {(each["id"], str(each.get("file_name"))) for each in entries if _has_id(each)}
        self.shared = {number for number, count in Counter(number for number, _ in names).items() if count > 1}
        for number in self.shared:
            mine = objects.pop(number, [])
            if mine:
                key, detail = f"{self.label}/image-{key_name(str(number))}", f"several photos have the id {number!r}"
                self._fail(key, mine, "duplicate image id", detail)

    def _sizes(self) -> dict[str, int]:
        """Bytes of the named files that are there; every other file of the folder is left out by name."""
        sizes = {}
        for path, entry in scan(self.folder, stay=True):
            if path in self.named:
                sizes[path] = size_of(entry)
            else:
                shown = path.encode("utf-8", "backslashreplace").decode()
                detail = f"{shown}: not read: {self.file} does not name it"
                key = f"{self.label}/{key_name(shown)}"
                self.problems.append(Problem(key, "left-out", "list", "not listed", detail))
        return sizes

    def _objects(self, annotations: list[Any]) -> dict[Any, list[dict[str, Any]]]:
        """Image id -> its annotations, reduced to what a mask needs."""
        objects: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        seen: set[int] = set()
        for position, each in enumerate(annotations):
            key = f"{self.label}/annotation-{position}"
            number = each.get("id") if isinstance(each, dict) else None
            image = each.get("image_id") if isinstance(each, dict) else None
            if type(number) is not int or number.bit_length() > 63 or not _is_id(image):
                self._fail(key, [], "broken annotation", f"entry {position} lacks a whole `id` or an `image_id`")
            elif number in seen:
                self._fail(key, [], "duplicate annotation id", f"entry {position} has the id {number} of another")
            else:
                seen.add(number)
                crowd = 1 if each.get("iscrowd") else 0
                objects[image].append({"id": number, "segmentation": each.get("segmentation"), "iscrowd": crowd})
        return objects

    def _path(self, position: int, entry: Any) -> str | None:
        """The photo's path below the image folder, or None and a problem."""
        key = f"{self.label}/photo-{position}"
        name = entry.get("file_name") if isinstance(entry, dict) else None
        if not _has_id(entry) or not isinstance(name, str) or not name or "\0" in name or not is_utf8(name):
            self._fail(key, [], "broken image entry", f"image entry {position} lacks an `id` or a `file_name`")
            return None
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or not path.parts or self._climbs(str(path.parent)):
            self._fail(key, [], "path outside the source", f"`file_name` {name!r} leaves the folder of photos")
            return None
        if entry["id"] in self.shared:
            self.named.add(str(path))
            detail = f"{name!r}: its id {entry['id']!r} is that of another photo, too"
            self._fail(key, [], "duplicate image id", detail)
            return None
        return str(path)

    def _climbs(self, parent: str) -> bool:
        """Whether a folder of photos leads elsewhere by a link; a linked file, as DVC keeps them, does no harm."""
        if parent not in self._climbing:
            try:
                inside = (self.folder / parent).resolve().is_relative_to(self.folder.resolve())
            except (OSError, RuntimeError, ValueError):  # links that never end, names too long
                inside = False
            self._climbing[parent] = not inside
        return self._climbing[parent]

    def _fail(self, key: str, objects: list[dict[str, Any]], reason: str, detail: str) -> None:
        """One failed problem for every object of a photo, or one for the entry itself."""
        for one in [f"{key}#{each['id']}" for each in objects] or [key]:
            self.problems.append(Problem(one, "failed", "list", reason, f"{self.file}: {detail}"))


def load_instances(file: Path) -> dict[str, Any]:
    """The parsed file, certain to hold the lists `images` and `annotations`.

    Raises:
        UsageError: it cannot be read, is no JSON, or holds something else.
    """
    try:
        if not file.is_file():
            raise OSError("not a regular file")  # a pipe would be waited for
        document = _parsed(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{file}: expected a COCO instances file, cannot be read as JSON: {error}") from None
    for name in ("images", "annotations"):
        if not isinstance(document, dict) or not isinstance(document.get(name), list):
            raise UsageError(f"{file}: expected a COCO instances file with a list `{name}`, found none")
    return dict(document)


def _parsed(data: bytes) -> Any:
    """The JSON, so that it can be hashed: numbers that are not finite as their names, half characters as '?'."""
    huge = re.search(rb"[eE]\+?\d{3}|\d{309}", data)  # only these overflow, and the hook below is slow
    document = json.loads(data, parse_constant=str, parse_float=_finite if huge else None)
    if re.search(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]", data):  # may be halves of surrogate pairs
        document = json.loads(json.dumps(document, ensure_ascii=False).encode(errors="replace"))
    return document


def _finite(text: str) -> float | str:
    number = float(text)
    return number if np.isfinite(number) else text


def find_images(file: Path) -> Path:
    """The folder of photos of `…/annotations/instances_X.json`: `…/X`, `…/images/X` or `…/images`.

    Raises:
        UsageError: none of them is there.
    """
    split = file.stem.partition("instances_")[2] or file.stem
    bases = [file.parent.parent, file.parent] if file.parent.name == "annotations" else [file.parent]
    tried = [base / inside for base in bases for inside in (split, f"images/{split}", "images")]
    for folder in tried:
        if folder.is_dir():
            return folder
    expected = ", ".join(str(folder) for folder in tried)
    raise UsageError(f"{file}: its photos are in none of {expected}; say where with --images LABEL=DIR")


def object_mask(segmentation: Any, size: tuple[int, int], where: pictures.Place) -> Mask:
    """The mask of one annotation: (H, W) uint8, 0 or 1, not empty.

    Raises:
        ItemError: the outline is broken, of another size, or covers no pixel.

    Source: COCO data format, object detection: polygons, or run lengths as a string or as a list.
    """
    try:
        if isinstance(segmentation, list):
            mask = polygons_to_mask(_checked_polygons(segmentation, size), size)
        elif isinstance(segmentation, dict):
            mask = _mask_of_runs(segmentation, size)
        else:
            raise where.failed("mask", "no segmentation", f"`segmentation` is {type(segmentation).__name__}")
    except (ValueError, TypeError, OverflowError) as error:
        reason = "broken polygon" if isinstance(segmentation, list) else "broken run lengths"
        raise where.failed("mask", reason, str(error)) from None
    if not mask.any():
        detail = f"{where.path}: its outline covers no pixel"
        raise ItemError(Problem(where.key, "left-out", "mask", "empty mask", detail))
    return mask


def _checked_polygons(polygons: list[Any], size: tuple[int, int]) -> list[list[float]]:
    """The polygons, safe to draw: four numbers would be taken for a box, far coordinates fill the memory."""
    if not polygons:
        raise ValueError("holds no polygon")
    reach = 2 * max(size)
    for polygon in polygons:
        points = np.asarray(polygon, np.float64)
        if points.ndim != 1 or points.size < 6 or points.size % 2:
            raise ValueError(f"a polygon of shape {points.shape}, expected x, y pairs of three or more points")
        if not np.isfinite(points).all() or np.abs(points).max() > reach:
            raise ValueError(f"a polygon leaves the photo of {size} by far or is not finite")
    return polygons


def _mask_of_runs(segmentation: dict[str, Any], size: tuple[int, int]) -> Mask:
    own, counts = segmentation.get("size"), segmentation.get("counts")
    if own is not None and list(own) != list(size):
        raise ValueError(f"run lengths are for {own}, the photo is {list(size)}")
    if isinstance(counts, str):
        return decode_rle(counts.encode("ascii", "replace"), size)
    if not isinstance(counts, list) or any(type(run) is not int for run in counts):
        raise ValueError("`counts` is neither a string nor a list of whole numbers")
    return runs_to_mask(np.array(counts, np.int64), size)


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str) and type(value) is not bool and is_utf8(str(value))


def _has_id(entry: Any) -> bool:
    return isinstance(entry, dict) and _is_id(entry.get("id"))


def _size(entry: dict[str, Any]) -> list[int] | None:
    size = [entry.get("height"), entry.get("width")]
    return size if all(type(side) is int for side in size) else None  # type: ignore[return-value]


def _check_size(where: pictures.Place, size: tuple[int, int], photo: Photo) -> None:
    if size not in (photo.size, stored_size(photo)):
        raise where.failed(
            "mask", "size mismatch", f"annotated as {size}, photo is {photo.size}, expected equal (H, W)"
        )


def _crowd(key: str, number: int) -> Problem:
    detail = f"annotation {number} is a crowd region; keep such with --crowds"
    return Problem(f"{key}#{number}", "left-out", "select", "crowd", detail)


def _for_object(problem: Problem, number: int) -> Problem:
    return Problem(f"{problem.key}#{number}", problem.kind, problem.stage, problem.reason, problem.detail)


def _crc(annotation: Any) -> int:
    return zlib.crc32(json.dumps(annotation, sort_keys=True, separators=(",", ":")).encode())
