"""Captions: the parameters and measures of a triple in a few words.

Names are `step.number`, as in `Recipe.parameter_names`; a step may be repeated, and a step
that is not known here is told by its names and numbers. Layout is left to `sheet`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from ..samples import Triple

Numbers = Mapping[str, float]


def measures(triple: Triple) -> str:
    """IoU with the target and area ratio: `IoU 0.82 · area x1.25`."""
    return f"IoU {triple.iou:.2f} · area x{triple.area_ratio:.2f}"


def describe(names: Sequence[str], parameters: Sequence[float]) -> list[str]:
    """Phrases for every step of one draw, in the order of the recipe.

    Args:
        names: `step.number`, one for each parameter.
        parameters: (P,) the drawn numbers; NaN where a step did not apply.

    Returns:
        Short phrases such as `scale +3.1 %`, `spline max 7.3 px`, `disc 5 px`, `no spline`.
    """
    steps: dict[str, dict[str, float]] = {}
    for name, value in zip(names, parameters, strict=True):
        step, _, number = name.rpartition(".")
        steps.setdefault(step, {})[number] = float(value)
    return [phrase for step, numbers in steps.items() for phrase in _phrases(step, numbers)]


def _phrases(step: str, numbers: Numbers) -> list[str]:
    kind = step.partition("#")[0]  # the second affine of a recipe is `affine#2`
    if any(math.isnan(value) for value in numbers.values()):
        return [f"no {NOUNS.get(kind, step)}"]
    try:
        return KINDS[kind](numbers)
    except KeyError:  # a step or a number that this page has no words for
        return [f"{step} {name} {value:g}".strip() for name, value in numbers.items()]


def _affine(numbers: Numbers) -> list[str]:
    change = (numbers["scale"] - 1) * 100
    return [f"scale {change:+.1f} %", f"shift {numbers['dx']:+.1f} / {numbers['dy']:+.1f} px"]


def _tps(numbers: Numbers) -> list[str]:
    count = sum(name.startswith("dx") for name in numbers)
    lengths = [math.hypot(numbers[f"dx{k}"], numbers[f"dy{k}"]) for k in range(count)]
    return [f"spline max {max(lengths):.1f} px"] if lengths else []


def _dilate(numbers: Numbers) -> list[str]:
    return [f"disc {numbers['radius']:g} px"]


def _box(numbers: Numbers) -> list[str]:
    width, height = numbers["x1"] - numbers["x0"], numbers["y1"] - numbers["y0"]
    return [f"box {width:g} x {height:g} px at ({numbers['x0']:g}, {numbers['y0']:g})"]


def _augment(numbers: Numbers) -> list[str]:
    turn = f"turned {numbers['angle']:+g} deg" if numbers["angle"] else "not turned"
    return [turn, "mirrored"] if numbers["flip"] else [turn]


KINDS: dict[str, Callable[[Numbers], list[str]]] = {
    "augment": _augment,
    "affine": _affine,
    "tps": _tps,
    "dilate": _dilate,
    "box": _box,
}
NOUNS = {"affine": "affine", "tps": "spline", "dilate": "dilation", "box": "box"}
