"""A photo in another light: brightness, contrast, saturation, tint, no colour at all, blur. Masks stay as they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import cv2
import numpy as np

from ..config import setting
from .base import ImageCrop, ImageTransform, Params

GREY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601 luma


@dataclass(frozen=True)
class Photometric(ImageTransform):
    """Another light on the photo, now and then no colour at all, or blurred as frames of video are.

    Attributes:
        brightness, contrast, saturation: largest relative change.
        tint: largest relative change of each colour by itself.
        grey: share of photos turned grey.
        blur: share of photos that are blurred.
    """

    kind: ClassVar[str] = "photometric"

    brightness: float = setting(0.25, 0, 1)
    contrast: float = setting(0.25, 0, 1)
    saturation: float = setting(0.4, 0, 1)
    tint: float = setting(0.1, 0, 1)
    grey: float = setting(0.05, 0, 1)
    blur: float = setting(0.1, 0, 1)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Factors, 1 where nothing changes, and the deviation of the blur in pixels, 0 where there is none."""
        return "brightness", "contrast", "saturation", "red", "green", "blue", "sigma"

    def sample_params(self, rng: np.random.Generator, crop: ImageCrop) -> Params:
        """(7,) float64: six factors, and the deviation of the blur; a saturation of 0 is a grey photo."""
        is_grey, is_blurred, spread, *amounts = rng.random(6).tolist()
        tint = 1 + (2 * rng.random(3) - 1) * self.tint
        most = (self.brightness, self.contrast, self.saturation)
        brightness, contrast, saturation = (1 + (2 * amount - 1) * by for amount, by in zip(amounts, most, strict=True))
        colour = 0.0 if is_grey < self.grey else saturation
        sigma = 0.5 + 1.5 * spread if is_blurred < self.blur else 0.0
        return np.array([brightness, contrast, colour, *tint, sigma])

    def apply(self, crop: ImageCrop, parameters: Params) -> ImageCrop:
        """The photo in that light."""
        if np.isnan(parameters).any():
            return crop
        (brightness, contrast, saturation), tint, sigma = parameters[:3], parameters[3:6], parameters[6]
        image = cv2.GaussianBlur(crop.image, (0, 0), sigma) if sigma else crop.image
        if (parameters[:6] != 1).any():
            # All are linear in the pixel: one 3x3 matrix and an offset do them in one pass.
            matrix = brightness * contrast * (saturation * np.eye(3) + (1 - saturation) * GREY)
            offset = np.full((3, 1), brightness * (1 - contrast) * np.dot(cv2.mean(image)[:3], GREY))
            image = cv2.transform(image, tint[:, None] * np.hstack([matrix, offset]))
        return replace(crop, image=image)  # type: ignore[arg-type]
