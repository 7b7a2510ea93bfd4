"""An object put on another photo (copy-paste augmentation)."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from ..arrays import Image, Mask
from .crop import cut_image, square_window
from .views import ViewConfig


def sample_backdrop(
    rng: np.random.Generator, config: ViewConfig, photo: Callable[[float], Image | None] | None
) -> Image | None:
    """A part of another photo to put the object on, (size, size, 3) uint8 RGB; None where it stays where it is.

    Args:
        rng: source of all numbers.
        config: the share.
        photo: a photo for a number of 0..1, or None; without it every object stays.
    """
    is_pasted, which, side, across, down = rng.random(5)
    image = photo(which) if photo is not None and is_pasted < config.paste else None
    if image is None:
        return None
    H, W = image.shape[:2]
    pixels = max(1, round(min(H, W) * (0.5 + 0.5 * side)))
    centre = pixels / 2 + across * (W - pixels), pixels / 2 + down * (H - pixels)
    return cut_image(image, square_window(centre, pixels, (H, W), config.size), (0, 0, 0))


def composite(image: Image, target: Mask, background: Image | None) -> Image:
    """The object of an image on another one, blended over a pixel or two of its outline; `image` without a backdrop.

    Args:
        image: (H, W, 3) uint8 RGB.
        target: (H, W) uint8 0/1, the object.
        backdrop: (H, W, 3) uint8 RGB.
    """
    if background is None:
        return image
    share = cv2.GaussianBlur(target * np.float32(1), (5, 5), 1.0)
    return cv2.blendLinear(image, background, share, 1 - share)  # type: ignore[return-value]
