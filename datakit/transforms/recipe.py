"""A recipe: which deformations, in which order, how often, and when a draw is too far off.

A recipe only holds settings. Drawing and applying is left to `apply`, the known recipes and the
command line's `--set` to `presets`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from ..config import from_mapping, refuse_unknown, setting, settings_of, validate
from ..errors import UsageError
from ..wording import counted
from .base import TRANSFORMS, Transform, package_of
from .rotate_flip import Augment

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Recipe:
    """How one sample becomes guide masks.

    Attributes:
        name: part of every triple's key.
        steps: deformations in order; may be empty, and kinds may repeat.
        variants: guide masks for each sample.
        min_iou: a draw is thrown away whose mask, after the last warp and what stands before it, has a
            smaller IoU with the target, or is empty; 0 allows everything but empty masks.
        max_redraws: after so many the best draw is kept and flagged.
        augment: first-frame views made of each sample before; None for none.
    """

    name: str
    steps: tuple[Transform, ...]
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
        validate(self, f"recipe {self.name}")

    @property
    def kind(self) -> str:
        """What its guide masks look like, as their steps say: `box` for rectangles, else `mask`."""
        return next((step.guide_kind for step in self.steps if step.guide_kind != "mask"), "mask")

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
        views = [f"augment.{name}" for name in self.augment.parameter_names] if self.augment else []
        labelled = zip(self.labels, self.steps, strict=True)
        return (*views, *(f"{label}.{name}" for label, step in labelled for name in step.parameter_names))

    @cached_property
    def groups(self) -> tuple[tuple[Transform, ...], ...]:
        """The steps: geometric ones that follow each other together, every other step alone."""
        grouped = groupby(enumerate(self.steps), key=lambda item: -1 if item[1].is_geometric else item[0])
        return tuple(tuple(step for _, step in group) for _, group in grouped)

    def describe(self, parameters: Sequence[float]) -> list[str]:
        """Captions of one draw, in the order of the steps.

        Args:
            parameters: (P,) the drawn numbers; NaN where a step did not apply.

        Returns:
            Short phrases such as `scale +3.1 %`, `spline max 7.3 px`, `disc 5 px`, `no spline`.
        """
        numbers = [float(value) for value in parameters]
        views = len(self.augment.parameter_names) if self.augment else 0
        captions = self.augment.describe(_named(self.augment, numbers[:views])) if self.augment else []
        for step in self.steps:
            drawn, views = numbers[views : views + len(step.parameter_names)], views + len(step.parameter_names)
            skipped = any(math.isnan(value) for value in drawn)
            captions += [f"no {step.noun or step.kind}"] if skipped else step.describe(_named(step, drawn))
        return captions

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values, as in a recipe file."""
        plain = {"name": self.name} | {key: getattr(self, key) for key in settings_of(self)}
        if self.augment:
            plain["augment"] = _plain(self.augment)
        plain["steps"] = [{"kind": step.kind} | _plain(step) | _origin(step) for step in self.steps]
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


def _named(step: Transform | Augment, numbers: Sequence[float]) -> dict[str, float]:
    return dict(zip(step.parameter_names, numbers, strict=True))


def _plain(owner: Any) -> dict[str, Any]:
    """Settings as plain values, without those at a default that older versions do not know."""
    values = {
        name: getattr(owner, name)
        for name, each in settings_of(owner).items()
        if not (each.metadata["is_optional"] and getattr(owner, name) == each.default)
    }
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _origin(step: Transform) -> dict[str, str]:
    """Where a step of another package is from, so that whoever lacks it is told."""
    package = package_of(type(step))
    return {"package": package} if package else {}


def _table(values: Any, place: str) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise UsageError(f"{place}: {values!r} is no table of settings")
    return dict(values)


def _step(values: Any, place: str) -> Transform:
    rest = _table(values, place)
    kind, package = rest.pop("kind", None), rest.pop("package", "")
    if package and kind not in TRANSFORMS:
        why = TRANSFORMS.failed.get(kind, f"no installed package offers it; install {package}, where it is from")
        raise UsageError(f"{place}: unknown step {kind!r}: {why}")
    return from_mapping(find_step(kind, place), rest, f"{place}, {kind}")


def find_step(kind: Any, place: str) -> type[Transform]:
    """The class of a kind of step.

    Raises:
        UsageError: there is none; opened by `place`, it lists those there are.
    """
    if not isinstance(kind, str):
        raise UsageError(f"{place}: kind {kind!r} is no name of a step; known are {', '.join(TRANSFORMS)}")
    return TRANSFORMS.find(kind, place)
