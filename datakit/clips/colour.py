"""Changes of colour as the published loaders make them: torchvision's ColorJitter, grey, blur. Drawn, then applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Image
from ..config import setting, validate
from ..transforms.photometric import GREY
from .plan import Shade

JITTER = ("brightness", "contrast", "saturation", "hue")
GAINS = ("red", "green", "blue")
SHADES = (*JITTER, *GAINS, "grey", "blur")
Transform = NDArray[np.float64]  # (3, 4), of a colour and 1
_PARTS = 4096  # what matrices are rounded to: products with bytes are then exact in float32, on any CPU


@dataclass(frozen=True)
class Colour:
    """How much the light changes from clip to clip, and from frame to frame.

    Attributes:
        clip_brightness, clip_contrast, clip_saturation: largest relative change, once a clip.
        clip_hue: largest shift of hue in turns, once a clip.
        clip_grey: share of clips turned grey.
        brightness, contrast, saturation: largest relative change, each frame.
        hue: largest shift of hue in turns, each frame.
        chance: share of frames whose colours change.
        grey: share of frames turned grey.
        blur: share of frames that are blurred, by a deviation between `blur_low` and `blur_high` pixels.
        blur_low, blur_high: least and largest deviation of the blur in pixels.
        first: whether frame 0 changes, too.
    """

    clip_brightness: float = setting(0.0, 0, 1)
    clip_contrast: float = setting(0.0, 0, 1)
    clip_saturation: float = setting(0.0, 0, 1)
    clip_hue: float = setting(0.0, 0, 0.5)
    clip_grey: float = setting(0.0, 0, 1)
    brightness: float = setting(0.0, 0, 1)
    contrast: float = setting(0.0, 0, 1)
    saturation: float = setting(0.0, 0, 1)
    hue: float = setting(0.0, 0, 0.5)
    chance: float = setting(1.0, 0, 1)
    grey: float = setting(0.0, 0, 1)
    blur: float = setting(0.0, 0, 1)
    blur_low: float = setting(0.1, 0.01, 50)
    blur_high: float = setting(2.0, 0.01, 50)
    first: bool = setting(True)

    def __post_init__(self) -> None:
        validate(self, "colour")

    def draw_clip(self, rng: np.random.Generator) -> tuple[Shade, ...]:
        """What changes once a clip."""
        most = (self.clip_brightness, self.clip_contrast, self.clip_saturation, self.clip_hue)
        return _jitter(rng, most, 1.0) + _with_chance(rng, self.clip_grey, "grey", 1.0)

    def draw_frame(self, rng: np.random.Generator, frame: int) -> tuple[Shade, ...]:
        """What changes in one frame."""
        most = (self.brightness, self.contrast, self.saturation, self.hue)
        drawn = _jitter(rng, most, self.chance) + _with_chance(rng, self.grey, "grey", 1.0)
        deviation = self.blur_low + (self.blur_high - self.blur_low) * float(rng.random())
        drawn += _with_chance(rng, self.blur, "blur", deviation)
        return drawn if frame or self.first else ()


def _jitter(rng: np.random.Generator, most: Sequence[float], chance: float) -> tuple[Shade, ...]:
    """The four changes in an order that is drawn, too; none where its range is 0."""
    units, order, is_drawn = rng.random(4).tolist(), np.argsort(rng.random(4)), float(rng.random()) < chance
    middle = (1.0, 1.0, 1.0, 0.0)  # a factor, but for hue
    amounts = [at + (2 * unit - 1) * limit for at, unit, limit in zip(middle, units, most, strict=True)]
    return tuple(Shade(JITTER[n], amounts[n]) for n in order.tolist() if most[n]) if is_drawn else ()


def _with_chance(rng: np.random.Generator, chance: float, kind: str, amount: float) -> tuple[Shade, ...]:
    return (Shade(kind, amount),) if float(rng.random()) < chance else ()


def shaded(image: Image, shades: Sequence[Shade], grey: float | None = None, into: Image | None = None) -> Image:
    """A picture with its colours changed, first to last; `image` itself where there is nothing to change.

    Args:
        image: (H, W, 3) uint8 RGB.
        shades: as drawn.
        grey: mean grey of the picture it is a part of, for contrast; of `image` where None.
        into: (H, W, 3) uint8 to write to; may be `image`; where None, new memory.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    made, matrix = image, np.eye(3, 4)
    for each in shades:
        if each.kind in ("hue", "blur"):
            made, matrix = _transformed(made, matrix), np.eye(3, 4)
            made = _other_hue(made, each.amount) if each.kind == "hue" else _blurred(made, each.amount)
        else:
            matrix = _after(_matrix(each, made, matrix, grey), matrix)
    made = _transformed(made, matrix, into)
    if into is None or made is into:
        return made
    into[:] = made
    return into


def mean_grey(image: Image) -> float:
    """Mean of the grey values of an (H, W, 3) uint8 RGB picture."""
    return float(GREY @ np.array(cv2.mean(image)[:3]))


def _matrix(shade: Shade, image: Image, before: Transform, grey: float | None) -> Transform:
    """(3, 4): what one change does to a colour and 1. Contrast goes by the mean grey of the picture so far."""
    by = shade.amount
    if shade.kind == "brightness":
        return np.eye(3, 4) * by
    if shade.kind in GAINS:
        return np.eye(3, 4) * [[by if shade.kind == each else 1.0] for each in GAINS]
    if shade.kind == "contrast":
        means = cv2.mean(image)[:3] if grey is None else (grey,) * 3
        mean = float(GREY @ (before @ np.array([*means, 1.0])))
        return np.column_stack([np.eye(3) * by, np.full(3, (1 - by) * np.floor(mean + 0.5))])
    to_grey = np.tile(GREY.astype(np.float64), (3, 1))
    mixed = to_grey if shade.kind == "grey" else by * np.eye(3) + (1 - by) * to_grey
    return np.column_stack([mixed, np.zeros(3)])


def _after(second: Transform, first: Transform) -> Transform:
    made: Transform = second[:, :3] @ first
    made[:, 3] += second[:, 3]
    return made


def _transformed(image: Image, matrix: Transform, into: Image | None = None) -> Image:
    rounded = np.rint(matrix * _PARTS) / _PARTS
    return image if np.array_equal(rounded, np.eye(3, 4)) else cv2.transform(image, rounded, into)  # type: ignore[return-value]


def _other_hue(image: Image, turns: float) -> Image:
    """The hue moved on. By bytes: OpenCV's own way back from hue differs by a level from CPU to CPU."""
    hue, saturation, value = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL))
    missing = _product(
        cv2.applyColorMap(hue, np.roll(_MISSING, -int(turns * 255), axis=0)), cv2.merge([saturation] * 3)
    )
    return _product(cv2.bitwise_not(missing), cv2.merge([value] * 3))


def _missing() -> NDArray[np.uint8]:
    """(256, 1, 3): what a full hue of 0..255 lacks in red, green and blue, 0..255."""
    hue = (np.arange(256)[:, None] * 6 / 256 + [5, 3, 1]) % 6
    table: NDArray[np.uint8] = np.rint(255 * np.clip(np.minimum(hue, 4 - hue), 0, 1)).astype(np.uint8)[:, None]
    return table


_MISSING = _missing()


def _product(a: Any, b: Any) -> Image:
    """a * b / 255, rounded; exact for all bytes."""
    product: Image = cv2.multiply(a, b, scale=1 / 255)
    return product


def _blurred(image: Image, deviation: float) -> Image:
    return cv2.GaussianBlur(image, (0, 0), deviation)  # type: ignore[return-value]
