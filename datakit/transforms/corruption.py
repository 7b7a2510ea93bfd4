"""Corruption of a guide mask as only video brings it: moved too far, cut by an occlusion, leaked into what is near.

Numbers are drawn from the generator that is handed in, always as many, as in `views`, which holds the shares. What is
done to a mask is what `corruption_steps` do; only how the numbers are drawn is training's own.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .corruption_steps import add_ellipse, along_line, centre_of, erase_beyond, move_of
from .crop import MARGIN
from .object_crop import ObjectCrop
from .views import CORRUPTIONS, ViewConfig

Units = NDArray[np.float64]


def corrupt_guide(rng: np.random.Generator, guide: ObjectCrop, config: ViewConfig) -> ObjectCrop:
    """The guide corrupted as in video, each way with its own share; none leaves it empty.

    Args:
        rng: source of all numbers.
        guide: the guide mask.
        config: the shares.

    Returns:
        The corrupted one; `guide` itself where no corruption came.
    """
    is_moved, is_cut, is_leaked = rng.random(3) < [getattr(config, name) for name in CORRUPTIONS]
    moved_by, cut_by, leaked_by = rng.random(2), rng.random(2), rng.random(4)
    if not guide.width:
        return guide
    if is_moved:
        guide = shift(guide, moved_by, config.off_centre_by)
    if is_cut:
        guide = occlude(guide, cut_by)
    return leak(guide, leaked_by) if is_leaked else guide


def shift(crop: ObjectCrop, draw: Units, by: float) -> ObjectCrop:
    """An object moved by up to `by` of its width and height; as it was where nothing would stay in the frame.

    Args:
        crop: the object, not empty.
        draw: (2,) in 0..1: how far across and down.
        by: 0..1.
    """
    dx, dy = move_of(crop, draw, by).astype(int).tolist()
    moved = crop.shifted(dx, dy)
    return moved if moved.width else crop


def occlude(crop: ObjectCrop, draw: Units) -> ObjectCrop:
    """An object without the part beyond a straight line, at most two thirds of it.

    Args:
        crop: the object, not empty.
        draw: (2,) in 0..1: direction of the part, and how much is kept.
    """
    nx, ny = math.cos(2 * math.pi * draw[0]), math.sin(2 * math.pi * draw[0])
    limit = np.quantile(along_line(crop, nx, ny), (1 + 2 * draw[1]) / 3)
    return erase_beyond(crop, nx, ny, float(limit))


def leak(crop: ObjectCrop, draw: Units) -> ObjectCrop:
    """An object with an ellipse added, its centre anywhere in a window of the middle margin.

    Args:
        crop: the object, not empty.
        draw: (4,) in 0..1: the centre, and half the axes, a twentieth to a quarter of the object's longer side.
    """
    axes = np.ceil((0.05 + 0.2 * draw[2:]) * max(crop.width, crop.height))
    return add_ellipse(crop, [*centre_of(crop, draw[:2], 0.5 + MARGIN), *axes])
