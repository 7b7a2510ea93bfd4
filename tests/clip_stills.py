"""Stills in memory for tests of clips: smooth photos with ellipses as objects."""

from __future__ import annotations

import cv2
import numpy as np

from datakit.clips import Still, Stills
from datakit.images import encode_png


class MadeStills(Stills):
    """As many stills as there are sizes, `made/0`, `made/1` …, each with objects side by side."""

    def __init__(self, sizes=((60, 80), (80, 60), (64, 64)), objects=2, ignored=False):
        self.sizes, self.objects, self.with_ignored = list(sizes), objects, ignored
        self.keys = [f"made/{n}" for n in range(len(self.sizes))]

    def __getitem__(self, position):
        size = self.sizes[position]
        return Still(
            self.keys[position],
            size,
            lambda: encode_png(made_photo(size, position)),
            lambda: made_masks(size, self.objects),
            range(11, 11 + self.objects),
            lambda: made_ignored(size) if self.with_ignored else None,
        )


def made_photo(size, seed=0):
    """A photo of broad blobs of colour, so that a pixel tells where it is from."""
    noise = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    blurred = cv2.GaussianBlur(noise, (0, 0), min(size) / 12).astype(np.float32)
    return np.clip(128 + (blurred - blurred.mean()) * 6, 0, 255).astype(np.uint8)


def made_masks(size, objects):
    """Ellipses side by side that do not touch."""
    H, W = size
    masks = []
    for n in range(objects):
        mask = np.zeros(size, np.uint8)
        centre = round(W * (n + 0.5) / objects), H // 2
        cv2.ellipse(mask, centre, (max(W // (3 * objects), 2), H // 4), 0, 0, 360, 1, -1)
        masks.append(mask)
    return masks


def made_ignored(size):
    """The lowest eighth."""
    ignored = np.zeros(size, np.uint8)
    ignored[size[0] * 7 // 8 :] = 1
    return ignored
