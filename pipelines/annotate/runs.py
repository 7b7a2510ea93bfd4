"""Label maps as runs of equal ids, row by row: what the page and the server send each other.

Each run is a little-endian 32-bit number: its length times 256, plus its id. The runs of a mask of 1080p take some ten
kilobytes, and both sides need no codec for them.
"""

from __future__ import annotations

import numpy as np

from datakit.arrays import Labels
from datakit.errors import UsageError

LONGEST = (1 << 24) - 1


def encode_runs(labels: Labels) -> bytes:
    """The runs of an (H, W) uint8 label map."""
    flat = labels.reshape(-1)
    begins = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = np.diff(np.append(begins, flat.size))
    ids = flat[begins]
    while lengths.size and lengths.max() > LONGEST:
        at = int(lengths.argmax())
        lengths = np.insert(lengths, at, LONGEST)
        lengths[at + 1] -= LONGEST
        ids = np.insert(ids, at, ids[at])
    return bytes((lengths.astype("<u4") << np.uint32(8) | ids).astype("<u4"))


def decode_runs(data: bytes, size: tuple[int, int]) -> Labels:
    """The (H, W) uint8 label map of runs.

    Raises:
        UsageError: they do not make up the size.
    """
    if len(data) % 4:
        raise UsageError(f"runs of {len(data)} bytes: expected a multiple of four")
    runs = np.frombuffer(data, "<u4")
    lengths = (runs >> 8).astype(np.int64)
    if int(lengths.sum()) != size[0] * size[1]:
        raise UsageError(f"runs of {int(lengths.sum())} pixels: expected {size[1]}x{size[0]}")
    return np.repeat((runs & 255).astype(np.uint8), lengths).reshape(size)
