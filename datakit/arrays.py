"""Array conventions of the house and the checks at its doors.

Image: RGB uint8 (H, W, 3). Mask: uint8 (H, W), one object, values 0 and 1.
Labels: uint8 (H, W), object ids. Points are (x, y), sizes (H, W), boxes
(x0, y0, x1, y1) half-open. Files, encodings and BGR are left to `images`.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Mask = NDArray[np.uint8]
Labels = NDArray[np.uint8]
Box = tuple[int, int, int, int]


def check_image(image: Image, place: str) -> None:
    """Raise ValueError unless `image` is (H, W, 3) uint8; `place` opens the message."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"{place}: image is {image.shape} {image.dtype}, expected (H, W, 3) uint8")


def check_mask(mask: Mask, place: str) -> None:
    """Raise ValueError unless `mask` is (H, W) uint8 with values 0 and 1 only."""
    if mask.dtype != np.uint8 or mask.ndim != 2:
        raise ValueError(f"{place}: mask is {mask.shape} {mask.dtype}, expected (H, W) uint8")
    if mask.size and mask.max() > 1:
        raise ValueError(f"{place}: mask holds {int(mask.max())}, expected 0 and 1 only")


def check_same_size(image: Image, mask: Mask, place: str) -> None:
    """Raise ValueError unless image and mask have the same (H, W)."""
    if image.shape[:2] != mask.shape[:2]:
        raise ValueError(f"{place}: image is {image.shape[:2]} and mask {mask.shape[:2]}, expected equal (H, W)")


def bounding_box(mask: Mask) -> Box | None:
    """Smallest half-open box (x0, y0, x1, y1) around the foreground; None when there is none.

    Args:
        mask: (H, W) uint8, 0 or 1.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    if not rows.size:
        return None
    columns = np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def area(mask: Mask) -> int:
    """Foreground pixels of an (H, W) uint8 0/1 mask; as bool, which NumPy counts several times as fast."""
    return int(np.count_nonzero(mask.view(np.bool_)))


def only_ids(labels: Labels, ids: Collection[int]) -> Labels:
    """(H, W) uint8: a label map without all objects but those of some ids."""
    return np.where(np.isin(labels, sorted(ids)), labels, labels.dtype.type(0))


def iou(a: Mask, b: Mask) -> float:
    """Intersection over union of two (H, W) 0/1 masks; 1.0 when both are empty."""
    both, either = area(a & b), area(a | b)
    return both / either if either else 1.0
