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
from ..samples import GuideDraw
from .base import Transform
from .object_crop import ObjectCrop
from .recipe import Recipe
from .warp import PointMap, warp_all

Group = tuple[Transform, ...]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnGuide(GuideDraw):
    """A guide mask and how it was drawn.

    Attributes:
        mask: (H, W) uint8, 0 or 1.
        parameters, iou, area_ratio, redraws, draw_flags: as in `samples.GuideDraw`; its target is the mask it was
            made from.
    """

    mask: Mask


def deform(mask: Mask | ObjectCrop, recipe: Recipe, rng: np.random.Generator) -> DrawnGuide:
    """Draw one guide mask.

    Args:
        mask: (H, W) uint8, 0 or 1, not empty; or its figure, which serves several draws from one mask.
        recipe: what to do.
        rng: source of all numbers.

    Raises:
        ValueError: the mask is empty.

    Source: arXiv 1612.02646 §3.1 and §4; the redraw rule is ours (docs/paper.md).
    """
    return deform_all([mask if isinstance(mask, ObjectCrop) else ObjectCrop.of(mask)], recipe, [rng])[0]


def deform_all(targets: Sequence[ObjectCrop], recipe: Recipe, rngs: Sequence[np.random.Generator]) -> list[DrawnGuide]:
    """Draw a guide mask of each object, the same that `deform` draws of it alone.

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
    if not all(target.pixels.size for target in targets):
        raise ValueError("deform: the mask is empty, expected at least one foreground pixel; leave such samples out")
    # The IoU is taken after the last warp, so that coarsening after it is not counted.
    until_iou = max((n for n, group in enumerate(recipe.groups, 1) if group[0].is_geometric), default=0)
    draws = _until_accepted(targets, recipe, recipe.groups[:until_iou], rngs)
    guides, rests = _drawn([draw.guide for draw in draws], recipe.groups[until_iou:], rngs)
    masks = [guide.mask() for guide in guides]
    numbers = [[*draw.numbers, *rest] for draw, rest in zip(draws, rests, strict=True)]
    views = np.full(len(recipe.augment.parameter_names) if recipe.augment else 0, np.nan)
    flagged = [(n, step.skip_flag) for n, step in enumerate(recipe.steps) if step.skip_flag]
    return [
        DrawnGuide(
            mask=mask,
            parameters=np.concatenate([views, *drawn]),
            iou=guide.iou(target),
            area_ratio=guide.area / target.area,
            redraws=draw.redraws,
            draw_flags=",".join(
                [
                    *([] if draw.reached else ["low-iou"]),
                    *dict.fromkeys(flag for n, flag in flagged if math.isnan(drawn[n][0])),
                ]
            ),
        )
        for mask, guide, target, draw, drawn in zip(masks, guides, targets, draws, numbers, strict=True)
    ]


def replay(mask: Mask, recipe: Recipe, parameters: Numbers) -> Mask:
    """The guide mask of stored numbers, bit for bit the one `deform` gave.

    Args:
        mask: (H, W) uint8, 0 or 1; the one deformed then.
        recipe: the one used then.
        parameters: (P,) float64, as in `DrawnGuide`.

    Returns:
        (H, W) uint8, 0 or 1.

    Raises:
        ValueError: not as many numbers as the recipe draws.
    """
    expected = len(recipe.parameter_names)
    if np.shape(parameters) != (expected,):
        raise ValueError(f"replay: parameters are {np.shape(parameters)}, recipe {recipe.name} expects ({expected},)")
    guide, at = ObjectCrop.of(mask), len(recipe.augment.parameter_names) if recipe.augment else 0
    for group in recipe.groups:
        drawn = []
        for step in group:
            drawn.append(parameters[at : at + len(step.parameter_names)])
            at += len(step.parameter_names)
        (guide,) = _applied([guide], group, [drawn])
    return guide.mask()


@dataclass(frozen=True)
class _Attempt:
    """An object warped once.

    Attributes:
        guide: what it became.
        numbers: drawn for it, an array for each step.
        overlap: IoU with what it was.
        redraws: draws thrown away for this one.
        reached: whether it reaches the recipe's floor; if not, all draws were used.
    """

    guide: ObjectCrop
    numbers: list[Numbers]
    overlap: float
    redraws: int
    reached: bool


def _until_accepted(
    targets: Sequence[ObjectCrop], recipe: Recipe, groups: Sequence[Group], rngs: Sequence[np.random.Generator]
) -> list[_Attempt]:
    """Of each object the first draw that reaches the recipe's floor, else the best."""
    best: dict[int, _Attempt] = {}
    pending = list(range(len(targets)))
    for redraws in range(recipe.max_redraws + 1):
        guides, numbers = _drawn([targets[n] for n in pending], groups, [rngs[n] for n in pending])
        for n, guide, drawn in zip(pending, guides, numbers, strict=True):
            overlap = guide.iou(targets[n]) if groups else 1.0
            reached = bool(guide.pixels.size) and overlap >= recipe.min_iou
            if reached or n not in best or overlap > best[n].overlap:
                best[n] = _Attempt(guide, drawn, overlap, redraws if reached else recipe.max_redraws, reached)
        pending = [n for n in pending if not best[n].reached]
        if not pending:
            break
    return [best[n] for n in range(len(targets))]


def _drawn(
    crops: Sequence[ObjectCrop], groups: Sequence[Group], rngs: Sequence[np.random.Generator]
) -> tuple[Sequence[ObjectCrop], list[list[Numbers]]]:
    """Every object after all groups, and its numbers, an array for each step."""
    numbers: list[list[Numbers]] = [[] for _ in crops]
    for group in groups:
        by_step = [[step.sample_params(rng, crop) for rng, crop in zip(rngs, crops, strict=True)] for step in group]
        drawn = list(zip(*by_step, strict=True))
        crops = _applied(crops, group, drawn)
        for every, more in zip(numbers, drawn, strict=True):
            every += more
    return crops, numbers


def _applied(crops: Sequence[ObjectCrop], group: Group, drawn: Sequence[Sequence[Numbers]]) -> list[ObjectCrop]:
    """One group applied to every object: warps in a row read the object they start from once."""
    if not group[0].is_geometric:  # alone in its group
        return [group[0].apply(crop, numbers) for crop, (numbers,) in zip(crops, drawn, strict=True)]
    return warp_all(crops, [point_maps(crop, group, numbers) for crop, numbers in zip(crops, drawn, strict=True)])


def point_maps(crop: ObjectCrop, warps: Sequence[Transform], drawn: Sequence[Numbers]) -> list[PointMap]:
    """The point maps of geometric steps, first applied first, without those that do not apply to the object.

    Args:
        crop: the object their parameters were drawn for.
        warps: the steps.
        drawn: parameters of each.
    """
    maps: list[PointMap] = []
    for step, numbers in zip(warps, drawn, strict=True):
        found = step.point_map(numbers, crop.box, maps)
        if found is not None:
            maps.append(found)
    return maps
