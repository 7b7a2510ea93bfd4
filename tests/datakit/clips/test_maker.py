"""Clips drawn and made: the same for the same seed, and again from their plan."""

import json
from dataclasses import replace

import numpy as np
import pytest

from datakit.clips import CLIP_PRESETS, ROUGH, ClipMaker, ClipPlan
from datakit.errors import UsageError
from tests.clip_stills import MadeStills

SMALL = {name: replace(recipe, size=64) for name, recipe in CLIP_PRESETS.items()}


@pytest.mark.parametrize("name", CLIP_PRESETS)
def test_a_clip_is_made_again_from_its_stored_plan(name):
    maker = ClipMaker(MadeStills(ignored=True), SMALL[name], 5)
    for position in range(3):
        clip = maker.clip(position, epoch=2, repeat=1)
        again = maker.replay(ClipPlan.from_dict(json.loads(json.dumps(clip.plan.to_dict()))))
        for field in ("frames", "labels", "ignored", "guides"):
            assert np.array_equal(getattr(again, field), getattr(clip, field)), field
        assert again.objects == clip.objects


@pytest.mark.parametrize("name", ["cutie", "aot", "smooth"])
def test_some_frames_alone_are_those_of_the_whole_clip(name):
    calm = replace(SMALL[name], motion=replace(SMALL[name].motion, lag=0.0)) if name == "smooth" else SMALL[name]
    maker = ClipMaker(MadeStills(), calm, 3)
    numbers = (0, calm.frames - 1)
    whole, some = maker.clip(1), maker.clip(1, frames=numbers)
    assert np.array_equal(some.frames, whole.frames[list(numbers)])
    assert np.array_equal(some.labels, whole.labels[list(numbers)])


@pytest.mark.parametrize("name", CLIP_PRESETS)
def test_shapes_and_ids(name):
    recipe = SMALL[name]
    clip = ClipMaker(MadeStills(), recipe, 1).clip(0)
    shape = (recipe.frames, 64, 64)
    assert clip.frames.shape == (*shape, 3) and clip.frames.dtype == np.uint8
    assert clip.labels.shape == shape and clip.labels.dtype == np.uint8
    assert set(np.unique(clip.labels[0])) - {0} == {each.number for each in clip.objects}
    assert clip.labels.max() <= len(clip.objects)


def test_seed_epoch_and_repeat_each_change_the_clip():
    stills = MadeStills()
    first = ClipMaker(stills, SMALL["cutie"], 0).clip(0).frames
    others = [
        ClipMaker(stills, SMALL["cutie"], 1).clip(0),
        *(ClipMaker(stills, SMALL["cutie"], 0).clip(0, *at) for at in ((1, 0), (0, 1))),
    ]
    assert not any(np.array_equal(first, each.frames) for each in others)


def test_a_clip_does_not_depend_on_what_was_made_before():
    stills = MadeStills()
    maker = ClipMaker(stills, SMALL["aot"], 0)
    alone = maker.clip(2).frames
    for position in (1, 0, 2):
        maker.clip(position, 4)
    assert np.array_equal(maker.clip(2).frames, alone)


def test_an_empty_first_frame_is_drawn_anew_where_the_recipe_says_so():
    lost = MadeStills([(40, 400)], objects=1)
    plain = replace(SMALL["cutie"], size=32, least_pixels=60)
    as_drawn = [len(ClipMaker(lost, plain, seed).clip(0).objects) for seed in range(40)]
    maker = [ClipMaker(lost, replace(plain, redraw="empty", max_redraws=60), seed) for seed in range(40)]
    redrawn = [each.clip(0) for each in maker]
    assert 0 in as_drawn
    assert all(len(clip.objects) == 1 for clip in redrawn)
    assert [clip.plan.redraws > 0 for clip in redrawn] == [count == 0 for count in as_drawn]


def test_after_the_most_redraws_the_last_draw_is_kept():
    hopeless = replace(SMALL["cutie"], least_pixels=1 << 20, redraw="empty", max_redraws=3)
    clip = ClipMaker(MadeStills(), hopeless, 0).clip(0)
    assert clip.plan.redraws == 3
    assert clip.objects == () and not clip.labels.any()


def test_further_pictures_are_others_as_long_as_there_are_some():
    recipe = replace(SMALL["aot"], more_stills_low=2, more_stills_high=2)
    for seed in range(20):
        assert sorted(ClipMaker(MadeStills(), recipe, seed).plan(1).stills) == ["made/0", "made/1", "made/2"]
    assert ClipMaker(MadeStills([(60, 80)]), recipe, 0).plan(0).stills == ("made/0",) * 3


def test_too_many_objects_are_dropped_by_chance_and_ids_have_no_gap():
    recipe = replace(SMALL["aot"], most_objects=3, least_pixels=1)
    kept = set()
    for seed in range(12):
        clip = ClipMaker(MadeStills(objects=4), recipe, seed).clip(0)
        assert [each.number for each in clip.objects] == list(range(1, len(clip.objects) + 1))
        assert len(clip.objects) <= 3
        kept.add(frozenset((each.photo, each.object_ids) for each in clip.objects))
    assert len(kept) > 3


@pytest.mark.parametrize("kind", ROUGH)
def test_guide_masks_are_made_again(kind):
    recipe = replace(SMALL["xmem"], rough=ROUGH[kind](), objects="each")
    maker = ClipMaker(MadeStills(), recipe, 2)
    clip = maker.clip(0)
    assert clip.guides.shape == (3, len(clip.objects), 64, 64)
    true = clip.labels[:, None] == np.arange(1, len(clip.objects) + 1)[None, :, None, None]
    assert (clip.guides[0] != true[0]).any()
    assert np.array_equal(maker.replay(clip.plan).guides, clip.guides)


def test_a_plan_of_other_photos_says_so():
    plan = ClipMaker(MadeStills(), SMALL["cutie"]).plan(2)
    with pytest.raises(UsageError, match=r"made/2: no such photo here"):
        ClipMaker(MadeStills([(60, 80)]), SMALL["cutie"]).replay(plan)
