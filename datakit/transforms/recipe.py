"""A recipe: which deformations, in which order, how often, and when a draw is too far off.

A recipe only holds settings. Drawing and applying is left to `apply`, the known recipes and the
command line's `--set` to `presets`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..wording import counted
from .affine import Affine
from .box import Box
from .dilate import Dilate
from .object_crop import ObjectCrop
from .ranges import from_mapping, refuse_unknown, setting, settings_of, settle
from .rotate_flip import Augment
from .tps import Tps

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Deformation(Protocol):
    """What every step of a recipe is: a frozen dataclass of ranges.

    A step either has `bind` (a warp: gives a point map, and warps in a row are read in one go) or
    `apply(figure, parameters)` (a morph: gives the changed object). Both are pure: all chance is in `draw`.

    Attributes:
        kind: its name in recipes.
        names: of the numbers it draws.
    """

    kind: ClassVar[str]

    @property
    def names(self) -> tuple[str, ...]: ...

    def draw(self, rng: np.random.Generator, figure: ObjectCrop) -> NDArray[np.float64]:
        """(len(names),) float64; NaN where the step does not apply to the object."""
        ...


Warp = Affine | Tps
Morph = Dilate | Box
Step = Warp | Morph

KINDS: dict[str, type[Step]] = {kind.kind: kind for kind in (Affine, Tps, Dilate, Box)}


@dataclass(frozen=True)
class Recipe:
    """How one sample becomes rough masks.

    Attributes:
        name: part of every triple's key.
        steps: deformations in order; may be empty, and kinds may repeat.
        variants: rough masks for each sample.
        min_iou: a draw is thrown away whose mask, after the last warp and what stands before it, has a
            smaller IoU with the target, or is empty; 0 allows everything but empty masks.
        max_redraws: after so many the best draw is kept and flagged.
        augment: first-frame views made of each sample before; None for none.
    """

    name: str
    steps: tuple[Step, ...]
    variants: int = setting(2, 1, 10_000)
    min_iou: float = setting(0.3, 0, 1)
    max_redraws: int = setting(10, 0, 1000)
    augment: Augment | None = None

    def __repr__(self) -> str:
        """One line: name, kinds of step, number of variants; `to_dict` has every number."""
        steps = " → ".join(step.kind for step in self.steps) or "no step"
        return f"Recipe({self.name!r}, {steps}, {counted(self.variants, 'variant')})"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise UsageError(f"recipe name {self.name!r}: expected letters, digits, '.', '_' and '-'")
        object.__setattr__(self, "steps", tuple(self.steps))
        settle(self, f"recipe {self.name}")

    @property
    def kind(self) -> str:
        """`box` when the rough masks are rectangles, else `mask`."""
        return "box" if any(isinstance(step, Box) for step in self.steps) else "mask"

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Name of each step: its kind, from the second of a kind on with its number, `affine#2`."""
        seen: Counter[str] = Counter()
        labels = []
        for step in self.steps:
            seen[step.kind] += 1
            labels.append(step.kind if seen[step.kind] == 1 else f"{step.kind}#{seen[step.kind]}")
        return tuple(labels)

    @cached_property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of a triple's numbers, those of the view first: `augment.angle`, `affine.scale`, `tps.x0` …"""
        views = [f"augment.{name}" for name in self.augment.names] if self.augment else []
        return (
            *views,
            *(f"{label}.{name}" for label, step in zip(self.labels, self.steps, strict=True) for name in step.names),
        )

    @cached_property
    def runs(self) -> tuple[tuple[Step, ...], ...]:
        """The steps, warps that follow each other together, every morph alone."""
        numbered = enumerate(self.steps)
        grouped = groupby(numbered, key=lambda item: -1 if isinstance(item[1], Warp) else item[0])
        return tuple(tuple(step for _, step in group) for _, group in grouped)

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values, as in a recipe file."""
        plain = {"name": self.name} | {key: getattr(self, key) for key in settings_of(self)}
        if self.augment:
            plain["augment"] = _plain(self.augment)
        plain["steps"] = [{"kind": step.kind} | _plain(step) for step in self.steps]
        return plain

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """The recipe of plain values; settings left out have their defaults.

        Raises:
            UsageError: an unknown key or kind, a missing name, a wrong type or a value outside its range.
        """
        place = f"recipe {values.get('name', '')}".strip()
        refuse_unknown(values, ("name", "steps", *settings_of(cls), "augment"), place)
        if "name" not in values:
            raise UsageError(f"{place}: no 'name'")
        rest: dict[str, Any] = {key: values[key] for key in settings_of(cls) if key in values}
        steps = values.get("steps", ())
        if not isinstance(steps, list | tuple):
            raise UsageError(f"{place}: 'steps' is no list of tables; write [[steps]]")
        if values.get("augment") is not None:
            rest["augment"] = from_mapping(Augment, _table(values["augment"], place), f"{place}: augment")
        return cls(values["name"], tuple(_step(each, f"{place}: step {n}") for n, each in enumerate(steps, 1)), **rest)


def _plain(owner: Any) -> dict[str, Any]:
    values = {key: getattr(owner, key) for key in settings_of(owner)}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _table(values: Any, place: str) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise UsageError(f"{place}: {values!r} is no table of settings")
    return dict(values)


def _step(values: Any, place: str) -> Step:
    rest = _table(values, place)
    kind = rest.pop("kind", None)
    if kind not in KINDS:
        raise UsageError(f"{place}: unknown kind {kind!r}; known are {', '.join(KINDS)}")
    step: Step = from_mapping(KINDS[kind], rest, f"{place}, {kind}")
    return step
