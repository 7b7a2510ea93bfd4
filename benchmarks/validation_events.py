"""What J and F do not tell of several objects: whose place another has taken, and who is found again once back.

All of it is read from how many pixels of which prediction lie on which truth: (T, K + 1, K + 1), rows by predicted
id, columns by true id, 0 for ground.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from datakit.arrays import Labels

SWAPPED = 3  # frames in a row on another object
HIDDEN = 2  # frames in a row without a pixel
BACK = 5  # frames in which one that is back may be found
FOUND = 0.5  # IoU

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Events:
    """What befell the objects of one clip.

    Attributes:
        swaps: objects whose region lay more on another object than on their own, `SWAPPED` frames in a row.
        returns: times that an object was hidden for `HIDDEN` frames or more and came back for `BACK` frames or more.
        found: of these, those with an IoU of `FOUND` or more in one of these `BACK` frames.
    """

    swaps: int
    returns: int
    found: int


def overlaps(predicted: Labels, true: Labels, objects: int) -> Counts:
    """(K + 1, K + 1) pixels of each predicted id on each true id; other ids are taken for ground."""
    side = objects + 1
    both = [np.where(each <= objects, each, 0).astype(np.int64) for each in (predicted, true)]
    return np.bincount((both[0] * side + both[1]).ravel(), minlength=side * side).reshape(side, side)


def clip_events(frames: Iterable[tuple[Labels, Labels]], objects: int) -> Events:
    """The events of one clip, of its predicted and true ids in each frame."""
    counts = np.stack([overlaps(*pair, objects) for pair in frames])
    back = returns(counts)
    return Events(int(swapped(counts).sum()), len(back), sum(is_found(counts, *each) for each in back))


def swapped(counts: Counts) -> NDArray[np.bool_]:
    """(K,) whether an object's region lay more on one other object than on its own, `SWAPPED` frames in a row."""
    pairs = counts[:, 1:, 1:]
    own = np.diagonal(pairs, axis1=1, axis2=2)
    others = np.where(np.eye(pairs.shape[1], dtype=bool), 0, pairs).max(axis=2, initial=0)
    return np.array([longest(each) >= SWAPPED for each in (others > own).T], bool)


def longest(flags: Iterable[bool]) -> int:
    """Length of the longest run of true."""
    return max((sum(1 for _ in run) for value, run in groupby(flags) if value), default=0)


def returns(counts: Counts) -> list[tuple[int, int]]:
    """Object (from 0) and first frame of every return that is long enough in the clip to be judged."""
    seen = counts.sum(axis=1)[:, 1:] > 0
    found = []
    for each, visible in enumerate(seen.T):
        for frame in range(HIDDEN, len(visible) - BACK + 1):
            if visible[frame : frame + BACK].all() and not visible[frame - HIDDEN : frame].any():
                found.append((each, frame))
    return found


def is_found(counts: Counts, each: int, frame: int) -> bool:
    """Whether an object that is back in a frame is found in it or one of the next."""
    part = counts[frame : frame + BACK]
    common = part[:, each + 1, each + 1]
    union = part[:, each + 1].sum(axis=1) + part[:, :, each + 1].sum(axis=1) - common
    return bool((common >= FOUND * union).any())
