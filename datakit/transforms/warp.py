"""From point maps to pixels: any number of warps in a row become one `cv2.remap`.

The inverse map is evaluated on a lattice and upsampled. Lattice values are rounded
before that, to 1/32 px or less: what follows is exact in float32, so the pixels do not hang on how a CPU rounds. Only
the part of the frame that can meet the object is computed. Which maps there are is left to
`affine` and `tps`.
"""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Box
from .object_crop import ObjectCrop

Points = NDArray[np.float64]
Values = NDArray[np.float32]  # (2, h, w): x and y of the inverse map at nodes, as `inverse_at_nodes` gives them
Frame = tuple[float, float, float, float]  # a box like arrays.Box, of any numbers

_STEPS = (8, 4, 2, 1)  # pixels between nodes; node i lies at step * i + (step - 1) / 2, where a resize puts it
_FLAT = 0.006  # most curvature * step² / thickness: IoU with the dense warp stays above 0.99 (benchmarks/warp.py)
_FINEST = 256  # most parts of a pixel that lattice values are rounded to
_LIMIT = 1 << 16  # most parts a value has; with 4 bits of weight for each of two interpolations, float32's 24
_SCRATCH = 1 << 17  # pixels of a strip
_kept = threading.local()


class PointMap(ABC):
    """A warp with its numbers drawn; x and y are float64 pixels and broadcast against each other.

    Attributes:
        keeps_shape: whether figures keep their shape (shifts, rotations, scaling), so that points that were well
            placed stay so.
    """

    keeps_shape: ClassVar[bool] = False

    @abstractmethod
    def forward(self, x: Points, y: Points) -> tuple[Points, Points]:
        """About where points of the mask go; a later spline's control points are carried by it."""

    @abstractmethod
    def inverse(self, x: Points, y: Points) -> tuple[Points, Points]:
        """Where points of the warped mask come from: what pixels are read by."""

    def spread(self, box: Frame) -> Frame:
        """A box that holds where an object in `box` goes; what lands outside is dropped.

        Unless a map knows better: around where the outline of the box goes, with its own size on every side.
        """
        t = np.linspace(0, 1, 9)
        across, down = box[0] + (box[2] - box[0]) * t, box[1] + (box[3] - box[1]) * t
        x = np.concatenate([across, across, np.full(9, box[0]), np.full(9, box[2])])
        y = np.concatenate([np.full(9, box[1]), np.full(9, box[3]), down, down])
        x, y = self.forward(x, y)
        x0, x1, y0, y1 = float(x.min()), float(x.max()), float(y.min()), float(y.max())
        return 2 * x0 - x1, 2 * y0 - y1, 2 * x1 - x0, 2 * y1 - y0

    def curvature(self) -> float:
        """Size of the second derivatives of `inverse` in 1/px, which says how densely it must be evaluated.

        0 for a linear map. Unless a map knows better, infinite: it is evaluated at every pixel.
        """
        return math.inf


def warp(figure: ObjectCrop, maps: Sequence[PointMap]) -> ObjectCrop:
    """One object moved by all `maps`, as `warp_all` does."""
    return warp_all([figure], [maps])[0]


def warp_all(figures: Sequence[ObjectCrop], maps: Sequence[Sequence[PointMap]]) -> list[ObjectCrop]:
    """Move objects, each by all its maps, first to last, reading each pixel once.

    Pixels that leave the frame are dropped; what comes in from outside is background. All objects go through
    one stage before the next, for the sake of the processor's caches.

    Args:
        figures: the objects.
        maps: of each object; forward direction, first applied first. Without any it stays as it is.

    Returns:
        The moved objects, in frames of the same sizes.
    """
    moved = list(figures)
    moving = [n for n, figure in enumerate(figures) if maps[n] and figure.pixels.size]
    moves = [Move.planned(figures[n], maps[n]) for n in moving]
    values = [inverse_at_nodes(move.nodes, move.step, move.maps, move.figure.box) for move in moves]
    needed = [_needed(*each) for each in zip(moves, values, strict=True)]
    for n, move, part in zip(moving, moves, needed, strict=True):
        moved[n] = read(move, *part)
    return moved


@dataclass(frozen=True)
class Move:
    """An object, the maps it moves by, and where these are evaluated.

    Attributes:
        figure: the object.
        maps: forward direction, first applied first.
        inside: pixels of the frame that are looked at.
        step: pixels between nodes of the lattice.
        nodes: half-open range of nodes around `inside`.
    """

    figure: ObjectCrop
    maps: Sequence[PointMap]
    inside: Box
    step: int
    nodes: Box

    @classmethod
    def planned(cls, figure: ObjectCrop, maps: Sequence[PointMap], whole: bool = False) -> Move:
        """Looks at the part of the frame the moved object may lie in, by the coarsest lattice that is fine enough.

        That part is empty when it is outside. A spline fitted to few points may fold, and bring distant places onto
        the object a second time: those copies are not wanted, and need not be looked for. `whole` looks everywhere.
        """
        box: Frame = (0, 0, *figure.size[::-1]) if whole else figure.box
        for each in () if whole else maps:
            box = each.spread(box)
        (H, W), x0, y0 = figure.size, max(math.floor(box[0]), 0), max(math.floor(box[1]), 0)
        x1, y1 = max(min(math.ceil(box[2]), W), x0), max(min(math.ceil(box[3]), H), y0)
        step = lattice_step(figure, maps)
        half = step // 2
        low_x, low_y = (x0 - half) // step, (y0 - half) // step
        high_x, high_y = (x1 - 1 - half) // step, (y1 - 1 - half) // step
        nodes = low_x, low_y, max(high_x, low_x) + 2, max(high_y, low_y) + 2  # at least one cell
        return cls(figure, maps, (x0, y0, x1, y1), step, nodes)


