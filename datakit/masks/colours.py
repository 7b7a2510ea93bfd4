"""Objects drawn in colours: every flat colour is one, soft edges belong to the area beside them.

Colours of the palette that VOC and DAVIS share keep the ids they have there. Which files hold colours is left
to `mask_files`, what else a mask's values can mean to `values`.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Labels
from ..errors import ItemRef
from ..mask_files import OPAQUE
from ..video.palette import palette
from .flat_areas import REACH, SHARE_OF_AREA, around, assign_edges, between

Colour = tuple[int, int, int]
FEWEST = 4  # pixels among equals, before a colour is an object's and not a rim's
ALIKE = 24  # distance in RGB below which two colours are one
MOST_OBJECTS = 254
BY_FAR = 0.6  # of all pixels, before a colour or an index may be the ground for being common
SHARE_OF_SIDE = 0.01  # of all pixels, before an area may be a side of a rim
FEWEST_MIXED = 50  # pixels of no flat colour, before they tell anything
MOST_LOST = 0.25  # of these without an area on either side, in a picture saved without loss
MOSTLY = 0.5  # of what is painted belongs to flat areas, or it is a photo


class ColourLabels(NamedTuple):
    """The objects of a picture in colours.

    Attributes:
        labels: (H, W) uint8 ids, 255 for void.
        colours: id -> its colour, where ids were counted; empty where they are those of the palette.
        mixed: how many painted pixels have the colour of no object, as soft edges leave them.
    """

    labels: Labels
    colours: dict[int, Colour]
    mixed: int


def colour_labels(pixels: NDArray[np.uint8], where: ItemRef) -> ColourLabels:
    """Object ids of a picture in colours: those of the palette, where all of its colours are in it.

    Else they are counted from 1 by red + 256 green + 65536 blue, as long ids are. Where every colour fills an area,
    each is an object, however alike they are; else colours that are nearly one are one. Black is ground; where neither
    black nor anything transparent is there, the ground of unknown colours is that of most of the border.

    Args:
        pixels: (H, W, 4) uint8 RGBA; what is transparent is no object.
        where: for messages.

    Raises:
        ItemError: it holds no flat colour, or too many.
    """
    painted = pixels[..., 3] > OPAQUE
    packed = pixels[..., :3].astype(np.int32) @ np.array([65536, 256, 1], np.int32)
    packed[~painted] = -1
    flat = _exact_colours(packed)
    is_exact = bool(flat)
    if not is_exact:
        flat = _flat_colours(packed)
        flat += _thin_colours(pixels, packed, flat)
    if not 0 < len(flat) <= MOST_OBJECTS:
        fault = f"holds {len(flat)} flat colours, expected one for each object"
        raise where.failed("mask", "colour mask", f"{fault}; save it without loss, as PNG")
    flat.sort(key=lambda colour: unpacked(colour)[::-1])
    owner = np.full(packed.shape, -1, np.int32)
    for number, colour in enumerate(flat):
        owner[packed == colour] = number
    if np.count_nonzero(owner >= 0) < MOSTLY * np.count_nonzero(painted):
        fault = "is no mask: most of its pixels belong to no flat area, as in a photo"
        raise where.failed("mask", "colour mask", f"{fault}; expected a flat colour for each object")
    if not is_exact:
        _refuse_loss(packed, flat, where)
    mixed = int(np.count_nonzero(painted & (owner < 0)))
    owner[~painted] = len(flat)  # so that soft edges may belong to what is transparent as well
    colours = np.concatenate([_unpacked(np.array(flat, np.int32)), np.zeros((1, 3), np.int32)]).astype(np.uint8)
    owner = assign_edges(pixels[..., :3], owner, colours[: len(flat)])
    ids, are_known = _ids_of(flat, _ground(packed, flat, where) if painted.all() else None)
    found: dict[int, Colour] = {}
    if not are_known:
        found = {int(number): unpacked(colour) for number, colour in zip(ids, flat, strict=True) if number}
    return ColourLabels(np.append(ids, np.uint8(0))[owner], found, mixed)


def unpacked(colour: int) -> Colour:
    """Red, green and blue of a packed colour."""
    return colour >> 16, colour >> 8 & 255, colour & 255


def _exact_colours(packed: NDArray[np.int32]) -> list[int]:
    """All colours that occur, the largest first, where each of them fills an area; none where one does not."""
    inside, total = _counted(packed[_is_inside(packed)]), _counted(packed[packed >= 0])
    if len(total) > MOST_OBJECTS:
        return []
    if any(inside.get(colour, 0) < max(FEWEST, SHARE_OF_AREA * count) for colour, count in total.items()):
        return []
    return sorted(inside, key=lambda colour: -inside[colour])


def _counted(packed: NDArray[np.int32]) -> dict[int, int]:
    """Colour -> pixels, in order of colour."""
    colours, counts = np.unique(packed, return_counts=True)
    return dict(zip(colours.tolist(), counts.tolist(), strict=True))


def _is_inside(packed: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether a pixel is painted and those above, left, right and below are of its colour."""
    inside = packed >= 0
    neighbours = around(np.pad(packed, 1, mode="edge"))
    for shifted in (neighbours[1], neighbours[3], neighbours[4], neighbours[6]):
        inside &= shifted == packed
    return inside


