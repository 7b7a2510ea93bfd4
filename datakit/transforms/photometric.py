"""A photo in another light: brightness, contrast, saturation, tint, no colour at all, blur. Masks stay as they are."""

from __future__ import annotations

import cv2
import numpy as np

from ..arrays import Image
from .views import ViewConfig

GREY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601 luma


def jitter_colours(rng: np.random.Generator, image: Image, config: ViewConfig) -> Image:
    """A photo in another light: brightness, contrast, saturation, now and then no colour at all, or blurred.

    Args:
        rng: source of all numbers.
        image: (H, W, 3) uint8 RGB; left as it is.
        config: the ranges and shares.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    is_grey, is_blurred, sigma, *amounts = rng.random(6)
    tint = 1 + (2 * rng.random(3) - 1) * config.tint
    ranges = (config.brightness, config.contrast, config.saturation)
    brightness, contrast, saturation = (
        1 + (2 * amount - 1) * most for amount, most in zip(amounts, ranges, strict=True)
    )
    colour = 0.0 if is_grey < config.grey else saturation
    if is_blurred < config.blur:
        image = cv2.GaussianBlur(image, (0, 0), 0.5 + 1.5 * sigma)  # type: ignore[assignment]
    if brightness == contrast == colour == 1 and not config.tint:
        return image
    # All three are linear in the pixel: one 3x3 matrix and an offset do them in one pass.
    matrix = brightness * contrast * (colour * np.eye(3) + (1 - colour) * GREY)
    offset = np.full((3, 1), brightness * (1 - contrast) * np.dot(cv2.mean(image)[:3], GREY))
    return cv2.transform(image, tint[:, None] * np.hstack([matrix, offset]))  # type: ignore[return-value]
