"""Clips: short videos made of stills, from which today's video networks begin to learn.

A recipe's motion draws a plan, every number of a clip; `render` makes pictures of it. `ClipMaker` does both.
"""

from .aot import Aot
from .colour import Colour
from .independent import Independent
from .maker import Clip, ClipMaker
from .motion import MOTIONS, Drawn, Material, Motion, register_motion
from .plan import ClipPlan
from .recipe import ClipRecipe
from .render import ClipObject
from .rough import ROUGH, Rough
from .smooth import Smooth
from .still import SceneStills, ShardStills, Still, Stills

for _motion in (Independent, Aot, Smooth):
    register_motion(_motion)

from .presets import (  # noqa: E402
    CLIP_PRESETS,
    configure_clip_recipe,
    configure_clip_recipes,
    describe_clip_settings,
    load_clip_recipe,
)

__all__ = [
    "CLIP_PRESETS",
    "MOTIONS",
    "ROUGH",
    "Clip",
    "ClipMaker",
    "ClipObject",
    "ClipPlan",
    "ClipRecipe",
    "Colour",
    "Drawn",
    "Material",
    "Motion",
    "Rough",
    "SceneStills",
    "ShardStills",
    "Still",
    "Stills",
    "configure_clip_recipe",
    "configure_clip_recipes",
    "describe_clip_settings",
    "load_clip_recipe",
    "register_motion",
]  # fmt: skip
