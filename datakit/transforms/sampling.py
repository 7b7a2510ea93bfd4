"""Where every pixel of a made picture is read from: one map for a photo and its masks, whatever was composed into it.

Coordinates are exact in float32, and rounded to 1/32 px where OpenCV makes weights of them, so that pictures are the
same on any CPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Box, Image, Labels
from .warp import Points

PARTS = 32  # of a pixel
_STEP = 8  # pixels between nodes of a bent map; node i lies at 8 i + 3.5, where a resize puts it
_NOWHERE = -16384.0  # beyond any source
_LIMIT = 1 << 16  # parts a value at a node has; with 4 bits of weight for each of two interpolations, float32's 24

Matrix = NDArray[np.float64]
Bend = Callable[[Points, Points], tuple[Points, Points]]


def reduced(matrix: Matrix, factor: float) -> Matrix:
    """The (2, 3) matrix into a picture that shows the same at 1/`factor` of its size; pixels are squares."""
    scaled: Matrix = matrix / factor
    scaled[:, 2] += (1 / factor - 1) / 2
    return scaled


def moved(matrix: Matrix, x: float, y: float) -> Matrix:
    """The (2, 3) matrix into a picture whose upper left corner is cut off by x and y pixels."""
    cut: Matrix = matrix - np.array([[0, 0, x], [0, 0, y]])
    return cut


def composed(second: Matrix, first: Matrix) -> Matrix:
    """The (2, 3) matrix that takes a point through `first`, then through `second`."""
    made: Matrix = second[:, :2] @ first
    made[:, 2] += second[:, 2]
    return made


@dataclass(frozen=True)
class SamplingMap:
    """Where the pixels of an (H, W) picture are read from.

    Attributes:
        x, y: (H, W) float32, pixels of the source, exact; -16384 where hidden.
        hidden: (H, W) bool, pixels that show nothing of the source wherever a matrix may put them; None where all may.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    hidden: NDArray[np.bool_] | None = None

    @classmethod
    def linear(cls, matrix: Matrix, size: tuple[int, int], box: Box | None = None) -> SamplingMap:
        """A matrix from pixels of the picture to pixels of the source.

        Args:
            matrix: (2, 3) float64.
            size: (H, W) of the picture.
            box: x0, y0, x1, y1 of the part of the picture that is wanted; None for all.
        """
        x0, y0, x1, y1 = box or (0, 0, size[1], size[0])
        across, down = np.arange(x0, x1, dtype=np.float64), np.arange(y0, y1, dtype=np.float64)
        planes = []
        for a, b, c in matrix:
            row, column = np.rint(a * across * PARTS), np.rint((b * down + c) * PARTS)
            planes.append(np.add.outer((column / PARTS).astype(np.float32), (row / PARTS).astype(np.float32)))
        return cls(*planes)

    @classmethod
    def bent(cls, matrix: Matrix, size: tuple[int, int], bend: Bend, is_cut: bool = True) -> SamplingMap:
        """The same behind a smooth map within the picture; what this fetches from beyond the picture may be hidden.

        Args:
            matrix: (2, 3) float64.
            size: (H, W) of the picture.
            bend: gives x and y that pixels of the picture are read from before the matrix, in its own pixels.
            is_cut: whether what lies beyond the picture is hidden.
        """
        H, W = size
        across, down = (_STEP * np.arange(-(-side // _STEP) + 2, dtype=np.float64) - (_STEP + 1) / 2 for side in (W, H))
        u, v = bend(across[None, :], down[:, None])
        (a, b, c), (d, e, f) = matrix
        x, y = (_upsampled(each, size) for each in (a * u + b * v + c, d * u + e * v + f))
        if not is_cut:
            return cls(x, y)
        within_x, within_y = (_upsampled(each, size) for each in (u, v))
        across_it = cv2.inRange(within_x, -0.5, math.nextafter(W - 0.5, 0))
        shown = cv2.bitwise_and(across_it, cv2.inRange(within_y, -0.5, math.nextafter(H - 0.5, 0)))
        hidden = shown == 0
        if not hidden.any():
            return cls(x, y)
        for plane in (x, y):
            np.copyto(plane, _NOWHERE, where=hidden)
        return cls(x, y, hidden)

    @cached_property
    def _fixed(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """As OpenCV's integers, which the values are exactly; bilinear reading is then twice as fast."""
        return cv2.convertMaps(self.x, self.y, cv2.CV_16SC2)

    def image(
        self,
        source: Image,
        fill: tuple[float, ...] = (0, 0, 0),
        border: int = cv2.BORDER_CONSTANT,
        into: Image | None = None,
    ) -> Image:
        """The picture of a photo, bilinear.

        Args:
            source: (h, w, 3) uint8.
            fill: colour of what is hidden, and beyond the photo for a constant border.
            border: OpenCV's.
            into: (H, W, 3) uint8, contiguous, to write to; new memory where None.

        Returns:
            (H, W, 3) uint8.
        """
        made = cv2.remap(source, *self._fixed, cv2.INTER_LINEAR, into, borderMode=border, borderValue=fill)
        if self.hidden is not None and border != cv2.BORDER_CONSTANT:
            made[self.hidden] = np.array(fill, np.uint8)
        return made  # type: ignore[return-value]

    def mask(self, source: Labels, fill: int = 0, into: Labels | None = None) -> Labels:
        """The picture of a mask or label map, the nearest pixel each, so no new values.

        Args:
            source: (h, w) uint8.
            fill: value of what is hidden or beyond the mask.
            into: (H, W) uint8, contiguous, to write to; new memory where None.

        Returns:
            (H, W) uint8.
        """
        # Float maps: with the integers, nearest reads a pixel off (findings/).
        return cv2.remap(  # type: ignore[return-value]
            source, self.x, self.y, cv2.INTER_NEAREST, into, borderMode=cv2.BORDER_CONSTANT, borderValue=(fill,)
        )

    def part(self, box: Box) -> SamplingMap:
        """The map of a part of the picture, x0, y0, x1, y1."""
        x0, y0, x1, y1 = box
        rows, columns = slice(y0, y1), slice(x0, x1)
        hidden = None if self.hidden is None else self.hidden[rows, columns]
        return SamplingMap(self.x[rows, columns], self.y[rows, columns], hidden)


def _upsampled(nodes: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float32]:
    """(H, W) float32 between nodes, of which the first lies 4.5 pixels beyond the corner; exact in float32."""
    largest = max(float(np.abs(nodes).max()), 1.0)
    parts = 2.0 ** min(math.floor(math.log2(_LIMIT / largest)), 8)
    values = (np.rint(nodes * parts) / parts).astype(np.float32)
    dense = cv2.resize(values, (values.shape[1] * _STEP, values.shape[0] * _STEP), interpolation=cv2.INTER_LINEAR)
    return dense[_STEP : _STEP + size[0], _STEP : _STEP + size[1]]  # type: ignore[return-value]
