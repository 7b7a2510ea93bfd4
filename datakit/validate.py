"""What is legal in a source and yet worth a look: whole-photo masks, thresholded greys, turned or re-encoded photos.

Damage and choices are the readers' problems; a remark costs nothing but attention. Duplicates are `duplicates`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .arrays import Mask, area
from .datasets import AnyReader, Record
from .duplicates import is_flat
from .errors import ItemRef
from .formats import JPEG_START
from .headers import read_file
from .jpeg import jpeg_complaint
from .masks import MANY_OBJECTS
from .places import beneath
from .samples import Photo, Sample, Scene

TINY = 100  # pixels: a disc of 11 across, whose guide mask is mostly dilation
OWN_CHOICE = ("", "rotated", "resized", "recoded")  # normalised for reasons that are said elsewhere or were asked for

REASONS: Mapping[str, str] = {
    "full mask": "the mask covers the whole photo",
    "mask touches all borders": "the mask reaches all four borders; is it inverted?",
    "many objects": f"more than {MANY_OBJECTS} objects in one photo; smoothed edges look like that",
    "tiny object": f"fewer than {TINY} pixels",
    "soft mask": "grey levels between ground and object were thresholded",
    "EXIF-rotated photo": "the photo is turned upright and stored anew, its mask is turned with it",
    "normalised photo": "the photo is stored anew as PNG",
    "flat photo": "too plain to be compared with other photos",
    "decoder complaint": "libjpeg complains of bytes that cost no pixel",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something legal that deserves a look.

    Attributes:
        key: sample or photo key.
        reason: one of `REASONS`, for `normalised photo` with the reason of that behind a colon; or a reader's note's.
        detail: the whole sentence.
    """

    key: str
    reason: str
    detail: str


def remarks(reader: AnyReader, record: Record, scene: Scene) -> Iterator[Notice]:
    """All remarks on one photo and its objects.

    Args:
        reader: where the scene comes from; photo and mask file are read once more, to hear the decoder and to see
            grey levels.
        record: of the photo.
        scene: as the reader gave it.
    """
    yield from (Notice(note.key, note.reason, note.detail) for note in scene.notes)
    if not scene.samples:
        return
    photo = scene.samples[0].photo
    yield from _of_photo(scene.key, record.image, photo)
    encoded = read_file(
        beneath(reader.images, record.image), ItemRef(scene.key, record.image), reader.options.max_pixels
    )
    if encoded.startswith(JPEG_START) and (complaint := jpeg_complaint(encoded)):
        yield Notice(scene.key, "decoder complaint", f"{record.image}: {complaint}")
    if len(scene.samples) > MANY_OBJECTS:
        yield Notice(scene.key, "many objects", f"{scene.key}: {len(scene.samples)} objects; are all of them meant?")
    for sample in scene.samples:
        yield from _of_mask(sample)
    soft = reader.soft_mask(record)
    if soft is not None:
        threshold = f"foreground is above --threshold {reader.options.threshold}"
        yield Notice(scene.key, "soft mask", f"{soft.path}: {soft.levels} grey levels, {threshold}")


def _of_photo(key: str, path: str, photo: Photo) -> Iterator[Notice]:
    if photo.orientation > 1:
        yield Notice(key, "EXIF-rotated photo", f"{path}: EXIF orientation {photo.orientation}")
    if photo.normalised not in OWN_CHOICE:
        yield Notice(key, f"normalised photo: {photo.normalised}", f"{path}: {REASONS['normalised photo']}")
    if is_flat(photo.pixels):
        yield Notice(key, "flat photo", f"{path}: {REASONS['flat photo']}")


def _of_mask(sample: Sample) -> Iterator[Notice]:
    pixels = area(sample.mask)
    if pixels == sample.mask.size:
        yield Notice(sample.key, "full mask", f"{sample.key}: {REASONS['full mask']}")
    elif touches_all_borders(sample.mask):
        yield Notice(sample.key, "mask touches all borders", f"{sample.key}: {REASONS['mask touches all borders']}")
    if pixels < TINY:
        yield Notice(sample.key, "tiny object", f"{sample.key}: {pixels} pixels")


def touches_all_borders(mask: Mask) -> bool:
    """Whether an (H, W) uint8 mask has foreground on each of its four borders, as inverted ones do."""
    return all(border.any() for border in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))
