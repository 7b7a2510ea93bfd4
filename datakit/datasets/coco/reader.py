"""COCO instances: one JSON file of objects as polygons or run lengths, one folder of photos.

The file's bookkeeping is checked once, on opening (`listing`, `photos`); a broken outline (`..outlines`)
is found when its photo is read, and costs that object only.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, Self

import numpy as np

from ...arrays import Mask
from ...errors import ItemError, ItemRef, Problem
from ...keys import object_key
from ...photo_files import read_photo
from ...places import beneath
from ...samples import Note, Photo, Sample, Scene
from ..drawn import PixelFrame, find_pixel_frame, turned_by_exif
from ..mask_samples import stored_size
from ..outlines import BrokenOutline, Outline, parse_outline, rasterise
from ..reader import Reader
from ..records import Record
from .doubts import doubt_note
from .entries import Annotation

BRUSHED = "objects marked as crowds, as CVAT and datumaro mark what was brushed: taken for objects"
LISTED = "photos listed more than once: their objects together"


class CocoReader(Reader):
    """Photos of an instances file with their objects.

    A record's annotation is {"size": [height, width] or None, "objects": [{"id", "segmentation", "iscrowd"}, …]}; an
    object that has a box and no outline carries "box": 1, one that a tool calls a crowd for being brushed "brushed": 1.
    A photo that the file lists more than once carries "listed": how often.
    An unusable photo gives one problem for every object, so that annotations can be counted.

    Attributes:
        doubts: key of an object -> how it contradicts itself.
    """

    opened_with: ClassVar[tuple[str, ...]] = ("doubts",)
    doubts: Mapping[str, str] = MappingProxyType({})

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
            photo = read_photo(beneath(self.images, record.image), record.image, self.options.max_pixels, record.key)
            _check_size(ItemRef(record.key, record.image), size, photo)
            drawing = self._drawing(record, photo)
        except ItemError as error:
            problems += [_for_object(error.problem, each["id"]) for each in kept]
            return Scene(record.key, (), tuple(problems))
        masks: list[tuple[Annotation, Mask]] = []
        for each in kept:
            try:
                masks.append((each, drawing.mask(each)))
            except ItemError as error:
                problems.append(error.problem)
        samples = tuple(self._samples(record.key, photo, masks, drawing))
        notes = [*drawing.notes, *self._told(record, [each for each, _ in masks])] if kept else []
        return Scene(record.key, samples, tuple(problems), tuple(notes))

    def _drawing(self, record: Record, photo: Photo) -> Drawing:
        """What draws the objects of one photo.

        Raises:
            ItemError: nothing of it can be drawn.
        """
        return Drawing(record, photo, self.options.drawn_on(self.label))

    def _told(self, record: Record, drawn: list[Annotation]) -> Iterator[Note]:
        """What is worth a word of the objects that were drawn, and of how the file lists their photo."""
        for each in drawn:
            key, path = object_key(record.key, each["id"]), f"annotation {each['id']} of {record.image}"
            if key in self.doubts:
                yield doubt_note(key, record.image, each["id"], self.doubts[key])
            if each.get("brushed") and not self.options.crowds:
                yield Note(key, BRUSHED, f"{path}: `iscrowd` 1 and run lengths; a true crowd is to be deleted by hand")
        if (times := record.annotation.get("listed", 1)) > 1:
            yield Note(record.key, LISTED, f"{record.image}: {times} entries of `images` name it")

    def _with(self, records: Iterable[Record]) -> Self:
        part = super()._with(records)
        if self.doubts:  # those of its own annotations alone travel with a slice
            keys = (
                object_key(record.key, each["id"]) for record in part.records for each in record.annotation["objects"]
            )
            part.doubts = {key: self.doubts[key] for key in keys if key in self.doubts}
        return part

    def _left_out(self, key: str, objects: list[Annotation]) -> Iterator[Problem]:
        for each in objects:
            if each.get("box"):
                detail = f"annotation {each['id']} has a box and no outline, so there is no mask to learn from"
                yield Problem(object_key(key, each["id"]), "left-out", "select", "box only", detail)
            elif name := each.get("stuff"):
                detail = f"segment {each['id']} is {name[:60]!r}: stuff, which has no objects"
                yield Problem(object_key(key, each["id"]), "left-out", "select", "stuff", detail)
            elif each["iscrowd"] and not each.get("brushed") and not self.options.crowds:
                detail = f"annotation {each['id']} is a crowd region; keep such with --crowds"
                yield Problem(object_key(key, each["id"]), "left-out", "select", "crowd", detail)

    def _samples(self, key: str, photo: Photo, masks: list[tuple[Annotation, Mask]], drawing: Drawing) -> list[Sample]:
        if self.options.objects == "merged":
            if not masks:
                return []
            union = np.maximum.reduce([mask for _, mask in masks])
            crc32 = drawing.crc32([each for each, _ in masks])
            return [Sample(key, key, photo, union, 1, crc32, drawing.ignore)]
        return [
            Sample(object_key(key, each["id"]), key, photo, mask, each["id"], drawing.crc32(each), drawing.ignore)
            for each, mask in masks
        ]


class Drawing:
    """The outlines of one photo on their way to masks of the upright photo.

    Attributes:
        frame: what polygons were drawn on, decided from all outlines of the photo.
        notes: what is worth telling, of the photo and of every object drawn so far.
        ignore: (H, W) uint8, 1 where the annotation is void; None where nothing is.
    """

    ignore: Mask | None = None

    def __init__(self, record: Record, photo: Photo, asked: str | None):
        self._record, self._photo = record, photo
        self.frame = find_pixel_frame(list(self._outlines()) if photo.orientation > 1 else (), photo, asked)
        self.notes = list(turned_by_exif(record, photo, self.frame))

    def _outlines(self) -> Iterator[Outline]:
        for each in self._record.annotation["objects"]:
            if not each.get("box"):
                try:
                    yield parse_outline(each["segmentation"])
                except BrokenOutline:  # told where the object itself is drawn
                    continue

    def crc32(self, annotations: Annotation | list[Annotation]) -> int:
        """CRC-32 of what one object, or all of them, were drawn from."""
        return zlib.crc32(json.dumps(annotations, sort_keys=True, separators=(",", ":")).encode())

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
