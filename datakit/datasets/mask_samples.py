"""From a decoded mask file to samples: how it lies on its photo, and a sample for each of its objects.

Decoding is left to `mask_files`, what values mean to `masks`, which file belongs to which photo to `listing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from ..arrays import area
from ..errors import ItemRef, Problem
from ..images import turn
from ..keys import object_key, source_of
from ..mask_files import MaskFile
from ..masks import LabelMap, Policy, decode, is_unnumbered, rims_of_ids, why_empty
from ..samples import Note, Photo, Sample, Scene
from .reader import ReadOptions

MOST_SHOWN = 8  # colours that a message names
LEAST_SCALED = 0.1  # difference of a mask's scale from 1, before it counts as resized


def stored_size(photo: Photo) -> tuple[int, int]:
    """(H, W) of the photo as its file stores it, before EXIF turned it upright."""
    return photo.size[::-1] if photo.orientation >= 5 else photo.size


def align(plane: NDArray[Any], own_orientation: int, photo: Photo, drawn: str = "stored") -> NDArray[Any]:
    """Turn a mask the way its photo was turned.

    A mask with an EXIF orientation of its own follows that. Else it is turned with the photo when it has the
    size the photo has in its file, and kept when it already has the upright size. Where both are equal
    (square photos, half turns) `drawn` decides: mask files lie on the stored pixels, as nearly every tool that
    writes them reads photos.

    Args:
        plane: (H, W), or (H, W, C).
        own_orientation: EXIF orientation of the mask file, 0 where it carries none.
        photo: the upright photo.
        drawn: `stored` or `upright`: what the mask was drawn on, where its size does not tell.
    """
    if own_orientation:
        return turn(plane, own_orientation)
    if photo.orientation == 1:
        return plane
    is_stored = plane.shape[:2] == stored_size(photo) and not (drawn == "upright" and stored_size(photo) == photo.size)
    return turn(plane, photo.orientation) if is_stored else plane


def scene_of(where: ItemRef, photo: Photo, mask: MaskFile, options: ReadOptions, policy: Policy) -> Scene:
    """The objects of one mask file as samples of its photo.

    Args:
        where: key of the photo, path of the mask file.
        photo: the upright photo.
        mask: its mask file.
        options: what grey values are, threshold, and whether objects are merged.
        policy: what the layout asks of masks.

    Raises:
        ItemError: mask and photo differ in size, or it cannot be told which pixels are which object.
    """
    plane, notes = mask.plane, tuple[Note, ...]()
    if mask.orientation or photo.orientation != 1:
        drawn = options.drawn_on(source_of(where.key))
        plane = align(plane, mask.orientation, photo, drawn or "stored")
        notes = () if drawn or mask.orientation else _turned(where, photo)
    if plane.shape[:2] != photo.size:
        sizes = f"mask is {plane.shape[:2]}, photo is {photo.size}, expected equal (H, W)"
        raise where.failed("mask", "size mismatch", sizes + _scaled(plane.shape[:2], photo.size))
    mask = replace(mask, plane=plane)
    found = decode(mask, options, where, policy)
    if not found.ids:
        detail = f"{where.path}: {why_empty(plane, found, options)}"
        return Scene(where.key, (), (Problem(where.key, "left-out", "mask", "empty mask", detail),))
    if found.colours or found.mixed:
        notes += tuple(_of_colours(where, found))
    if found.ignore is not None and options.grey == "ids":
        reason = "masks with 255, which is void and no object beside ids"
        notes += (Note(where.key, reason, f"{where.path}: {area(found.ignore)} pixels"),)
    if options.objects == "merged" or is_unnumbered(mask, found, policy):
        sample = Sample(where.key, where.key, photo, found.merged(), 1, mask.source_crc32, found.ignore)
        return Scene(where.key, (sample,), notes=notes)
    if rims := rims_of_ids(found.labels, found.ids):
        reason = "ids that may be rims of others; was the mask resized smoothly? (if so: resize by nearest neighbour)"
        notes += (
            Note(where.key, reason, f"{where.path}: {', '.join(map(str, rims))} of {', '.join(map(str, found.ids))}"),
        )
    samples = (
        Sample(
            key=object_key(where.key, number),
            photo_key=where.key,
            photo=photo,
            mask=found.mask_of(number),
            object_id=number,
            source_crc32=mask.source_crc32,
            ignore=found.ignore,
        )
        for number in found.ids
    )
    return Scene(where.key, tuple(samples), notes=notes)


def _scaled(mask: tuple[int, ...], photo: tuple[int, int]) -> str:
    """How to mend a mask that has the shape of its photo at another scale; empty where it has another shape.

    Each side may be rounded: within 1 pixel of the smaller picture. A mask of nearly its photo's size may be cut.
    """
    scale = max(mask) / max(photo)
    off = max(abs(ours - theirs * scale) for ours, theirs in zip(mask, photo, strict=True))
    if abs(scale - 1) < LEAST_SCALED or off > max(1.0, scale):
        return ""
    how = "enlarge" if scale < 1 else "reduce"
    return f"; it is {scale:.3g} times the photo's size: {how} it to {photo[1]}x{photo[0]} by nearest neighbour"


def _of_colours(where: ItemRef, found: LabelMap) -> Iterator[Note]:
    """What to tell of a mask in colours: that each is an object, and of edges that are none."""
    if found.colours:
        shown = ", ".join(f"{number} is {colour}" for number, colour in sorted(found.colours.items())[:MOST_SHOWN])
        more = f" and {len(found.colours) - MOST_SHOWN} more" if len(found.colours) > MOST_SHOWN else ""
        reason = (
            "masks in colours: each flat colour but the ground is one object, numbered in order of "
            "red + 256 green + 65536 blue"
        )
        yield Note(where.key, reason, f"{where.path}: {shown}{more}")
    if found.mixed:
        reason = "masks in colours with soft edges, whose pixels belong to the most alike area beside them"
        yield Note(where.key, reason, f"{where.path}: {found.mixed} pixels of mixed colours")


def _turned(where: ItemRef, photo: Photo) -> tuple[Note, ...]:
    """What to tell where EXIF turns a photo and the size of its mask does not say which way that lies."""
    if stored_size(photo) != photo.size:
        return ()
    reason = (
        "photos turned by EXIF, masks fit both ways: read as drawn on the photo as stored (if not: --annotated upright)"
    )
    return (Note(where.key, reason, f"{where.path}: EXIF orientation {photo.orientation}, {photo.size}"),)
