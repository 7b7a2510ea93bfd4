"""Label pictures on disk for tests: small sequences of two squares that move, and ways to spoil them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datakit.arrays import Labels
from datakit.images import encode_palette_png, encode_png

SIZE = (40, 60)
PALETTE = (0, 0, 0, 200, 0, 0, 0, 200, 0, 200, 200, 0)


def labels_of(number: int, ids: tuple[int, ...] = (1,), late: int = 0) -> Labels:
    """(H, W) ids of a frame: a square for each id, moved a pixel to the right a frame, `late` frames behind."""
    plane = np.zeros(SIZE, np.uint8)
    for row, each in enumerate(ids):
        left = 5 + number - late
        plane[4 + 12 * row : 14 + 12 * row, left : left + 10] = each
    return plane


def write_labels(path: Path, labels: Labels) -> Path:
    """A palette PNG of ids."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_palette_png(labels, PALETTE))
    return path


def write_grey(path: Path, plane: np.ndarray) -> Path:
    """A grey PNG of these values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(plane))
    return path


def draw_tree(root: Path, sequences: dict[str, tuple[int, ...]], frames: int = 8, late: int = 0) -> Path:
    """A folder of sequences, name -> ids, each of `frames` palette PNGs from 00000 on."""
    for name, ids in sequences.items():
        for number in range(frames):
            write_labels(root / name / f"{number:05d}.png", labels_of(number, ids, late))
    return root
