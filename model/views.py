"""What training does to a triple beyond its deformation: the view, the light, and faults that only video brings.

Everything is drawn from a generator that is handed in, and nothing else is random.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2
import numpy as np

from datakit.arrays import Image, Mask, bounding_box
from datakit.deformations.ranges import setting, settle

from .crop import MARGIN, Window, square_window, whole_window

GREY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601 luma


@dataclass(frozen=True)
class ViewConfig:
    """How a triple is shown to the network. The paper names none of it but mirroring and the 321-pixel crop, which it
    takes from DeepLab; the numbers are ours.

    Attributes:
        size: side of the square cut in pixels.
        margin_low, margin_high: room around the rough mask on every side as a multiple of its longer side, drawn
            log-uniformly; the propagator's 0.5 lies between.
        shift: largest shift of the cut's centre, as a fraction of its side; the object may be cut off.
        whole: share of cuts that show the whole photo.
        flip: share that is mirrored left to right.
        brightness, contrast, saturation: largest relative change.
        grey: share of photos turned grey.
        partial: share of rough masks of which a part is erased, as after an occlusion.
        off_centre: share of rough masks moved further than the recipe moves them, as a fast object leaves its mask.
        off_centre_by: how far at most, as a fraction of the mask's width and height.
        blob: share of rough masks with a piece too much, as where a mask leaked into something near.
    """

    size: int = setting(224, 32, 2048)
    margin_low: float = setting(0.25, 0, 10)
    margin_high: float = setting(1.0, 0, 10)
    shift: float = setting(0.15, 0, 0.5)
    whole: float = setting(0.1, 0, 1)
    flip: float = setting(0.5, 0, 1)
    brightness: float = setting(0.25, 0, 1)
    contrast: float = setting(0.25, 0, 1)
    saturation: float = setting(0.4, 0, 1)
    grey: float = setting(0.05, 0, 1)
    partial: float = setting(0.1, 0, 1)
    off_centre: float = setting(0.15, 0, 1)
    off_centre_by: float = setting(0.3, 0, 1)
    blob: float = setting(0.1, 0, 1)

    def __post_init__(self) -> None:
        settle(self, "view")

    @classmethod
    def paper(cls) -> ViewConfig:
        """Crop of 321 pixels and mirroring, nothing else.

        Source: DeepLab's published training settings, which arXiv 1612.02646 §4 adopts.
        """
        return cls(size=321, brightness=0, contrast=0, saturation=0, grey=0, partial=0, off_centre=0, blob=0)

    def still(self) -> ViewConfig:
        """Nothing drawn: the window that propagation cuts, the mask and the light as they are."""
        nothing = dict.fromkeys(_DRAWN, 0.0)
        return replace(self, **nothing, margin_low=MARGIN, margin_high=MARGIN)

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values."""
        return asdict(self)


_DRAWN = ("shift", "whole", "flip", "brightness", "contrast", "saturation", "grey", "partial", "off_centre", "blob")


def draw_window(rng: np.random.Generator, guide: Mask, config: ViewConfig) -> Window:
    """A window around a rough mask as propagation would cut it, more or less wide and off-centre."""
    frame_size = (guide.shape[0], guide.shape[1])
    box = bounding_box(guide)
    whole, spread, sideways, upward = rng.random(4)
    if box is None or whole < config.whole:
        return whole_window(frame_size, config.size)
    margin = (
        config.margin_low * (config.margin_high / config.margin_low) ** spread
        if config.margin_low
        else (config.margin_high * spread)
    )
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0) * (1 + 2 * margin)
    reach = 2 * config.shift * side
    centre = (x0 + x1) / 2 + (sideways - 0.5) * reach, (y0 + y1) / 2 + (upward - 0.5) * reach
    return square_window(centre, side, frame_size, config.size)


def draw_faults(rng: np.random.Generator, guide: Mask, config: ViewConfig) -> Mask:
    """The rough mask with faults of video put in, each with its own share; none leaves it empty."""
    moved, erased, added = rng.random(3) < (config.off_centre, config.partial, config.blob)
    if moved:
        guide = shifted(guide, rng.random(2), config.off_centre_by)
    if erased:
        guide = halved(guide, rng.random(2))
    if added:
        guide = with_blob(guide, rng.random(4))
    return guide


def shifted(guide: Mask, draw: np.ndarray, by: float) -> Mask:
    """Moved by up to `by` of its width and height; `draw` is (2,) in 0..1. Unchanged where it would leave the frame."""
    box = bounding_box(guide)
    if box is None:
        return guide
    x0, y0, x1, y1 = box
    dx, dy = round((draw[0] - 0.5) * 2 * by * (x1 - x0)), round((draw[1] - 0.5) * 2 * by * (y1 - y0))
    moved = cv2.warpAffine(guide, np.float32([[1, 0, dx], [0, 1, dy]]), guide.shape[::-1], flags=cv2.INTER_NEAREST)
    return moved if moved.any() else guide  # type: ignore[return-value]


def halved(guide: Mask, draw: np.ndarray) -> Mask:
    """Without what lies beyond a line; `draw` is the line's direction and how much is kept, a third at least."""
    ys, xs = np.nonzero(guide)
    if not len(xs):
        return guide
    angle = 2 * np.pi * draw[0]
    along = xs * np.cos(angle) + ys * np.sin(angle)
    limit = np.quantile(along, 1 / 3 + draw[1] * 2 / 3)
    kept = guide.copy()
    beyond = along > limit
    kept[ys[beyond], xs[beyond]] = 0
    return kept


def with_blob(guide: Mask, draw: np.ndarray) -> Mask:
    """With an ellipse somewhere near; `draw` is its centre, width and height, in 0..1."""
    box = bounding_box(guide)
    if box is None:
        return guide
    x0, y0, x1, y1 = box
    width, height = x1 - x0, y1 - y0
    centre = round(x0 + (2 * draw[0] - 0.5) * width), round(y0 + (2 * draw[1] - 0.5) * height)
    axes = max(1, round((0.1 + 0.2 * draw[2]) * width)), max(1, round((0.1 + 0.2 * draw[3]) * height))
    return cv2.ellipse(guide.copy(), centre, axes, 0, 0, 360, 1, -1)  # type: ignore[return-value]


def draw_light(rng: np.random.Generator, image: Image, config: ViewConfig) -> Image:
    """The photo in another light: brightness, contrast, saturation, and now and then no colour at all."""
    grey, *amounts = rng.random(4)
    brightness, contrast, saturation = (
        1 + (2 * amount - 1) * most
        for amount, most in zip(amounts, (config.brightness, config.contrast, config.saturation), strict=True)
    )
    colour = 0.0 if grey < config.grey else saturation
    if brightness == contrast == colour == 1:
        return image
    # All three are linear in the pixel: one 3x3 matrix and an offset do them in one pass.
    matrix = brightness * contrast * (colour * np.eye(3, dtype=np.float32) + (1 - colour) * GREY[None, :])
    middle = float(cv2.mean(image)[1]) * brightness * (1 - contrast)
    return cv2.transform(image, np.hstack([matrix, np.full((3, 1), middle)]).astype(np.float32))  # type: ignore[return-value]
