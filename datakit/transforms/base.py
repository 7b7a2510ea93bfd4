"""What every transform is, and the table of steps of recipes that other packages can add to.

A transform draws its parameters first (`sample_params`) and applies them by a pure function, so that every guide mask
can be made again from the numbers stored with it. A geometric step gives a `point_map`; geometric steps in a row
become one map and one resampling, of masks and of images. Any other step gives the changed object itself (`apply`).
Transforms of an image (`ImageTransform`) have the same form; training strings them together, not recipes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..arrays import Box, Image, Mask
from ..config import settings_of, validate
from ..errors import UsageError
from ..registry import Registry
from .object_crop import ObjectCrop
from .warp import PointMap, warp

GROUP = "masktrack_datakit.transforms"
GUIDE_KINDS = ("mask", "box")  # what shards say a guide mask looks like

Params = NDArray[np.float64]
Step = TypeVar("Step", bound="type[Transform]")
Subject = TypeVar("Subject")


@dataclass(frozen=True)
class BaseTransform(ABC, Generic[Subject]):
    """What steps of recipes and transforms of an image share: a frozen dataclass of ranges that draws, then applies.

    Its fields are ranges made by `datakit.config.setting`, each with a default.

    Attributes:
        kind: its name.
    """

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        validate(self, self.kind)

    @property
    @abstractmethod
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the numbers it draws."""

    @abstractmethod
    def sample_params(self, rng: np.random.Generator, crop: Subject) -> Params:
        """Draw the parameters for one object or image.

        Args:
            rng: source of all chance.
            crop: the object or image.

        Returns:
            (len(parameter_names),) float64; all NaN where it does not apply to the object or image.
        """

    @abstractmethod
    def apply(self, crop: Subject, parameters: Params) -> Subject:
        """The object or image changed by drawn parameters; with NaN, as it is. A pure function."""

    def describe(self, numbers: Mapping[str, float]) -> list[str]:
        """Captions of drawn parameters, by name, such as `scale +3.1 %`."""
        return [f"{self.kind} {name} {value:g}" for name, value in numbers.items()]


@dataclass(frozen=True)
class Transform(BaseTransform[ObjectCrop]):
    """One step of a recipe.

    A subclass gives `parameter_names` and `sample_params`, and either `point_map` (a geometric step) or `apply`.

    Attributes:
        noun: what captions call it; its kind where empty.
        guide_kind: what the guide mask looks like after it, of `GUIDE_KINDS`.
        skip_flag: flag of a triple whose parameters are NaN, that is, to whose object the step did not apply.
        package: distribution to install for it, stored with recipes; empty for steps of this package.
        is_geometric: whether it gives a `point_map`; set by itself.
    """

    noun: ClassVar[str] = ""
    guide_kind: ClassVar[str] = "mask"
    skip_flag: ClassVar[str] = ""
    package: ClassVar[str] = ""
    is_geometric: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.is_geometric = cls.point_map is not Transform.point_map

    def point_map(self, parameters: Params, box: Box, before: Sequence[PointMap]) -> PointMap | None:
        """The map of drawn parameters; None where the step does not apply.

        Args:
            parameters: of `sample_params`.
            box: of the object they were drawn for, before the first of the warps that are applied together.
            before: maps applied before this one in the same resampling.
        """
        raise NotImplementedError(f"{self.kind} is no geometric step")

    def apply(self, crop: ObjectCrop, parameters: Params) -> ObjectCrop:
        """The object changed by drawn parameters; with NaN, as it is. A pure function."""
        found = self.point_map(parameters, crop.box, ())
        return warp(crop, [found] if found else [])


@dataclass(frozen=True)
class ImageCrop:
    """What a network is shown of a photo: what transforms of an image work on.

    Attributes:
        image: (H, W, 3) uint8 RGB. Never written to.
        target: (H, W) uint8, 0 or 1: its object.
        other_photo: another photo, (h, w, 3) uint8 RGB, or none, for a number of 0..1; None where there are no others.
    """

    image: Image
    target: Mask
    other_photo: Callable[[float], Image | None] | None = None


class ImageTransform(BaseTransform[ImageCrop]):
    """A transform that changes the colours of an image and leaves its masks as they are."""


def _check(kind: str, step: type[Transform]) -> None:
    """Whether a class can be a step of recipes; it is tried on a small object."""
    place = f"transform {kind!r}"
    if not (isinstance(step, type) and issubclass(step, Transform) and is_dataclass(step)):
        raise UsageError(f"{place}: {step!r} is no dataclass derived from datakit.transforms.Transform")
    if not step.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise UsageError(f"{place}: the dataclass must be frozen, @dataclass(frozen=True)")
    if step.kind != kind:
        raise UsageError(f"{place}: calls itself {step.kind!r}; register it under that name")
    if step.is_geometric == (step.apply is not Transform.apply):
        raise UsageError(f"{place}: must define either `point_map` or `apply`")
    if step.guide_kind not in GUIDE_KINDS:
        raise UsageError(f"{place}: guide_kind {step.guide_kind!r} is none of {', '.join(GUIDE_KINDS)}")
    plain = [each.name for each in fields(step) if each.name not in settings_of(step) or each.default is MISSING]
    if plain:
        raise UsageError(f"{place}: field {plain[0]!r} has no range; make it with datakit.config.setting")
    try:
        _try_out(step())
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from None
    except Exception as error:
        raise UsageError(f"{place}: fails on a small object: {type(error).__name__}: {error}") from error


def _try_out(step: Transform) -> None:
    crop = ObjectCrop.of(np.ones((9, 9), np.uint8), 4, 4, (17, 17))
    names = step.parameter_names
    if len(set(names)) != len(names) or not all(isinstance(name, str) and name for name in names):
        raise UsageError(f"parameter_names {names!r} are not different names")
    drawn = step.sample_params(np.random.default_rng(0), crop)
    if np.shape(drawn) != (len(names),) or drawn.dtype != np.float64:
        raise UsageError(f"sample_params gives {np.shape(drawn)} {drawn.dtype}, expected ({len(names)},) float64")
    again = step.sample_params(np.random.default_rng(0), crop)
    if not np.array_equal(drawn, again, equal_nan=True):
        raise UsageError("sample_params gives other numbers for the same generator; take all chance from `rng`")
    step.describe(dict(zip(names, drawn.tolist(), strict=True)))
    changed = step.apply(crop, drawn)
    if changed.size != crop.size or changed.pixels.shape != (changed.height, changed.width):
        raise UsageError("apply gives an object in a frame of another size, or pixels that do not fill its box")
    if changed.pixels.dtype != np.uint8 or (changed.pixels.size and changed.pixels.max() > 1):
        raise UsageError("apply gives pixels that are not uint8 of 0 and 1")


TRANSFORMS: Registry[type[Transform]] = Registry("step", GROUP, _check)


def register_transform(step: Step) -> Step:
    """Make a step known to recipes, by its `kind`. Call it after everything the step needs: it is tried out.

    From another package, an entry point of the group `masktrack_datakit.transforms` does the same without an import:
    its name is the step's `kind`, its object the class.

    Raises:
        UsageError: its kind is taken or no name, or the class cannot be a step; says why.
    """
    TRANSFORMS.add(step.kind, step)
    return step


def package_of(step: type[Transform]) -> str:
    """The distribution that brings a step, as its class says it, else its top-level module; '' for our own."""
    home = step.__module__.partition(".")[0]
    return "" if home == __name__.partition(".")[0] else step.package or home
