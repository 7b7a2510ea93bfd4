"""The filled bounding rectangle of the mask: the rough mask of MaskTrackBox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arrays import Mask
from .ranges import setting, settle
from .warp import object_box


@dataclass(frozen=True)
class Box:
    """Range by which the four sides of the object's box may be off.

    Attributes:
        jitter: each side moves by at most this fraction of the box's width or height. The paper
            states none, so 0; at most 0.5, where opposite sides may just meet.

    Source: arXiv 1612.02646 §3.3, "bounding box annotation as an input".
    """

    kind: ClassVar[str] = "box"
    names: ClassVar[tuple[str, ...]] = ("x0", "y0", "x1", "y1")

    jitter: float = setting(0.0, 0, 0.5)

    def __post_init__(self) -> None:
        settle(self, self.kind)

    def draw(self, rng: np.random.Generator, mask: Mask) -> NDArray[np.float64]:
        """Draw one box around the object.

        Args:
            rng: source of the numbers; four are used.
            mask: (H, W) uint8, 0 or 1.

        Returns:
            (4,) float64 whole numbers: x0, y0, x1, y1, half-open, inside the frame, at least
            one pixel wide and high; NaN for an empty mask.
        """
        unit = 2 * rng.random(4) - 1
        box = object_box(mask)
        if box is None:
            return np.full(4, np.nan)
        x0, y0, x1, y1 = box
        reach = self.jitter * np.array([x1 - x0, y1 - y0, x1 - x0, y1 - y0])
        sides = np.rint(box + unit * reach)
        height, width = mask.shape
        low = np.clip(sides[:2], 0, (width - 1, height - 1))
        return np.concatenate([low, np.clip(sides[2:], low + 1, (width, height))])

    def apply(self, mask: Mask, parameters: NDArray[np.float64]) -> Mask:
        """Fill the drawn box.

        Args:
            mask: (H, W) uint8, 0 or 1; only its size matters.
            parameters: (4,) float64, as drawn; with NaN the mask is given back as it is.

        Returns:
            (H, W) uint8, 0 or 1.
        """
        if np.isnan(parameters).any():
            return mask.copy()
        x0, y0, x1, y1 = parameters.astype(int)
        filled = np.zeros_like(mask)
        filled[y0:y1, x0:x1] = 1
        return filled
