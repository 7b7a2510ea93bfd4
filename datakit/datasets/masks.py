"""From a decoded mask file to samples: what is foreground, which object is which, how it lies on its photo.

Decoding is left to `images`; which file belongs to which photo to `listing`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Labels, Mask
from ..images import MaskFile, Place, turn
from ..samples import Photo, Problem, Sample, Scene
from .reader import ReadOptions

VOID = 255  # VOC and DAVIS: pixels nobody judges
LARGEST_GREY_ID = 32  # object ids saved without their palette; no soft mask is as dark as this everywhere


class LabelPlane(NamedTuple):
    """Objects of a mask: (H, W) uint8 ids, void as (H, W) 0/1 or None, and whether the ids number objects."""

    labels: Labels
    ignore: Mask | None
    numbered: bool


def label_plane(mask: MaskFile, threshold: int, ids: bool = False) -> LabelPlane:
    """Decide what is foreground, from the values the mask holds.

    * palette: indices are object ids, 255 is void;
    * one value beside 0 (0/1, 0/255, 0/128 …): that value is the one object;
    * more grey levels: a soft mask, foreground above the threshold (16-bit values are brought to 0..255 first);
    * grey ids, only where the layout numbers objects (`ids`): values up to 32, and 255 for void.

    Args:
        mask: as its file stores it.
        threshold: 0..254.
        ids: whether the layout is one of numbered objects.
    """
    plane = mask.plane
    if plane.dtype != np.uint8 and plane.max(initial=0) <= 255:
        plane = plane.astype(np.uint8)
    top = int(plane.max(initial=0))
    is_top = plane == max(top, 1)
    has_two = np.count_nonzero(is_top) == np.count_nonzero(plane)
    if mask.coding == "palette" or (ids and not (has_two and top == VOID) and _are_small_ids(plane)):
        void = plane == VOID
        labels = np.where(void, np.uint8(0), plane).astype(np.uint8)
        return LabelPlane(labels, void.view(np.uint8) if void.any() else None, True)
    if has_two:
        return LabelPlane(is_top.view(np.uint8), None, False)
    soft = plane if plane.dtype == np.uint8 else plane // 257
    return LabelPlane((soft > threshold).view(np.uint8), None, False)


def is_soft(mask: MaskFile, ids: bool = False) -> bool:
    """Whether `label_plane` would apply its threshold: grey levels between ground and the highest value."""
    plane = mask.plane
    top = int(plane.max(initial=0))
    is_top = plane == max(top, 1)
    has_two = np.count_nonzero(is_top) == np.count_nonzero(plane)
    return not has_two and mask.coding == "grey" and not (ids and top <= VOID and _are_small_ids(plane))


def _are_small_ids(plane: NDArray[Any]) -> bool:
    return 0 < int(plane[plane != VOID].max(initial=0)) <= LARGEST_GREY_ID


def stored_size(photo: Photo) -> tuple[int, int]:
    """(H, W) of the photo as its file stores it, before EXIF turned it upright."""
    return photo.size[::-1] if photo.orientation >= 5 else photo.size


def align(plane: NDArray[Any], own_orientation: int, photo: Photo) -> NDArray[Any]:
    """Turn a mask the way its photo was turned.

    A mask with an EXIF orientation of its own follows that. Else it is turned with the photo when it has the
    size the photo has in its file, and kept when it already has the upright size. Where both are equal
    (square photos, half turns) it is turned: masks are drawn on the stored pixels by nearly every tool.

    Args:
        plane: (H, W).
        own_orientation: EXIF orientation of the mask file, 0 where it carries none.
        photo: the upright photo.
    """
    if own_orientation:
        return turn(plane, own_orientation)
    is_stored = plane.shape == stored_size(photo)
    return turn(plane, photo.orientation) if is_stored else plane


def scene_of(where: Place, photo: Photo, mask: MaskFile, options: ReadOptions, ids: bool = False) -> Scene:
    """The objects of one mask file as samples of its photo.

    Args:
        where: key of the photo, path of the mask file.
        photo: the upright photo.
        mask: its mask file.
        options: threshold, and whether objects are merged.
        ids: whether the layout is one of numbered objects.

    Raises:
        ItemError: mask and photo differ in size.
    """
    plane = align(mask.plane, mask.orientation, photo)
    if plane.shape != photo.size:
        found = f"mask is {plane.shape}, photo is {photo.size}, expected equal (H, W)"
        raise where.failed("mask", "size mismatch", found)
    decided = label_plane(MaskFile(plane, mask.coding, 0, mask.source_crc32), options.threshold, ids)
    if not np.count_nonzero(decided.labels):  # `any` takes five times as long
        return Scene(where.key, (), (_empty(where, plane, decided, options),))
    if options.objects == "merged" or not decided.numbered:
        whole = (decided.labels > 0).view(np.uint8) if decided.numbered else decided.labels
        return Scene(where.key, (Sample(where.key, where.key, photo, whole, 1, mask.source_crc32, decided.ignore),))
    numbers = np.flatnonzero(np.bincount(decided.labels.ravel(), minlength=256)[1:]) + 1
    samples = (
        Sample(
            key=f"{where.key}#{number}",
            photo_key=where.key,
            photo=photo,
            mask=(decided.labels == number).view(np.uint8),
            object_id=int(number),
            source_crc32=mask.source_crc32,
            ignore=decided.ignore,
        )
        for number in numbers
    )
    return Scene(where.key, tuple(samples))


def _empty(where: Place, plane: NDArray[Any], decided: LabelPlane, options: ReadOptions) -> Problem:
    top = int(plane.max(initial=0))
    why = "every pixel is 0"
    if decided.ignore is not None:
        why = "only void (255), no object"
    elif top:
        why = f"no pixel above the threshold {options.threshold} (highest value {top}); lower it with --threshold"
    return Problem(where.key, "left-out", "mask", "empty mask", f"{where.path}: {why}")
