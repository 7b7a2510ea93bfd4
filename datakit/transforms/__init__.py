"""Deformations of masks, and the recipes that string them together.

Numbers are drawn first and applied by pure functions, so every rough mask can be made again from
the numbers stored with it.
"""

from .affine import Affine
from .apply import Deformed, deform, deform_all, replay
from .box import Box
from .dilate import Dilate
from .presets import PRESETS, configure, load_recipe
from .recipe import Deformation, Recipe
from .rotate_flip import Augment
from .tps import Tps

__all__ = [
    "PRESETS",
    "Affine",
    "Augment",
    "Box",
    "Deformation",
    "Deformed",
    "Dilate",
    "Recipe",
    "Tps",
    "configure",
    "deform",
    "deform_all",
    "load_recipe",
    "replay",
]
