"""Films of a photo: all objects in frame 0, light and codec, and equal numbers give equal films."""

import json
from dataclasses import replace

import numpy as np
import pytest

from datakit.clips import ClipMaker, ClipPlan, Colour, Still, describe_clip_settings, load_clip_recipe
from datakit.clips.plan import GROUND, OBJECTS
from datakit.errors import UsageError
from datakit.images import encode_png
from tests.clip_stills import MadeStills
from tests.smooth_clips import CALM, SIDE, boxed, maker, plans, recipe


@pytest.mark.parametrize("frames", [1, 2, 32])
def test_any_number_of_frames(frames):
    clip = maker(f"frames={frames}").clip(0)
    assert clip.frames.shape == (frames, SIDE, SIDE, 3)
    assert clip.labels.shape == (frames, SIDE, SIDE)
    assert clip.objects


def test_frame_0_holds_every_object_and_enough_of_it():
    made = maker("least_pixels=60")
    for n in range(15):
        clip = made.clip(n % 3, repeat=n)
        counts = np.bincount(clip.labels[0].ravel(), minlength=len(clip.objects) + 1)[1:]
        assert len(counts) == len(clip.objects) >= 1
        assert min(counts) >= 60


def test_the_plan_is_all_there_is_to_a_film():
    made = maker()
    for n in range(6):
        clip = made.clip(n % 3, repeat=n)
        again = made.replay(ClipPlan.from_dict(json.loads(json.dumps(clip.plan.to_dict()))))
        assert np.array_equal(again.frames, clip.frames)
        assert np.array_equal(again.labels, clip.labels)


def test_equal_draws_give_equal_plans_and_others_do_not():
    first, second, other = (maker(seed=seed).plan(1).to_dict() for seed in (4, 4, 5))
    assert first == second != other


def test_an_object_that_stays_is_the_photo_itself():
    """The ground below it is the whole photo, and it lies exactly on it."""
    clip = maker("motion.moves=0", "more_stills_high=0", *CALM).clip(0)
    ground, *others = clip.plan.layers
    assert ground.part == GROUND and not ground.objects
    assert all(layer.poses == ground.poses for layer in others)
    assert clip.plan.drawn["stories"] == ["stays"] * len(others)


def test_labels_follow_what_moves():
    """The colour within an object's outline is its own in every frame."""
    still = boxed((120, 160), (50, 40, 110, 90))[0]
    photo = np.where(still.labels[..., None] > 0, np.uint8([220, 30, 30]), np.uint8([30, 120, 30]))

    class Flat(MadeStills):
        def __getitem__(self, position):
            return Still("made/0", still.size, lambda: encode_png(photo), lambda: [still.labels], [1])

    made = ClipMaker(
        Flat([still.size]), replace(recipe("motion.moves=1", "more_stills_high=0", *CALM), colour=Colour()), 0
    )
    for n in range(8):
        clip = made.clip(0, repeat=n)
        is_red = clip.frames[..., 0] > 125
        outline = sum(np.abs(np.diff(clip.labels.astype(int), axis=axis)).sum() for axis in (1, 2))
        assert (is_red != (clip.labels == 1)).sum() <= 0.4 * outline


def test_small_objects_get_no_id_but_are_seen():
    stills = boxed((120, 160), (50, 40, 100, 90), (120, 20, 123, 23))
    plan = plans(1, "more_stills_high=0", stills=stills)[0]
    assert [candidate.objects for candidate in plan.candidates] == [(1,)]
    assert (2,) in [layer.objects for layer in plan.layers]


def test_a_union_is_one_object():
    for plan in plans(6, "objects=union", "more_stills_high=0"):
        assert [candidate.objects for candidate in plan.candidates] == [(1, 2)]


def test_a_photo_without_objects_is_a_film_without_objects():
    empty = boxed((120, 160))
    clip = maker("more_stills_high=0", "max_redraws=1", stills=empty).clip(0)
    assert clip.plan.redraws == 1 and not clip.objects and not clip.labels.any()


def test_one_codec_for_all_frames_and_light_that_drifts():
    for plan in plans(10, "motion.jpeg=1", "motion.lag=1", "frames=16"):
        assert len({finish.quality for finish in plan.finish}) == 1
        assert 60 <= plan.finish[0].quality <= 95
        assert len({finish.lag for finish in plan.finish}) == 1
        greens = [finish.shades[1].amount for finish in plan.finish]
        assert max(map(abs, np.diff(greens))) < 0.03 and min(greens) != max(greens)
        assert max(abs(green - 1) for green in greens) <= 0.1


def test_what_moves_fast_is_blurred_while_the_shutter_is_open():
    shut = plans(10, "motion.shutter=0")
    assert all(pose.blur is None for plan in shut for layer in plan.layers for pose in layer.poses)
    opened = plans(10, "motion.shutter=1", "motion.speed_low=0.05", "motion.moves=1", "frames=16")
    blurred = [pose.blur for plan in opened for layer in plan.layers[1:] for pose in layer.poses if pose.blur]
    assert len(blurred) > 50


def test_pasted_objects_take_on_colours_of_the_scene():
    settings = ("more_stills_low=1", "more_stills_high=1")
    layers = [layer for plan in plans(5, *settings) for layer in plan.layers if layer.still]
    kinds = {shade.kind for layer in layers for shade in layer.shades}
    assert {"red", "green", "blue"} <= kinds


def test_moving_layers_have_a_soft_rim():
    for plan in plans(5, "motion.moves=1", "more_stills_high=0"):
        assert all(layer.edge > 0 for layer in plan.layers if layer.part == OBJECTS)


def test_low_above_high_is_refused():
    with pytest.raises(UsageError, match=r"motion\.speed_low is 0\.5, above motion\.speed_high, 0\.06"):
        maker("motion.speed_low=0.5")


def test_every_setting_says_what_it_means():
    for line in describe_clip_settings(load_clip_recipe("smooth")).splitlines():
        assert len(line.split("  ")[-1].split()) > 1, line


def test_objects_put_into_a_grey_photo_are_grey():
    """Else they are seen to be pasted; those of a photo in colours keep theirs."""

    class Mixed(MadeStills):
        def __getitem__(self, position):
            still = super().__getitem__(position)
            grey = np.repeat(still.image()[..., 1:2], 3, 2)
            return Still(still.key, still.size, lambda: encode_png(grey), lambda: [still.labels == 1], [1])

    coloured, grey = (
        [
            shade.kind
            for plan in plans(12, "more_stills_low=1", stills=stills)
            for layer in plan.layers
            if layer.part == OBJECTS and layer.still
            for shade in layer.shades
        ]
        for stills in (MadeStills(), Mixed())
    )
    assert "grey" in grey and "red" not in grey
    assert "red" in coloured
