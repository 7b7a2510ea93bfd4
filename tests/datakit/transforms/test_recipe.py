"""Recipes: order, names, plain values, the redraw rule and its flags."""

from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

from datakit.errors import UsageError
from datakit.seeds import generator
from datakit.transforms import PRESETS, Affine, Augment, Box, Dilate, Recipe, Tps, deform, deform_all, replay
from datakit.transforms.object_crop import ObjectCrop


def blob():
    mask = np.zeros((90, 120), np.uint8)
    cv2.ellipse(mask, (60, 45), (30, 20), 20, 0, 360, 1, -1)
    return mask


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_survives_plain_values_and_replays(name):
    """What is stored is all there is."""
    recipe = PRESETS[name]
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    for variant in range(5):
        rough = deform(blob(), recipe, generator(3, "a/b", variant))
        assert rough.parameters.shape == (len(recipe.parameter_names),)
        np.testing.assert_array_equal(rough.mask, replay(blob(), recipe, rough.parameters.copy()))


def test_steps_may_be_left_out_reordered_and_repeated():
    """Each order gives another mask, repeated kinds are numbered."""
    steps = (Affine(), Dilate(2), Affine(), Tps(3), Dilate())
    recipe = Recipe("r", steps)
    assert recipe.labels == ("affine", "dilate", "affine#2", "tps", "dilate#2")
    assert recipe.parameter_names[:7] == (
        *("affine.scale", "affine.dx", "affine.dy"),
        "dilate.radius",
        *("affine#2.scale", "affine#2.dx", "affine#2.dy"),
    )
    assert [len(run) for run in recipe.groups] == [1, 1, 2, 1]
    one = deform(blob(), recipe, np.random.default_rng(0)).mask
    other = deform(blob(), Recipe("r", steps[::-1]), np.random.default_rng(0)).mask
    assert (one != other).any()


def test_names_of_a_views_numbers_come_first():
    """And are NaN until a view fills them."""
    recipe = Recipe("r", (Dilate(),), augment=Augment())
    assert recipe.parameter_names == ("augment.angle", "augment.flip", "dilate.radius")
    np.testing.assert_array_equal(deform(blob(), recipe, np.random.default_rng(0)).parameters, [np.nan, np.nan, 5])


def test_same_seed_same_bytes_other_variant_other_mask():
    """Nothing but the generator decides."""
    masks = [deform(blob(), PRESETS["masktrack"], generator(0, "k", n)).mask.tobytes() for n in (0, 0, 1)]
    assert masks[0] == masks[1] != masks[2]


def test_golden_mask():
    """A whole draw, by the area and the first moment of its pixels."""
    rough = deform(blob(), PRESETS["masktrack"], generator(0, "golden", 0))
    y, x = np.nonzero(rough.mask)
    assert (len(x), int(x.sum()), int(y.sum())) == GOLDEN


@pytest.mark.parametrize("name", PRESETS)
def test_masks_deformed_together_are_those_deformed_alone(name):
    """Whatever else is worked on: other objects, empty draws, objects of one pixel, and another number of redraws."""
    speck = np.zeros((60, 80), np.uint8)
    speck[0, 79] = 1
    masks = [blob(), speck, np.ones_like(speck), blob()[:, ::-1].copy(), blob()]
    recipe = replace(PRESETS[name], min_iou=0.8, max_redraws=4)
    together = deform_all([ObjectCrop.of(mask) for mask in masks], recipe, [generator(0, str(n), 0) for n in range(5)])
    assert len({rough.redraws for rough in together}) > 1 or not any(step.kind == "affine" for step in recipe.steps)
    for n, (mask, rough) in enumerate(zip(masks, together, strict=True)):
        alone = deform(mask, recipe, generator(0, str(n), 0))
        for field in fields(rough):
            np.testing.assert_array_equal(getattr(rough, field.name), getattr(alone, field.name), field.name)


def test_a_draw_below_the_floor_is_thrown_away():
    """With a floor that few draws reach, the kept one reaches it, and the others are counted."""
    recipe = Recipe("r", (Affine(0, 0.5),), min_iou=0.6, max_redraws=50)
    drawn = [deform(blob(), recipe, generator(0, "x", n)) for n in range(20)]
    assert all(rough.iou >= 0.6 and rough.draw_flags == "" for rough in drawn)
    assert sum(rough.redraws for rough in drawn) > 20


def test_the_best_draw_is_kept_and_flagged():
    """Where no draw can reach the floor, all redraws are used and the best of them stays."""
    recipe = Recipe("r", (Affine(0, 0.5),), min_iou=1, max_redraws=7)
    rough = deform(blob(), recipe, generator(0, "x", 0))
    assert (rough.draw_flags, rough.redraws) == ("low-iou", 7)
    rng, single = generator(0, "x", 0), Recipe("r", (Affine(0, 0.5),), min_iou=0, max_redraws=0)
    assert rough.iou == max(deform(blob(), single, rng).iou for _ in range(8))


