"""The part of a frame a network looks at: cut out around the guide mask, and scores put back.

Training and propagation both go through here, so both see the same view. What is drawn at random in training is
left to `views`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Box, Image, Mask, bounding_box

MARGIN = 0.5  # middle of those that training draws, as a multiple of the object's longer side; ours
MIN_SIDE = 48  # pixels of the frame; less would enlarge a speck to nothing but blur


@dataclass(frozen=True)
class Window:
    """A rectangle of a frame, and the size it is cut to.

    Attributes:
        box: (x0, y0, x1, y1) whole pixels of the frame, half-open; may reach beyond it.
        size: (H, W) of the cut.
    """

    box: Box
    size: tuple[int, int]

    def is_inside(self, frame_size: tuple[int, ...]) -> bool:
        """Whether no pixel lies beyond a frame of (H, W)."""
        x0, y0, x1, y1 = self.box
        return min(x0, y0) >= 0 and y1 <= frame_size[0] and x1 <= frame_size[1]


def object_window(guide: Mask | Box, frame_size: tuple[int, int], margin: float, size: int) -> Window:
    """A square around an object: inside the frame as far as it fits, centred where the frame is too small.

    Args:
        guide: (H, W) uint8 0/1 mask, not empty, or its box.
        frame_size: (H, W).
        margin: room on every side, as a multiple of the box's longer side.
        size: side of the cut.
    """
    box = guide if isinstance(guide, tuple) else bounding_box(guide)
    if box is None:
        return whole_window(frame_size, size)
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0) * (1 + 2 * margin)
    return square_window(((x0 + x1) / 2, (y0 + y1) / 2), side, frame_size, size)


def square_window(centre: tuple[float, float], side: float, frame_size: tuple[int, int], size: int) -> Window:
    """A square of the frame around a point (x, y), moved so that as much of it as can be lies inside.

    Its side is at least `MIN_SIDE` and at most the frame's longer side.
    """
    whole = max(frame_size)
    pixels = min(max(round(side), min(MIN_SIDE, whole)), whole)
    left, top = (
        (extent - pixels) // 2 if pixels >= extent else min(max(round(middle - pixels / 2), 0), extent - pixels)
        for middle, extent in zip(centre, frame_size[::-1], strict=True)
    )
    return Window((left, top, left + pixels, top + pixels), (size, size))


def whole_window(frame_size: tuple[int, int], size: int) -> Window:
    """The whole frame in the middle of a square."""
    H, W = frame_size
    return square_window((W / 2, H / 2), max(frame_size), frame_size, size)


def frame_window(frame_size: tuple[int, int], longest: int) -> Window:
    """The whole frame in its own shape, its longer side cut to `longest` pixels."""
    H, W = frame_size
    scale = longest / max(frame_size)
    return Window((0, 0, W, H), (max(1, round(H * scale)), max(1, round(W * scale))))


def cut_image(image: Image, window: Window, fill: tuple[int, int, int]) -> Image:
    """What an image shows in a window: every pixel the mean of those it covers where it shrinks, else bilinear.

    Args:
        image: (H, W, 3) uint8 RGB.
        window: of the image.
        fill: colour beyond the image.

    Returns:
        (h, w, 3) uint8 RGB, in memory of its own.
    """
    part = _part(image, window.box, fill)
    shrinks = part.shape[0] > window.size[0] or part.shape[1] > window.size[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(part, window.size[::-1], interpolation=way)  # type: ignore[return-value]


def cut_mask(mask: Mask, window: Window, outside: int = 0) -> Mask:
    """What a mask shows in a window, the nearest pixel each; aligned with `cut_image` to half a pixel of either.

    Args:
        mask: (H, W) uint8.
        window: of the mask.
        outside: value beyond the mask.

    Returns:
        (h, w) uint8, in memory of its own.
    """
    part = _part(mask, window.box, (outside,))
    return cv2.resize(part, window.size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)  # type: ignore[return-value]


def paste_back(
    scores: NDArray[np.float32], window: Window, frame_size: tuple[int, int], outside: float
) -> NDArray[np.float32]:
    """(H, W) float32: the scores of a window, of any resolution, at their place in the frame.

    Args:
        scores: (h, w) float32 that cover the window.
        window: what they cover.
        frame_size: (H, W).
        outside: score of pixels beyond the window.
    """
    x0, y0, x1, y1 = window.box
    whole = np.full(frame_size, outside, np.float32)
    into, part = _overlap(window.box, frame_size)
    whole[into] = cv2.resize(scores, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)[part]
    return whole


def _overlap(box: Box, frame_size: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where box and frame overlap, as slices of the frame and of the box."""
    x0, y0, x1, y1 = box
    H, W = frame_size
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, W), min(y1, H)
    return np.s_[top:bottom, left:right], np.s_[top - y0 : bottom - y0, left - x0 : right - x0]


def _part(plane: NDArray[np.uint8], box: Box, outside: tuple[int, ...]) -> NDArray[np.uint8]:
    """The pixels of a box, `outside` where it reaches beyond the plane."""
    x0, y0, x1, y1 = box
    H, W = plane.shape[:2]
    part = plane[max(y0, 0) : y1, max(x0, 0) : x1]
    above, below, left, right = (max(each, 0) for each in (-y0, y1 - H, -x0, x1 - W))
    if not (above or below or left or right):
        return part
    return cv2.copyMakeBorder(part, above, below, left, right, cv2.BORDER_CONSTANT, value=outside)  # type: ignore[return-value]
