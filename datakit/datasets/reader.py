"""What every reader is: a Sequence of Scenes over a list of records made without decoding anything.

A subclass lists its records once (`open`) and decodes one photo at a time (`read`).
Records are small and plain, so a slice of a reader travels to a worker as it is.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Self, overload

from ..errors import Problem
from ..formats import MAX_PIXELS
from ..samples import Scene
from .records import PackedRecords, Record


@dataclass(frozen=True)
class ReadOptions:
    """How annotations become masks; equal for all sources of a build.

    Attributes:
        threshold: soft masks (more than two grey levels) are foreground where the value is above this, 0..254.
        objects: `each` gives one sample per object, `merged` one per photo.
        crowds: keep COCO crowd regions.
        min_area: objects of fewer foreground pixels are left out; None is 400 for instance sets, 0 for others.
        max_pixels: photos of more pixels are refused by their header, before decoding.
        values: what grey mask values are: `ids` of objects, or levels of a `soft` mask to be cut at the threshold;
            None where nobody said so, see `grey`.
        annotated: source label -> whether its outlines were drawn on photos as they are `stored` or as EXIF turns
            them `upright`, where the file itself does not tell; the label `` (empty) stands for all others.
        mask_names: source label -> where its mask files lie and what they are called, as `mask_pattern` reads it; the
            label `` (empty) stands for all others. Names tell where nothing is said.
    """

    threshold: int = 127
    objects: Literal["each", "merged"] = "each"
    crowds: bool = False
    min_area: int | None = None
    max_pixels: int = MAX_PIXELS
    values: Literal["ids", "soft"] | None = None
    annotated: Mapping[str, str] = field(default_factory=dict)
    mask_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def grey(self) -> Literal["auto", "ids", "soft"]:
        """What grey values are: as said; `soft` where another threshold is given; else `judged` from each picture."""
        return self.values or ("auto" if self.threshold == ReadOptions.threshold else "soft")

    def drawn_on(self, label: str) -> str | None:
        """What outlines and masks of a source are said to be drawn on: `stored`, `upright`, or None."""
        return self.annotated.get(label, self.annotated.get(""))

    def mask_name(self, label: str) -> str | None:
        """The pattern of names that masks of a source are said to have, or None."""
        return self.mask_names.get(label, self.mask_names.get(""))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form, as stored in shards; fields younger than format 1 only where given."""
        younger: dict[str, Any] = {"values": None, "annotated": {}, "mask_names": {}}
        return {name: value for name, value in asdict(self).items() if name not in younger or value != younger[name]}


class SoftMask(NamedTuple):
    """A mask file whose grey levels were cut at the threshold.

    Attributes:
        path: of the file, relative to the reader's root.
        levels: how many grey levels it holds.
    """

    path: str
    levels: int


class Reader(Sequence[Scene], ABC):
    """A data set on disk as a Sequence of Scenes, sorted by key.

    `len(reader)` counts photos; `reader[i]` decodes one (and raises ItemError where the whole
    photo is unusable); `reader[a:b]` is a reader of fewer records; iteration, like any Sequence's, stops at an error.

    Attributes:
        layout: name of the on-disk layout, as on the command line; set by whoever opens it.
        is_video: whether pictures of one folder are frames of one video; set likewise.
        label: name of the source in keys.
        root: folder all annotation paths are relative to.
        images: folder all image paths are relative to.
        records: one per photo, sorted by key.
        problems: items that listing already ruled out (missing partner, stray file, …).
        options: how annotations become masks.
        opened_with: names of attributes that opening sets beside these; a listing file keeps them, as JSON has them.
    """

    opened_with: ClassVar[tuple[str, ...]] = ()
    layout: str = ""
    is_video: bool = False

    def __init__(
        self,
        label: str,
        root: Path,
        images: Path,
        records: Iterable[Record],
        problems: Sequence[Problem],
        options: ReadOptions,
    ):
        self.label = label
        self.root = root
        self.images = images
        self.records: Sequence[Record] = PackedRecords(records)
        self.problems = tuple(problems)
        self.options = options

    @abstractmethod
    def read(self, record: Record) -> Scene:
        """Decode one photo and its objects.

        Raises:
            ItemError: the photo or its annotation file cannot be used at all.
        """

    def listed_samples(self, record: Record) -> int:
        """How many samples listing expects of a photo: 1 where only its mask file could tell."""
        return 1

    def annotation_files(self, record: Record) -> Sequence[str]:
        """The files of a photo's own that hold its masks, relative to `root`; none where one file holds all photos'."""
        return ()

    def take(self, opened_with: Mapping[str, Any]) -> None:
        """Set what opening sets, out of a listing file."""
        for name in self.opened_with:
            setattr(self, name, opened_with[name])

    def soft_mask(self, record: Record) -> SoftMask | None:
        """The mask file of a photo, if its grey levels are cut at the threshold; None where nothing is cut.

        Raises:
            ItemError: the file cannot be used.
        """
        return None

    def __len__(self) -> int:
        return len(self.records)

    @overload
    def __getitem__(self, index: int) -> Scene: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Scene | Self:
        if not isinstance(index, slice):
            return self.read(self.records[index])
        return self._with(self.records[index])

    def select(self, indices: Sequence[int]) -> Self:
        """A reader of the photos at `indices` only, in the order given; like a slice it carries no listing problems."""
        return self._with(self.records[index] for index in indices)

    def _with(self, records: Iterable[Record]) -> Self:
        part = copy.copy(self)
        part.records = PackedRecords(records)
        part.problems = ()
        return part
