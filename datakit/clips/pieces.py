"""What of a still can move by itself: objects that do not hang together, where they are cut, and what a view shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Labels
from ..transforms.sampling import Matrix

_GRID = 128  # places along the longer side that are looked at
_STRIP = 3  # pixels along the photo's border; masks often end a pixel or two before it
_FEWEST = 3  # pixels there that make an object a cut one
_JOINED = 0.08  # of the outline of the smaller of two objects; with more of it in common they move as one


@dataclass(frozen=True)
class Piece:
    """Objects of a still that move as one.

    Attributes:
        objects: their numbers.
        box: x0, y0, x1, y1 in pixels of the photo.
        cut: whether the left, upper, right and lower side of the photo cuts them.
        pixels: how many.
        places: (N, 2) float64: x and y of pixels of theirs, evenly spread.
        of: (N,) uint8: the object at each place.
        each: pixels that a place stands for.
    """

    objects: tuple[int, ...]
    box: tuple[float, float, float, float]
    cut: tuple[bool, bool, bool, bool]
    pixels: float
    places: NDArray[np.float64]
    of: NDArray[np.uint8]
    each: float

    def seen(self, matrix: Matrix, size: int) -> dict[int, float]:
        """Pixels of each object in a frame that nothing else covers.

        Args:
            matrix: (2, 3): points of the photo for points of the frame.
            size: side of the frame.
        """
        linear = matrix[:, :2]
        det = float(linear[0, 0] * linear[1, 1] - linear[0, 1] * linear[1, 0])
        dx, dy = self.places[:, 0] - matrix[0, 2], self.places[:, 1] - matrix[1, 2]
        x, y = (linear[1, 1] * dx - linear[0, 1] * dy) / det, (linear[0, 0] * dy - linear[1, 0] * dx) / det
        inside = (x >= 0) & (y >= 0) & (x < size) & (y < size)
        counts = np.bincount(self.of[inside], minlength=256)
        return {number: float(counts[number]) * self.each / abs(det) for number in self.objects}


def pieces_of(labels: Labels, is_one: bool = False) -> list[Piece]:
    """The pieces of a label map, by their lowest number.

    Args:
        labels: (H, W) uint8.
        is_one: whether all objects are one piece.
    """
    step = max(-(-max(labels.shape) // _GRID), 1)
    grid = np.ascontiguousarray(labels[step // 2 :: step, step // 2 :: step])
    numbers = [n for n in np.unique(grid).tolist() if n]
    groups = [numbers] if is_one and numbers else _joined(grid, numbers)
    strips = [labels[:, :_STRIP], labels[:_STRIP], labels[:, -_STRIP:], labels[-_STRIP:]]
    borders = [np.bincount(strip.ravel(), minlength=256) for strip in strips]
    return [_piece(grid, step, sorted(group), borders) for group in sorted(groups, key=min)]


def _piece(grid: Labels, step: int, group: Sequence[int], borders: Sequence[NDArray[np.int64]]) -> Piece:
    rows, columns = np.nonzero(np.isin(grid, group))
    places = np.stack([columns, rows], 1).astype(np.float64) * step + (step // 2 + 0.5)
    (x0, y0), (x1, y1) = places.min(0).tolist(), places.max(0).tolist()
    half = step / 2
    cut = tuple(int(counts[list(group)].sum()) >= _FEWEST for counts in borders)
    return Piece(tuple(group), (x0 - half, y0 - half, x1 + half, y1 + half), cut,  # type: ignore[arg-type]
                 float(len(places) * step**2), places, grid[rows, columns], float(step**2))  # fmt: skip


def _joined(grid: Labels, numbers: Sequence[int]) -> list[list[int]]:
    """Numbers of objects that hang together."""
    group = {n: {n} for n in numbers}
    if len(numbers) > 1:
        near = {n: cv2.dilate((grid == n).view(np.uint8), np.ones((3, 3), np.uint8)) for n in numbers}
        outline = {n: int(np.count_nonzero(near[n] & (grid != n))) for n in numbers}
        for a, b in combinations(numbers, 2):
            shared = int(np.count_nonzero(near[a] & (grid == b)))
            if shared > _JOINED * min(outline[a], outline[b]) and group[a] is not group[b]:
                group[a] |= group[b]
                for n in group[b]:
                    group[n] = group[a]
    return [list(each) for each in {id(each): each for each in group.values()}.values()]
