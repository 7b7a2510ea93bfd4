"""The known recipes, each number with its source, and the two ways to make others: a TOML file and `--set`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import Field, replace
from typing import Any

from ..config import Key, help_text, parsed, preset_or_file, settings_of, split_assignment, unknown_key
from ..errors import UsageError
from .affine import Affine
from .base import Transform
from .box import Box
from .dilate import Dilate
from .recipe import Recipe, find_step
from .rotate_flip import Augment
from .tps import Tps

# MaskTrack is arXiv 1612.02646; docs/paper.md quotes every sentence meant here.
_AFFINE = Affine(scale=0.05, shift=0.10)  # MaskTrack §4: "±5% random scaling", "±10% shift"
_TPS = Tps(
    points=5, shift=0.10, spline="smoothing"
)  # MaskTrack §4: "5 control points", "±10% margin"; tpaps in its code
_DILATE = Dilate(radius=5)  # MaskTrack §4: "5 pixel radius"
_TURNS = Augment(angles=tuple(range(-20, 21, 2)), flip=True)  # MaskTrack's code: 0, ±2 … ±20 degrees, each flipped

PRESETS: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        # MaskTrack §4: "For each image two different masks are generated"
        Recipe("masktrack", (_AFFINE, _TPS, _DILATE), variants=2),
        # MaskTrack §3.3: boxes as input; no jitter is stated, so there is one box to a mask
        Recipe("masktrack-box", (Box(jitter=0.0),), variants=1),
        # MaskTrack table 1, "no dilation": 72.4 mIoU against 74.8
        Recipe("no-dilation", (_AFFINE, _TPS), variants=2),
        # MaskTrack table 1, "no non-rigid": 73.3
        Recipe("no-nonrigid", (_AFFINE, _DILATE), variants=2),
        # MaskTrack table 1, "no deformation": 17.1; nothing is drawn, so one variant says it all
        Recipe("no-deformation", (), variants=1),
        # LucidDataDreaming's code: the previous frame's mask is the spline at ±5 %, then the disc; no affine
        Recipe("lucid", (Tps(points=5, shift=0.05, spline="smoothing"), _DILATE), variants=2),
        # MaskTrack §3.2: "~10^3 training images" of the first frame: 42 views x 24 variants = 1008
        Recipe("online", (_AFFINE, _TPS, _DILATE), variants=24, augment=_TURNS),
    )
}


def load_recipe(spec: str) -> Recipe:
    """The recipe named on the command line.

    Args:
        spec: name of a preset, or path of a `.toml` file; a file without `name` is named after itself.

    Raises:
        UsageError: neither, or the file cannot be used.
    """
    return preset_or_file(spec, PRESETS, Recipe.from_dict, "preset")


def configure(recipes: Sequence[Recipe], settings: Sequence[str]) -> tuple[Recipe, ...]:
    """Change settings of recipes, one `[RECIPE:]KEY=VALUE` after the other.

    KEY is `variants`, `min_iou`, `max_redraws`, `steps` (kinds joined by commas; a kind that was there keeps its
    settings), `augment.SETTING`, `KIND.SETTING` (every step of the kind) or `KIND#2.SETTING` (the second).

    Raises:
        UsageError: not of that form, an unknown recipe, a key that touches no recipe, or a value that does not fit.
    """
    changed = list(recipes)
    for text in settings:
        head, value = split_assignment(text, "[RECIPE:]KEY=VALUE")
        scope, _, key = (part.strip() for part in head.rpartition(":"))
        meant = [n for n, recipe in enumerate(changed) if not scope or recipe.name == scope]
        if not meant:
            raise UsageError(f"--set {text}: no recipe {scope!r} here; there are {', '.join(r.name for r in changed)}")
        touched = {n: _changed(changed[n], key, value, f"--set {text}") for n in meant if key in _keys(changed[n])}
        if not touched:
            known = dict.fromkeys(key for n in meant for key in _keys(changed[n]))
            names = ", ".join(changed[n].name for n in meant)
            raise unknown_key(key, known, f"--set {text}", f"{key!r} is no setting of {names}")
        changed = [touched.get(n, recipe) for n, recipe in enumerate(changed)]
    return tuple(changed)


def describe_settings(recipe: Recipe) -> str:
    """A line for every key that `configure` changes: its value now, what it may be, what it means."""
    keys = {}
    for name, (each, at) in _keys(recipe).items():
        holder = recipe.augment if name.startswith("augment.") else recipe.steps[at[0]] if at else recipe
        if each is not None:
            keys[name] = Key(each, holder, lambda value: value)
    return help_text(keys)


def _keys(recipe: Recipe) -> dict[str, tuple[Field[Any] | None, list[int]]]:
    """Key -> its field and the steps it belongs to; no steps for the recipe's own and the augmentation's."""
    keys: dict[str, tuple[Field[Any] | None, list[int]]] = {}
    keys |= {name: (each, []) for name, each in settings_of(recipe).items()} | {"steps": (None, [])}
    if recipe.augment:
        keys |= {f"augment.{name}": (each, []) for name, each in settings_of(recipe.augment).items()}
    for n, step in enumerate(recipe.steps):
        for name, each in settings_of(step).items():
            for label in _labels(recipe, n):
                keys.setdefault(f"{label}.{name}", (each, []))[1].append(n)
    return keys


def _labels(recipe: Recipe, n: int) -> Iterator[str]:
    """Names of step `n`: its kind, and with a number where the kind repeats."""
    kind = recipe.steps[n].kind
    yield kind
    if sum(step.kind == kind for step in recipe.steps) > 1:
        yield f"{kind}#{sum(step.kind == kind for step in recipe.steps[: n + 1])}"


def _changed(recipe: Recipe, key: str, text: str, place: str) -> Recipe:
    each, at = _keys(recipe)[key]
    if each is None:
        return replace(recipe, steps=_reordered(recipe, text, place))
    value: Any = parsed(each, text, place)
    if key.startswith("augment.") and recipe.augment:
        return replace(recipe, augment=replace(recipe.augment, **{each.name: value}))
    if not at:
        return replace(recipe, **{each.name: value})
    steps = [replace(step, **{each.name: value}) if n in at else step for n, step in enumerate(recipe.steps)]
    return replace(recipe, steps=tuple(steps))


def _reordered(recipe: Recipe, text: str, place: str) -> tuple[Transform, ...]:
    """Steps of the kinds in `text`; the n-th of a kind is the n-th there was, else the last, else a default one."""
    steps: list[Transform] = []
    for kind in filter(None, (part.strip() for part in text.split(","))):
        there = [step for step in recipe.steps if step.kind == kind] or [find_step(kind, place)()]
        before = sum(step.kind == kind for step in steps)
        steps.append(there[min(before, len(there) - 1)])
    return tuple(steps)
