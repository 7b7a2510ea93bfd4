"""Flat areas and thin rims in a picture of values: what tells an object from the soft edge of one.

An object fills an area with one value. The rim that smoothing leaves around it is a pixel or two wide, and each of
its values stands there for a few pixels only. What follows from it for a mask is left to `values`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SQUARE = np.ones((3, 3), np.uint8)
NEIGHBOURS = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx)
SHARE_OF_AREA = 0.02  # of a value's pixels that have only equals around them, before it fills an area
REACH = 3  # pixels from a flat area within which a mixed pixel belongs to it
LARGEST_RIM = 0.05  # of all objects' pixels, before an id is too large for the rim of another
FEWEST_OF_RIM = 30  # pixels of a rim that is told; real ids of fewer are common
MOSTLY_BETWEEN = 0.8  # of a rim's pixels with a lower and a higher value beside them
BESIDE = 8  # a difference of two neighbours, of 255, that a gradient may have


@dataclass(frozen=True)
class Areas:
    """A picture of values, seen by what fills an area.

    Attributes:
        plane: (H, W) uint8 or uint16; 0 is ground.
        values: all that occur beside 0, ascending.
    """

    plane: NDArray[Any]
    values: tuple[int, ...]

    @cached_property
    def inner(self) -> NDArray[np.bool_]:
        """(H, W) whether all eight neighbours are equal to the pixel; those beyond the border count as equal."""
        return cv2.erode(self.plane, SQUARE) == cv2.dilate(self.plane, SQUARE)  # type: ignore[no-any-return]

    @cached_property
    def flat(self) -> tuple[int, ...]:
        """The values that fill an area."""
        total, inside = counts(self.plane), counts(self.plane[self.inner])
        return tuple(v for v in self.values if inside.get(v, 0) and inside[v] >= SHARE_OF_AREA * total[v])

    @cached_property
    def thin(self) -> tuple[int, ...]:
        """The values that fill none."""
        return tuple(sorted(set(self.values) - set(self.flat)))

    @cached_property
    def is_thin(self) -> NDArray[np.bool_]:
        """(H, W) whether a pixel has a thin value."""
        return np.isin(self.plane, self.thin)

    @property
    def speckled(self) -> float:
        """Share of the thin pixels with at most one equal neighbour: high in a rim, low where something was drawn."""
        like = np.zeros(self.plane.shape, np.uint8)
        padded = np.pad(self.plane.astype(np.int32), 1, constant_values=-1)
        for shifted in around(padded):
            like += shifted == self.plane
        return float((like[self.is_thin] <= 1).mean()) if self.thin else 0.0

    @property
    def climbing(self) -> float:
        """Share of the thin pixels with a higher value beside them, as all of a soft edge have."""
        higher = np.asarray(cv2.dilate(self.plane, SQUARE) > self.plane)
        return float(higher[self.is_thin].mean()) if self.thin else 0.0

    def rimmed(self, value: int) -> float:
        """Share of the outline of a value's area that has thin pixels beside it."""
        area = (self.plane == value).view(np.uint8)
        outside = cv2.dilate(area, SQUARE) - area
        return float(self.is_thin[outside > 0].mean()) if outside.any() else 0.0

    @property
    def gradual(self) -> float:
        """Share of unequal neighbours beside ground that differ by a step or two, as in a gradient."""
        scale = 257 if self.plane.dtype == np.uint16 else 1
        small = unequal = 0
        plane = self.plane.astype(np.int32)
        for a, b in ((plane[1:], plane[:-1]), (plane[:, 1:], plane[:, :-1])):
            step = np.abs(a - b)[(a > 0) & (b > 0) & (a != b)]
            unequal += step.size
            small += int(np.count_nonzero(step <= BESIDE * scale))
        return small / unequal if unequal else 0.0


def areas_of(plane: NDArray[Any]) -> Areas:
    """The areas of an (H, W) uint8 or uint16 picture of values."""
    return Areas(plane, tuple(value for value in counts(plane) if value))


