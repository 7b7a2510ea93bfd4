"""COCO instances: one JSON file of objects as polygons or run lengths, one folder of photos.

The file's bookkeeping is checked once, on opening (`coco_listing`, `coco_photos`); a broken outline (`outlines`)
is found when its photo is read, and costs that object only.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Self

import numpy as np

from ..arrays import Mask
from ..errors import ItemError, ItemRef, Problem, UsageError
from ..keys import object_key
from ..photo_files import read_photo
from ..samples import Note, Photo, Sample, Scene
from .coco_doubts import doubt_note
from .coco_file import load_instances
from .coco_listing import Annotation, Listing
from .coco_photos import PhotoFolder, find_images
from .drawn import PixelFrame, frame_of, turned_by_exif
from .layout import Layout, Match, Sureness
from .mask_samples import stored_size
from .outlines import BrokenOutline, Outline, parse_outline, rasterise
from .pairs import find_folder
from .reader import Reader, ReadOptions
from .records import Record

EXPORTED = ("_annotations.coco.json", "result.json")  # Roboflow, Label Studio


@dataclass(frozen=True)
class CocoLayout(Layout):
    """An instances file with its folder of photos; the root is the file, or a folder that holds one."""

    def match(self, root: Path) -> Match | None:
        """For its instances file, or any JSON file."""
        if root.is_file():
            is_json = root.suffix.lower() == ".json"
            return Match(Sureness.COMMON, "a JSON file of instances") if is_json else None
        if _instances_files(root):
            file = _only_instances_file(root)
            return Match(Sureness.FILE, f"for its {file.parent.name}/{file.name}")
        if _exported_files(root):
            return Match(Sureness.LAST, f"for its {_only_instances_file(root).name}")
        return None

    def open(self, label: str, root: Path, images: Path | None, options: ReadOptions) -> Reader:
        """Read an instances file and look which of its photos are there.

        Raises:
            UsageError: it is no instances file, or its photos' folder is not found.
        """
        file = root if root.is_file() else _only_instances_file(root)
        document = load_instances(file)
        folder = PhotoFolder(images) if images else find_images(file, document["images"])
        listing = Listing(label, file, folder)
        records = listing.pair(document["images"], document["annotations"])
        reader = CocoReader(label, file.parent, folder.path, records, listing.problems, options)
        reader.doubts = listing.doubts
        return reader


COCO = CocoLayout(
    "coco",
    "annotations_trainval2017.zip and val2017.zip unpack to annotations/instances_val2017.json and val2017/*.jpg; tools"
    " export the same JSON as _annotations.coco.json or result.json (Lin et al., Microsoft COCO, ECCV 2014).",
    ("annotations/instances_*.json", "*2017/*.jpg"),
    min_area=400,  # 20x20 pixels; objects below are mostly annotation noise
)


def _instances_files(root: Path) -> list[Path]:
    folder = find_folder(root, "annotations")
    return sorted((root / folder).glob("instances_*.json")) if folder else []


def _exported_files(root: Path) -> list[Path]:
    """Instances files as annotation tools export them, beside the photos or their folder."""
    return [root / name for name in EXPORTED if (root / name).is_file()]


def _only_instances_file(root: Path) -> Path:
    files = _instances_files(root) or _exported_files(root)
    if len(files) != 1:
        names = ", ".join(str(file.relative_to(root)) for file in files) or "none"
        raise UsageError(f"{root}: expected one annotations/instances_*.json, found {names}; give the file itself")
    return files[0]


class CocoReader(Reader):
    """Photos of an instances file with their objects.

    A record's annotation is {"size": [height, width] or None, "objects": [{"id", "segmentation", "iscrowd"}, …]}; an
    object that has a box and no outline carries "box": 1.
    An unusable photo gives one problem for every object, so that annotations can be counted.

    Attributes:
        doubts: id of an annotation -> how it contradicts itself.
    """

    doubts: Mapping[int, str] = MappingProxyType({})

    def listed_samples(self, record: Record) -> int:
        """The photo's objects, crowds and small ones included; one where they are merged."""
        return 1 if self.options.objects == "merged" else len(record.annotation["objects"])

    def read(self, record: Record) -> Scene:
        """Decode one photo and draw its objects; see the base class."""
        size, objects = record.annotation["size"], record.annotation["objects"]
        problems = list(self._left_out(record.key, objects))
        left_out = {problem.key for problem in problems}
        kept = [each for each in objects if object_key(record.key, each["id"]) not in left_out]
        try:
            photo = read_photo(self.images / record.image, record.image, self.options.max_pixels, record.key)
            _check_size(ItemRef(record.key, record.image), size, photo)
        except ItemError as error:
            problems += [_for_object(error.problem, each["id"]) for each in kept]
            return Scene(record.key, (), tuple(problems))
        drawing = Drawing(record, photo, self.options.drawn_on(self.label))
        masks: list[tuple[Annotation, Mask]] = []
        for each in kept:
            try:
                masks.append((each, drawing.mask(each)))
            except ItemError as error:
                problems.append(error.problem)
        samples = tuple(self._samples(record.key, photo, masks))
        doubts = [
            doubt_note(f"{record.key}#{each['id']}", record.image, each["id"], self.doubts[each["id"]])
            for each, _ in masks
            if each["id"] in self.doubts
        ]
        return Scene(record.key, samples, tuple(problems), (*(drawing.notes if kept else ()), *doubts))

    def _with(self, records: Sequence[Record]) -> Self:
        part = super()._with(records)
        if self.doubts:  # those of its own annotations alone travel with a slice
            numbers = (each["id"] for record in records for each in record.annotation["objects"])
            part.doubts = {number: self.doubts[number] for number in numbers if number in self.doubts}
        return part

    def _left_out(self, key: str, objects: list[Annotation]) -> Iterator[Problem]:
        for each in objects:
            if each.get("box"):
                detail = f"annotation {each['id']} has a box and no outline, so there is no mask to learn from"
                yield Problem(object_key(key, each["id"]), "left-out", "select", "box only", detail)
            elif each["iscrowd"] and not self.options.crowds:
                detail = f"annotation {each['id']} is a crowd region; keep such with --crowds"
                yield Problem(object_key(key, each["id"]), "left-out", "select", "crowd", detail)

    def _samples(self, key: str, photo: Photo, masks: list[tuple[Annotation, Mask]]) -> list[Sample]:
        if self.options.objects == "merged":
            if not masks:
                return []
            union = np.maximum.reduce([mask for _, mask in masks])
            return [Sample(key, key, photo, union, 1, _crc([each for each, _ in masks]))]
        return [Sample(object_key(key, each["id"]), key, photo, mask, each["id"], _crc(each)) for each, mask in masks]


