"""Rough masks for clips: what a network is given beside the frame, instead of the true mask.

`ROUGH` is the table of rules. A rule draws a mask and its numbers; from the numbers it makes the same mask again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from ..arrays import Mask
from ..config import setting, validate
from ..transforms import PRESETS, Recipe, deform, replay


@dataclass(frozen=True)
class Rough(ABC):
    """How the mask of an object in a frame becomes a rough one.

    Attributes:
        kind: its name.
    """

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        validate(self, "rough")

    def applies(self, frame: int) -> bool:
        """Whether a frame has rough masks; its guide is the true mask where it has none."""
        del frame
        return True

    @abstractmethod
    def draw(self, target: Mask, rng: np.random.Generator) -> tuple[Mask, tuple[float, ...]]:
        """A rough mask of an object and the numbers it is made of.

        Args:
            target: (S, S) uint8, 0 or 1, not empty.
            rng: source of all chance.
        """

    @abstractmethod
    def replay(self, target: Mask, numbers: Sequence[float]) -> Mask:
        """The mask of drawn numbers again."""


@dataclass(frozen=True)
class Deformed(Rough):
    """Our recipes for guide masks, of the frame's own mask.

    Attributes:
        recipe: name of the recipe.
    """

    kind: ClassVar[str] = "deformed"

    recipe: str = setting("masktrack", choices=tuple(name for name, each in PRESETS.items() if each.augment is None))

    @cached_property
    def _recipe(self) -> Recipe:
        return PRESETS[self.recipe]

    def draw(self, target: Mask, rng: np.random.Generator) -> tuple[Mask, tuple[float, ...]]:
        """A guide mask as `datakit.transforms.deform` draws it."""
        drawn = deform(target, self._recipe, rng)
        return drawn.mask, tuple(drawn.parameters.tolist())

    def replay(self, target: Mask, numbers: Sequence[float]) -> Mask:
        """As `datakit.transforms.replay`."""
        return replay(target, self._recipe, np.array(numbers, np.float64))


ROUGH: dict[str, type[Rough]] = {Deformed.kind: Deformed}
