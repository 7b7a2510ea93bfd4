"""Clip recipes as TOML, by `--set`, and what is wrong with one."""

import pytest

from datakit.clips import (
    CLIP_PRESETS,
    ClipRecipe,
    configure_clip_recipe,
    configure_clip_recipes,
    describe_clip_settings,
    load_clip_recipe,
)
from datakit.errors import UsageError


@pytest.mark.parametrize("name", CLIP_PRESETS)
def test_a_preset_is_equal_after_plain_values(name):
    assert ClipRecipe.from_dict(CLIP_PRESETS[name].to_dict()) == CLIP_PRESETS[name]


@pytest.mark.parametrize("name", CLIP_PRESETS)
def test_every_setting_has_a_line_of_help_with_a_meaning(name):
    lines = describe_clip_settings(CLIP_PRESETS[name]).splitlines()
    assert len(lines) > 15
    assert all(len(line.split("  ")[-1]) > 10 for line in lines)


def test_a_file_begins_with_a_preset_and_changes_some_of_it(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('like = "cutie"\nframes = 8\n[motion]\nrotation = 5\n[rough]\nkind = "deformed"\n')
    recipe = load_clip_recipe(str(path))
    assert (recipe.name, recipe.frames, recipe.motion.rotation, recipe.motion.clip_scale_high) == ("mine", 8, 5.0, 2.0)
    assert recipe.rough.kind == "deformed"
    assert recipe.colour == CLIP_PRESETS["cutie"].colour


def test_a_file_can_say_everything_itself(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('name = "x"\n[motion]\nkind = "aot"\n[colour]\nhue = 0.1\n')
    assert load_clip_recipe(str(path)).motion == CLIP_PRESETS["aot"].motion


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("frames = 3", r"no \[motion\] and no `like`"),
        ('like = "cuti"', r"like = 'cuti': presets are"),
        ('like = ["cutie"]', r"like = \['cutie'\]: presets are"),
        ('like = "cutie"\nmotion = 3', r"motion = 3 is no table"),
        ('like = "cutie"\n[motion]\nkind = "fly"', r"kind 'fly': kinds are"),
        ('like = "cutie"\n[motion]\nrotate = 3', r"unknown key 'rotate'"),
        ('like = "cutie"\nframes = 0', r"frames: 0 is outside 1\.\.256"),
        ('like = "cutie"\nfill = [1, 2]', r"expected red, green and blue"),
        ('like = "cutie"\nmore_stills_low = 2', r"more_stills_low is 2, above more_stills_high, 0"),
        ("frames = ", r"no valid TOML"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path, text, said):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        load_clip_recipe(str(path))


def test_an_unknown_name_lists_the_presets_and_the_nearest():
    with pytest.raises(UsageError, match=r"did you mean cutie\?\); presets are stcn, xmem"):
        load_clip_recipe("cuties")


def test_settings_are_changed_by_key():
    recipe = configure_clip_recipe(
        CLIP_PRESETS["cutie"], ["frames=8", "motion.bend=0", "colour.hue=0.2", "rough=deformed"]
    )
    assert (recipe.frames, recipe.motion.bend, recipe.colour.hue, recipe.rough.kind) == (8, 0, 0.2, "deformed")
    assert configure_clip_recipe(recipe, ["rough=none"]).rough is None
    assert configure_clip_recipe(recipe, ["rough.recipe=lucid"]).rough.recipe == "lucid"


def test_a_range_is_judged_once_both_ends_are_set():
    """In whichever order."""
    changes = ["more_stills_low=5", "more_stills_high=6", "motion.scale_low=3", "motion.scale_high=4"]
    recipe = configure_clip_recipe(CLIP_PRESETS["cutie"], changes)
    assert (recipe.more_stills_low, recipe.motion.scale_high) == (5, 4)
    with pytest.raises(UsageError, match=r"motion\.scale_low is 3\.0, above motion\.scale_high, 2\.0"):
        configure_clip_recipe(CLIP_PRESETS["cutie"], ["motion.scale_low=3"])
    with pytest.raises(UsageError, match=r"rough\.iou_low is 0\.99, above rough\.iou_high, 0\.5"):
        configure_clip_recipe(CLIP_PRESETS["rde"], ["rough.iou_low=0.99", "rough.iou_high=0.5"])


def test_a_setting_of_rough_masks_needs_a_rule():
    with pytest.raises(UsageError, match="cutie makes no rough masks; set rough=KIND first"):
        configure_clip_recipe(CLIP_PRESETS["cutie"], ["rough.iou_low=0.5"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rotation=3", r"did you mean motion\.rotation"),
        ("rough=fog", "kinds are none, "),
        ("frames", "expected KEY=VALUE"),
        ("motion.bend=2", r"2\.?0? is outside 0\.\.1"),
    ],
)
def test_what_is_wrong_with_a_setting_is_named(text, said):
    with pytest.raises(UsageError, match=said):
        configure_clip_recipe(CLIP_PRESETS["cutie"], [text])


def test_a_setting_of_several_recipes_is_that_of_all_that_have_it():
    """By the recipe's name of that one alone."""
    recipes = [load_clip_recipe(name) for name in ("cutie", "aot")]
    cutie, aot = configure_clip_recipes(
        recipes, ["frames=7", "motion.area_low=0.5", "cutie:size=96", "aot:rough=deformed"]
    )
    assert cutie.frames == aot.frames == 7
    assert (cutie.size, aot.size, aot.motion.area_low) == (96, 465, 0.5)
    assert cutie.rough is None and aot.rough is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [("deva:size=96", "no recipe 'deva' here; there are cutie, aot"), ("motion.nothing=1", "motion"), ("size", "KEY=")],
)
def test_what_is_wrong_with_a_setting_of_several_is_named(text, said):
    """A recipe that is not there, a key that none has, no assignment."""
    with pytest.raises(UsageError, match=said):
        configure_clip_recipes([load_clip_recipe(name) for name in ("cutie", "aot")], [text])
