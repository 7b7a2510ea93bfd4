"""What a mask file holds for a loader: mode, size, and the ids that its way of reading gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import ItemError, ItemRef
from ..formats import MAX_PIXELS
from ..headers import open_lazily, read_file, validate_header

WHITE = 128  # of 255: from here on `convert("L")` and `> .5` see foreground
COLOURS = ("RGB", "RGBA", "LA", "PA", "CMYK", "YCbCr")


@dataclass(frozen=True)
class MaskFacts:
    """One mask file.

    Attributes:
        mode: Pillow's, such as `P`, `L`, `1`, `RGB`, `I;16`.
        size: (width, height).
        ids: that convert("P") gives, 0 left out; as stored where mode is P or L.
        stored: how many values or colours the file itself holds, background not counted.
        painted: pixels that are not 0 or black.
        white: pixels that are 128 or more by convert("L").
        error: why the file cannot be read; everything else is empty then.
    """

    mode: str = ""
    size: tuple[int, int] = (0, 0)
    ids: tuple[int, ...] = ()
    stored: int = 0
    painted: int = 0
    white: int = 0
    error: str = ""

    @property
    def is_colour(self) -> bool:
        """Whether pixels are colours rather than numbers."""
        return self.mode in COLOURS

    @property
    def is_deep(self) -> bool:
        """Whether numbers may be over 255."""
        return self.mode.startswith(("I", "F"))


def read_facts(path: Path) -> MaskFacts:
    """Read one mask with Pillow, as all these loaders do."""
    where = ItemRef("", path.name)
    try:
        data = read_file(path, where, MAX_PIXELS)
        validate_header(data, where, MAX_PIXELS)
        with open_lazily(data) as image:
            image.load()
            mode, size = image.mode, image.size
            plane = np.asarray(image)
            stored = _count(plane.reshape(-1, *plane.shape[2:]))
            painted = int((plane.reshape(*plane.shape[:2], -1)[..., :3].max(axis=2) > 0).sum())
            numbers = np.asarray(image.convert("P"))
            white = int((np.asarray(image.convert("L")) >= WHITE).sum())
    except ItemError as error:
        return MaskFacts(error=error.problem.detail.partition(": ")[2])
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged bytes
        return MaskFacts(error=f"cannot be decoded: {error}")
    ids = tuple(int(value) for value in np.flatnonzero(np.bincount(numbers.ravel(), minlength=256)) if value)
    return MaskFacts(mode, size, ids, stored, painted, white)


def _count(pixels: np.ndarray) -> int:
    """How many values or colours there are, the darkest not counted."""
    if pixels.ndim == 1:
        return len(np.unique(pixels)) - 1
    packed = np.zeros(len(pixels), np.int64)
    for channel in range(pixels.shape[1]):
        packed = packed * 256 + pixels[:, channel]
    return len(np.unique(packed)) - 1


def size_of(path: Path) -> tuple[int, int] | None:
    """(width, height) of a photo by its header; None where that cannot be read."""
    try:
        where = ItemRef("", path.name)
        data = read_file(path, where, MAX_PIXELS)
        with open_lazily(data) as image:
            return image.size
    except Exception:  # a photo that nobody can read is told by its own check
        return None