def rims_of_ids(labels: NDArray[Any], ids: Sequence[int]) -> tuple[int, ...]:
    """Ids that look like what lies between two others after a mask was resized smoothly: thin lines of a middle value.

    Args:
        labels: (H, W) uint8 or uint16; 0 is ground.
        ids: those that occur, ascending.
    """
    found = counts(labels)
    most = LARGEST_RIM * sum(found[number] for number in ids)
    may_be = [number for number in ids[:-1] if FEWEST_OF_RIM <= found[number] <= most]
    if not may_be:
        return ()
    thin = set(Areas(labels, tuple(ids)).thin)
    highest, lowest = cv2.dilate(labels, SQUARE), cv2.erode(labels, SQUARE)
    is_between = np.asarray((highest > labels) & (lowest < labels))
    return tuple(n for n in may_be if n in thin and is_between[labels == n].mean() >= MOSTLY_BETWEEN)


def counts(values: NDArray[Any]) -> dict[int, int]:
    """Value -> how often it occurs, ascending."""
    if values.dtype == np.uint8 and values.size:  # without the sorting of `unique`, eight times as fast
        found = cv2.calcHist([np.atleast_2d(values)], [0], None, [256], [0, 256]).ravel()
        return {int(value): int(found[value]) for value in np.flatnonzero(found)}
    each, how_often = np.unique(values, return_counts=True)
    return dict(zip(each.tolist(), how_often.tolist(), strict=True))


def around(padded: NDArray[Any]) -> list[NDArray[Any]]:
    """The eight pictures of neighbours of a picture that was padded by one pixel."""
    H, W = padded.shape[0] - 2, padded.shape[1] - 2
    return [padded[1 + dy : 1 + dy + H, 1 + dx : 1 + dx + W] for dy, dx in NEIGHBOURS]


def between(pixels: NDArray[np.uint8], is_flat: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W): whether a pixel's colour lies between those of the flat areas near by, as a mixed one does.

    Args:
        pixels: (H, W, 3) uint8.
        is_flat: (H, W), which of them are of flat areas.
    """
    square = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
    highest = cv2.dilate(np.where(is_flat[..., None], pixels, np.uint8(0)), square).astype(np.int16)
    lowest = cv2.erode(np.where(is_flat[..., None], pixels, np.uint8(255)), square).astype(np.int16)
    inside: NDArray[np.bool_] = (pixels <= highest + BESIDE) & (pixels >= lowest - BESIDE)
    return np.asarray(inside.all(axis=2))


def assign_edges(pixels: NDArray[np.uint8], owner: NDArray[np.int32], colours: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Give every pixel that belongs to no flat area to the most alike of those near by, else to the nearest.

    Args:
        pixels: (H, W, 3) uint8.
        owner: (H, W) number of the flat area's colour, -1 where a pixel has none.
        colours: (K, 3) uint8, of the flat areas.

    Returns:
        (H, W) int32, `owner` without -1; unchanged where there is no flat area.
    """
    is_open = owner < 0
    if not is_open.any() or is_open.all():
        return owner
    square = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
    least = np.full(owner.shape, np.iinfo(np.int32).max, np.int32)
    settled = owner.copy()
    for number, colour in enumerate(colours.astype(np.int32)):
        near = is_open & (cv2.dilate((owner == number).view(np.uint8), square) > 0)
        far = ((pixels[near].astype(np.int32) - colour) ** 2).sum(axis=1)
        better = far < least[near]
        rows, columns = (index[better] for index in np.nonzero(near))
        least[rows, columns], settled[rows, columns] = far[better], number
    return _nearest(settled)


def _nearest(owner: NDArray[np.int32]) -> NDArray[np.int32]:
    """The owner of the nearest pixel that has one, for those that have none."""
    is_open = (owner < 0).view(np.uint8)
    if not is_open.any():
        return owner
    _, cell = cv2.distanceTransformWithLabels(is_open, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    owners = np.full(int(cell.max()) + 1, -1, np.int32)
    owners[cell[is_open == 0]] = owner[is_open == 0]
    nearest: NDArray[np.int32] = owners[cell]
    return nearest
