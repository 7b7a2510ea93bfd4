"""From a sample to its triples and views: what is kept, what is keyed, what is left out."""

from dataclasses import replace

import numpy as np
import pytest

from datakit.images import decode_picture
from datakit.keys import triple_key
from datakit.seeds import generator
from datakit.transforms import PRESETS, Augment, Dilate, Recipe, deform, replay
from datakit.triples import RecipeJob, expand, make_all, make_triple, make_triples, views
from tests.made import made_sample

MASKTRACK = PRESETS["masktrack"]


def test_image_and_target_are_those_of_the_sample():
    """Only the mask that goes in is deformed."""
    sample = made_sample("made/a#3", ignore=True)
    for number, triple in enumerate(make_triples(sample, MASKTRACK, 0)):
        assert triple.image is sample.image and triple.target is sample.mask and triple.ignore is sample.ignore
        assert triple.key == triple_key("made/a#3", "masktrack", number) == f"made/a#3@masktrack/{number}"
        assert (triple.sample_key, triple.recipe, triple.kind, triple.variant) == (
            sample.key,
            "masktrack",
            "mask",
            number,
        )
        assert (triple.guide != triple.target).any()


def test_a_triple_hangs_on_seed_key_and_variant_alone():
    """It is what `deform` draws from their generator, and replays from its numbers."""
    sample = made_sample()
    for variant, triple in enumerate(make_triples(sample, MASKTRACK, 5)):
        rough = deform(sample.mask, MASKTRACK, generator(5, sample.key, variant))
        np.testing.assert_array_equal(triple.guide, rough.mask)
        np.testing.assert_array_equal(triple.guide, replay(sample.mask, MASKTRACK, triple.parameters))
        assert (triple.iou, triple.area_ratio, triple.redraws) == (rough.iou, rough.area_ratio, rough.redraws)


def test_more_variants_leave_the_first_ones_as_they_were():
    """A bigger build continues a smaller one."""
    few, many = (make_triples(made_sample(), replace(MASKTRACK, variants=n), 0) for n in (2, 5))
    assert [t.guide.tobytes() for t in few] == [t.guide.tobytes() for t in many[:2]]


def test_without_augmentation_the_sample_is_its_only_view():
    """Itself, not a copy."""
    sample = made_sample()
    assert list(views(sample, MASKTRACK)) == [sample]


def test_views_turn_picture_mask_and_void_together():
    """Each has its own key, its numbers, and bytes that decode to its pixels."""
    sample = made_sample("made/a#2", ignore=True)
    recipe = Recipe("r", (Dilate(2),), variants=1, augment=Augment(angles=(0, 10), flip=True))
    found = list(views(sample, recipe))
    assert [view.key for view in found] == [f"made/a#2~r{name}" for name in ("+0", "+0f", "+10", "+10f")]
    assert [view.photo_key for view in found] == [f"made/a~r{name}" for name in ("+0", "+0f", "+10", "+10f")]
    assert found[0].photo is sample.photo, "the picture as it is keeps its bytes"
    assert found[-1].view == {"angle": 10.0, "flip": 1.0}
    for view in found[1:]:
        assert view.photo.normalised == "augmented" and view.photo.source_crc32 == sample.photo.source_crc32
        np.testing.assert_array_equal(decode_picture(view.photo.encoded), view.photo.pixels)
        assert view.image.shape == sample.image.shape and view.mask.shape == view.ignore.shape == sample.mask.shape
    np.testing.assert_array_equal(found[1].mask, sample.mask[:, ::-1])
    (triple,) = make_triples(found[-1], recipe, 0)
    np.testing.assert_array_equal(triple.parameters, [10, 1, 2])


def test_a_view_without_the_object_is_left_out():
    """A spot in the corner is cropped away by every rotation."""
    sample = made_sample()
    mask = np.zeros_like(sample.mask)
    mask[0, 0] = 1
    recipe = Recipe("r", (), augment=Augment(angles=(-20, 0, 20), flip=False))
    assert [view.key for view in views(replace(sample, mask=mask), recipe)] == ["made/a~r+0"]


def test_online_makes_about_a_thousand_triples():
    """42 views, 24 variants each."""
    recipe = PRESETS["online"]
    assert sum(1 for _ in views(made_sample(), recipe)) * recipe.variants == 1008


def test_expand_makes_each_view_once_for_all_recipes_that_share_it():
    """Recipes without views share the sample, those with the same views share them."""
    turned = Recipe("turned", (Dilate(1),), variants=1, augment=Augment(angles=(5,), flip=False))
    recipes = [MASKTRACK, turned, PRESETS["masktrack-box"], replace(turned, name="again")]
    found = [
        (view.key, [triple.key.partition("@")[2] for triple in triples])
        for view, triples in expand(made_sample(), recipes, 0)
    ]
    assert found == [
        ("made/a", ["masktrack/0", "masktrack/1", "masktrack-box/0"]),
        ("made/a~r+5", ["turned/0", "again/0"]),
    ]


def test_looks_made_together_are_those_made_alone():
    """Each has the triples by its own recipes, in their order."""
    box = PRESETS["masktrack-box"]
    recipes = {"made/a": (MASKTRACK, box), "made/b": (box,), "made/c": (MASKTRACK,)}
    jobs = [RecipeJob(made_sample(key, n), recipes[key]) for n, key in enumerate(recipes)]
    for job, triples in zip(jobs, make_all(jobs, 0), strict=True):
        alone = [triple for recipe in job.recipes for triple in make_triples(job.sample, recipe, 0)]
        assert [triple.key for triple in triples] == [triple.key for triple in alone]
        assert [triple.guide.tobytes() for triple in triples] == [triple.guide.tobytes() for triple in alone]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_triples(name):
    """As many as it has variants, all different in key."""
    triples = make_triples(made_sample(), replace(PRESETS[name], augment=None), 0)
    assert len({triple.key for triple in triples}) == PRESETS[name].variants


@pytest.mark.parametrize("name", ["masktrack", "masktrack-box", "lucid"])
def test_one_variant_is_the_one_of_all(name):
    """Made by itself it has the same bytes and numbers; one that the recipe has not is refused."""
    sample, recipe = made_sample(), PRESETS[name]
    for variant, whole in enumerate(make_triples(sample, recipe, 3)):
        alone = make_triple(sample, recipe, variant, 3)
        assert (alone.key, alone.iou, alone.flags) == (whole.key, whole.iou, whole.flags)
        np.testing.assert_array_equal(alone.guide, whole.guide)
        np.testing.assert_array_equal(alone.parameters, whole.parameters)
    with pytest.raises(ValueError, match="has 0 to"):
        make_triple(sample, recipe, recipe.variants, 3)
