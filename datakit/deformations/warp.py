"""From point maps to pixels: any number of warps in a row become one `cv2.remap`.

The inverse map is evaluated on a lattice and upsampled. Lattice values are rounded to 1/32 px
before that: what follows is exact in float32, so the pixels do not hang on how a CPU rounds. Only
the part of the frame that can meet the object is computed. Which maps there are is left to
`affine` and `tps`.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Box
from .figure import Figure

Points = NDArray[np.float64]

STEP = 8  # pixels between nodes; node i lies at 8 i + 3.5, where a resize by 8 puts it
_COARSE = 4  # every fourth node decides which part of the frame is computed
_FEW_NODES = 4096  # of a frame, up to which leaving some out costs more than computing them
_STEPS_PER_PIXEL = 32
_LIMIT = 1 << 16  # lattice values in rounding steps; 8 more bits of interpolation weights fill float32's 24
_SCRATCH = 1 << 17  # pixels of a strip
_kept = threading.local()


class PointMap(Protocol):
    """A warp with its numbers drawn; x and y broadcast against each other."""

    def forward(self, x: Points, y: Points) -> tuple[Points, Points]:
        """Where points of the mask go."""

    def inverse(self, x: Points, y: Points) -> tuple[Points, Points]:
        """Where points of the warped mask come from."""

    def stretch(self) -> float:
        """By how much `inverse` enlarges distances at most; inf when that is unknown."""

    def bend(self, step: float, reach: float) -> float:
        """Most pixels between `inverse` and its bilinear interpolation from nodes `step` px apart.

        Holds farther than `step` from the knots and nearer than `reach`.
        """

    def knots(self) -> Points:
        """(N, 2) points around which `bend` does not hold."""


def warp(figure: Figure, maps: Sequence[PointMap], whole_frame: bool = False) -> Figure:
    """Move an object by all `maps`, first to last, reading each pixel once.

    Pixels that leave the frame are dropped; what comes in from outside is background.

    Args:
        figure: the object.
        maps: forward direction, first applied first.
        whole_frame: compute every pixel of the frame; same result, for tests.

    Returns:
        The moved object, in a frame of the same size.
    """
    if not figure.width:
        return figure
    frame = _frame_nodes(figure.size)
    few = (frame[2] - frame[0]) * (frame[3] - frame[1]) <= _FEW_NODES
    nodes = frame if whole_frame or few else _coarse_region(frame, maps, figure.box)
    u, v = lattice(nodes, maps, figure.box)
    if not whole_frame:
        x0, y0, x1, y1 = _bounds(_meets(u, 0, figure.width, 0.5) & _meets(v, 0, figure.height, 0.5))
        u, v = u[y0 : y1 + 1, x0 : x1 + 1], v[y0 : y1 + 1, x0 : x1 + 1]
        nodes = (nodes[0] + x0, nodes[1] + y0, nodes[0] + x1 + 1, nodes[1] + y1 + 1)
    return _read(figure, u, v, nodes)


def _frame_nodes(size: tuple[int, int]) -> Box:
    """Half-open range of nodes (x0, y0, x1, y1) around every pixel of a frame."""
    half = STEP // 2 - 1
    return -1, -1, (size[1] + half) // STEP + 1, (size[0] + half) // STEP + 1


def lattice(nodes: Box, maps: Sequence[PointMap], box: Box) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The inverse map at a range of nodes, as pixels from the corner of `box`, rounded.

    Boxes of more than 1024 px round to 1/16, more than 2048 px to 1/8 …, so that bilinear upsampling by 8 in
    float32 stays exact: 16 bits and a sign here, 4 for each of two interpolations.
    """
    u, v = _inverse(nodes, 1, maps)
    side = max(box[2] - box[0], box[3] - box[1])
    coarser = max(math.ceil(math.log2(side * _STEPS_PER_PIXEL * 2 / _LIMIT)), 0)
    fine = _STEPS_PER_PIXEL / 2**coarser
    return _rounded(u, box[0], fine), _rounded(v, box[1], fine)


def _rounded(values: Points, origin: int, fine: float) -> NDArray[np.float32]:
    # Nodes farther than _LIMIT steps from the object, that is its own size or more, need not be right.
    steps = np.clip(np.rint((values - origin) * fine), -_LIMIT, _LIMIT)
    return steps.astype(np.float32) / np.float32(fine)


def _inverse(nodes: Box, every: int, maps: Sequence[PointMap]) -> tuple[Points, Points]:
    x = STEP * np.arange(nodes[0], nodes[2], every, dtype=np.float64)[None, :] + (STEP - 1) / 2
    y = STEP * np.arange(nodes[1], nodes[3], every, dtype=np.float64)[:, None] + (STEP - 1) / 2
    shape = y.size, x.size
    for each in reversed(maps):
        x, y = each.inverse(x, y)
    return np.broadcast_to(x, shape), np.broadcast_to(y, shape)


