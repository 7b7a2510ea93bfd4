"""The filled bounding rectangle of the mask: the rough mask of MaskTrackBox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .object_crop import ObjectCrop
from .ranges import setting, settle


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

    def draw(self, rng: np.random.Generator, figure: ObjectCrop) -> NDArray[np.float64]:
        """Draw one box around the object.

        Args:
            rng: source of the numbers; four are used.
            figure: the object.

        Returns:
            (4,) float64 whole numbers: x0, y0, x1, y1, half-open, inside the frame, at least
            one pixel wide and high; NaN for an empty mask.
        """
        unit = 2 * rng.random(4) - 1
        if not figure.width:
            return np.full(4, np.nan)
        reach = self.jitter * np.array([figure.width, figure.height] * 2)
        sides = np.rint(figure.box + unit * reach)
        height, width = figure.size
        low = np.clip(sides[:2], 0, (width - 1, height - 1))
        return np.concatenate([low, np.clip(sides[2:], low + 1, (width, height))])

    def apply(self, figure: ObjectCrop, parameters: NDArray[np.float64]) -> ObjectCrop:
        """The filled box of drawn sides; with NaN, the (empty) object as it is."""
        if np.isnan(parameters).any():
            return figure
        x0, y0, x1, y1 = (int(side) for side in parameters)
        return ObjectCrop(figure.size, (x0, y0, x1, y1), np.ones((y1 - y0, x1 - x0), np.uint8))
