"""Rough masks for clips: what a network is given beside the frame, instead of the true mask.

`ROUGH` is the table of rules. A rule draws a mask and its numbers; from the numbers it makes the same mask again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import cv2
import numpy as np

from ..arrays import Mask
from ..config import setting, validate
from ..transforms import PRESETS, Recipe, deform, replay

ALL, FIRST = "all", "first"


def _frames(default: str) -> Any:
    return setting(default, choices=(ALL, FIRST))


@dataclass(frozen=True)
class Rough(ABC):
    """How the mask of an object in a frame becomes a rough one.

    Attributes:
        kind: its name.
        frames: which have rough masks, `all` or the `first` alone; the guide of the others is the true mask.
    """

    kind: ClassVar[str] = ""

    frames: str = _frames(ALL)

    def __post_init__(self) -> None:
        validate(self, "rough")

    def applies(self, frame: int) -> bool:
        """Whether a frame has rough masks."""
        return frame == 0 or self.frames == ALL

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
        frames: `all` or `first`: which frames have a rough mask; the others have the true one.
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


@dataclass(frozen=True)
class Rde(Rough):
    """Rectangles of the mask grown or shrunk until its IoU with the true one falls below a drawn number.

    Attributes:
        frames: `all` or `first`: which frames have a rough mask; the others have the true one.
        iou_low, iou_high: between them lies the IoU at which it ends.
        rounds: of four rectangles, after which it ends in any case.
        pixel: share of rectangles whose middle pixel is set or cleared first.
        kernel_low, kernel_high: size of the kernel in pixels; a square, an ellipse, or one of half its height or width.

    Source: Limingxing00/RDE-VOS-CVPR2022 548a889, static_dataset.py, perturb_mask; the IoUs are those of its README.
    """

    kind: ClassVar[str] = "rde"

    frames: str = _frames(FIRST)
    iou_low: float = setting(0.85, 0, 1)
    iou_high: float = setting(1.0, 0, 1)
    rounds: int = setting(250, 1, 1000)
    pixel: float = setting(0.1, 0, 1)
    kernel_low: int = setting(3, 2, 99)
    kernel_high: int = setting(9, 2, 99)

    def draw(self, target: Mask, rng: np.random.Generator) -> tuple[Mask, tuple[float, ...]]:
        """Eight numbers a rectangle."""
        least = self.iou_low + (self.iou_high - self.iou_low) * float(rng.random())
        made, area, drawn = target.copy(), int(target.sum()), []
        for _ in range(self.rounds):
            for at in rng.random((4, 9)).tolist():
                step = self._step(at, target.shape)
                _work_on(made, step)
                drawn += step
            both = cv2.countNonZero(made & target)
            if both < least * (area + cv2.countNonZero(made) - both):
                break
        return made, tuple(map(float, drawn))

    def replay(self, target: Mask, numbers: Sequence[float]) -> Mask:
        """The same rectangles again."""
        made = target.copy()
        for start in range(0, len(numbers), 8):
            _work_on(made, [int(each) for each in numbers[start : start + 8]])
        return made

    def _step(self, at: Sequence[float], size: tuple[int, ...]) -> list[int]:
        """A rectangle, its middle pixel (-1 for none), whether it grows, shape and size of the kernel."""
        H, W = size
        left, top = int(at[0] * W), int(at[1] * H)
        right, bottom = left + 1 + int(at[2] * (W - left)), top + 1 + int(at[3] * (H - top))
        pixel = int(at[5] < 0.5) if at[4] < self.pixel else -1
        kernel = self.kernel_low + int(at[8] * (self.kernel_high + 1 - self.kernel_low))
        return [left, top, right, bottom, pixel, int(at[6] < 0.5), int(at[7] * 4), kernel]


def _work_on(mask: Mask, step: Sequence[int]) -> None:
    """Grow or shrink one rectangle of a mask in place."""
    left, top, right, bottom, pixel, grows, shape, size = step
    if pixel >= 0:
        mask[(top + bottom) // 2, (left + right) // 2] = pixel
    part = mask[top:bottom, left:right]
    wide, tall = ((size, size), (size, size), (size, size // 2), (size // 2, size))[shape]
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE if shape else cv2.MORPH_RECT, (wide, tall))
    part[:] = (cv2.dilate if grows else cv2.erode)(part, kernel)


@dataclass(frozen=True)
class MatAnyone(Rough):
    """The whole mask grown or shrunk a little.

    Attributes:
        frames: `all` or `first`: which frames have a rough mask; the others have the true one.
        dilated: share of masks that grow.
        kernel_low, kernel_high: size of the elliptic kernel in pixels; 1 changes nothing.

    Source: pq-yang/MatAnyone e5ddc53, static_dataset.py.
    """

    kind: ClassVar[str] = "matanyone"

    frames: str = _frames(FIRST)
    dilated: float = setting(0.5, 0, 1)
    kernel_low: int = setting(1, 1, 99)
    kernel_high: int = setting(8, 1, 99)

    def draw(self, target: Mask, rng: np.random.Generator) -> tuple[Mask, tuple[float, ...]]:
        """Whether it grows, and the size of the kernel."""
        grows = float(float(rng.random()) < self.dilated)
        numbers = grows, float(rng.integers(self.kernel_low, self.kernel_high, endpoint=True))
        return self.replay(target, numbers), numbers

    def replay(self, target: Mask, numbers: Sequence[float]) -> Mask:
        """The same kernel again."""
        size = int(numbers[1])
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        return (cv2.dilate if numbers[0] else cv2.erode)(target, kernel)  # type: ignore[return-value]


ROUGH: dict[str, type[Rough]] = {rule.kind: rule for rule in (Deformed, Rde, MatAnyone)}
