"""Small films for tests of the motion `smooth`."""

from __future__ import annotations

import numpy as np

from datakit.clips import ClipMaker, Still, configure_clip_recipe, load_clip_recipe
from datakit.images import encode_png
from tests.clip_stills import MadeStills, made_photo

SIDE = 96
STILLS = MadeStills([(120, 160), (160, 120), (128, 128)])
CALM = ["motion.jpeg=0", "motion.lag=0", "motion.drift=0", "motion.tint=0", "motion.shutter=0", "motion.harmony=0"]


def recipe(*settings):
    """`smooth`, small, with some settings changed."""
    return configure_clip_recipe(load_clip_recipe("smooth"), [f"size={SIDE}", "least_pixels=20", *settings])


def maker(*settings, stills=STILLS, seed=0):
    """Films of the stills."""
    return ClipMaker(stills, recipe(*settings), seed)


def plans(count, *settings, **rest):
    """As many plans, none redrawn."""
    made = maker("redraw=never", *settings, **rest)
    return [made.plan(n % len(made), repeat=n // len(made)) for n in range(count)]


def boxed(size, *boxes):
    """A still of boxes as objects: x0, y0, x1, y1."""
    masks = []
    for x0, y0, x1, y1 in boxes:
        mask = np.zeros(size, np.uint8)
        mask[y0:y1, x0:x1] = 1
        masks.append(mask)

    class One(MadeStills):
        def __getitem__(self, position):
            photo = encode_png(made_photo(size))
            return Still(self.keys[position], size, lambda: photo, lambda: masks, range(len(masks)))

    return One([size])


def corners(pose):
    """(4, 2): what the corners of the frame are read from, in points of the photo."""
    pixels = np.array([[0, 0], [SIDE, 0], [0, SIDE], [SIDE, SIDE]]) - 0.5
    matrix = pose.as_matrix()
    return pixels @ matrix[:, :2].T + matrix[:, 2] + 0.5
