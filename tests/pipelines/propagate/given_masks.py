"""Masks to give for a clip of `tests.clips`, and the label pictures that come of it."""

import numpy as np

from datakit.video.labels import read_labels
from tests.clips import SIZE


def block(number, row, plane=None):
    """(48, 64) ids: a block of an id, rows `row` to `row` + 8, on top of another plane."""
    plane = np.zeros(SIZE, np.uint8) if plane is None else plane.copy()
    plane[row : row + 8, 8:28] = number
    return plane


def found(out, number, name="walk"):
    return read_labels(out / f"{name}/{number:05d}.png", "").labels


def ids(out, number, name="walk"):
    return set(np.unique(found(out, number, name)).tolist()) - {0}
