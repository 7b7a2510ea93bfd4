"""The object of a mask without the empty frame around it: what deformations work on.

A small object in a large picture costs what the object costs; the frame comes back at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Box, Mask

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


@dataclass(frozen=True)
class ObjectCrop:
    """One object in its frame.

    Attributes:
        size: (H, W) of the frame.
        box: the object's bounding box, half-open; (0, 0, 0, 0) when the mask is empty.
        pixels: (y1 - y0, x1 - x0) uint8, 0 or 1: the mask inside the box. Never written to.
    """

    size: tuple[int, int]
    box: Box
    pixels: Mask

    @classmethod
    def of(cls, mask: Mask, x: int = 0, y: int = 0, size: tuple[int, int] | None = None) -> ObjectCrop:
        """The object of an (H, W) uint8 0/1 mask; shares its memory.

        Args:
            mask: the whole mask, or a part of it.
            x, y: where the upper left corner of a part lies in the frame.
            size: (H, W) of the frame, where `mask` is a part.
        """
        left, top, width, height = cv2.boundingRect(mask)
        if not width:
            return cls.nothing(size or (mask.shape[0], mask.shape[1]))
        box = x + left, y + top, x + left + width, y + top + height
        return cls(size or (mask.shape[0], mask.shape[1]), box, mask[top : top + height, left : left + width])

    @classmethod
    def nothing(cls, size: tuple[int, int]) -> ObjectCrop:
        """The object of an empty mask."""
        return cls(size, (0, 0, 0, 0), np.empty((0, 0), np.uint8))

    @property
    def width(self) -> int:
        """Of the box, in pixels."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        """Of the box, in pixels."""
        return self.box[3] - self.box[1]

    @cached_property
    def area(self) -> int:
        """Foreground pixels."""
        return cv2.countNonZero(self.pixels) if self.pixels.size else 0

    @cached_property
    def ring(self) -> NDArray[np.int64]:
        """(n, 2) x and y of every background pixel with a foreground pixel above, below, left or right of it.

        Those of all parts and holes of the object, inside the frame, row by row.
        """
        padded, x, y = self.padded(1)
        # As bool: NumPy finds the few ones of a boolean array many times faster.
        flat = np.flatnonzero((cv2.dilate(padded, _CROSS) - padded).view(np.bool_))
        rows, columns = np.divmod(flat, padded.shape[1])
        return np.column_stack([columns + x, rows + y])

    def mask(self) -> Mask:
        """The whole (H, W) uint8 0/1 mask, in memory of its own."""
        mask = np.zeros(self.size, np.uint8)
        x0, y0, x1, y1 = self.box
        mask[y0:y1, x0:x1] = self.pixels
        return mask

    def shifted(self, x: int, y: int) -> ObjectCrop:
        """The object moved by whole pixels; what leaves the frame is dropped."""
        x0, y0, (H, W) = self.box[0] + x, self.box[1] + y, self.size
        part = self.pixels[max(-y0, 0) : max(H - y0, 0), max(-x0, 0) : max(W - x0, 0)]
        return ObjectCrop.of(part, max(x0, 0), max(y0, 0), self.size) if part.size else ObjectCrop.nothing(self.size)

    def padded(self, margin: int) -> tuple[Mask, int, int]:
        """The pixels with up to `margin` of the frame around them, and the (x, y) of their upper left corner."""
        x0, y0, x1, y1 = self.box
        left, top = min(margin, x0), min(margin, y0)
        right, bottom = min(margin, self.size[1] - x1), min(margin, self.size[0] - y1)
        padded = cv2.copyMakeBorder(self.pixels, top, bottom, left, right, cv2.BORDER_CONSTANT, value=0)
        return padded, x0 - left, y0 - top  # type: ignore[return-value]

    def iou(self, other: ObjectCrop) -> float:
        """Intersection over union, from whole numbers; 1.0 when both are empty."""
        x0, y0 = max(self.box[0], other.box[0]), max(self.box[1], other.box[1])
        x1, y1 = min(self.box[2], other.box[2]), min(self.box[3], other.box[3])
        both = 0
        if x0 < x1 and y0 < y1:
            mine, others = (
                each.pixels[y0 - each.box[1] : y1 - each.box[1], x0 - each.box[0] : x1 - each.box[0]]
                for each in (self, other)
            )
            both = cv2.countNonZero(cv2.bitwise_and(mine, others))
        either = self.area + other.area - both
        return both / either if either else 1.0
