"""The reader of sets whose annotation files hold shapes: paints those of a photo, one object after the other.

A subclass says what stands in the file (`annotated`); everything else is the same for all tools: the photo, what
shapes were drawn on, order, what is cut off, hidden or broken, and a word for each.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Mask
from ..errors import ItemError, ItemRef, Problem
from ..keys import object_key
from ..photo_files import read_photo
from ..places import beneath
from ..reading import at_hand
from ..samples import Note, Photo, Sample, Scene
from .drawn import PixelFrame, find_pixel_frame, turned_by_exif
from .outlines import MOST, BrokenOutline, Outline, Ring, overrun, share_inside
from .reader import Reader
from .records import Record
from .shapes import GROUND, Fault, Shape, Size

MOST_SHAPES = 100_000  # of one photo; each is painted on the whole frame
MOST_LENGTH = 10_000_000  # pixels along an outline; COCO's rule takes memory and time for each
MOST_BYTES = 4 << 30  # of the masks of one photo, one byte a pixel and object


class Annotated(NamedTuple):
    """What an annotation file says of one photo.

    Attributes:
        shapes: in painting order: a later one covers an earlier one.
        crc32: of the annotation's bytes or canonical JSON, to notice later that it was changed.
        size: (H, W) of the photo it was drawn on, where the file says so.
    """

    shapes: tuple[Shape, ...]
    crc32: int
    size: Size | None = None


class ShapeReader(Reader):
    """Photos whose objects are shapes.

    A record's annotation is a dict: `place`, what messages call the annotation; `objects`, how many there are; and what
    else the subclass needs.

    Attributes:
        overlaps: whether objects keep the pixels that later ones cover, as COCO's do.
    """

    overlaps = False

    @abstractmethod
    def annotated(self, record: Record) -> Annotated:
        """The shapes of one photo; shapes that give no pixels are among them.

        Raises:
            ItemError: the annotation cannot be used at all.
        """

    def photo(self, record: Record) -> Photo:
        """Decode the photo.

        Raises:
            ItemError: it is unusable.
        """
        return read_photo(beneath(self.images, record.image), record.image, self.options.max_pixels, record.key)

    def listed_samples(self, record: Record) -> int:
        """The photo's objects, those without area included; one where they are merged."""
        return 1 if self.options.objects == "merged" else int(record.annotation["objects"])

    def read(self, record: Record) -> Scene:
        """Decode one photo and paint its objects; see the base class."""
        place, objects = record.annotation["place"], record.annotation["objects"]
        if objects > MOST_SHAPES:
            raise _too_many(ItemRef(record.key, place), f"{objects} objects")
        with at_hand():  # some look at the photo's size before
            return self._read(record)

    def _read(self, record: Record) -> Scene:
        place = record.annotation["place"]
        annotated = self.annotated(record)
        numbers = sorted({shape.number for shape in annotated.shapes} - {GROUND})
        where = ItemRef(record.key, place)
        try:
            photo = self.photo(record)
            self._check(where, annotated, photo, len(numbers))
        except ItemError as error:
            problems = (replace(error.problem, key=object_key(record.key, number)) for number in numbers)
            return Scene(record.key, (), tuple(problems) if self.options.objects == "each" else (error.problem,))
        rings = [Outline(shape.rings) for shape in annotated.shapes if shape.rings]
        frame = find_pixel_frame(rings if photo.orientation > 1 else (), photo, self.options.drawn_on(self.label))
        painting = Painting(where, frame.size(photo), self.overlaps and self.options.objects == "each")
        for shape in annotated.shapes:
            painting.add(shape)
        samples = tuple(self._samples(record.key, photo, annotated.crc32, painting, frame))
        notes = (*turned_by_exif(record, photo, frame), *painting.notes())
        return Scene(record.key, samples, tuple(painting.problems(self.options.objects == "merged")), notes)

    def _samples(self, key: str, photo: Photo, crc32: int, painting: Painting, frame: PixelFrame) -> Iterator[Sample]:
        make = partial(Sample, photo_key=key, photo=photo, source_crc32=crc32)
        if self.options.objects == "merged":
            whole = painting.union()
            if whole.any():
                yield make(key=key, mask=frame.upright(whole, photo), object_id=1)
            return
        for number, mask in painting.masks():
            yield make(key=object_key(key, number), mask=frame.upright(mask, photo), object_id=number)

    def _check(self, where: ItemRef, annotated: Annotated, photo: Photo, objects: int) -> None:
        """Refuse what was drawn on another photo, or would not fit the memory."""
        size = annotated.size
        if size is not None and size not in (photo.size, photo.size[::-1] if photo.orientation >= 5 else photo.size):
            found = f"drawn on a photo of {size}, the photo is {photo.size}, expected equal (H, W)"
            raise where.failed("mask", "size mismatch", f"{found}; was the photo resized after it was annotated?")
        if len(annotated.shapes) > MOST_SHAPES:
            raise _too_many(where, f"{len(annotated.shapes)} shapes")
        needed = objects * photo.size[0] * photo.size[1]
        if self.options.objects == "each" and needed > MOST_BYTES:
            found = f"masks of {objects} objects of {photo.size} take {needed >> 30} GiB"
            raise where.failed("mask", "too many objects", f"{found}; read it with --objects merged")


