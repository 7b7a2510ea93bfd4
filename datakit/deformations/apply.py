"""Drawing a deformed mask by a recipe, and making it again from the stored numbers.

Both go through `_applied`, so a replay cannot differ from the draw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import Mask
from .figure import Figure
from .recipe import Morph, Recipe, Step, Warp
from .tps import Tps
from .warp import PointMap, warp

Run = tuple[Step, ...]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Deformed:
    """A rough mask and where it came from.

    Attributes:
        mask: (H, W) uint8, 0 or 1.
        parameters: (P,) float64, one for each of the recipe's `parameter_names`; NaN where a step did not
            apply, and for a view's numbers, which belong to the sample.
        iou: of `mask` with the mask it was made from.
        area_ratio: area of `mask` over the area of the mask it was made from.
        redraws: draws thrown away.
        flags: '' or comma-joined: `low-iou` (no draw reached the recipe's floor, this is the best),
            `no-tps` (too few or too straight control points for a spline).
    """

    mask: Mask
    parameters: Numbers
    iou: float
    area_ratio: float
    redraws: int
    flags: str


def deform(mask: Mask | Figure, recipe: Recipe, rng: np.random.Generator) -> Deformed:
    """Draw one rough mask.

    Args:
        mask: (H, W) uint8, 0 or 1, not empty; or its figure, which serves several draws from one mask.
        recipe: what to do.
        rng: source of all numbers.

    Raises:
        ValueError: the mask is empty.

    Source: arXiv 1612.02646 §3.1 and §4; the redraw rule is ours (docs/paper.md).
    """
    target = mask if isinstance(mask, Figure) else Figure.of(mask)
    if not target.width:
        raise ValueError("deform: the mask is empty, expected at least one foreground pixel; leave such samples out")
    judged = _judged_runs(recipe)
    rough, drawn, redraws, reached = _redrawn(target, recipe, recipe.runs[:judged], rng)
    rough, rest = _drawn(rough, recipe.runs[judged:], rng)
    return Deformed(
        mask=rough.mask(),
        parameters=np.concatenate([np.full(_view_numbers(recipe), np.nan), *drawn, *rest]),
        iou=rough.iou(target),
        area_ratio=rough.area / target.area,
        redraws=redraws,
        flags=_flags(recipe, [*drawn, *rest], reached),
    )


def replay(mask: Mask, recipe: Recipe, parameters: Numbers) -> Mask:
    """The rough mask of stored numbers, bit for bit the one `deform` gave.

    Args:
        mask: (H, W) uint8, 0 or 1; the one deformed then.
        recipe: the one used then.
        parameters: (P,) float64, as in `Deformed`.

    Returns:
        (H, W) uint8, 0 or 1.

    Raises:
        ValueError: not as many numbers as the recipe draws.
    """
    expected = len(recipe.parameter_names)
    if np.shape(parameters) != (expected,):
        raise ValueError(f"replay: parameters are {np.shape(parameters)}, recipe {recipe.name} expects ({expected},)")
    rough, at = Figure.of(mask), _view_numbers(recipe)
    for run in recipe.runs:
        drawn = []
        for step in run:
            drawn.append(parameters[at : at + len(step.names)])
            at += len(step.names)
        rough = _applied(rough, run, drawn)
    return rough.mask()


def _judged_runs(recipe: Recipe) -> int:
    """How many runs come before the IoU is judged: up to the last warp, so that coarsening after it is not counted."""
    return max((n for n, run in enumerate(recipe.runs, 1) if isinstance(run[0], Warp)), default=0)


def _redrawn(
    target: Figure, recipe: Recipe, runs: Sequence[Run], rng: np.random.Generator
) -> tuple[Figure, list[Numbers], int, bool]:
    """The first draw that reaches the recipe's floor, else the best: object, numbers, draws thrown away, reached."""
    best: tuple[float, Figure, list[Numbers]] | None = None
    for redraws in range(recipe.max_redraws + 1):
        rough, drawn = _drawn(target, runs, rng)
        overlap = rough.iou(target) if runs else 1.0
        if rough.width and overlap >= recipe.min_iou:
            return rough, drawn, redraws, True
        if best is None or overlap > best[0]:
            best = overlap, rough, drawn
    assert best is not None  # max_redraws >= 0: at least one draw was made
    return best[1], best[2], recipe.max_redraws, False


def _drawn(figure: Figure, runs: Sequence[Run], rng: np.random.Generator) -> tuple[Figure, list[Numbers]]:
    numbers: list[Numbers] = []
    for run in runs:
        drawn = [step.draw(rng, figure) for step in run]
        figure = _applied(figure, run, drawn)
        numbers += drawn
    return figure, numbers


def _applied(figure: Figure, run: Run, drawn: Sequence[Numbers]) -> Figure:
    """One run applied: warps in a row read the object they start from once."""
    maps: list[PointMap] = []
    for step, numbers in zip(run, drawn, strict=True):
        if isinstance(step, Morph):
            return step.apply(figure, numbers)
        bound = step.bind(numbers, figure.box, maps)
        if bound is not None:
            maps.append(bound)
    return warp(figure, maps) if maps else figure


def _view_numbers(recipe: Recipe) -> int:
    return len(recipe.augment.names) if recipe.augment else 0


def _flags(recipe: Recipe, drawn: Sequence[Numbers], reached: bool) -> str:
    steps = [step for run in recipe.runs for step in run]
    skipped = any(isinstance(step, Tps) and math.isnan(n[0]) for step, n in zip(steps, drawn, strict=True))
    return ",".join(flag for flag, is_set in (("low-iou", not reached), ("no-tps", skipped)) if is_set)
