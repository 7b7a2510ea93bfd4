"""Readers over readers: fewer photos, several sets, no tiny objects, smaller pictures.

A view is a Sequence of Scenes with the attributes of a reader. Slicing a view slices
what lies beneath it, so a slice is as small to send to a worker as a reader's own.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, groupby
from pathlib import Path
from typing import Self, overload

import numpy as np

from ..arrays import area
from ..errors import Problem, UsageError
from ..headers import most_bytes
from ..keys import source_of
from ..places import Place, beneath, is_stored
from ..reading import ahead
from ..resize import parse_codec, resize_mask, resize_photo
from ..samples import Sample, Scene
from .reader import Reader, ReadOptions, SoftMask
from .records import Record


class View(Sequence[Scene]):
    """A reader with its scenes changed; by itself it changes nothing.

    Attributes:
        base: the reader or view beneath.
        problems: items that listing already ruled out; a slice has none.
    """

    def __init__(self, base: AnyReader):
        self.base = base
        self.problems: tuple[Problem, ...] = tuple(base.problems)

    def change(self, scene: Scene) -> Scene:
        """What the view makes of a scene."""
        return scene

    @property
    def label(self) -> str:
        """Name of the source in keys."""
        return self.base.label

    @property
    def layout(self) -> str:
        """Name of the on-disk layout."""
        return self.base.layout

    @property
    def is_video(self) -> bool:
        """Whether pictures of one folder are frames of one video."""
        return self.base.is_video

    @property
    def root(self) -> Path:
        """Folder all annotation paths are relative to."""
        return self.base.root

    @property
    def images(self) -> Path:
        """Folder all image paths are relative to."""
        return self.base.images

    @property
    def records(self) -> Sequence[Record]:
        """One per photo, sorted by key."""
        return self.base.records

    @property
    def options(self) -> ReadOptions:
        """How annotations become masks."""
        return self.base.options

    def listed_samples(self, record: Record) -> int:
        """How many samples listing expects of a photo."""
        return self.base.listed_samples(record)

    def annotation_files(self, record: Record) -> Sequence[str]:
        """The files of a photo's own that hold its masks."""
        return self.base.annotation_files(record)

    def soft_mask(self, record: Record) -> SoftMask | None:
        """The mask file of a photo, if its grey levels are cut at the threshold."""
        return self.base.soft_mask(record)

    def __len__(self) -> int:
        return len(self.base)

    @overload
    def __getitem__(self, index: int) -> Scene: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Scene | Self:
        if not isinstance(index, slice):
            return self.change(self.base[index])
        return self._over(self.base[index])

    def select(self, indices: Sequence[int]) -> Self:
        """The view of the photos at `indices` only, in the order given."""
        return self._over(self.base.select(indices))

    def _over(self, base: AnyReader) -> Self:
        part = copy.copy(self)
        part.base, part.problems = base, ()
        return part


AnyReader = Reader | View


def in_turn(reader: AnyReader) -> Iterator[tuple[int, Record]]:
    """Index and record of every photo; while one is worked on, the files of the next are fetched from a store."""
    if not (is_stored(reader.root) or is_stored(reader.images)):
        yield from enumerate(reader.records)
        return
    counts = Counter(path for record in reader.records for path in reader.annotation_files(record))

    def files(record: Record) -> list[Place | str]:
        # a file that many photos share is read in parts
        own = [path for path in reader.annotation_files(record) if counts[path] == 1]
        return [beneath(reader.images, record.image), *(beneath(reader.root, path) for path in own)]

    fetched = ahead(map(files, reader.records), most_bytes(reader.options.max_pixels))
    for index, _ in enumerate(fetched):
        yield index, reader.records[index]


class Subset(View):
    """The photos at some indices, in order of key."""

    def __init__(self, reader: AnyReader, indices: Sequence[int]):
        if len(set(indices)) != len(indices) or not all(0 <= index < len(reader) for index in indices):
            raise UsageError(f"subset of {len(reader)} photos: indices must be different and 0 to {len(reader) - 1}")
        super().__init__(reader.select(sorted(indices)))


class MinArea(View):
    """Objects of fewer than `pixels` foreground pixels are left out, each with a problem that says so."""

    def __init__(self, reader: AnyReader, pixels: int):
        super().__init__(reader)
        self.pixels = pixels

    def change(self, scene: Scene) -> Scene:
        """The scene without its small objects."""
        areas = [area(sample.mask) for sample in scene.samples]
        if all(pixels >= self.pixels for pixels in areas):
            return scene
        kept = tuple(sample for sample, pixels in zip(scene.samples, areas, strict=True) if pixels >= self.pixels)
        small = zip(scene.samples, areas, strict=True)
        problems = [self._too_small(sample.key, pixels) for sample, pixels in small if pixels < self.pixels]
        return replace(scene, samples=kept, problems=(*scene.problems, *problems))

    def _too_small(self, key: str, pixels: int) -> Problem:
        detail = f"{pixels} pixels, at least {self.pixels} are asked for; allow smaller objects with --min-area"
        return Problem(key, "left-out", "select", "under minimum area", detail)