def lattice_step(figure: ObjectCrop, maps: Sequence[PointMap]) -> int:
    """Pixels between nodes: 8 unless the map bends so strongly, or the object is so thin, that it would show."""
    thickness = 2 * figure.area / sum(figure.pixels.shape)
    curvature = sum(each.curvature() for each in maps)
    return next((step for step in _STEPS if curvature * step * step <= _FLAT * thickness), _STEPS[-1])


def inverse_at_nodes(nodes: Box, step: int, maps: Sequence[PointMap], box: Box) -> NDArray[np.float32]:
    """(2, h, w): x and y of the inverse map at a range of nodes, in pixels from the corner of `box`, rounded.

    Boxes up to 128 px round to 1/256, up to 256 px to 1/128 … up to 1024 px to 1/32, so that values reach to the
    box's own size beyond it and bilinear upsampling by at most 8 is exact in float32: 16 bits and a sign here,
    4 for each of two interpolations.
    """
    x = step * np.arange(nodes[0], nodes[2], dtype=np.float64)[None, :] + (step - 1) / 2
    y = step * np.arange(nodes[1], nodes[3], dtype=np.float64)[:, None] + (step - 1) / 2
    values = np.empty((2, y.size, x.size))
    for each in reversed(maps):
        x, y = each.inverse(x, y)
    np.subtract(x, box[0], out=values[0])
    np.subtract(y, box[1], out=values[1])
    side = max(box[2] - box[0], box[3] - box[1])
    parts = 2.0 ** math.floor(math.log2(min(_LIMIT / (2 * side), _FINEST)))
    values *= parts
    # Nodes farther than _LIMIT from the object, that is its own size or more, need not be right.
    exact = np.rint(values, out=values).clip(-_LIMIT, _LIMIT, out=values).astype(np.float32)
    exact *= np.float32(1 / parts)
    return exact


def _needed(move: Move, values: Values) -> tuple[Values, Box]:
    """The values and nodes around all cells where a bilinear value may round to a pixel of the object."""
    pairs = values[:, :, :-1], values[:, :, 1:]
    least, most = np.minimum(*pairs), np.maximum(*pairs)
    least, most = np.minimum(least[:, :-1], least[:, 1:]), np.maximum(most[:, :-1], most[:, 1:])
    high = np.array(move.figure.pixels.shape[::-1], np.float32).reshape(2, 1, 1) - np.float32(0.5)
    meets = (least <= high) & (most >= -0.5)
    x, y, width, height = cv2.boundingRect((meets[0] & meets[1]).view(np.uint8))
    left, top = move.nodes[0] + x, move.nodes[1] + y
    return values[:, y : y + height + 1, x : x + width + 1], (left, top, left + width + 1, top + height + 1)


def read(move: Move, values: Values, nodes: Box) -> ObjectCrop:
    """The moved object, one strip of cells after another.

    Args:
        move: the object and where it is looked for.
        values: (2, h, w) float32, the inverse map in pixels from the corner of the object's box.
        nodes: the half-open range of nodes they stand at; pixels beyond are background.
    """
    inside, step, size = move.inside, move.step, move.figure.size
    half = step // 2
    x0, y0 = max(nodes[0] * step + half, inside[0]), max(nodes[1] * step + half, inside[1])
    x1, y1 = min(nodes[2] * step - half, inside[2]), min(nodes[3] * step - half, inside[3])
    rows, width = values.shape[1], values.shape[2] * step
    if rows == 1 or x0 >= x1 or y0 >= y1:  # not a single cell, or none of their pixels
        return ObjectCrop.nothing(size)
    moved = np.empty((y1 - y0, x1 - x0), np.uint8)
    cells = max(_SCRATCH // (width * step) - 1, 1)
    # A thread keeps its memory: touching fresh pages cost five times the upsampling.
    if getattr(_kept, "pixels", 0) < width * (cells + 1) * step:
        _kept.pixels = max(width * (cells + 1) * step, _SCRATCH)
        _kept.scratch = np.empty((2, _kept.pixels), np.float32)
    columns = slice(x0 - nodes[0] * step, x1 - nodes[0] * step)
    for first in range(0, rows - 1, cells):
        top = (nodes[1] + first) * step
        height = min(cells + 1, rows - first) * step
        low, high = max(top + half, y0), min(top + height - half, y1)
        map_x, map_y = (
            cv2.resize(
                part[first : first + cells + 1],
                (width, height),
                buffer[: width * height].reshape(height, width),
                interpolation=cv2.INTER_LINEAR,
            )[low - top : high - top, columns]
            for part, buffer in zip(values, _kept.scratch, strict=True)
        )
        # Into `moved` itself: OpenCV writes through a view whose size and type agree.
        strip = moved[low - y0 : high - y0]
        cv2.remap(move.figure.pixels, map_x, map_y, cv2.INTER_NEAREST, strip, borderMode=cv2.BORDER_CONSTANT)
    return ObjectCrop.of(moved, x0, y0, size)