def _flat_colours(packed: NDArray[np.int32]) -> list[int]:
    """Colours that fill an area, the largest first; those of rims have no pixel among equals."""
    flat: list[int] = []
    for colour, count in sorted(_counted(packed[_is_inside(packed)]).items(), key=lambda each: -each[1]):
        separate = ((_unpacked(np.array(flat, np.int32)) - _unpacked(np.array([colour], np.int32))) ** 2).sum(axis=1)
        if count >= FEWEST and (separate > ALIKE**2).all():
            flat.append(colour)
        if len(flat) > MOST_OBJECTS:
            break
    return flat


def _refuse_loss(packed: NDArray[np.int32], flat: list[int], where: ItemRef) -> None:
    """Raise ItemError where colours flicker beside one area alone, as only what was saved with loss does.

    The rim that smoothing leaves has an area on either side.
    """
    square = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
    sides = np.zeros(packed.shape, np.uint8)
    for colour in (-1, *flat):
        area = (packed == colour).view(np.uint8)
        if np.count_nonzero(area) >= SHARE_OF_SIDE * packed.size:
            sides += np.asarray(cv2.dilate(area, square), np.uint8)
    mixed = (packed >= 0) & ~np.isin(packed, flat)
    count = np.count_nonzero(mixed)
    if count >= FEWEST_MIXED and np.count_nonzero(mixed & (sides <= 1)) > MOST_LOST * count:
        fault = "holds colours that were saved with loss (as JPEG or WebP), so that no area has one colour"
        raise where.failed("mask", "colour mask", f"{fault}; save it without loss, as PNG, from where it was drawn")


def _thin_colours(pixels: NDArray[np.uint8], packed: NDArray[np.int32], flat: list[int]) -> list[int]:
    """Colours too thin to fill an area that are no mixture of those beside them either: small objects."""
    known = _palette_packed()
    seen = [int(colour) for colour in np.unique(packed) if colour >= 0]
    if all(colour in known for colour in seen):
        return [colour for colour in seen if colour not in flat]
    is_flat = np.isin(packed, flat) | (packed < 0)
    is_mixed = between(pixels[..., :3], is_flat)
    if (packed < 0).any():  # rims on what is transparent mix with anything
        is_mixed |= cv2.dilate((is_flat & (packed >= 0)).view(np.uint8), np.ones((7, 7), np.uint8)) > 0
    separate = packed[~is_flat & ~is_mixed]
    whole = dict(zip(*(part.tolist() for part in np.unique(packed[~is_flat], return_counts=True)), strict=True))
    thin: list[int] = []
    for colour, count in zip(*(part.tolist() for part in np.unique(separate, return_counts=True)), strict=True):
        others = _unpacked(np.array(flat + thin, np.int32))
        distance = ((others - _unpacked(np.array([colour], np.int32))) ** 2).sum(axis=1)
        if count >= FEWEST and 2 * count > whole[colour] and (distance > ALIKE**2).all():
            thin.append(colour)
        if len(flat) + len(thin) > MOST_OBJECTS:
            break
    return thin


def _unpacked(colours: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1)


def _ground(packed: NDArray[np.int32], flat: list[int], where: ItemRef) -> int:
    """The flat colour that is no object: black, also where it is not there and all are of the palette; or the border's.

    Raises:
        ItemError: black is there, and another colour fills most of the picture and of its border.
    """
    if all(colour in _palette_packed() for colour in flat):
        return 0
    border = np.concatenate([packed[0], packed[-1], packed[:, 0], packed[:, -1]])
    on_border = flat[int(np.argmax([np.count_nonzero(border == colour) for colour in flat]))]
    if 0 not in flat or on_border == 0:
        return on_border
    if np.count_nonzero(packed == on_border) >= BY_FAR * packed.size:
        shown = ", ".join(map(str, _unpacked(np.array([on_border]))[0].tolist()))
        fault = f"its ground may be black or ({shown}), which fills most of it; make the ground black"
        raise where.failed("mask", "ambiguous mask", fault)
    return 0


def _ids_of(flat: list[int], ground: int | None) -> tuple[NDArray[np.uint8], bool]:
    """Id of each flat colour: its own in the palette where all are in it, else by order; and which of the two."""
    known = _palette_packed()
    objects = [colour for colour in flat if colour != ground]
    are_known = all(known.get(colour, 0) for colour in objects)
    ids = {colour: known[colour] if are_known else number for number, colour in enumerate(objects, 1)}
    return np.array([ids.get(colour, 0) for colour in flat], np.uint8), are_known


def _palette_packed() -> dict[int, int]:
    """Packed colour -> id."""
    colours = np.array(palette(), np.int32).reshape(-1, 3) @ np.array([65536, 256, 1], np.int32)
    return {int(colour): number for number, colour in reversed(list(enumerate(colours)))}
