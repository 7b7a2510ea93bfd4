"""What training does to a triple beyond its deformation: the view, the light, and faults that only video brings.

Numbers are drawn from the generator that is handed in, always as many, so that switching one thing off leaves the
others as they were. How a window is cut is left to `crop`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datakit.arrays import Image, Mask, bounding_box
from datakit.deformations.ranges import setting, settle

from .crop import MARGIN, Window, object_window, square_window, whole_window

GREY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601 luma


@dataclass(frozen=True)
class ViewConfig:
    """How a triple is shown to the network.

    MaskTrack names none of it; what `paper` keeps comes from DeepLab, the other numbers are ours.

    Attributes:
        size: side of the square cut in pixels.
        crop: `object` cuts around the rough mask, as propagation does; `random` cuts `size` pixels of the photo at
            its own scale anywhere, and makes nothing of the four settings that follow.
        margin_low, margin_high: room around the rough mask on every side as a multiple of its longer side, drawn
            log-uniformly; the propagator's lies in the middle.
        shift: largest shift of the cut's centre, as a fraction of its side; the object may be cut off.
        whole: share of cuts that show the whole photo.
        flip: share that is mirrored left to right.
        brightness, contrast, saturation: largest relative change.
        grey: share of photos turned grey.
        blur: share of photos that are blurred, as frames of video are.
        partial: share of rough masks of which a part is erased, as after an occlusion.
        off_centre: share of rough masks moved further than the recipe moves them, as a fast object leaves its mask.
        off_centre_by: how far at most, as a fraction of the mask's width and height.
        blob: share of rough masks with a piece too much, as where a mask leaked into something near.
    """

    size: int = setting(224, 32, 2048)
    crop: str = setting("object", choices=("object", "random"))
    margin_low: float = setting(0.25, 0.01, 10)
    margin_high: float = setting(1.0, 0.01, 10)
    shift: float = setting(0.15, 0, 0.5)
    whole: float = setting(0.1, 0, 1)
    flip: float = setting(0.5, 0, 1)
    brightness: float = setting(0.25, 0, 1)
    contrast: float = setting(0.25, 0, 1)
    saturation: float = setting(0.4, 0, 1)
    grey: float = setting(0.05, 0, 1)
    blur: float = setting(0.1, 0, 1)
    partial: float = setting(0.1, 0, 1)
    off_centre: float = setting(0.15, 0, 1)
    off_centre_by: float = setting(0.3, 0, 1)
    blob: float = setting(0.1, 0, 1)

    def __post_init__(self) -> None:
        settle(self, "view")

    @classmethod
    def paper(cls) -> ViewConfig:
        """Random crops of 321 pixels and mirroring, nothing else.

        Source: DeepLab's published training settings, which arXiv 1612.02646 §4 adopts.
        """
        return replace(cls().still(), size=321, crop="random", flip=0.5)

    def still(self) -> ViewConfig:
        """Nothing drawn: the window that propagation cuts, the mask and the light as they are."""
        nothing: dict[str, Any] = dict.fromkeys(_DRAWN, 0.0)
        return replace(self, **nothing, crop="object", margin_low=MARGIN, margin_high=MARGIN)

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values."""
        return asdict(self)


_FAULTS = ("off_centre", "partial", "blob")
_DRAWN = ("shift", "whole", "flip", "brightness", "contrast", "saturation", "grey", "blur", *_FAULTS)


def draw_window(rng: np.random.Generator, guide: Mask, config: ViewConfig) -> Window:
    """What of a photo is shown: a window around the rough mask, more or less wide and off-centre, or all of it.

    Args:
        rng: source of all numbers.
        guide: (H, W) uint8, 0 or 1; where it is empty, the whole photo is shown.
        config: what is drawn.
    """
    frame_size = (guide.shape[0], guide.shape[1])
    whole, spread, across, down = rng.random(4)
    if config.crop == "random":
        return random_window(frame_size, config.size, across, down)
    box = bounding_box(guide)
    if box is None or whole < config.whole:
        return whole_window(frame_size, config.size)
    margin = config.margin_low * (config.margin_high / config.margin_low) ** spread
    if not config.shift:
        return object_window(box, frame_size, margin, config.size)
    x0, y0, x1, y1 = box
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


