"""Sharpens outlines by a fully connected CRF.

Needs the extra `crf` (package pydensecrf2). It is no part of the network and learns nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datakit.arrays import Image, Labels
from datakit.config import setting, validate
from datakit.extras import require

from .objects import probabilities

ROOM = 20  # pixels around all claims that are looked at as well; beyond is background without question


@dataclass(frozen=True)
class CrfConfig:
    """Strength and reach of the two potentials; MaskTrack tuned its own for each dataset and does not print them.

    Attributes:
        iterations: of mean-field inference.
        smooth_weight: of the potential between near pixels.
        smooth_reach: its standard deviation in pixels.
        colour_weight: of the potential between near pixels of like colour.
        colour_reach: its standard deviation in pixels.
        colour_range: its standard deviation in grey levels.

    The numbers are those of DeepLab's kind; docs/decisions.md has what they are worth on DAVIS.
    """

    iterations: int = setting(5, 1, 100)
    smooth_weight: float = setting(3.0, 0)
    smooth_reach: float = setting(3.0, 0.1)
    colour_weight: float = setting(4.0, 0)
    colour_reach: float = setting(67.0, 0.1)
    colour_range: float = setting(3.0, 0.1)

    def __post_init__(self) -> None:
        validate(self, "crf")


class Crf:
    """Makes label maps out of scores; the `postprocess` of a `Propagator`.

    Args:
        config: of the potentials.

    Raises:
        UsageError: pydensecrf2 is not installed.
    """

    def __init__(self, config: CrfConfig | None = None):
        self.config = config or CrfConfig()
        self._kind = dense_crf()

    def __call__(self, image: Image, scores: NDArray[np.float32], ids: Sequence[int]) -> Labels:
        """The most probable label of every pixel.

        Args:
            image: (H, W, 3) uint8 RGB.
            scores: (K, H, W) logits, one plane for each object.
            ids: K object ids.

        Returns:
            (H, W) uint8.

        Source: Krähenbühl and Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials",
        NIPS 2011.
        """
        labels = np.zeros(image.shape[:2], np.uint8)
        part = _claimed(scores)
        if part is None:
            return labels
        shares = probabilities(scores[(slice(None), *part)])
        labels[part] = np.array([0, *ids], np.uint8)[self._most_probable(image[part], shares)]
        return labels

    def _most_probable(self, image: Image, shares: NDArray[np.float32]) -> NDArray[np.intp]:
        """(h, w) index of the label, 0 for background."""
        config, (count, height, width) = self.config, shares.shape
        field = self._kind(width, height, count)
        field.setUnaryEnergy(np.ascontiguousarray(-np.log(shares.clip(1e-6)).reshape(count, -1), np.float32))
        field.addPairwiseGaussian(sxy=config.smooth_reach, compat=config.smooth_weight)
        field.addPairwiseBilateral(
            sxy=config.colour_reach,
            srgb=config.colour_range,
            rgbim=np.ascontiguousarray(image),
            compat=config.colour_weight,
        )
        settled = np.asarray(field.inference(config.iterations))
        return settled.argmax(axis=0).reshape(height, width)  # type: ignore[no-any-return]


def dense_crf() -> Any:
    """The class of a fully connected CRF over pixels.

    Raises:
        MissingExtra: pydensecrf2 is not installed (it is compiled, which takes a minute or two).
    """
    require("crf", "the CRF")
    from pydensecrf.densecrf import DenseCRF2D

    return DenseCRF2D


def _claimed(scores: NDArray[np.float32]) -> tuple[slice, slice] | None:
    """Rows and columns around every pixel an object is likelier on than not; None where there is none."""
    claimed = (scores.max(axis=0) > 0).view(np.uint8) if len(scores) else np.zeros(scores.shape[1:], np.uint8)
    left, top, width, height = cv2.boundingRect(claimed)
    if not width:
        return None
    return slice(max(top - ROOM, 0), top + height + ROOM), slice(max(left - ROOM, 0), left + width + ROOM)
