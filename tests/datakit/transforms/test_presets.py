"""Recipes by name, from a file, and changed on the command line."""

import pytest

from datakit.errors import UsageError
from datakit.transforms import PRESETS, Affine, Augment, Dilate, Recipe, Tps, configure, load_recipe

TOML = """
variants = 3
min_iou = 0.1

[[steps]]
kind = "tps"
spline = "interpolating"

[[steps]]
kind = "affine"
scale = 0

[[steps]]
kind = "tps"
shift = 1

[augment]
angles = [0, 5]
"""


def test_a_preset_by_name():
    """The name alone."""
    assert load_recipe("lucid") is PRESETS["lucid"]


def test_a_recipe_file(tmp_path):
    """Steps in the order of the file, settings left out by default, named after the file."""
    path = tmp_path / "mine.toml"
    path.write_text(TOML)
    expected = Recipe(
        "mine",
        (Tps(spline="interpolating"), Affine(scale=0), Tps(shift=1.0)),
        variants=3,
        min_iou=0.1,
        augment=Augment(angles=(0, 5)),
    )
    assert load_recipe(str(path)) == expected
    path.write_text('name = "other"\n' + TOML)
    assert load_recipe(str(path)).name == "other"


@pytest.mark.parametrize(
    ("spec", "text", "message"),
    [
        (
            "masktrak",
            None,
            r"neither a preset nor a .toml file \(did you mean masktrack\?\); presets are masktrack, masktrack-box",
        ),
        ("none.toml", None, "No such file.*presets are masktrack"),
        ("bad.toml", "steps = [", "no valid TOML"),
        ("bad.toml", "step = []", "bad.toml: recipe bad: unknown key 'step'"),
    ],
)
def test_an_unusable_recipe_is_refused(tmp_path, monkeypatch, spec, text, message):
    """With the presets, or the place in the file."""
    monkeypatch.chdir(tmp_path)
    if text:
        (tmp_path / spec).write_text(text)
    with pytest.raises(UsageError, match=message):
        load_recipe(spec)


def both():
    return PRESETS["masktrack"], PRESETS["masktrack-box"]


def test_a_setting_goes_to_every_recipe_that_has_it():
    """`variants` to both, `tps.shift` to the one with a spline, a scoped one to its recipe alone."""
    first, second = configure(both(), ["variants=4", "tps.shift=0.05", "masktrack-box:box.jitter=.1"])
    assert (first.variants, second.variants) == (4, 4)
    assert first.steps == (Affine(), Tps(shift=0.05), Dilate())
    assert second.steps[0].jitter == 0.1
    assert PRESETS["masktrack"].variants == 2, "the preset itself is not touched"


def test_steps_are_left_out_reordered_and_repeated():
    """Kinds that were there keep their settings, new ones have their defaults."""
    (recipe,) = configure([PRESETS["lucid"]], ["dilate.radius=3", "steps=dilate, tps,affine,tps", "tps#2.shift=.2"])
    assert recipe.steps == (Dilate(3), Tps(shift=0.05), Affine(), Tps(shift=0.2))
    (both_splines,) = configure([recipe], ["tps.points=4"])
    assert [step.points for step in both_splines.steps if isinstance(step, Tps)] == [4, 4]
    assert configure([recipe], ["steps="])[0].steps == ()


def test_words_lists_and_truth_values():
    """Everything a setting may be can be written."""
    (recipe,) = configure(
        [PRESETS["online"]], ["augment.angles=-5, 0,5", "augment.flip=False", "tps.spline=interpolating"]
    )
    assert recipe.augment == Augment((-5.0, 0.0, 5.0), False) and recipe.steps[1].spline == "interpolating"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("variants", r"expected \[RECIPE:\]KEY=VALUE"),
        (
            "tps.shft=1",
            "'tps.shft' is no setting of masktrack, masktrack-box .did you mean tps.shift.*known are .*box.jitter",
        ),
        ("masktrack-box:tps.shift=0.1", "'tps.shift' is no setting of masktrack-box; known are variants"),
        ("augment.flip=true", "'augment.flip' is no setting"),
        ("lucid:variants=2", "no recipe 'lucid' here; there are masktrack, masktrack-box"),
        ("variants=many", "'many' is not a whole number"),
        ("variants=2.5", "2.5 is not a whole number"),
        ("min_iou=1.5", "1.5 is outside 0..1"),
        ("affine.scale=nan", "outside"),
        ("steps=affine,warp", "unknown step 'warp'"),
        ("tps.spline=linear", "not one of smoothing, interpolating"),
        ("name=x", "'name' is no setting"),
    ],
)
def test_what_does_not_fit_is_refused(setting, message):
    """No setting is ignored in silence."""
    with pytest.raises(UsageError, match=message):
        configure(both(), [setting])
