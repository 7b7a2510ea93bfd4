"""Cityscapes: street scenes whose 16-bit pictures number the objects of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import looking
from ..errors import ItemRef, Problem, UsageError
from ..keys import object_key, photo_key
from ..mask_files import read_mask
from ..photo_files import read_photo
from ..places import beneath
from ..samples import Sample, Scene
from .entries import left_out
from .layout import Layout, Match, Sureness
from .listing import scan, size_of
from .pairs import find_folder
from .reader import Reader, ReadOptions
from .records import Record

PHOTO, MASK = "_leftImg8bit.png", "_instanceIds.png"
MASKS = ("gtFine", "gtCoarse")
GROUPS = range(24, 34)  # classes of things; without a number behind them, a group that was not told apart
FIRST_OBJECT = 1000  # ids are class x 1000 + number


@dataclass(frozen=True)
class CityscapesLayout(Layout):
    """leftImg8bit/ with the photos and gtFine/ (or gtCoarse/) with the ids, both by split and city."""

    @property
    def reader_type(self) -> type[CityscapesReader]:
        """See the base class."""
        return CityscapesReader

    def match(self, root: Path) -> Match | None:
        """For both folders."""
        masks = next((name for name in MASKS if find_folder(root, name)), None) if looking.is_folder(root) else None
        if masks is None or not find_folder(root, "leftImg8bit"):
            return None
        return Match(Sureness.FOLDERS, f"for its leftImg8bit/ and {masks}/")

    def open(self, label: str, root: Path, images: Path | None, options: ReadOptions) -> Reader:
        """Pair photos and ids by split, city and frame.

        Raises:
            UsageError: a folder is missing.
        """
        masks = next((name for name in MASKS if find_folder(root, name)), None) if looking.is_folder(root) else None
        folder = images or (
            root / (find_folder(root, "leftImg8bit") or "leftImg8bit") if looking.is_folder(root) else root
        )
        if masks is None or not looking.is_folder(folder):
            raise UsageError(f"{root}: no layout {self.name} here: expected leftImg8bit/ and gtFine/. {self.source}")
        photos = {name.removesuffix(PHOTO): size_of(entry) for name, entry in scan(folder) if name.endswith(PHOTO)}
        records, problems, paired = [], [], set()
        for name, entry in scan(root / masks):
            if not name.endswith(MASK):
                if not name.endswith(("_labelIds.png", "_color.png", "_polygons.json", "_labelTrainIds.png")):
                    problems.append(left_out(label, f"{masks}/{name}", "stray file", f"expected {MASK}"))
                continue
            stem = name.removesuffix(MASK).removesuffix(f"_{masks}")
            key = photo_key(label, stem)
            if stem in photos:
                paired.add(stem)
                annotation = [f"{masks}/{name}", size_of(entry)]
                records.append(Record(key, stem + PHOTO, annotation, photos[stem]))
            else:
                text = f"{masks}/{name}: no photo {stem}{PHOTO} in {folder.name}/"
                problems.append(Problem(key, "failed", "list", "missing image", text))
        for stem in photos.keys() - paired:
            problems.append(left_out(label, stem + PHOTO, "no mask", f"nothing of that name in {masks}/"))
        records.sort(key=lambda record: record.key)
        problems.sort(key=lambda problem: problem.key)
        return CityscapesReader(label, root, folder, records, problems, options)


CITYSCAPES = CityscapesLayout(
    "cityscapes",
    "leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip unpack to leftImg8bit/SPLIT/CITY/X_leftImg8bit.png and"
    " gtFine/SPLIT/CITY/X_gtFine_instanceIds.png, 2 975 + 500 with published ids (Cordts et al., CVPR 2016).",
    ("leftImg8bit/*/*/*_leftImg8bit.png", "gtFine/*/*/*_gtFine_instanceIds.png"),
    min_area=400,  # 20x20 pixels; objects below are specks of far cars and people
)


class CityscapesReader(Reader):
    """Street scenes; a record's annotation is [path of the ids, bytes of them]."""

    def annotation_files(self, record: Record) -> Sequence[str]:
        """Its ids; see the base class."""
        return [record.annotation[0]]

    def read(self, record: Record) -> Scene:
        """Decode one photo and its ids; a group that was not told apart is left out by name. See the base class."""
        path, limit = record.annotation[0], self.options.max_pixels
        where = ItemRef(record.key, path)
        photo = read_photo(beneath(self.images, record.image), record.image, limit, record.key)
        mask = read_mask(beneath(self.root, path), path, limit, record.key)
        if mask.plane.ndim != 2 or mask.plane.shape != photo.size:
            found = f"ids are {mask.plane.shape}, photo is {photo.size}, expected equal (H, W)"
            raise where.failed("mask", "size mismatch", f"{found}; unpack both archives again")
        ids = [int(value) for value in np.unique(mask.plane)]
        objects = [value for value in ids if value >= FIRST_OBJECT]
        problems = [
            Problem(
                object_key(record.key, value),
                "left-out",
                "select",
                "group of objects",
                f"{path}: id {value} is a group of class {value} whose members were not told apart",
            )
            for value in ids
            if value in GROUPS
        ]
        if not objects and not problems:
            text = f"{path}: no object, only surfaces"
            problems.append(Problem(record.key, "left-out", "mask", "no object", text))
        if self.options.objects == "merged":
            whole = (mask.plane >= FIRST_OBJECT).astype(np.uint8)
            merged = Sample(record.key, record.key, photo, whole, 1, mask.source_crc32)
            return Scene(record.key, (merged,) if objects else (), tuple(problems))
        samples = (
            Sample(
                object_key(record.key, value),
                record.key,
                photo,
                (mask.plane == value).astype(np.uint8),
                value,
                mask.source_crc32,
            )
            for value in objects
        )
        return Scene(record.key, tuple(samples), tuple(problems))