def _too_many(where: ItemRef, found: str) -> ItemError:
    text = f"holds {found}, at most {MOST_SHAPES} of one photo are read; split the photo, or leave out the smallest"
    return where.failed("mask", "too many shapes", text)


class Painting:
    """The shapes of one photo on their way to a mask for each object.

    Args:
        where: key of the photo, place of the annotation.
        size: (H, W) of the frame the shapes were drawn in.
        overlaps: whether objects keep what later ones cover.
    """

    def __init__(self, where: ItemRef, size: Size, overlaps: bool):
        self._where, self._size = where, size
        self._labels: NDArray[np.int32] = np.zeros(size, np.int32)  # position of the object in `_seen`, from 1
        self._own: dict[int, Mask] | None = {} if overlaps else None
        self._seen: dict[int, int] = {}  # number of an object -> its position
        self._painted: set[int] = set()
        self._faults: dict[int, list[Fault]] = {}
        self._cut: list[Note] = []

    def add(self, shape: Shape) -> None:
        """Paint one shape over those before it."""
        position = 0 if shape.number == GROUND else self._seen.setdefault(shape.number, len(self._seen) + 1)
        try:
            mask = self._mask(shape)
        except BrokenOutline as error:
            mask, fault = None, Fault("failed", error.reason, f"{shape.name}: {error}")
            self._faults.setdefault(shape.number, []).append(fault)
        if mask is None:
            return
        self._labels[mask != 0] = position
        if shape.number == GROUND:
            return
        self._painted.add(shape.number)
        if self._own is not None:
            held = self._own.get(shape.number)
            self._own[shape.number] = mask if held is None else held | mask

    def _mask(self, shape: Shape) -> Mask | None:
        """The pixels of one shape; None, and a fault on record, where it gives none.

        Raises:
            BrokenOutline: most of it lies outside of the photo.
        """
        if shape.paint is None or shape.fault is not None:
            self._faults.setdefault(shape.number, []).append(
                shape.fault or Fault("failed", "broken shape", f"{shape.name} cannot be drawn")
            )
            return None
        if any(overrun(ring, self._size) > 2 * max(self._size) for ring in shape.rings):
            raise BrokenOutline("outline outside the photo", f"it leaves the photo of {self._size} by far")
        if sum(_length(ring) for ring in shape.rings) > MOST_LENGTH:
            raise BrokenOutline("tangled outline", f"it is longer than {MOST_LENGTH} pixels")
        inside = share_inside(shape.rings, self._size) if shape.rings else 1.0
        if inside < MOST:
            text = f"{1 - inside:.0%} of it lies outside the photo of {self._size}"
            raise BrokenOutline(
                "outline outside the photo", f"{text}; was the photo resized or turned after it was annotated?"
            )
        mask = shape.paint(self._size)
        if inside < 1:
            text = f"{self._where.path}: {inside:.0%} of {shape.name} lies in the photo of {self._size}"
            key = object_key(self._where.key, shape.number)
            self._cut.append(Note(key, "outlines cut off by the edge of the photo", text))
        if not mask.any():
            fault = Fault("left-out", "empty mask", f"{shape.name} covers no pixel")
            self._faults.setdefault(shape.number, []).append(fault)
            return None
        return mask

    def masks(self) -> Iterator[tuple[int, Mask]]:
        """Number and mask of every object that is to be seen, by number."""
        for number in sorted(self._painted):
            mask = self._own[number] if self._own is not None else self._visible(number)
            if mask.any():
                yield number, mask

    def union(self) -> Mask:
        """The mask of all objects together."""
        mask: Mask = (self._labels != 0).view(np.uint8)
        return mask

    def _visible(self, number: int) -> Mask:
        mask: Mask = (self._labels == self._seen[number]).view(np.uint8)
        return mask

    def notes(self) -> Iterable[Note]:
        """What is worth telling of objects that gave a mask."""
        yield from self._cut
        for number in sorted((self._painted | {GROUND}) & self._faults.keys()):
            text = f"{self._where.path}: {'; '.join(fault.text for fault in self._faults[number])}"
            key = object_key(self._where.key, number) if number != GROUND else self._where.key
            yield Note(key, "objects without some of their shapes", text)

    def problems(self, merged: bool) -> Iterator[Problem]:
        """Why objects gave no mask; one for the whole photo where objects are merged."""
        lost = {number: faults for number, faults in self._faults.items() if number not in self._painted | {GROUND}}
        visible = set(np.unique(self._labels).tolist())
        if self._own is None and not merged:
            hidden = (number for number in self._painted if self._seen[number] not in visible)
            text = "is covered wholly by shapes that are painted later"
            lost |= {number: [Fault("left-out", "hidden", f"object {number} {text}")] for number in hidden}
        if merged and self._painted:
            return
        for number in sorted(lost):
            fault = min(lost[number], key=lambda each: each.kind)  # damage before choices
            key = self._where.key if merged else object_key(self._where.key, number)
            yield Problem(key, fault.kind, "mask", fault.reason, f"{self._where.path}: {fault.text}")
            if merged:
                return


def _length(ring: Ring) -> float:
    """Pixels along a ring, the longer of x and y for each edge."""
    return float(np.abs(ring - np.roll(ring, 1, axis=0)).max(axis=1).sum())
