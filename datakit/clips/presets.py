"""The known clip recipes, each number with its source, and the two ways to make others: a TOML file and `--set`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..config import Key, assign, help_text, keys_of, preset_or_file, split_assignment
from ..errors import UsageError
from .aot import Aot
from .colour import Colour
from .independent import Independent
from .motion import EACH
from .recipe import PARTS, ClipRecipe
from .rough import ROUGH, MatAnyone, Rde
from .smooth import Smooth

# hkchengrex/STCN eb83102, XMem f3b841d: static_dataset.py; the colours are those of all four.
_STM_COLOUR = Colour(clip_brightness=0.1, clip_contrast=0.05, clip_saturation=0.05, clip_hue=0.05, clip_grey=0.05,
                     brightness=0.1, contrast=0.05, saturation=0.05)  # fmt: skip
_STCN = ClipRecipe("stcn", Independent(), _STM_COLOUR)
# DEVA 404a112, Cutie ec5cdd4: static_dataset.py: both scales are .5 to 2
_WIDE = Independent(clip_scale_low=0.5, clip_scale_high=2.0, scale_low=0.5, scale_high=2.0)
_CUTIE = replace(_STCN, name="cutie", motion=_WIDE)
# aot-benchmark 601c138: train_datasets.py::StaticTrain, TRAIN_AUG_TYPE v1
_AOT = ClipRecipe("aot", Aot(), Colour(brightness=0.1, contrast=0.1, saturation=0.1, hue=0.03), frames=5, size=465,
                  more_stills_low=1, more_stills_high=1, objects=EACH, most_objects=10, least_pixels=101)  # fmt: skip
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


def load_clip_recipe(spec: str) -> ClipRecipe:
    """The clip recipe named on the command line.

    Args:
        spec: name of a preset, or path of a `.toml` file; a file without `name` is named after itself.

    Raises:
        UsageError: neither, or the file cannot be used.
    """
    return preset_or_file(spec, CLIP_PRESETS, _from_file, "clip preset")


def _from_file(values: dict[str, Any]) -> ClipRecipe:
    """The recipe of a file, whose `like` names a preset to begin with."""
    like = values.pop("like", None)
    if like is not None and not (isinstance(like, str) and like in CLIP_PRESETS):
        raise UsageError(f"like = {like!r}: presets are {', '.join(CLIP_PRESETS)}")
    return ClipRecipe.from_dict(values, CLIP_PRESETS[like] if like else None)


def configure_clip_recipe(recipe: ClipRecipe, settings: Sequence[str]) -> ClipRecipe:
    """Change settings of a clip recipe, one `KEY=VALUE` after the other.

    KEY is a setting of the recipe, or one of its parts behind a dot: `motion.rotation`, `colour.hue`; `rough=KIND`
    puts guide masks of a kind beside, `rough=none` takes them away.

    Raises:
        UsageError: not of that form, an unknown key, or a value that does not fit.
    """
    for text in settings:
        key, value = split_assignment(text)
        if key == "rough":
            if value != "none" and value not in ROUGH:
                raise UsageError(f"--set {text}: kinds are none, {', '.join(ROUGH)}")
            recipe = replace(recipe, rough=None if value == "none" else ROUGH[value]())
            continue
        if key.startswith("rough.") and recipe.rough is None:
            raise UsageError(
                f"--set {text}: {recipe.name} makes no rough masks; set rough=KIND first, of {', '.join(ROUGH)}"
            )
        recipe = assign(_keys(recipe), key, value, f"--set {text}", more=", rough")
    return recipe.checked()


def configure_clip_recipes(recipes: Sequence[ClipRecipe], settings: Sequence[str]) -> tuple[ClipRecipe, ...]:
    """Change settings of several clip recipes, one `[RECIPE:]KEY=VALUE` after the other.

    Without a recipe's name a setting is that of every recipe that has it.

    Raises:
        UsageError: as `configure_clip_recipe`, or there is no such recipe.
    """
    changed, asked = list(recipes), [list[str]() for _ in recipes]
    for text in settings:
        head, value = split_assignment(text, "[RECIPE:]KEY=VALUE")
        scope, _, key = (part.strip() for part in head.rpartition(":"))
        meant = [n for n, recipe in enumerate(changed) if not scope or recipe.name == scope]
        if not meant:
            raise UsageError(f"--set {text}: no recipe {scope!r} here; there are {', '.join(r.name for r in changed)}")
        having = [n for n in meant if key.partition(".")[0] == "rough" or key in _keys(changed[n])]
        for n in having or meant[:1]:  # that has none such says what there is
            asked[n].append(f"{key}={value}")
            if not having:
                break
    return tuple(configure_clip_recipe(recipe, each) for recipe, each in zip(changed, asked, strict=True))


def describe_clip_settings(recipe: ClipRecipe) -> str:
    """A line for every key that `configure_clip_recipe` changes: its value now, what it may be, what it means."""
    kind = recipe.rough.kind if recipe.rough else "none"
    return (
        f"{help_text(_keys(recipe))}\nrough  {kind}  none or {' or '.join(ROUGH)}  rule of masks beside the true ones"
    )


def _keys(recipe: ClipRecipe) -> dict[str, Key[ClipRecipe]]:
    return keys_of(recipe, [part for part in PARTS if getattr(recipe, part) is not None])
