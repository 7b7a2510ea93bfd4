"""Thin-plate spline through a few points of the mask's outline: the non-rigid deformation.

`Tps` draws the points and their moves, `Spline` is the fitted map. How a map becomes pixels is
left to `warp`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import ClassVar

import cv2
import numpy as np

from ..arrays import Box
from ..config import setting
from .base import Params, Transform
from .object_crop import ObjectCrop
from .warp import Frame, PointMap, Points

Pair = tuple[float, float]

_ATTEMPTS = 10  # sets of points tried before a mask is given up as too straight
_FLATTEST = 1e-3  # least ratio of the short to the long axis of a set of points
_CLOSEST = 1 / 16  # least distance of two points in pixels; both bounds keep the equations solvable
_TINY = 1e-100  # vanishes beside any squared distance, and keeps log(0) out


@dataclass(frozen=True)
class Tps(Transform):
    """Ranges of the moves of control points, drawn without replacement from the 1-px ring around the mask.

    Attributes:
        points: how many.
        shift: x and y of each move by at most this fraction of the mask's width and height.
        spline: `smoothing` as MATLAB's `tpaps` of the authors' code (it realises some 82 % of
            a move), or `interpolating`, which goes through the moved points.

    Source: arXiv 1612.02646 §4, "5 control points", "±10% margin of the original segmentation
    mask width and height".
    """

    kind: ClassVar[str] = "tps"
    noun: ClassVar[str] = "spline"
    skip_flag: ClassVar[str] = "no-tps"

    points: int = setting(5, 3, 16)
    shift: float = setting(0.10, 0, 2)
    spline: str = setting("smoothing", choices=("smoothing", "interpolating"))

    @cached_property
    def parameter_names(self) -> tuple[str, ...]:
        """x0, y0, dx0, dy0, x1 …: every control point and its move, in pixels."""
        return tuple(f"{name}{i}" for i in range(self.points) for name in ("x", "y", "dx", "dy"))

    def sample_params(self, rng: np.random.Generator, crop: ObjectCrop) -> Params:
        """Draw control points and moves.

        Args:
            rng: source of the numbers.
            crop: the object.

        Returns:
            (4 * points,) float64: x, y, dx, dy of each point in pixels; NaN where the ring has too
            few pixels, or ten sets of points all lay on a line.
        """
        ring, (height, width) = crop.ring, crop.pixels.shape
        for _ in range(_ATTEMPTS if len(ring) >= self.points else 0):
            units = rng.random(3 * self.points).tolist()
            start = [(float(x), float(y)) for x, y in ring[distinct_below(units[: self.points], len(ring))]]
            moves = [
                (self.shift * width * (2 * x - 1), self.shift * height * (2 * y - 1))
                for x, y in zip(units[self.points :: 2], units[self.points + 1 :: 2], strict=True)
            ]
            end = [(x + dx, y + dy) for (x, y), (dx, dy) in zip(start, moves, strict=True)]
            if not (degenerate(start) or degenerate(end)):
                return np.array([point + move for point, move in zip(start, moves, strict=True)]).ravel()
        return np.full(4 * self.points, np.nan)

    def point_map(self, parameters: Params, box: Box, before: Sequence[PointMap]) -> PointMap | None:
        """The point map of drawn numbers; the control points are first carried through the warps `before`."""
        if math.isnan(parameters[0]):
            return None
        x, y, dx, dy = parameters.reshape(-1, 4).T
        for earlier in before:
            x, y = earlier.forward(x, y)
        start = list(zip(x.tolist(), y.tolist(), strict=True))
        end = list(zip((x + dx).tolist(), (y + dy).tolist(), strict=True))
        # Scaling and shifting keeps what `sample_params` made sure of; another spline may not.
        if not all(each.keeps_shape for each in before) and (degenerate(start) or degenerate(end)):
            return None
        smoothing = self.spline == "smoothing"
        return Warping(start, end, smoothing, Spline(end, start, smoothing))

    def describe(self, numbers: Mapping[str, float]) -> list[str]:
        """The longest move of a control point."""
        moves = (math.hypot(numbers[f"dx{k}"], numbers[f"dy{k}"]) for k in range(self.points))
        return [f"spline max {max(moves):.1f} px"]


def distinct_below(units: Sequence[float], total: int) -> list[int]:
    """Different numbers below `total`, one for each number in [0, 1); every set is equally likely."""
    picks: list[int] = []
    for k, unit in enumerate(units):
        pick = int(unit * (total - k))
        for earlier in sorted(picks):
            pick += pick >= earlier
        picks.append(pick)
    return picks


def degenerate(points: Sequence[Pair]) -> bool:
    """Whether points lie so nearly on a line, or two so close together, that no spline can be fitted."""
    _, _, xx, xy, yy = _moments(points)
    # det / trace² is nearly the squared ratio of the axes when it is small.
    if xx * yy - xy * xy <= _FLATTEST**2 * (xx + yy) ** 2:
        return True
    return any(
        (ax - bx) * (ax - bx) + (ay - by) * (ay - by) < _CLOSEST**2 for (ax, ay), (bx, by) in combinations(points, 2)
    )


def _moments(points: Sequence[Pair]) -> tuple[float, float, float, float, float]:
    """Mean x and y, and the sums of squares and products about them: xx, xy, yy."""
    # Plain loops: with five points, sums over generators take four times as long.
    total_x = total_y = xx = xy = yy = 0.0
    for x, y in points:
        total_x += x
        total_y += y
    mean_x, mean_y = total_x / len(points), total_y / len(points)
    for x, y in points:
        dx, dy = x - mean_x, y - mean_y
        xx += dx * dx
        xy += dx * dy
        yy += dy * dy
    return mean_x, mean_y, xx, xy, yy


class Spline:
    """The thin-plate spline f of sites and values that bends least for what it keeps.

    f(p) = a + B p + sum_i w_i r_i² log r_i², with sum w_i = 0 and sum w_i p_i = 0; `smoothing` adds
    lambda to the diagonal of the kernel matrix K, which is 0 there: lambda is the trace of K (I - Q) over
    n - 3, Q the projection onto linear functions of the sites.

    Attributes:
        sites: (N, 2), centred and scaled to at most 1.
        weights: (N + 3, 2): w, a, B.
        origin: mean of the sites in pixels.
        unit: pixels to 1 of the scaled sites.

    Source: the default p of tpaps (Curve Fitting Toolbox); Bookstein 1989 for the interpolating kind.
    """

    def __init__(self, sites: Sequence[Pair], values: Sequence[Pair], smoothing: bool):
        """Fit N values (x, y) at N sites (x, y)."""
        n = len(sites)
        mean_x, mean_y, *_ = _moments(sites)
        self.origin = mean_x, mean_y
        self.unit = max(max(abs(x - mean_x), abs(y - mean_y)) for x, y in sites)
        scaled = [((x - mean_x) / self.unit, (y - mean_y) / self.unit) for x, y in sites]
        _, _, xx, xy, yy = _moments(scaled)
        determinant = xx * yy - xy * xy
        # Rows [K + lambda I, 1, x, y], then [1, 0], [x, 0], [y, 0]; as lists, which at this size are faster.
        system = [[0.0] * n + [1.0, x, y] for x, y in scaled]
        traced = 0.0  # of K Q
        for (i, (ax, ay)), (j, (bx, by)) in combinations(enumerate(scaled), 2):
            squared = (ax - bx) ** 2 + (ay - by) ** 2
            system[i][j] = system[j][i] = kernel = squared * math.log(squared)
            traced += kernel * (2 / n + 2 * (ax * bx * yy - (ax * by + ay * bx) * xy + ay * by * xx) / determinant)
        for i in range(n if smoothing and n > 3 else 0):
            system[i][i] = -traced / (n - 3)
        x, y = zip(*scaled, strict=True)
        system += [[1.0] * n + [0.0] * 3, [*x, 0.0, 0.0, 0.0], [*y, 0.0, 0.0, 0.0]]
        self.sites = np.array(scaled)
        # At this size NumPy's solver spends its time on the way to it.
        self.weights = cv2.solve(np.array(system), np.array([*values, *[(0.0, 0.0)] * 3]), flags=cv2.DECOMP_LU)[1]

    def __call__(self, x: Points, y: Points) -> tuple[Points, Points]:
        """f at points whose x and y broadcast against each other."""
        n = len(self.sites)
        x, y = (x - self.origin[0]) / self.unit, (y - self.origin[1]) / self.unit
        first = (-1,) + (1,) * x.ndim
        dx, dy = x - self.sites[:, 0].reshape(first), y - self.sites[:, 1].reshape(first)
        squared = (dx * dx + _TINY) + dy * dy
        kernel = np.log(squared)
        kernel *= squared
        # Not a matrix product: BLAS would wake threads for it, which then spin beside the next photo.
        value: Points = np.einsum("ik,i...->k...", self.weights[:n], kernel)
        a, bx, by = (row.reshape(first) for row in self.weights[n:])
        value += a + bx * x
        value += by * y
        return value[0], value[1]


@dataclass(frozen=True)
class Warping(PointMap):
    """Moves control points from `start` to `end`, (x, y) each, and what lies between them smoothly along.

    The pixels need the inverse map, so that is the spline fitted (end → start); `forward`, which only carries
    the control points of a later spline, is the spline fitted the other way round.

    Attributes:
        pull: the spline from the warped mask back to the mask.
    """

    start: Sequence[Pair]
    end: Sequence[Pair]
    smoothing: bool
    pull: Spline

    def forward(self, x: Points, y: Points) -> tuple[Points, Points]:
        """About where points of the mask go."""
        return Spline(self.start, self.end, self.smoothing)(x, y)

    def inverse(self, x: Points, y: Points) -> tuple[Points, Points]:
        """Where points of the warped mask come from."""
        return self.pull(x, y)

    def spread(self, box: Frame) -> Frame:
        """A box around the object and the moved points, with its own width and height on every side."""
        x0, x1 = min(box[0], *(x for x, _ in self.end)), max(box[2], *(x for x, _ in self.end))
        y0, y1 = min(box[1], *(y for _, y in self.end)), max(box[3], *(y for _, y in self.end))
        return 2 * x0 - x1, 2 * y0 - y1, 2 * x1 - x0, 2 * y1 - y0

    def curvature(self) -> float:
        """Sum of the weights, the larger of x and y: the second derivatives are that times a logarithm."""
        x, y = self.pull.weights[: len(self.end)].T.tolist()
        largest: float = max(sum(map(abs, x)), sum(map(abs, y)))
        return largest / self.pull.unit**2
