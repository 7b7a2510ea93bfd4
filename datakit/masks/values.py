"""What the values of a mask mean: which pixels are which object. One rule for every command that reads masks.

* palette: indices are ids; ground is index 0 where that is black, else what is transparent, or black, or by far the
  commonest; 255 is void where index 0 is black. Flat areas beside rims of mixed colours are read as colours.
* colours: every flat colour is an object, black or transparent none; see `colours`.
* grey, one value beside 0: 255 (or 65535) is one object without a number, any other value the id of one.
* grey, several values: ids, where they count up from 1, or each fills an area; 255 beside small ids is void.
* grey, one bright area with a thin rim, or a gradient: a soft mask, foreground above the threshold.
* 16 bits: multiples of 257 are 8-bit values, others ids.
* JPEG: cannot keep a value; one object, where it is above the threshold.

What cannot be told is refused, and `ReadOptions.values` tells it. What each use makes of it is left to `policies`,
decoding of files to `mask_files`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Labels, Mask
from ..errors import ItemError, ItemRef
from ..mask_files import OPAQUE, MaskFile
from ..video.palette import palette
from .colours import BY_FAR, Colour, colour_labels
from .flat_areas import SQUARE, Areas, areas_of, between, counts

IGNORE_LABEL = 255  # VOC and DAVIS: pixels nobody judges
WHITE = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}
DARK = 32  # no soft mask is as dark as this everywhere
FAINT = 8  # no soft mask has flat areas as faint as this
FEW_RIM_VALUES = 3  # fewer thin values than this are no rim of a palette picture
MANY_RIM_VALUES = 16  # so many thin values, scattered, are a rim
FEWEST_SPECKS = 30  # pixels of one or two shades, before they are what a JPEG of high quality has left
GRADIENT = 64  # more values than this, next to their like, are a gradient
GREYISH = 8  # between red, green and blue of a grey that was stored as a colour
MANY_OBJECTS = 64  # in one picture; more are told before work begins

Nature = Literal["any", "ids", "soft"]


class Values(Protocol):
    """What `ReadOptions` says of mask values."""

    @property
    def threshold(self) -> int: ...
    @property
    def grey(self) -> Literal["auto", "ids", "soft"]: ...


@dataclass(frozen=True)
class LabelMap:
    """The objects of one mask.

    Attributes:
        labels: (H, W) object ids, uint8 or, where there are larger ones, uint16; 0 where no object or `void` is.
        ids: those of the objects, ascending.
        void: (H, W) uint8, 1 where nobody judges; None where every pixel is judged.
        numbered: whether the picture itself numbers its objects; a mask of 0 and 255 shows one object without a
            number, which is called 1.
        soft: whether grey levels were cut at the threshold.
        colours: id -> the colour it was drawn in, where colours of no known palette were counted.
        mixed: of a picture in colours, how many pixels of mixed colours were given to the most alike area beside them.
    """

    labels: NDArray[Any]
    ids: tuple[int, ...]
    ignore: Mask | None = None
    numbered: bool = True
    soft: bool = False
    colours: Mapping[int, Colour] = field(default_factory=dict)
    mixed: int = 0

    def mask_of(self, number: int) -> Mask:
        """(H, W) uint8 0/1: one object."""
        mask: Mask = (self.labels == number).view(np.uint8)
        return mask

    def merged(self) -> Mask:
        """(H, W) uint8 0/1: all objects as one."""
        return self.labels if self.ids == (1,) else (self.labels > 0).view(np.uint8)


def plain_labels(labels: Labels) -> Labels:
    """A label map with nothing but object ids: 255 alone is object 1, as in grey masks, beside other ids it is void.

    Args:
        labels: (H, W) uint8.

    Returns:
        (H, W) uint8; `labels` itself where there is nothing to change.
    """
    if not (labels == IGNORE_LABEL).any():
        return labels
    others = bool(((labels > 0) & (labels < IGNORE_LABEL)).any())
    return np.where(labels == IGNORE_LABEL, np.uint8(not others), labels)


def objects_of(mask: MaskFile, how: Values, where: ItemRef, nature: Nature = "any") -> LabelMap:
    """The objects of a mask.

    Args:
        mask: as its file stores it, turned as one likes.
        how: what its values are, if somebody said so, and the threshold of a soft one, 0..254.
        where: for messages.
        nature: what the set's masks are: `ids` of objects, `soft`, or `any`.

    Raises:
        ItemError: stage `mask`; it cannot be told which pixels are which object.
    """
    if mask.coding == "colour":
        if mask.lossy:
            fault = "is a JPEG or lossy WebP in colours, which keeps no colour; save it anew as PNG"
            raise where.failed("mask", "colour mask", fault)
        return _of_colours(mask.plane, where)
    if mask.coding == "alpha":
        return replace(_cut(mask.plane, how.threshold), soft=len(_values(mask.plane)) > 1)
    if mask.coding == "palette":
        return _of_palette(mask, how, where)
    plane = mask.plane if mask.plane.dtype == np.uint8 else _narrowed(mask.plane, how.grey == "ids")
    return _of_jpeg(plane, how, where, nature) if mask.lossy else _of_grey(plane, mask.plane, how, where, nature)


def objects_in_colours(pixels: NDArray[np.uint8], where: ItemRef) -> LabelMap:
    """The objects of a picture in colours, also where all of these are greys; see `colours.colour_labels`.

    Raises:
        ItemError: it holds no flat colour, or too many.
    """
    labels, colours, mixed = colour_labels(pixels, where)
    return replace(_ids(labels, _values(labels)), numbered=not colours, colours=colours, mixed=mixed)


def _of_grey(plane: NDArray[Any], stored: NDArray[Any], how: Values, where: ItemRef, nature: Nature) -> LabelMap:
    values = _values(plane)
    is_soft = how.grey == "soft" or nature == "soft"
    if not values:
        return LabelMap(np.zeros(plane.shape, np.uint8), (), numbered=False)
    if len(values) == 1:
        if how.grey == "auto" and stored.max() not in (values[0], WHITE[stored.dtype]):
            raise _widened(int(stored.max()), values[0], where)
        if is_soft or values[0] == WHITE[plane.dtype]:
            return LabelMap((plane > 0).view(np.uint8), (1,), numbered=False)
        return LabelMap(plane, (values[0],))
    if how.grey == "ids":
        return _ids(plane, values)
    return _cut(plane, how.threshold) if is_soft else _by_nature(plane, how, where, nature)


def _narrowed(plane: NDArray[Any], as_they_are: bool) -> NDArray[Any]:
    """Values of 16 bits as 8 where these were meant: small ones, or multiples of 257."""
    if plane.max(initial=0) <= 255:
        return plane.astype(np.uint8)
    if as_they_are:
        return plane
    eighth = plane // 257
    return eighth.astype(np.uint8) if np.array_equal(eighth * np.uint16(257), plane) else plane


def _widened(value: int, eighth: int, where: ItemRef) -> ItemError:
    found = f"holds the 16-bit value {value} alone, which may be that id or id {eighth} widened from 8 bits"
    way_out = "say which: --ids takes it as it is; save 8-bit ids in 8 bits"
    return where.failed("mask", "ambiguous mask", f"{found}; {way_out}")


def _values(plane: NDArray[Any]) -> list[int]:
    """The values of a plane beside 0, ascending."""
    top = int(plane.max(initial=0))
    if cv2.sumElems(plane)[0] == top * cv2.countNonZero(plane):  # nearly always one value, or none
        return [top] if top else []
    return [value for value in counts(plane) if value]


def _ids(plane: NDArray[Any], values: list[int]) -> LabelMap:
    """Every value is an id; the highest that the bits allow is void beside others."""
    ignore = WHITE[plane.dtype]
    ids = tuple(value for value in values if value != ignore)
    if len(ids) == len(values):
        return LabelMap(plane, ids)
    is_ignore = plane == ignore
    return LabelMap(np.where(is_ignore, plane.dtype.type(0), plane), ids, is_ignore.view(np.uint8))


def _cut(plane: NDArray[Any], threshold: int) -> LabelMap:
    labels = ((plane if plane.dtype == np.uint8 else plane // 257) > threshold).view(np.uint8)
    return LabelMap(labels, (1,) if labels.any() else (), numbered=False, soft=True)


def _of_jpeg(plane: NDArray[Any], how: Values, where: ItemRef, nature: Nature) -> LabelMap:
    """Light and dark; refused where areas of middling greys may be ids that it could not keep."""
    if how.grey == "ids":
        raise where.failed("mask", "ambiguous mask", "is a JPEG, which keeps no ids; save it anew as PNG")
    if how.grey == "auto" and nature != "soft":
        level = cv2.subtract(cv2.dilate(plane, SQUARE), cv2.erode(plane, SQUARE)) <= FAINT
        middling = level & (plane > DARK) & (plane < 255 - DARK)
        if np.count_nonzero(middling) > 0.05 * max(1, int(np.count_nonzero(plane > DARK))):
            found = "is a JPEG with areas of middling greys, perhaps ids that a JPEG cannot keep"
            raise where.failed("mask", "ambiguous mask", f"{found}; save ids as PNG, or cut a soft mask: --threshold N")
    return replace(_cut(plane, how.threshold), soft=len(_values(plane)) > 1)


def _by_nature(plane: NDArray[Any], how: Values, where: ItemRef, nature: Nature) -> LabelMap:
    """Ids or a soft mask, as several grey values look."""
    areas = areas_of(plane)
    meaning = _wide(areas) if plane.dtype == np.uint16 else _narrow(areas, nature)
    has_ground = nature == "ids" or cv2.countNonZero(plane) < plane.size
    if meaning == "ids" and has_ground:
        return _ids(plane, list(areas.values))
    if meaning == "soft" and (cut := _cut(plane, how.threshold)).ids:  # a soft mask has a bright core
        return cut
    raise ambiguous(areas, where)


def _wide(areas: Areas) -> str:
    """16-bit values that no 8-bit ones were widened to are ids, unless they look smooth all the same."""
    is_rim = len(areas.flat) <= 1 and len(areas.thin) >= MANY_RIM_VALUES
    is_smooth = (is_rim and areas.speckled >= 0.5) or (len(areas.values) > GRADIENT and areas.gradual >= 0.5)
    return "" if is_smooth else "ids"


def _narrow(areas: Areas, nature: Nature) -> str:
    """`ids`, `soft`, or nothing where it cannot be told."""
    ids = [value for value in areas.values if value != IGNORE_LABEL]
    is_dark = max(ids) <= DARK
    if IGNORE_LABEL not in areas.values and is_dark:
        return "" if _has_rims(areas) else "ids"
    if len(areas.values) > GRADIENT and (gradual := areas.gradual) >= 0.5:
        return "soft" if gradual >= 0.9 or areas.climbing >= 0.9 or _is_noise(areas) else _with_thin(areas, [])
    if _are_shades(areas.values):
        return "soft" if _is_noise(areas) else ""
    flat_ids = [value for value in areas.flat if value != IGNORE_LABEL]
    if is_dark and nature == "ids" and (flat_ids or areas.speckled < 0.5):
        return "ids"
    if _is_counted(ids) and len(flat_ids) >= min(2, len(ids)) and not _is_noise(areas):
        if _has_rims(areas):
            return ""
        return "ids" if IGNORE_LABEL not in areas.values or (areas.plane == 0).any() else ""
    if not areas.thin:
        are_ids = IGNORE_LABEL not in areas.values or flat_ids[0] <= FAINT or (len(ids) >= 4 and not _is_graded(ids))
        return "ids" if are_ids and (IGNORE_LABEL not in areas.values or (areas.plane == 0).any()) else ""
    return _with_thin(areas, flat_ids)


def _has_rims(areas: Areas) -> bool:
    """Whether small ids were smoothed, so that what lies between them looks like more ids."""
    if not areas.flat or len(areas.thin) < FEW_RIM_VALUES:
        return False
    return areas.speckled >= 0.5 or (len(areas.thin) >= MANY_RIM_VALUES // 2 and areas.climbing >= 0.6)


def _is_counted(ids: list[int]) -> bool:
    """Whether values are 1, 2, 3 …, with few gaps, as only ids are."""
    return ids[0] <= 2 and len(ids) >= 0.8 * ids[-1]


def _is_graded(values: list[int]) -> bool:
    """Whether values are even steps from black to white, as the mean of a few annotators' masks is."""
    return any(all(abs(value - round(value * n / 255) * 255 / n) <= 1 for value in values) for n in range(2, 17))