class Drawing:
    """The outlines of one photo on their way to masks of the upright photo.

    Attributes:
        frame: what polygons were drawn on, decided from all outlines of the photo.
        notes: what is worth telling, of the photo and of every object drawn so far.
    """

    def __init__(self, record: Record, photo: Photo, asked: str | None):
        self._record, self._photo = record, photo
        self.frame = frame_of(list(self._outlines()) if photo.orientation > 1 else (), photo, asked)
        self.notes = list(turned_by_exif(record, photo, self.frame))

    def _outlines(self) -> Iterator[Outline]:
        for each in self._record.annotation["objects"]:
            if not each.get("box"):
                try:
                    yield parse_outline(each["segmentation"])
                except BrokenOutline:  # told where the object itself is drawn
                    continue

    def mask(self, annotation: Annotation) -> Mask:
        """The mask of one annotation: (H, W) uint8, 0 or 1, not empty, of the upright photo.

        Raises:
            ItemError: the outline is broken, of another size, mostly outside, or covers no pixel.
        """
        number, photo = annotation["id"], self._photo
        where = ItemRef(object_key(self._record.key, number), f"annotation {number} of {self._record.image}")
        try:
            outline = parse_outline(annotation["segmentation"])
            frame = self._of_runs(outline) or self.frame
            drawn = rasterise(outline, frame.size(photo))
        except BrokenOutline as error:
            raise where.failed("mask", error.reason, str(error)) from None
        if not drawn.mask.any():
            detail = f"{where.path}: its outline covers no pixel"
            raise ItemError(Problem(where.key, "left-out", "mask", "empty mask", detail))
        if drawn.inside < 1:
            text = f"{where.path}: {drawn.inside:.0%} of its outline lies in the photo of {frame.size(photo)}"
            self.notes.append(Note(where.key, "outlines cut off by the edge of the photo", text))
        if drawn.strays:
            text = f"{where.path}: {'; '.join(drawn.strays)}"
            self.notes.append(Note(where.key, "outlines without their stray parts", text))
        return frame.upright(drawn.mask, photo)

    def _of_runs(self, outline: Outline) -> PixelFrame | None:
        """The frame that the size of run lengths names, where it names one alone; the written size stands in for it."""
        if outline.runs is None:
            return None
        photo, stored = self._photo, stored_size(self._photo)
        size = outline.runs.size or self._record.annotation["size"]
        if size is None or photo.size == stored or tuple(size) not in (photo.size, stored):
            return None
        return PixelFrame("stored" if tuple(size) == stored else "upright", certain=True)


def _check_size(where: ItemRef, size: list[int] | None, photo: Photo) -> None:
    if size is not None and tuple(size) not in (photo.size, stored_size(photo)):
        found = f"annotated as {tuple(size)}, photo is {photo.size}, expected equal (H, W)"
        raise where.failed("mask", "size mismatch", found)


def _for_object(problem: Problem, number: int) -> Problem:
    return Problem(object_key(problem.key, number), problem.kind, problem.stage, problem.reason, problem.detail)


def _crc(annotation: Annotation | list[Annotation]) -> int:
    return zlib.crc32(json.dumps(annotation, sort_keys=True, separators=(",", ":")).encode())
