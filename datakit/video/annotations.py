"""Masks that somebody drew for a video: which object is where, as a data set or a paint program has saved it.

Soft edges and colours are taken as they were meant; where ids must mean what they say, as in scores, `labels` refuses
them.
"""

from __future__ import annotations

from pathlib import Path

from ..arrays import Labels
from ..datasets import ReadOptions
from ..errors import DatakitError, ItemError
from ..masks import GIVEN, GIVEN_OBJECTS, LabelMap, read_label_map


def read_annotation(path: Path, options: ReadOptions | None = None, may_be_empty: bool = False) -> Labels:
    """(H, W) ids of the objects of a drawn mask; see `read_objects`."""
    return read_objects(path, options, may_be_empty).labels


def read_objects(path: Path, options: ReadOptions | None = None, may_be_empty: bool = False) -> LabelMap:
    """Objects of a drawn mask, as `masks` tells what its values mean.

    Args:
        path: the file.
        options: what grey values are, if somebody said so, and the threshold of soft ones.
        may_be_empty: take a mask without an object as what it is.

    Raises:
        DatakitError: it cannot be read, it cannot be told which pixels are which object, or it holds none.
    """
    policy = GIVEN if may_be_empty else GIVEN_OBJECTS
    try:
        return read_label_map(path, str(path), policy, options or ReadOptions())
    except ItemError as error:
        way_out = "" if error.problem.stage == "mask" else "; a mask is a PNG with the object in white on black"
        raise DatakitError(f"{error.problem.detail}{way_out}") from None