def draw_faults(rng: np.random.Generator, guide: Mask, config: ViewConfig) -> Mask:
    """The rough mask with faults of video put in, each with its own share; none leaves it empty.

    Args:
        rng: source of all numbers.
        guide: (H, W) uint8, 0 or 1.
        config: the shares.

    Returns:
        (H, W) uint8, 0 or 1.
    """
    is_moved, is_cut, is_leaked = rng.random(3) < [getattr(config, name) for name in _FAULTS]
    moved_by, cut_by, leaked_by = rng.random(2), rng.random(2), rng.random(4)
    if not guide.any():
        return guide
    if is_moved:
        guide = moved(guide, moved_by, config.off_centre_by)
    if is_cut:
        guide = cut_off(guide, cut_by)
    return leaked(guide, leaked_by) if is_leaked else guide


def moved(guide: Mask, draw: NDArray[np.float64], by: float) -> Mask:
    """A mask moved by up to `by` of its object's width and height; as it was where nothing would stay in the frame.

    Args:
        guide: (H, W) uint8 0/1, not empty.
        draw: (2,) in 0..1: how far across and down.
        by: 0..1.
    """
    x0, y0, x1, y1 = bounding_box(guide) or (0, 0, 0, 0)
    dx, dy = (2 * draw - 1) * by * (x1 - x0, y1 - y0)
    matrix = np.array([[1, 0, round(dx)], [0, 1, round(dy)]], np.float32)
    shifted = cv2.warpAffine(guide, matrix, guide.shape[::-1], flags=cv2.INTER_NEAREST)
    return shifted if shifted.any() else guide  # type: ignore[return-value]


def cut_off(guide: Mask, draw: NDArray[np.float64]) -> Mask:
    """A mask without the part of the object beyond a straight line, at most two thirds of it.

    Args:
        guide: (H, W) uint8 0/1, not empty.
        draw: (2,) in 0..1: direction of the part, and how much is kept.
    """
    y, x = np.nonzero(guide)
    along = x * math.cos(2 * math.pi * draw[0]) + y * math.sin(2 * math.pi * draw[0])
    gone = along > np.quantile(along, (1 + 2 * draw[1]) / 3)
    kept = guide.copy()
    kept[y[gone], x[gone]] = 0
    return kept


def leaked(guide: Mask, draw: NDArray[np.float64]) -> Mask:
    """A mask with an ellipse added, its centre anywhere in the window that propagation would have looked at.

    Args:
        guide: (H, W) uint8 0/1, not empty.
        draw: (4,) in 0..1: the centre, and half the axes, a twentieth to a quarter of the object's longer side.
    """
    x0, y0, x1, y1 = bounding_box(guide) or (0, 0, 0, 0)
    longest = max(x1 - x0, y1 - y0)
    middle = np.array([x0 + x1, y0 + y1]) / 2
    x, y = np.rint(middle + (draw[:2] - 0.5) * (1 + 2 * MARGIN) * longest).astype(int).tolist()
    axes = np.ceil((0.05 + 0.2 * draw[2:]) * longest).astype(int).tolist()
    return cv2.ellipse(guide.copy(), (x, y), axes, 0, 0, 360, 1, -1)  # type: ignore[return-value]


def draw_light(rng: np.random.Generator, image: Image, config: ViewConfig) -> Image:
    """A photo in another light: brightness, contrast, saturation, now and then no colour at all, or blurred.

    Args:
        rng: source of all numbers.
        image: (H, W, 3) uint8 RGB; left as it is.
        config: the ranges and shares.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    is_grey, is_blurred, sigma, *amounts = rng.random(6)
    ranges = (config.brightness, config.contrast, config.saturation)
    brightness, contrast, saturation = (
        1 + (2 * amount - 1) * most for amount, most in zip(amounts, ranges, strict=True)
    )
    colour = 0.0 if is_grey < config.grey else saturation
    if is_blurred < config.blur:
        image = cv2.GaussianBlur(image, (0, 0), 0.5 + 1.5 * sigma)  # type: ignore[assignment]
    if brightness == contrast == colour == 1:
        return image
    # All three are linear in the pixel: one 3x3 matrix and an offset do them in one pass.
    matrix = brightness * contrast * (colour * np.eye(3) + (1 - colour) * GREY)
    offset = np.full((3, 1), brightness * (1 - contrast) * np.dot(cv2.mean(image)[:3], GREY))
    return cv2.transform(image, np.hstack([matrix, offset]))  # type: ignore[return-value]
