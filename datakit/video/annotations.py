"""Masks that somebody drew for a video: which object is where, as a data set or a paint program has saved it.

Here a picture is taken as it was meant, soft edges and colours included; where ids must mean what they say, as in
scores, `labels` reads and refuses.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..arrays import Labels
from ..datasets.masks import label_plane
from ..errors import DatakitError, ItemError
from ..headers import Place
from ..images import MaskFile, read_colours, read_mask, turn
from .palette import palette

MAX_PIXELS = 100_000_000
THRESHOLD = 127  # soft edges are cut in the middle
OPAQUE = 127  # alpha above this is paint
FEWEST = 4  # pixels among equals, before a colour is an object's and not a rim's
ALIKE = 24  # distance in RGB below which two colours are one
MOST_OBJECTS = 254


def read_annotation(path: Path) -> Labels:
    """Objects of a drawn mask.

    * palette: indices are ids, 255 is void;
    * grey with one value beside 0: object 1; with small values: ids, and beside them 255 is void;
    * more greys: a soft edge, cut in the middle; object 1;
    * colours: every flat colour is an object, black or transparent (where neither is there, the colour of most of
      the border) is none, and a soft edge belongs to the nearer colour. The colours of DAVIS's palette keep their
      ids; others are counted from 1, from the largest object to the smallest.

    Returns:
        (H, W) uint8 ids; void is 0.

    Raises:
        DatakitError: it cannot be read, holds no object, or too many colours.
    """
    try:
        labels = _read(path)
    except ItemError as error:
        raise DatakitError(f"{error.problem.detail}; a mask is a PNG with the object in white on black") from None
    if not labels.any():
        raise DatakitError(f"{path}: the mask is empty, no pixel belongs to an object; draw it in white on black")
    return labels


def _read(path: Path) -> Labels:
    try:
        stored = read_mask(path, str(path), MAX_PIXELS)
    except ItemError as error:
        if error.problem.reason != "colour mask":
            raise
        return _objects_of(read_colours(path, str(path), MAX_PIXELS), Place(str(path), str(path)))
    plane = turn(stored.plane, stored.orientation)
    if stored.coding == "grey" and len(np.unique(plane[plane > 0])) == 1:
        return (plane > 0).view(np.uint8)
    return label_plane(MaskFile(plane, stored.coding, 0, stored.source_crc32), THRESHOLD, ids=True).labels


def _objects_of(pixels: NDArray[np.uint8], where: Place) -> Labels:
    """Labels of an (H, W, 4) RGBA picture."""
    painted = pixels[..., 3] > OPAQUE
    packed = pixels[..., :3].astype(np.int32) @ np.array([65536, 256, 1], np.int32)
    order = _flat_colours(packed, painted)
    if not 0 < len(order) <= MOST_OBJECTS:
        fault = f"holds {len(order)} flat colours, expected one for each object"
        raise where.failed("mask", "colour mask", f"{fault}; save it without loss, as PNG")
    colours = np.unique(packed[painted])
    nearest = _nearest(colours, order)
    ground = None if not painted.all() else _ground(packed, order)
    ids = _ids_of([int(colour) for colour in order], ground)
    labels = np.zeros(packed.shape, np.uint8)
    labels[painted] = ids[nearest][np.searchsorted(colours, packed[painted])]
    return labels


def _flat_colours(packed: NDArray[np.int32], painted: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Colours that fill an area, the largest first; those of rims have no pixel among equals."""
    inside = painted.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            inside &= (np.roll(packed, step, axis) == packed) & np.roll(painted, step, axis)
    colours, counts = np.unique(packed[inside], return_counts=True)
    flat: list[int] = []
    for colour in colours[np.argsort(-counts, kind="stable")].tolist():
        apart = ((_unpacked(np.array(flat, np.int32)) - _unpacked(np.array([colour], np.int32))) ** 2).sum(axis=1)
        if counts[colours == colour][0] >= FEWEST and (apart > ALIKE**2).all():
            flat.append(colour)
        if len(flat) > MOST_OBJECTS:
            break
    return np.array(flat, np.int32)


def _nearest(colours: NDArray[np.int32], flat: NDArray[np.int32]) -> NDArray[np.int64]:
    """For each packed colour the place of the most alike flat one."""
    distance = ((_unpacked(colours)[:, None] - _unpacked(flat)[None]) ** 2).sum(axis=2)
    nearest: NDArray[np.int64] = distance.argmin(axis=1)
    return nearest


def _unpacked(colours: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1)


def _ground(packed: NDArray[np.int32], flat: NDArray[np.int32]) -> int:
    """The flat colour that is no object: black, or that of most of the border."""
    if 0 in flat:
        return 0
    border = np.concatenate([packed[0], packed[-1], packed[:, 0], packed[:, -1]])
    return int(flat[np.argmax([np.count_nonzero(border == colour) for colour in flat])])


def _ids_of(flat: list[int], ground: int | None) -> NDArray[np.uint8]:
    """Id of each flat colour: its own in the palette where all are in it, else by order."""
    known = {int(c): k for k, c in reversed(list(enumerate(_palette_packed())))}
    objects = [colour for colour in flat if colour != ground]
    if all(known.get(colour, 0) for colour in objects):
        ids = {colour: known[colour] for colour in objects}
    else:
        ids = {colour: number for number, colour in enumerate(objects, 1)}
    return np.array([ids.get(colour, 0) for colour in flat], np.uint8)


def _palette_packed() -> NDArray[np.int32]:
    return np.array(palette(), np.int32).reshape(-1, 3) @ np.array([65536, 256, 1], np.int32)