def _are_shades(values: Sequence[int]) -> bool:
    """Whether all values are nearly black or nearly white, and not only white, as a lossy format leaves a mask."""
    nearly_white = [value for value in values if IGNORE_LABEL - FAINT <= value < IGNORE_LABEL]
    return (
        bool(nearly_white) and IGNORE_LABEL in values and all(v <= FAINT or v >= IGNORE_LABEL - FAINT for v in values)
    )


def _is_noise(areas: Areas) -> bool:
    """Whether the flat values are but shades of black and white, beside scattered ones as a JPEG has left them."""
    shades = {value for value in areas.values if FAINT < value < IGNORE_LABEL - FAINT}
    are_ends = not shades.intersection(areas.flat) and max(areas.flat, default=0) >= IGNORE_LABEL - FAINT
    nearly_white = any(IGNORE_LABEL - FAINT <= value < IGNORE_LABEL for value in areas.values)
    if not are_ends or not nearly_white:
        return False
    if len(areas.thin) >= (MANY_RIM_VALUES if shades else MANY_RIM_VALUES // 4):
        return areas.speckled >= 0.5
    return not shades and int(np.count_nonzero(areas.is_thin)) >= FEWEST_SPECKS and areas.speckled >= 0.8


def _with_thin(areas: Areas, flat_ids: list[int]) -> str:
    """Values that fill areas beside some that fill none: a soft edge, small objects, or nobody knows."""
    if _is_noise(areas):
        return "soft"
    top = max(areas.values)
    lights = [value for value in areas.flat if value >= top - FAINT]
    if lights and len(lights) == len(areas.flat):  # one area
        rimmed, climbing = areas.rimmed(lights[-1]), areas.climbing
        is_edge = rimmed >= 0.5 or (top == IGNORE_LABEL and (rimmed >= 0.25 or len(areas.thin) >= MANY_RIM_VALUES // 2))
        is_scattered = len(areas.thin) >= MANY_RIM_VALUES and areas.speckled >= 0.5
        is_ringed = top == IGNORE_LABEL and rimmed >= 0.7 and len(areas.thin) >= MANY_RIM_VALUES
        is_soft = is_ringed or (climbing >= 0.9 and is_edge) or (climbing >= 0.5 and is_scattered)
        return "soft" if is_soft and max(areas.thin) > DARK else ""
    is_drawn = (
        areas.speckled < 0.25 and areas.climbing < 0.9 and len(flat_ids) >= 2 and IGNORE_LABEL not in areas.values
    )
    return "ids" if is_drawn else ""


def ambiguous(areas: Areas, where: ItemRef) -> ItemError:
    """The error that says what was found, and how to say what it means."""
    shown = ", ".join(map(str, areas.values[:4])) + (" …" if len(areas.values) > 4 else "")
    found = f"holds {len(areas.values)} grey levels beside 0 ({shown})"
    why = "which may be object ids or a soft mask"
    if cv2.countNonZero(areas.plane) == areas.plane.size:
        why += ", and no pixel is 0, the ground"
    ignore = ", whose 255 is then void" if IGNORE_LABEL in areas.values else ""
    way_out = f"say which: --ids{ignore}, or --threshold N to cut a soft one"
    return where.failed("mask", "ambiguous mask", f"{found}, {why}; {way_out}. A palette PNG leaves no doubt")


def _of_colours(pixels: NDArray[np.uint8], where: ItemRef) -> LabelMap:
    found = objects_in_colours(pixels, where)
    are_greys = all(max(colour) - min(colour) <= GREYISH for colour in found.colours.values())
    return replace(found, colours={}) if are_greys else found


def _of_palette(mask: MaskFile, how: Values, where: ItemRef) -> LabelMap:
    plane = mask.plane.astype(np.uint8, copy=False)
    colours = np.tile(np.array([0, 0, 0, 255], np.uint8), (256, 1))  # of indices beyond the palette nothing is known
    colours[: len(mask.palette)] = mask.palette
    values = _values(plane)
    if how.grey != "ids" and not _is_standard(values, colours):
        if _is_rimmed(Areas(plane, tuple(counts(plane))), colours):
            return _of_colours(colours[plane], where)
        ground = _ground_index(plane, colours, where)
        if not _begins_dark(colours):
            return _renumbered(plane, ground)
    return _ids(plane, values)


def _is_standard(values: list[int], colours: NDArray[np.uint8]) -> bool:
    """Whether all colours that occur are those of the palette that VOC and DAVIS share, and opaque."""
    used, standard = [0, *values], np.array(palette(), np.uint8).reshape(-1, 3)
    return bool((colours[used, 3] > OPAQUE).all() and np.array_equal(colours[used, :3], standard[used]))


def _begins_dark(colours: NDArray[np.uint8]) -> bool:
    """Whether index 0 is black or transparent, as in every palette that is made for ids."""
    return not colours[0, :3].any() or colours[0, 3] <= OPAQUE


def _is_rimmed(areas: Areas, colours: NDArray[np.uint8]) -> bool:
    """Whether flat areas lie beside rims of mixed colours, as antialiasing leaves them."""
    if len(areas.values) <= FEW_RIM_VALUES or len(areas.thin) < FEW_RIM_VALUES or not areas.flat:
        return False
    is_mixed = between(colours[areas.plane][..., :3], ~areas.is_thin)
    return areas.speckled >= 0.5 and float(is_mixed[areas.is_thin].mean()) >= 0.9


def _ground_index(plane: NDArray[np.uint8], colours: NDArray[np.uint8], where: ItemRef) -> int:
    """The index that is no object.

    Raises:
        ItemError: palette and transparency contradict each other, or nothing says which it is.
    """
    found = counts(plane)
    clear = [index for index in found if colours[index, 3] <= OPAQUE]
    black = [index for index in found if not colours[index, :3].any() and colours[index, 3] > OPAQUE]
    if _begins_dark(colours):
        if (0 in black and clear) or (colours[0, 3] <= OPAQUE and black):
            raise _no_ground(where, f"index {clear[0] if clear else 0} is transparent and index {black[0]} black")
        if len(clear) > (0 in clear):
            raise _no_ground(where, f"index {max(clear)} is transparent and is not the first")
        return 0
    common = max(found, key=lambda index: found[index])
    if len(clear) + len(black) > 1:
        raise _no_ground(where, f"indices {', '.join(map(str, sorted(clear + black)))} are black or transparent")
    if clear or (black and (found[common] < BY_FAR * plane.size or common == black[0])):
        return (clear or black)[0]
    if black:
        raise _no_ground(where, f"index {black[0]} is black, and most pixels have index {common}")
    if found[common] < BY_FAR * plane.size:
        raise _no_ground(where, "no index is black, transparent or by far the commonest")
    border = counts(np.concatenate([plane[0], plane[-1], plane[:, 0], plane[:, -1]]))
    on_border = max(border, key=lambda index: border[index])
    if on_border != common:
        raise _no_ground(where, f"most pixels have index {common}, and most of the border index {on_border}")
    return common


def _no_ground(where: ItemRef, why: str) -> ItemError:
    way_out = "make the ground index 0 and black, or take indices as they are (0 is ground, 255 void): --ids"
    return where.failed("mask", "ambiguous mask", f"is a palette picture whose ground is not clear: {why}; {way_out}")


def _renumbered(plane: NDArray[np.uint8], ground: int) -> LabelMap:
    """Indices as ids where that can be: 0, where it is an object, and 255 take the lowest free numbers."""
    objects = [index for index in counts(plane) if index != ground]
    free = iter(sorted(set(range(1, IGNORE_LABEL)) - set(objects)))
    ids = {index: index if index in range(1, IGNORE_LABEL) else next(free) for index in objects}
    table = np.array([ids.get(index, 0) for index in range(256)], np.uint8)
    return LabelMap(table[plane], tuple(sorted(ids.values())))