def _coarse_region(frame: Box, maps: Sequence[PointMap], box: Box) -> Box:
    """Range of nodes outside which no pixel of the warped mask can be foreground.

    A spline lies within `bend` of the bilinear interpolation of a cell's corners, which lies between
    them; cells around knots are always kept.
    """
    step = STEP * _COARSE
    reach = 2.0 * STEP * (frame[2] - frame[0] + frame[3] - frame[1] + 2 * _COARSE)
    margin = math.prod((each.stretch() for each in maps[:-1]), start=maps[-1].bend(step, reach)) if maps else 0.0
    if not margin < max(box[2] - box[0], box[3] - box[1]):
        return frame
    x1, y1 = frame[2] + _COARSE - 1, frame[3] + _COARSE - 1
    u, v = _inverse((frame[0], frame[1], x1, y1), _COARSE, maps)
    hit = _meets(u, box[0], box[2], margin + 1) & _meets(v, box[1], box[3], margin + 1)
    first = STEP * -1 + (STEP - 1) / 2
    for x, y in np.floor((maps[-1].knots() - first) / step).astype(int).tolist() if maps else ():
        hit[max(y - 1, 0) : max(y + 2, 0), max(x - 1, 0) : max(x + 2, 0)] = True
    low_x, low_y, high_x, high_y = (_COARSE * side - 1 for side in _bounds(hit))
    return low_x, low_y, min(high_x + 1, frame[2]), min(high_y + 1, frame[3])


def _meets(values: NDArray[np.floating], low: int, high: int, margin: float) -> NDArray[np.bool_]:
    """(h - 1, w - 1) bool: whether the values at a cell's four corners reach into low - margin … high - 1 + margin."""
    least = np.minimum(values[:, :-1], values[:, 1:])
    most = np.maximum(values[:, :-1], values[:, 1:])
    least, most = np.minimum(least[:-1], least[1:]), np.maximum(most[:-1], most[1:])
    meets: NDArray[np.bool_] = (least <= high - 1 + margin) & (most >= low - margin)
    return meets


def _bounds(hit: NDArray[np.bool_]) -> Box:
    """Half-open range of cells around all that are set."""
    x, y, width, height = cv2.boundingRect(hit.view(np.uint8))
    return x, y, x + width, y + height


def _read(figure: Figure, u: NDArray[np.float32], v: NDArray[np.float32], nodes: Box) -> Figure:
    """What lies between some nodes, read from the object one strip of cells after another."""
    x0, y0 = max(nodes[0] * STEP + STEP // 2, 0), max(nodes[1] * STEP + STEP // 2, 0)
    x1 = max(min(nodes[2] * STEP - STEP // 2, figure.size[1]), x0)
    y1 = max(min(nodes[3] * STEP - STEP // 2, figure.size[0]), y0)
    moved = np.empty((y1 - y0, x1 - x0), np.uint8)
    width = u.shape[1] * STEP
    cells = max(_SCRATCH // (width * STEP) - 1, 1)
    scratch = _scratch(width * (cells + 1) * STEP)
    columns = slice(x0 - nodes[0] * STEP, x1 - nodes[0] * STEP)
    for first in range(0, len(u) - 1, cells):
        top = (nodes[1] + first) * STEP
        height = len(u[first : first + cells + 1]) * STEP
        low, high = max(top + STEP // 2, y0), min(top + height - STEP // 2, y1)
        map_x, map_y = (
            cv2.resize(
                part[first : first + cells + 1],
                (width, height),
                buffer[: width * height].reshape(height, width),
                interpolation=cv2.INTER_LINEAR,
            )[low - top : high - top, columns]
            for part, buffer in zip((u, v), scratch, strict=True)
        )
        # Into `moved` itself: OpenCV writes through a view whose size and type agree.
        strip = moved[low - y0 : high - y0]
        cv2.remap(figure.pixels, map_x, map_y, cv2.INTER_NEAREST, strip, borderMode=cv2.BORDER_CONSTANT)
    return Figure.placed(moved, x0, y0, figure.size)


def _scratch(size: int) -> NDArray[np.float32]:
    """(2, >= size) float32 that each thread keeps: touching fresh pages cost five times the upsampling."""
    buffer: NDArray[np.float32] | None = getattr(_kept, "buffer", None)
    if buffer is None or buffer.shape[1] < size:
        buffer = _kept.buffer = np.empty((2, max(size, _SCRATCH)), np.float32)
    return buffer
