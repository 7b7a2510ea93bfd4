"""The filled bounding rectangle of the mask: the guide mask of MaskTrackBox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..config import setting
from .base import Params, Transform
from .object_crop import ObjectCrop


@dataclass(frozen=True)
class Box(Transform):
    """The filled box of the object, whose four sides may be off a little.

    Attributes:
        jitter: each side moves by at most this fraction of the box's width or height. The paper
            states none, so 0; at most 0.5, where opposite sides may just meet.

    Source: arXiv 1612.02646 §3.3, "bounding box annotation as an input".
    """

    kind: ClassVar[str] = "box"
    guide_kind: ClassVar[str] = "box"

    jitter: float = setting(0.0, 0, 0.5)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The four sides, half-open."""
        return "x0", "y0", "x1", "y1"

    def sample_params(self, rng: np.random.Generator, crop: ObjectCrop) -> Params:
        """Draw one box around the object.

        Args:
            rng: source of the numbers; four are used.
            crop: the object.

        Returns:
            (4,) float64 whole numbers: x0, y0, x1, y1, half-open, inside the frame, at least
            one pixel wide and high; NaN for an empty mask.
        """
        unit = 2 * rng.random(4) - 1
        if not crop.width:
            return np.full(4, np.nan)
        reach = self.jitter * np.array([crop.width, crop.height] * 2)
        sides = np.rint(crop.box + unit * reach)
        height, width = crop.size
        low = np.clip(sides[:2], 0, (width - 1, height - 1))
        return np.concatenate([low, np.clip(sides[2:], low + 1, (width, height))])

    def apply(self, crop: ObjectCrop, parameters: Params) -> ObjectCrop:
        """The filled box of drawn sides; with NaN, the (empty) object as it is."""
        if np.isnan(parameters).any():
            return crop
        x0, y0, x1, y1 = (int(side) for side in parameters)
        return ObjectCrop(crop.size, (x0, y0, x1, y1), np.ones((y1 - y0, x1 - x0), np.uint8))

    def describe(self, numbers: Mapping[str, float]) -> list[str]:
        """Size and place."""
        width, height = numbers["x1"] - numbers["x0"], numbers["y1"] - numbers["y0"]
        return [f"box {width:g} x {height:g} px at ({numbers['x0']:g}, {numbers['y0']:g})"]
