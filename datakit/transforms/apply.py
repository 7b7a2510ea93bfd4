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
from .object_crop import ObjectCrop
from .recipe import Morph, Recipe, Step, Warp
from .tps import Tps
from .warp import PointMap, warp_all

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
        flags: '' or comma-joined: `low-iou` (no draw reached the recipe's floor before dilation, this is the best;
            for finished triples see `samples.flags_of`), `no-tps` (too few or too straight points for a spline).
    """

    mask: Mask
    parameters: Numbers
    iou: float
    area_ratio: float
    redraws: int
    flags: str


def deform(mask: Mask | ObjectCrop, recipe: Recipe, rng: np.random.Generator) -> Deformed:
    """Draw one rough mask.

    Args:
        mask: (H, W) uint8, 0 or 1, not empty; or its figure, which serves several draws from one mask.
        recipe: what to do.
        rng: source of all numbers.

    Raises:
        ValueError: the mask is empty.

    Source: arXiv 1612.02646 §3.1 and §4; the redraw rule is ours (docs/paper.md).
    """
    return deform_all([mask if isinstance(mask, ObjectCrop) else ObjectCrop.of(mask)], recipe, [rng])[0]


def deform_all(targets: Sequence[ObjectCrop], recipe: Recipe, rngs: Sequence[np.random.Generator]) -> list[Deformed]:
    """Draw a rough mask of each object, the same that `deform` draws of it alone.

    All go through a step together, since one object after the other through all steps empties the processor's
    caches of code and tables every time (docs/decisions.md).

    Args:
        targets: objects, none of them empty; the same may stand there several times.
        recipe: what to do.
        rngs: source of all numbers, one for each object.

    Returns:
        As many, in their order.

    Raises:
        ValueError: an object is empty.

    Source: as `deform`.
    """
    if not all(target.width for target in targets):
        raise ValueError("deform: the mask is empty, expected at least one foreground pixel; leave such samples out")
    judged = _judged_runs(recipe)
    draws = _redrawn(targets, recipe, recipe.runs[:judged], rngs)
    roughs, rests = _drawn([draw.rough for draw in draws], recipe.runs[judged:], rngs)
    masks = [rough.mask() for rough in roughs]
    numbers = [[*draw.numbers, *rest] for draw, rest in zip(draws, rests, strict=True)]
    views = np.full(_view_numbers(recipe), np.nan)
    return [
        Deformed(
            mask=mask,
            parameters=np.concatenate([views, *drawn]),
            iou=rough.iou(target),
            area_ratio=rough.area / target.area,
            redraws=draw.redraws,
            flags=_flags(recipe, drawn, draw.reached),
        )
        for mask, rough, target, draw, drawn in zip(masks, roughs, targets, draws, numbers, strict=True)
    ]


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
    rough, at = ObjectCrop.of(mask), _view_numbers(recipe)
    for run in recipe.runs:
        drawn = []
        for step in run:
            drawn.append(parameters[at : at + len(step.names)])
            at += len(step.names)
        (rough,) = _applied([rough], run, [drawn])
    return rough.mask()


def _judged_runs(recipe: Recipe) -> int:
    """How many runs come before the IoU is judged: up to the last warp, so that coarsening after it is not counted."""
    return max((n for n, run in enumerate(recipe.runs, 1) if isinstance(run[0], Warp)), default=0)


@dataclass(frozen=True)
class _Draw:
    """An object warped once.

    Attributes:
        rough: what it became.
        numbers: drawn for it, an array for each step.
        overlap: IoU with what it was.
        redraws: draws thrown away for this one.
        reached: whether it reaches the recipe's floor; if not, all draws were used.
    """

    rough: ObjectCrop
    numbers: list[Numbers]
    overlap: float
    redraws: int
    reached: bool


def _redrawn(
    targets: Sequence[ObjectCrop], recipe: Recipe, runs: Sequence[Run], rngs: Sequence[np.random.Generator]
) -> list[_Draw]:
    """Of each object the first draw that reaches the recipe's floor, else the best."""
    best: dict[int, _Draw] = {}
    pending = list(range(len(targets)))
    for redraws in range(recipe.max_redraws + 1):
        roughs, numbers = _drawn([targets[n] for n in pending], runs, [rngs[n] for n in pending])
        for n, rough, drawn in zip(pending, roughs, numbers, strict=True):
            overlap = rough.iou(targets[n]) if runs else 1.0
            reached = bool(rough.width) and overlap >= recipe.min_iou
            if reached or n not in best or overlap > best[n].overlap:
                best[n] = _Draw(rough, drawn, overlap, redraws if reached else recipe.max_redraws, reached)
        pending = [n for n in pending if not best[n].reached]
        if not pending:
            break
    return [best[n] for n in range(len(targets))]


def _drawn(
    figures: Sequence[ObjectCrop], runs: Sequence[Run], rngs: Sequence[np.random.Generator]
) -> tuple[Sequence[ObjectCrop], list[list[Numbers]]]:
    """Every object after all runs, and its numbers, an array for each step."""
    numbers: list[list[Numbers]] = [[] for _ in figures]
    for run in runs:
        by_step = [[step.draw(rng, figure) for rng, figure in zip(rngs, figures, strict=True)] for step in run]
        drawn = list(zip(*by_step, strict=True))
        figures = _applied(figures, run, drawn)
        for every, more in zip(numbers, drawn, strict=True):
            every += more
    return figures, numbers


def _applied(figures: Sequence[ObjectCrop], run: Run, drawn: Sequence[Sequence[Numbers]]) -> list[ObjectCrop]:
    """One run applied to every object: warps in a row read the object they start from once."""
    if isinstance(run[0], Morph):  # alone in its run
        return [run[0].apply(figure, numbers) for figure, (numbers,) in zip(figures, drawn, strict=True)]
    warps = [step for step in run if isinstance(step, Warp)]
    return warp_all(figures, [_bound(figure, warps, numbers) for figure, numbers in zip(figures, drawn, strict=True)])


def _bound(figure: ObjectCrop, warps: Sequence[Warp], drawn: Sequence[Numbers]) -> list[PointMap]:
    """The point maps of warps, without those that do not apply to the object."""
    maps: list[PointMap] = []
    for step, numbers in zip(warps, drawn, strict=True):
        bound = step.bind(numbers, figure.box, maps)
        if bound is not None:
            maps.append(bound)
    return maps


def _view_numbers(recipe: Recipe) -> int:
    return len(recipe.augment.names) if recipe.augment else 0


def _flags(recipe: Recipe, drawn: Sequence[Numbers], reached: bool) -> str:
    steps = [step for run in recipe.runs for step in run]
    skipped = any(isinstance(step, Tps) and math.isnan(n[0]) for step, n in zip(steps, drawn, strict=True))
    return ",".join(flag for flag, is_set in (("low-iou", not reached), ("no-tps", skipped)) if is_set)
