"""Thin-plate spline through a few points of the mask's outline: the non-rigid deformation.

`Tps` draws the points and their moves, `Spline` is the fitted map. How a map becomes pixels is
left to `warp`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Box, Mask
from .ranges import setting, settle
from .warp import PointMap, Points, object_box

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_ATTEMPTS = 10  # sets of points tried before a mask is given up as too straight
_FLATTEST = 1e-3  # least ratio of the short to the long axis of a set of points
_CLOSEST = 1 / 16  # least distance of two points in pixels; both bounds keep the equations solvable
_TINY = 1e-100  # vanishes beside any squared distance, and keeps log(0) out


@dataclass(frozen=True)
class Tps:
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

    points: int = setting(5, 3, 16)
    shift: float = setting(0.10, 0, 2)
    spline: str = setting("smoothing", choices=("smoothing", "interpolating"))

    def __post_init__(self) -> None:
        settle(self, self.kind)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """x0, y0, dx0, dy0, x1 …: every control point and its move, in pixels."""
        return tuple(f"{name}{i}" for i in range(self.points) for name in ("x", "y", "dx", "dy"))

    def draw(self, rng: np.random.Generator, mask: Mask) -> NDArray[np.float64]:
        """Draw control points and moves.

        Args:
            rng: source of the numbers.
            mask: (H, W) uint8, 0 or 1.

        Returns:
            (4 * points,) float64: x, y, dx, dy of each point in pixels; NaN where the ring has too
            few pixels, or ten sets of points all lay on a line.
        """
        skipped = np.full(4 * self.points, np.nan)
        box = object_box(mask)
        if box is None:
            return skipped
        ring = outer_ring(mask, box)
        if len(ring) < self.points:
            return skipped
        reach = self.shift * np.array([box[2] - box[0], box[3] - box[1]])
        for _ in range(_ATTEMPTS):
            sites = ring[_choose(rng, len(ring), self.points)].astype(np.float64)
            moves = (2 * rng.random((self.points, 2)) - 1) * reach
            if not (degenerate(sites) or degenerate(sites + moves)):
                return np.concatenate([sites, moves], axis=1).ravel()
        return skipped

    def bind(self, parameters: NDArray[np.float64], box: Box, before: Sequence[PointMap]) -> PointMap | None:
        """The point map of drawn numbers; the control points are first carried through the warps `before`."""
        if np.isnan(parameters).any():
            return None
        x, y, dx, dy = parameters.reshape(-1, 4).T
        for earlier in before:
            x, y = earlier.forward(x, y)
        start = np.stack([x, y], axis=1)
        end = start + np.stack([dx, dy], axis=1)
        if before and (degenerate(start) or degenerate(end)):
            return None
        return Warping(start, end, self.spline == "smoothing")


def outer_ring(mask: Mask, box: Box) -> NDArray[np.int64]:
    """Pixels just outside the mask, of all its parts and holes, row by row.

    Args:
        mask: (H, W) uint8, 0 or 1.
        box: its bounding box.

    Returns:
        (N, 2) int64, x and y of every background pixel with a foreground pixel above, below, left
        or right of it.
    """
    x0, y0, x1, y1 = max(box[0] - 1, 0), max(box[1] - 1, 0), box[2] + 1, box[3] + 1
    crop = mask[y0:y1, x0:x1]
    ring = cv2.dilate(crop, _CROSS) - crop
    # As bool: NumPy finds the few ones of a boolean array many times faster.
    y, x = np.divmod(np.flatnonzero(ring.view(np.bool_)), ring.shape[1])
    return np.stack([x + x0, y + y0], axis=1)


def _choose(rng: np.random.Generator, total: int, count: int) -> list[int]:
    """`count` different numbers below `total`, every set equally likely."""
    chosen: list[int] = []
    for k, unit in enumerate(rng.random(count).tolist()):
        pick = int(unit * (total - k))
        for earlier in sorted(chosen):
            pick += pick >= earlier
        chosen.append(pick)
    return chosen


def degenerate(points: NDArray[np.float64]) -> bool:
    """Whether (N, 2) points lie so nearly on a line, or two so close together, that no spline can be fitted."""
    centred = points - points.mean(axis=0)
    xx, xy, yy = (centred[:, 0] @ centred[:, 0], centred[:, 0] @ centred[:, 1], centred[:, 1] @ centred[:, 1])
    # det / trace² is nearly the squared ratio of the axes when it is small.
    if xx * yy - xy * xy <= _FLATTEST**2 * (xx + yy) ** 2:
        return True
    gap = points[:, None] - points
    squared = (gap * gap).sum(axis=2)
    np.fill_diagonal(squared, np.inf)
    return bool(squared.min() < _CLOSEST**2)


class Spline:
    """The thin-plate spline f of sites and values that bends least for what it keeps.

    f(p) = a + B p + sum_i w_i r_i² log r_i², with sum w_i = 0 and sum w_i p_i = 0. `smoothing` adds
    lambda to the diagonal, the mean of the kernel's diagonal across the linear functions.

    Source: tpaps documentation (its default p); Bookstein 1989 for the interpolating kind.
    """

    def __init__(self, sites: NDArray[np.float64], values: NDArray[np.float64], smoothing: bool):
        """Fit (N, 2) values at (N, 2) sites."""
        n = len(sites)
        self.origin = sites.mean(axis=0)
        self.unit = float(np.abs(sites - self.origin).max())
        self.sites = (sites - self.origin) / self.unit
        gap = self.sites[:, None] - self.sites
        squared = (gap * gap).sum(axis=2) + _TINY
        system = np.zeros((n + 3, n + 3))
        system[:n, :n] = squared * np.log(squared)
        system[:n, n] = system[n, :n] = 1
        system[:n, n + 1 :] = self.sites
        system[n + 1 :, :n] = self.sites.T
        if smoothing and n > 3:
            linear = system[:n, n:]
            inside = linear @ np.linalg.solve(linear.T @ linear, linear.T)
            # trace(K (I - inside)) / (n - 3), and K has a zero diagonal
            system[range(n), range(n)] -= (system[:n, :n] * inside).sum() / (n - 3)
        right = np.zeros((n + 3, 2))
        right[:n] = values
        self.weights = np.linalg.solve(system, right)

    def __call__(self, x: Points, y: Points) -> tuple[Points, Points]:
        """f at points whose x and y broadcast against each other."""
        x, y = (x - self.origin[0]) / self.unit, (y - self.origin[1]) / self.unit
        lift = (-1,) + (1,) * x.ndim
        dx, dy = x - self.sites[:, 0].reshape(lift), y - self.sites[:, 1].reshape(lift)
        squared = (dx * dx + _TINY) + dy * dy
        kernel = np.log(squared)
        kernel *= squared
        n = len(self.sites)
        bent = self.weights[:n].T @ kernel.reshape(n, -1)
        a, bx, by = self.weights[n:]
        shape = squared.shape[1:]
        return (
            a[0] + bx[0] * x + by[0] * y + bent[0].reshape(shape),
            a[1] + bx[1] * x + by[1] * y + bent[1].reshape(shape),
        )


@dataclass(frozen=True)
class Warping:
    """Moves control points from `start` to `end`, (N, 2) each, and what lies between them smoothly along.

    The pixels need the inverse map, so that is the spline fitted (end → start); `forward`, which only carries
    the control points of a later spline, is the spline fitted the other way round.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    smoothing: bool

    @cached_property
    def pull(self) -> Spline:
        """The spline from the warped mask back to the mask."""
        return Spline(self.end, self.start, self.smoothing)

    def forward(self, x: Points, y: Points) -> tuple[Points, Points]:
        """About where points of the mask go."""
        return Spline(self.start, self.end, self.smoothing)(x, y)

    def inverse(self, x: Points, y: Points) -> tuple[Points, Points]:
        """Where points of the warped mask come from."""
        return self.pull(x, y)

    def stretch(self) -> float:
        """Unknown."""
        return np.inf

    def bend(self, step: float, reach: float) -> float:
        """See `PointMap.bend`: step²/8 times the sum of both second derivatives, the largest of x and y.

        Those of r² log(r²/R²) are 2 log(r²/R²) + 2 + 4 cos² and … sin², for any R because the weights sum to
        zero; R² = step * reach makes the logarithm log(reach/step) at most.
        """
        weights = np.abs(self.pull.weights[: len(self.end)]).sum(axis=0).max() / self.pull.unit**2
        return float(step**2 / 8 * weights * (4 * np.log(reach / step) + 8))

    def knots(self) -> Points:
        """The moved control points."""
        return self.end
