"""Transforms of masks and images, and the recipes that string them together.

Parameters are drawn first and applied by pure functions, so every guide mask can be made again from the numbers
stored with it. The steps that recipes can name are in `TRANSFORMS`; other packages add theirs by
`register_transform` or an entry point of the group `masktrack_datakit.transforms`.
"""

from .affine import Affine
from .apply import deform, deform_all, replay
from .base import TRANSFORMS, ImageTransform, Transform, register_transform
from .box import Box
from .compositing import Compositing
from .corruption_steps import Leak, Occlude, Shift
from .dilate import Dilate, Erode
from .frame_warp import FrameWarp, sample_warp
from .holes import Holes
from .photometric import Photometric
from .presets import PRESETS, configure, load_recipe
from .recipe import Recipe
from .rotate_flip import Augment, RotateFlip
from .tps import Tps

for _step in (Affine, Tps, Dilate, Box, Erode, Holes, RotateFlip, Shift, Occlude, Leak):
    register_transform(_step)

__all__ = [
    "PRESETS",
    "TRANSFORMS",
    "Affine",
    "Augment",
    "Box",
    "Compositing",
    "Dilate",
    "Erode",
    "FrameWarp",
    "Holes",
    "ImageTransform",
    "Leak",
    "Occlude",
    "Photometric",
    "Recipe",
    "RotateFlip",
    "Shift",
    "Tps",
    "Transform",
    "configure",
    "deform",
    "deform_all",
    "load_recipe",
    "register_transform",
    "replay",
    "sample_warp",
]
