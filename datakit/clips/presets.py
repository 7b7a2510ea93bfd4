"""The known clip recipes, each number with its source."""

from __future__ import annotations

from dataclasses import replace

from .aot import Aot
from .colour import Colour
from .independent import Independent
from .motion import EACH
from .recipe import ClipRecipe
from .rough import MatAnyone, Rde
from .smooth import Smooth

# hkchengrex/STCN eb83102, XMem f3b841d: static_dataset.py; the colours are those of all four.
_STM_COLOUR = Colour(clip_brightness=0.1, clip_contrast=0.05, clip_saturation=0.05, clip_hue=0.05, clip_grey=0.05,
                     brightness=0.1, contrast=0.05, saturation=0.05)  # fmt: skip
_STCN = ClipRecipe("stcn", Independent(), _STM_COLOUR, filter="bicubic")
# DEVA 404a112, Cutie ec5cdd4: static_dataset.py: both scales are .5 to 2
_WIDE = Independent(clip_scale_low=0.5, clip_scale_high=2.0, scale_low=0.5, scale_high=2.0)
_CUTIE = replace(_STCN, name="cutie", motion=_WIDE, filter="bilinear")
# aot-benchmark 601c138: train_datasets.py::StaticTrain, TRAIN_AUG_TYPE v1
_AOT = ClipRecipe("aot", Aot(), Colour(brightness=0.1, contrast=0.1, saturation=0.1, hue=0.03), frames=5, size=465,
                  more_stills_low=1, more_stills_high=1, objects=EACH, most_objects=10, least_pixels=101,
                  filter="bicubic")  # fmt: skip
# aot-benchmark 601c138: configs of DeAOT: TRAIN_AUG_TYPE v2
_DEAOT = Colour(brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1, chance=0.8, grey=0.2, blur=0.3)
# ours
_SMOOTH = ClipRecipe(
    "smooth",
    Smooth(),
    Colour(clip_brightness=0.15, clip_contrast=0.15, clip_saturation=0.2, clip_hue=0.02, clip_grey=0.03),
    frames=8,
    more_stills_high=2,
    objects=EACH,
    most_objects=10,
    least_pixels=300,
    redraw="lost",
    max_redraws=20,
)

CLIP_PRESETS: dict[str, ClipRecipe] = {
    recipe.name: recipe
    for recipe in (
        _STCN,
        replace(_STCN, name="xmem"),
        replace(_STCN, name="deva", motion=_WIDE),
        _CUTIE,
        _AOT,
        replace(_AOT, name="deaot", colour=_DEAOT),
        # RDE-VOS 548a889, MatAnyone e5ddc53: the clips of STCN and of Cutie with a rough first mask
        replace(_STCN, name="rde", rough=Rde()),
        replace(_CUTIE, name="matanyone", rough=MatAnyone()),
        _SMOOTH,
    )
}
