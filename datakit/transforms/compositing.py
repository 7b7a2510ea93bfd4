"""An object put on another photo (copy-paste augmentation)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import cv2
import numpy as np

from ..arrays import Image, Mask
from ..config import setting
from ..images import halved, reduction
from .base import ImageCrop, ImageTransform, Params
from .crop import square_window


@dataclass(frozen=True)
class Compositing(ImageTransform):
    """An object put on a part of another photo, whose own objects then are none.

    Attributes:
        paste: share of objects that are put on another photo.
    """

    kind: ClassVar[str] = "compositing"

    paste: float = setting(0.25, 0, 1)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Which photo, how much of its shorter side, and where in it, all as drawn, 0..1."""
        return "photo", "side", "across", "down"

    def sample_params(self, rng: np.random.Generator, crop: ImageCrop) -> Params:
        """(4,) float64 of 0..1; NaN where the object stays where it is."""
        is_pasted, *drawn = rng.random(5).tolist()
        return np.array(drawn if is_pasted < self.paste else [np.nan] * 4)

    def apply(self, crop: ImageCrop, parameters: Params) -> ImageCrop:
        """The object on the other photo; as it is where there is none for that number.

        Args:
            crop: a square one, (S, S, 3).
            parameters: of `sample_params`.
        """
        if crop.other_photo is None or np.isnan(parameters).any():
            return crop
        which, side, across, down = parameters.tolist()
        photo = crop.other_photo(which)
        if photo is None:
            return crop
        H, W = photo.shape[:2]
        pixels = max(1, round(min(H, W) * (0.5 + 0.5 * side)))
        centre = pixels / 2 + across * (W - pixels), pixels / 2 + down * (H - pixels)
        x0, y0, x1, y1 = square_window(centre, pixels, (H, W), crop.image.shape[0]).box
        part = photo[max(y0, 0) : y1, max(x0, 0) : x1]
        backdrop = cv2.resize(halved(part, reduction(pixels / crop.image.shape[0])), crop.image.shape[1::-1])
        return replace(crop, image=composite(crop.image, crop.target, backdrop))  # type: ignore[arg-type]


def composite(image: Image, target: Mask, backdrop: Image) -> Image:
    """The object of an image on another one, blended over a pixel or two of its outline.

    Args:
        image: (H, W, 3) uint8 RGB.
        target: (H, W) uint8 0/1, the object.
        backdrop: (H, W, 3) uint8 RGB.
    """
    x, y, width, height = cv2.boundingRect(target)
    if not width:
        return backdrop
    near = np.s_[max(y - 4, 0) : y + height + 4, max(x - 4, 0) : x + width + 4]  # a blur of 2, mirrored at edges
    share = cv2.GaussianBlur(target[near] * np.float32(1), (5, 5), 1.0)
    made = backdrop.copy()
    made[near] = cv2.blendLinear(np.ascontiguousarray(image[near]), np.ascontiguousarray(made[near]), share, 1 - share)
    return made