def test_an_empty_draw_is_thrown_away_even_without_a_floor():
    """A mask shifted out of the frame says nothing."""
    mask = np.zeros((20, 20), np.uint8)
    mask[:, 19] = 1
    recipe = Recipe("r", (Affine(0, 2),), min_iou=0, max_redraws=40)
    drawn = [deform(mask, recipe, generator(0, "x", n)) for n in range(30)]
    assert any(rough.redraws for rough in drawn) and all(rough.mask.any() for rough in drawn)
    assert all(not rough.draw_flags for rough in drawn)


def test_only_warps_are_judged_not_the_coarsening_after_them():
    """A dilation that alone is below the floor is no reason to draw again."""
    mask = np.zeros((60, 60), np.uint8)
    mask[30, 30] = 1
    rough = deform(mask, Recipe("r", (Affine(0, 0), Dilate(9)), min_iou=0.9), generator(0, "x", 0))
    assert rough.iou < 0.01 and (rough.redraws, rough.draw_flags) == (0, "")
    assert deform(mask, Recipe("r", (Dilate(9),), min_iou=0.9), generator(0, "x", 0)).redraws == 0


def test_the_empty_recipe_gives_the_mask_itself():
    """In memory of its own."""
    mask = blob()
    rough = deform(mask, Recipe("nothing", ()), np.random.default_rng(0))
    np.testing.assert_array_equal(rough.mask, mask)
    assert rough.parameters.shape == (0,) and not np.shares_memory(rough.mask, mask)


def test_an_empty_mask_is_refused():
    """There is nothing to deform, and the message says what to do."""
    with pytest.raises(ValueError, match="leave such samples out"):
        deform(np.zeros((5, 5), np.uint8), PRESETS["masktrack"], np.random.default_rng(0))


def test_replay_wants_as_many_numbers_as_were_drawn():
    """Numbers of another recipe are refused."""
    with pytest.raises(ValueError, match=r"parameters are \(3,\), recipe masktrack expects \(24,\)"):
        replay(blob(), PRESETS["masktrack"], np.zeros(3))


def test_a_box_anywhere_makes_the_kind_box():
    """The kind says what the guide mask looks like."""
    assert Recipe("r", (Affine(), Box())).kind == "box" and Recipe("r", (Affine(),)).kind == "mask"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "no 'name'"),
        ({"name": "a b"}, "recipe name 'a b'"),
        ({"name": "r", "variant": 3}, "unknown key 'variant' .did you mean variants.*known are name, steps, variants"),
        ({"name": "r", "variants": 0}, "variants: 0 is outside 1"),
        ({"name": "r", "variants": True}, "True is not a whole number"),
        ({"name": "r", "min_iou": "x"}, "'x' is not a number"),
        ({"name": "r", "min_iou": float("nan")}, "outside"),
        ({"name": "r", "steps": {"kind": "tps"}}, r"write \[\[steps\]\]"),
        (
            {"name": "r", "steps": [{"kind": "tsp"}]},
            r"step 1: unknown step 'tsp'; did you mean tps\? The steps are affine, tps, dilate, box",
        ),
        (
            {"name": "r", "steps": [{"kind": "tps", "point": 3}]},
            "unknown key 'point' .did you mean points.*known are points",
        ),
        ({"name": "r", "steps": [{"kind": "tps", "spline": "cubic"}]}, "none of smoothing, interpolating"),
        ({"name": "r", "steps": [{"kind": "dilate", "radius": 2.5}]}, "2.5 is not a whole number"),
        ({"name": "r", "augment": 3}, "3 is no table"),
        ({"name": "r", "augment": {"angles": "x"}}, "not a list of numbers"),
        ({"name": "r", "augment": {"flip": 1}}, "neither true nor false"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(values, message):
    """Unknown keys list the known ones, wrong types and ranges name the setting."""
    with pytest.raises(UsageError, match=message):
        Recipe.from_dict(values)


GOLDEN = (2767, 176768, 126416)


def test_keys_that_older_versions_do_not_know_are_stored_only_where_they_are_used():
    """Recipes of before keep their bytes; the new keys survive the round trip."""
    plain, new = Recipe("r", (Affine(), Dilate())), Recipe("r", (Affine(rotation=5), Dilate((1, 9), share=0.1)))
    assert plain.to_dict()["steps"] == [
        {"kind": "affine", "scale": 0.05, "shift": 0.1},
        {"kind": "dilate", "radius": 5},
    ]
    assert new.to_dict()["steps"] == [
        {"kind": "affine", "scale": 0.05, "shift": 0.1, "rotation": 5.0},
        {"kind": "dilate", "radius": [1, 9], "share": 0.1},
    ]
    assert Recipe.from_dict(new.to_dict()) == new


@pytest.mark.parametrize("radius", [[9, 1], [1], [1, 2, 3], [0.5, 2], [1, 256]])
def test_what_is_no_range_is_refused(radius):
    """Two whole numbers inside the bounds, the least first."""
    with pytest.raises(UsageError, match=r"dilate\.radius"):
        Recipe.from_dict({"name": "r", "steps": [{"kind": "dilate", "radius": radius}]})