class Resize(View):
    """Photos shrunk to a longest side, masks with them, and encoded as asked.

    Args:
        reader: what to shrink.
        longest: pixels of the longer side; None keeps the size. Nothing is enlarged.
        codec: `source`, `png` or `jpeg:QUALITY`, as `resize_photo` takes it.
    """

    def __init__(self, reader: AnyReader, longest: int | None, codec: str = "source"):
        super().__init__(reader)
        if longest is not None and longest < 1:
            raise UsageError(f"image size {longest}: expected at least 1 pixel for the longer side")
        parse_codec(codec)
        self.longest, self.codec = longest, codec

    def change(self, scene: Scene) -> Scene:
        """The scene at its new size; an object that vanishes becomes a problem."""
        if not scene.samples:
            return scene
        photo = resize_photo(scene.samples[0].photo, self.longest, self.codec)
        samples, problems = [], list(scene.problems)
        for sample in scene.samples:
            mask = resize_mask(sample.mask, photo.size)
            if mask.any():
                ignore = None if sample.ignore is None else resize_mask(sample.ignore, photo.size)
                samples.append(replace(sample, photo=photo, mask=mask, ignore=ignore))
            else:
                problems.append(_vanished(sample, photo.size))
        return replace(scene, samples=tuple(samples), problems=tuple(problems))


class Concat(View):
    """Several sources as one, sorted by key; every label may occur once.

    It has no root, picture folder or options of its own: those are its parts'.

    Attributes:
        parts: the readers, in order of key.
    """

    def __init__(self, readers: Sequence[AnyReader]):
        labels = [reader.label for reader in readers]
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice or not labels:
            raise UsageError(f"concat of {labels}: expected one or more sources of different labels")
        # "a-b/" sorts before "a/", although "a" sorts before "a-b"
        self._join(sorted(readers, key=lambda reader: reader.label + "/"))
        self.problems = tuple(problem for reader in self.parts for problem in reader.problems)

    def _join(self, parts: Sequence[AnyReader]) -> None:
        self.parts = tuple(parts)
        self._ends = list(accumulate(len(part) for part in self.parts))
        self.problems = ()

    @property
    def label(self) -> str:
        """The labels of the parts, joined by '+'."""
        return "+".join(dict.fromkeys(part.label for part in self.parts))

    @property
    def layout(self) -> str:
        """`concat`."""
        return "concat"

    @property
    def is_video(self) -> bool:
        """Whether pictures of one folder are frames of one video, in any of the parts."""
        return any(part.is_video for part in self.parts)

    @property
    def records(self) -> Sequence[Record]:
        """The records of all parts; paths are relative to the part's own folders."""
        return [record for part in self.parts for record in part.records]

    def listed_samples(self, record: Record) -> int:
        """How many samples listing expects of a photo."""
        return self._part_of(record).listed_samples(record)

    def annotation_files(self, record: Record) -> Sequence[str]:
        """The files of a photo's own that hold its masks."""
        return self._part_of(record).annotation_files(record)

    def soft_mask(self, record: Record) -> SoftMask | None:
        """The mask file of a photo, if its grey levels are cut at the threshold."""
        return self._part_of(record).soft_mask(record)

    def _part_of(self, record: Record) -> AnyReader:
        label = source_of(record.key)
        return next(part for part in self.parts if part.label == label)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> Scene: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Scene | Self:
        if isinstance(index, slice):
            return self.select(range(*index.indices(len(self))))
        part, inside = self._locate(range(len(self))[index])
        return self.parts[part][inside]

    def select(self, indices: Sequence[int]) -> Self:
        """The photos at `indices` only, in the order given."""
        places = [self._locate(index) for index in indices]
        runs = groupby(places, key=lambda place: place[0])
        chosen = copy.copy(self)
        chosen._join([self.parts[part].select([inside for _, inside in run]) for part, run in runs])
        return chosen

    def _locate(self, index: int) -> tuple[int, int]:
        part = int(np.searchsorted(self._ends, index, side="right"))
        return part, index - (self._ends[part - 1] if part else 0)


def _vanished(sample: Sample, size: tuple[int, int]) -> Problem:
    detail = f"no foreground left at {size[0]}x{size[1]} pixels"
    return Problem(sample.key, "left-out", "select", "empty mask", detail)
