"""What training draws for a triple beyond its recipe: the shares and ranges, and the window that is cut.

Numbers are drawn from the generator that is handed in, always as many, so that switching one thing off leaves the
others as they were. What is drawn is done in `pose`, `photometric`, `compositing`, `corruption` and `crop`; the
settings of `photometric` and `compositing` are those of their transforms.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..config import same_setting, setting, settings_of, validate
from .base import ImageTransform
from .compositing import Compositing
from .crop import MARGIN, Window, object_window, square_window, whole_window
from .object_crop import ObjectCrop
from .photometric import Photometric

IMAGE_TRANSFORMS: tuple[type[ImageTransform], ...] = (Compositing, Photometric)
"""In the order they are applied; 0 switches each of their settings off."""


@dataclass(frozen=True)
class ViewConfig:
    """How a triple is shown to the network.

    MaskTrack names none of it; what `paper` keeps comes from DeepLab, the other numbers are ours.

    Attributes:
        size: side of the square cut in pixels.
        crop: `object` cuts around the guide mask, as propagation does; `random` cuts `size` pixels of the photo at
            its own scale anywhere, and makes nothing of the four settings that follow.
        margin_low, margin_high: room around the guide mask on every side as a multiple of its longer side, drawn
            log-uniformly; propagation's lies among them.
        shift: largest shift of the cut's centre, as a fraction of its side; the object may be cut off.
        whole: share of cuts that show the whole photo.
        flip: share that is mirrored left to right.
        turn: largest turn about the object's middle, in degrees.
        stretch: largest change of the ratio of width to height, as a natural logarithm; the area stays.
        paste: share of objects that are put on another photo, whose own objects then are none.
        brightness, contrast, saturation: largest relative change.
        tint: largest relative change of each colour by itself.
        grey: share of photos turned grey.
        blur: share of photos that are blurred, as frames of video are.
        partial: share of guide masks of which a part is erased, as after an occlusion.
        off_centre: share of guide masks moved further than the recipe moves them, as a fast object leaves its mask.
        off_centre_by: how far at most, as a fraction of the mask's width and height.
        blob: share of guide masks with a piece too much, as where a mask leaked into something near.
    """

    size: int = setting(224, 32, 2048)
    crop: str = setting("object", choices=("object", "random"))
    margin_low: float = setting(0.25, 0.01, 10)
    margin_high: float = setting(1.0, 0.01, 10)
    shift: float = setting(0.15, 0, 0.5)
    whole: float = setting(0.1, 0, 1)
    flip: float = setting(0.5, 0, 1)
    turn: float = setting(15.0, 0, 180)
    stretch: float = setting(0.2, 0, 1)
    paste: float = same_setting(Compositing, "paste")
    brightness: float = same_setting(Photometric, "brightness")
    contrast: float = same_setting(Photometric, "contrast")
    saturation: float = same_setting(Photometric, "saturation")
    tint: float = same_setting(Photometric, "tint")
    grey: float = same_setting(Photometric, "grey")
    blur: float = same_setting(Photometric, "blur")
    partial: float = setting(0.1, 0, 1)
    off_centre: float = setting(0.15, 0, 1)
    off_centre_by: float = setting(0.3, 0, 1)
    blob: float = setting(0.1, 0, 1)

    def __post_init__(self) -> None:
        validate(self, "view")

    @classmethod
    def paper(cls) -> ViewConfig:
        """Random crops of 321 pixels and mirroring, nothing else.

        Source: DeepLab's published training settings, which arXiv 1612.02646 §4 adopts.
        """
        return replace(cls().still(), size=321, crop="random", flip=0.5)

    def still(self) -> ViewConfig:
        """Nothing drawn: a window with the middle of the margins, the mask and the light as they are."""
        colours = (name for kind in IMAGE_TRANSFORMS for name in settings_of(kind))
        nothing: dict[str, Any] = dict.fromkeys((*_POSE, *colours, *CORRUPTIONS), 0.0)
        return replace(self, **nothing, crop="object", margin_low=MARGIN, margin_high=MARGIN)

    @cached_property
    def image_transforms(self) -> tuple[ImageTransform, ...]:
        """What changes the colours of an image, in the order it is applied; settings of the same names are theirs."""
        return tuple(kind(**{name: getattr(self, name) for name in settings_of(kind)}) for kind in IMAGE_TRANSFORMS)

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values."""
        return asdict(self)


CORRUPTIONS = ("off_centre", "partial", "blob")
_POSE = ("shift", "whole", "flip", "turn", "stretch")


def sample_window(rng: np.random.Generator, guide: ObjectCrop, config: ViewConfig) -> Window:
    """What of a photo is shown: a window around the guide mask, more or less wide and off-centre, or all of it.

    Args:
        rng: source of all numbers.
        guide: the guide mask; where it is empty, the whole photo is shown.
        config: what is drawn.
    """
    frame_size = guide.size
    whole, spread, across, down = rng.random(4)
    if config.crop == "random":
        return random_window(frame_size, config.size, across, down)
    if not guide.width or whole < config.whole:
        return whole_window(frame_size, config.size)
    margin = config.margin_low * (config.margin_high / config.margin_low) ** spread
    if not config.shift:
        return object_window(guide.box, frame_size, margin, config.size)
    x0, y0, x1, y1 = guide.box
    side = max(x1 - x0, y1 - y0) * (1 + 2 * margin)
    reach = 2 * config.shift * side
    centre = (x0 + x1) / 2 + (across - 0.5) * reach, (y0 + y1) / 2 + (down - 0.5) * reach
    return square_window(centre, side, frame_size, config.size)


def random_window(frame_size: tuple[int, int], size: int, across: float, down: float) -> Window:
    """A square of `size` pixels of the frame, not scaled, at a place drawn; a smaller frame lies in its middle.

    Args:
        frame_size: (H, W).
        size: of the window and of the cut.
        across, down: the place, 0..1.
    """
    x0, y0 = (
        math.floor(place * (extent - size + 1)) if extent > size else (extent - size) // 2
        for place, extent in zip((across, down), frame_size[::-1], strict=True)
    )
    return Window((x0, y0, x0 + size, y0 + size), (size, size))
