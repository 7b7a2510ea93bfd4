"""COCO panoptic: a PNG of segment ids beside each photo, and a JSON file that says what the segments are.

Things are objects; stuff (sky, grass) is left out by name. What no segment claims is void.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import looking
from ...arrays import Mask, area
from ...errors import ItemError, Problem, UsageError
from ...images import UNTURNED, decoded
from ...keys import object_key
from ...photo_files import load_picture_file
from ...places import beneath
from ...samples import Note, Photo
from ..json_files import uncollected
from ..layout import Layout, Match, Sureness
from ..mask_samples import align, stored_size
from ..pairs import find_folder
from ..reader import Reader, ReadOptions
from ..records import Record
from .entries import Annotation, Ids, image_id, whole
from .file import load_panoptic
from .layouts import COCO, only_file
from .listing import Listing, Objects
from .photos import Look, PhotoFolder, find_images
from .reader import CocoReader, Drawing

VOID = 0
NO_THINGS = "photos of a panoptic file that calls no category a thing, as datumaro's do not: all segments are objects"
UNLISTED = "panoptic pictures with segments that the file does not list: taken for void"
TURNED = (
    "photos turned by EXIF, segments fit both ways: read as drawn on the photo as stored (if not: --annotated upright)"
)


@dataclass(frozen=True)
class PanopticLayout(Layout):
    """A panoptic file with its folders of PNGs and of photos; the root is the file, or a folder that holds one."""

    @property
    def reader_type(self) -> type[PanopticReader]:
        """See the base class."""
        return PanopticReader

    def match(self, root: Path) -> Match | None:
        """For the name of its file."""
        if looking.is_file(root):
            is_named = root.name.lower().startswith("panoptic_") and root.suffix.lower() == ".json"
            return Match(Sureness.FILE, f"for the name {root.name}") if is_named else None
        files = _panoptic_files(root)
        return Match(Sureness.FILE, f"for its {files[0].relative_to(root)}") if files else None

    def open(self, label: str, root: Path, images: Path | None, options: ReadOptions) -> Reader:
        """Read a panoptic file and look which of its photos and PNGs are there.

        Raises:
            UsageError: it is no panoptic file, or a folder is not found.
        """
        file = root if looking.is_file(root) else only_file(root, _panoptic_files(root))
        with uncollected():
            document = load_panoptic(file)
            folder = PhotoFolder(images) if images else find_images(file, document["images"])
            listing = PanopticListing(label, file, folder, _find_pngs(file, document["annotations"]))
            records = listing.pair(document)
        reader = PanopticReader(label, listing.pngs, folder.path, records, listing.problems, options)
        reader.knows_things = listing.knows_things
        return reader


COCO_PANOPTIC = PanopticLayout(
    "coco-panoptic",
    "panoptic_annotations_trainval2017.zip unpacks to annotations/panoptic_val2017.json and panoptic_val2017.zip beside"
    " it, which unpacks to panoptic_val2017/*.png; photos as for coco (Kirillov et al., Panoptic Segmentation, CVPR"
    " 2019).",
    ("annotations/panoptic_*.json", "annotations/panoptic_*/*.png", "*2017/*.jpg"),
    min_area=COCO.min_area,
)


def _panoptic_files(root: Path) -> list[Path]:
    folder = find_folder(root, "annotations")
    places = [root / folder, root] if folder else [root]
    return next((files for place in places if (files := looking.files_in(place, "panoptic_", ".json"))), [])


def _find_pngs(file: Path, annotations: list[Any]) -> Path:
    """The folder that holds most of the PNGs: called after the file beside it or one above, or the file's own.

    Raises:
        UsageError: none holds any.
    """
    names = [name for each in annotations if (name := _png_name(each))]
    lookup = Look()
    tried = [file.with_suffix(""), file.parent.parent / file.stem, file.parent]
    held = {folder: sum(lookup.holds(folder, name) for name in names) for folder in tried}
    best = max(tried, key=held.__getitem__)
    if names and not held[best]:
        raise UsageError(
            f"{file}: its PNGs, such as {names[0]}, are in none of {', '.join(map(str, tried))}; "
            f"unpack {file.stem}.zip beside it"
        )
    return best


def _png_name(annotation: Any) -> str | None:
    name = annotation.get("file_name") if isinstance(annotation, dict) else None
    return name.replace("\\", "/") if isinstance(name, str) and name and "\0" not in name else None


class PanopticListing(Listing):
    """The bookkeeping of one panoptic file: segments are its annotations, numbered within their photo.

    Args:
        label: of the source.
        file: the panoptic file.
        folder: of the photos.
        pngs: folder of the PNGs.

    Attributes:
        knows_things: whether the file calls a category a thing; where it calls none so, all segments are objects.
    """

    knows_things = True

    def __init__(self, label: str, file: Path, folder: PhotoFolder, pngs: Path):
        super().__init__(label, file, folder)
        self.pngs = pngs

    def _objects(self, document: Mapping[str, Any], ids: Ids) -> Objects:
        """Image id -> its segments."""
        categories = document.get("categories")
        listed = [each for each in categories if isinstance(each, dict)] if isinstance(categories, list) else []
        self.knows_things = any(each.get("isthing") in (1, "1") for each in listed)
        stuff = _stuff(listed) if self.knows_things else {}
        objects: Objects = {}
        lookup = Look()
        for position, each in enumerate(document["annotations"]):
            key = self._of_entry("annotation", position)
            image = image_id(each.get("image_id")) if isinstance(each, dict) else None
            name = _png_name(each)
            if image is None or name is None or not isinstance(each.get("segments_info"), list):
                detail = f"annotation {position} lacks `image_id`, `file_name` or the list `segments_info`"
                self._fail(key, [], "broken annotation", detail)
                continue
            image, segments = ids.meant(image), list(self._segments(key, each["segments_info"], name, stuff))
            if image in objects:
                self._fail(key, segments, "duplicate annotation", f"annotation {position} is the second of {image!r}")
            elif not lookup.holds(self.pngs, name):
                detail = f"{str(PurePosixPath(name))!r} is not in the folder of PNGs"
                self._fail(key, segments, "missing mask", detail)
            else:
                objects[image] = segments
        return objects

    def _segments(self, key: str, segments: list[Any], name: str, stuff: Mapping[int, str]) -> Iterator[Annotation]:
        seen = set()
        for place, each in enumerate(segments):
            number = whole(each.get("id")) if isinstance(each, dict) else None
            if number is None or number <= VOID or number in seen:
                lacks = "has the id of another" if number in seen else "has no `id`, a whole number above 0"
                self._fail(f"{key}-{place}", [], "broken segment", f"segment {place} of {name} {lacks}")
                continue
            seen.add(number)
            kept: Annotation = {"id": number, "segmentation": name, "iscrowd": 1 if each.get("iscrowd") else 0}
            if kind := stuff.get(whole(each.get("category_id")) or 0):
                kept["stuff"] = kind
            yield kept


def _stuff(categories: list[dict[str, Any]]) -> dict[int, str]:
    """Id of a category -> its name, for those that are called no thing."""
    numbers = ((whole(each.get("id")), each) for each in categories if each.get("isthing") in (0, "0"))
    return {number: str(each.get("name") or f"category {number}") for number, each in numbers if number is not None}


class PanopticReader(CocoReader):
    """Photos of a panoptic file with their segments; records are those of instances, with PNGs for outlines.

    Void, and segments that the file does not list, are the ignore region of every object of the photo.

    Attributes:
        knows_things: as of `PanopticListing`.
    """

    opened_with = ("doubts", "knows_things")
    knows_things = True

    def annotation_files(self, record: Record) -> Sequence[str]:
        """Its PNG; see the base class."""
        return [each["segmentation"] for each in record.annotation["objects"][:1]]

    def _told(self, record: Record, drawn: list[Annotation]) -> Iterator[Note]:
        yield from super()._told(record, drawn)
        if not self.knows_things:
            yield Note(record.key, NO_THINGS, f"{record.image}: {len(drawn)} segments; set `isthing` of `categories`")

    def _drawing(self, record: Record, photo: Photo) -> Drawing:
        return Segments(record, photo, self.options.drawn_on(self.label), self.root, self.options.max_pixels)


class Segments(Drawing):
    """The PNG of one photo on its way to masks of the upright photo; the attributes are those of `Drawing`.

    Raises:
        ItemError: it cannot be read, holds no colours, or has another size than its photo.
    """

    def __init__(self, record: Record, photo: Photo, asked: str | None, pngs: Path, max_pixels: int):
        super().__init__(record, photo, asked)
        objects = record.annotation["objects"]
        place = str(objects[0]["segmentation"])
        where, data, header = load_picture_file(beneath(pngs, place), f"{pngs.name}/{place}", max_pixels, record.key)
        pixels = decoded(data, UNTURNED)
        if pixels is None or header.form != "PNG" or header.mode not in ("RGB", "RGBA", "P"):
            found = f"{header.form} of mode {header.mode}"
            raise where.failed("mask", "no panoptic PNG", f"{found}, expected a PNG whose RGB values are segment ids")
        self._data, self._where = data, where
        self._plane = align(_ids(pixels), header.orientation, photo, asked or "stored")
        if self._plane.shape != photo.size:
            sizes = f"picture is {self._plane.shape}, photo is {photo.size}, expected equal (H, W)"
            raise where.failed("mask", "size mismatch", sizes)
        unlisted = np.setdiff1d(self._plane, [VOID, *(each["id"] for each in objects)])
        void = np.isin(self._plane, [VOID, *unlisted]).astype(np.uint8)
        self.ignore = void if void.any() else None
        is_told = asked or header.orientation or photo.orientation == 1 or stored_size(photo) != photo.size
        self.notes = (
            [] if is_told else [Note(record.key, TURNED, f"{record.image}: EXIF orientation {photo.orientation}")]
        )
        if unlisted.size:
            shown = ", ".join(map(str, unlisted[:3].tolist()))
            pixels_of = area(np.isin(self._plane, unlisted).astype(np.uint8))
            text = f"{where.path}: {unlisted.size} of them, {shown} …, {pixels_of} pixels"
            self.notes.append(Note(record.key, UNLISTED, text))

    def crc32(self, annotations: Annotation | list[Annotation]) -> int:
        """CRC-32 of the entries and of the PNG."""
        return zlib.crc32(self._data, super().crc32(annotations))

    def mask(self, annotation: Annotation) -> Mask:
        """The mask of one segment: (H, W) uint8, 0 or 1, not empty, of the upright photo.

        Raises:
            ItemError: it has no pixel.
        """
        mask: Mask = (self._plane == annotation["id"]).astype(np.uint8)
        if not mask.any():
            key = object_key(self._where.key, annotation["id"])
            detail = f"{self._where.path}: segment {annotation['id']} has no pixel"
            raise ItemError(Problem(key, "left-out", "mask", "empty mask", detail))
        return mask


def _ids(pixels: NDArray[Any]) -> NDArray[np.int64]:
    """(H, W) ids of segments, R + 256 G + 65536 B, of (H, W, 3) uint8 BGR.

    Source: panopticapi, `utils.py`, rgb2id.
    """
    blue, green, red = (pixels[..., channel].astype(np.int64) for channel in range(3))
    return red + 256 * green + 65536 * blue
