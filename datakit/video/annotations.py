"""Masks that somebody drew for a video: which object is where, as a data set or a paint program has saved it.

Soft edges and colours are taken as they were meant; where ids must mean what they say, as in scores, `labels` refuses
them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..arrays import Labels
from ..datasets import ReadOptions
from ..errors import DatakitError, ItemError
from ..headers import Place
from ..images import turn
from ..mask_files import read_mask
from ..mask_values import LabelMap, objects_of


def read_annotation(path: Path, options: ReadOptions | None = None, may_be_empty: bool = False) -> Labels:
    """(H, W) ids of the objects of a drawn mask; see `read_objects`."""
    return read_objects(path, options, may_be_empty).labels


def read_objects(path: Path, options: ReadOptions | None = None, may_be_empty: bool = False) -> LabelMap:
    """Objects of a drawn mask, as `mask_values` tells what its values mean.

    Args:
        path: the file.
        options: what grey values are, if somebody said so, and the threshold of soft ones.
        may_be_empty: take a mask without an object as what it is.

    Raises:
        DatakitError: it cannot be read, it cannot be told which pixels are which object, or it holds none.
    """
    options = options or ReadOptions()
    try:
        stored = read_mask(path, str(path), options.max_pixels)
        upright = replace(stored, plane=turn(stored.plane, stored.orientation))
        found = objects_of(upright, options, Place(str(path), str(path)), "ids")
    except ItemError as error:
        way_out = "" if error.problem.stage == "mask" else "; a mask is a PNG with the object in white on black"
        raise DatakitError(f"{error.problem.detail}{way_out}") from None
    if not found.ids and not may_be_empty:
        raise DatakitError(f"{path}: the mask is empty, no pixel belongs to an object; draw it in white on black")
    return found
