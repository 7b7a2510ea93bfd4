"""Made videos for MOSEv2's measures: objects of a few pixels to half the frame, that vanish and return."""

from __future__ import annotations

import numpy as np

SIZES = ((48, 64), (97, 131), (240, 320), (360, 640))
CLIPS = 44


def made_clip(number: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(ground truth, prediction) of every frame of a video, (H, W) uint8 ids; by integers alone."""
    rng = np.random.default_rng(number)
    size = SIZES[number % len(SIZES)]
    count, frames = 1 + number % 3, 3 + number % 11
    objects = [_Object(rng, size, frames) for _ in range(count)]
    clip = []
    for frame in range(frames):
        target, found = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
        for number_of, each in enumerate(objects, 1):
            each.paint(target, number_of, frame, each.seen[frame], (0, 0, 0))
            each.paint(found, number_of, frame, each.found[frame], each.errors[frame])
        clip.append((target, found))
    return clip


class _Object:
    """An ellipse on a straight way, half of them with a notch, and how wrongly it is found in each frame."""

    def __init__(self, rng, size, frames):
        height, width = size
        largest = (2, height // 12, height // 4, height // 2)[int(rng.integers(4))]
        self.radii = rng.integers(1, max(largest, 2) + 1, 2)
        self.start = rng.integers(0, (height, width))
        self.step = rng.integers(-height // 16, height // 16 + 1, 2)
        self.notch = bool(rng.integers(2))
        self.seen = rng.integers(0, 4, frames) > 0
        self.found = np.where(rng.integers(0, 6, frames) == 0, ~self.seen, self.seen)
        self.errors = rng.integers((-1 - height // 30, -1 - height // 30, -2), (2 + height // 30, 2 + height // 30, 4),
                                   (frames, 3))  # fmt: skip

    def paint(self, plane, number, frame, there, error):
        if not there:
            return
        y, x = self.start + self.step * frame + error[:2]
        b, a = np.maximum(self.radii + error[2], 1)
        rows, columns = np.ogrid[: plane.shape[0], : plane.shape[1]]
        inside = ((rows - y) * a) ** 2 + ((columns - x) * b) ** 2 <= (a * b) ** 2
        if self.notch:
            inside &= (np.abs(rows - y) > b // 3) | (columns < x)
        plane[inside] = number
