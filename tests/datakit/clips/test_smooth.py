"""Films of a photo: motion goes on, the camera stays within, nothing floats, and equal numbers give equal films."""

import json
import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from datakit.clips import (
    ClipMaker,
    ClipPlan,
    Colour,
    Still,
    configure_clip_recipe,
    describe_clip_settings,
    load_clip_recipe,
)
from datakit.clips.motion import inverted
from datakit.clips.plan import GROUND, OBJECTS
from datakit.clips.smooth import Smooth
from datakit.errors import UsageError
from datakit.images import encode_png
from tests.clip_stills import MadeStills, made_photo

SIDE = 96
STILLS = MadeStills([(120, 160), (160, 120), (128, 128)])
CALM = ["motion.jpeg=0", "motion.lag=0", "motion.drift=0", "motion.tint=0", "motion.shutter=0", "motion.harmony=0"]


def recipe(*settings):
    return configure_clip_recipe(load_clip_recipe("smooth"), [f"size={SIDE}", "least_pixels=20", *settings])


def maker(*settings, stills=STILLS, seed=0):
    return ClipMaker(stills, recipe(*settings), seed)


def plans(count, *settings, **rest):
    made = maker("redraw=never", *settings, **rest)
    return [made.plan(n % len(made), repeat=n // len(made)) for n in range(count)]


def boxed(size, *boxes):
    """A still of boxes as objects: x0, y0, x1, y1."""
    masks = []
    for x0, y0, x1, y1 in boxes:
        mask = np.zeros(size, np.uint8)
        mask[y0:y1, x0:x1] = 1
        masks.append(mask)

    class One(MadeStills):
        def __getitem__(self, position):
            photo = encode_png(made_photo(size))
            return Still(self.keys[position], size, lambda: photo, lambda: masks, range(len(masks)))

    return One([size])


def corners(pose):
    """(4, 2): what the corners of the frame are read from, in points of the photo."""
    pixels = np.array([[0, 0], [SIDE, 0], [0, SIDE], [SIDE, SIDE]]) - 0.5
    matrix = pose.as_matrix()
    return pixels @ matrix[:, :2].T + matrix[:, 2] + 0.5


def test_the_camera_never_sees_beyond_the_photo():
    for plan in plans(30, "frames=16"):
        height, width = STILLS[int(plan.stills[0][-1])].size
        for pose in plan.layers[0].poses:
            seen = corners(pose)
            assert seen.min() > -1e-6
            assert (seen <= (width + 1e-6, height + 1e-6)).all()


def test_cameras_pan_zoom_and_roll_and_some_stand():
    moved = 0
    for plan in plans(40, "motion.shake=0"):
        first, last = (corners(plan.layers[0].poses[n]) for n in (0, -1))
        moved += np.abs(first - last).max() > 1
    assert 15 < moved < 38


def test_nothing_moves_further_in_a_frame_than_it_may():
    fastest = 0.12 + 0.02 + 0.01  # of an object, of the camera, its unrest
    form = 0.1  # of growth and turn, at the far end of an object
    for plan in plans(40, "frames=16"):
        for layer in plan.layers:
            matrices = [inverted(pose.as_matrix()) for pose in layer.poses]
            point = plan.layers[0].poses[0].as_matrix() @ [SIDE / 2, SIDE / 2, 1] if layer.part == GROUND else None
            if point is None:
                labels = STILLS[int(plan.stills[layer.still][-1])].labels
                rows, columns = np.nonzero(np.isin(labels, layer.objects))
                point = np.array([columns.mean(), rows.mean()])
            at = [matrix[:, :2] @ point + matrix[:, 2] for matrix in matrices]
            assert max(math.dist(a, b) for a, b in pairwise(at)) <= (fastest + form) * SIDE


def test_motion_goes_on():
    """The change of what moves is small against the motion itself."""
    ways, turns = [], []
    for plan in plans(60, "frames=16", "motion.still_camera=1", "motion.shake=0", "more_stills_high=0"):
        for layer in plan.layers[1:]:
            at = np.array([inverted(pose.as_matrix()) @ [60, 60, 1] for pose in layer.poses])
            ways += np.abs(np.diff(at, axis=0)).ravel().tolist()
            turns += np.abs(np.diff(at, n=2, axis=0)).ravel().tolist()
    assert np.mean(turns) < 0.35 * np.mean(ways)


def test_a_longer_clip_shows_more_motion():
    def way(frames):
        total = []
        for plan in plans(30, f"frames={frames}", "motion.moves=1", "motion.still_camera=1", "motion.leave=0"):
            at = np.array([inverted(pose.as_matrix()) @ [60, 60, 1] for pose in plan.layers[1].poses])
            total.append(np.abs(np.diff(at, axis=0)).sum())
        return np.mean(total) / (frames - 1)

    assert way(32) == pytest.approx(way(8), rel=0.4)


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


def test_what_is_cut_never_comes_away_from_the_border():
    """A piece that its photo cuts below is seen down to the frame's border, or to that of the photo beyond it."""
    stills = boxed((120, 160), (60, 50, 100, 120))
    for plan in plans(40, "motion.moves=1", "more_stills_high=0", "frames=12", stills=stills):
        ground, layer = plan.layers
        for at, base in zip(layer.poses, ground.poses, strict=True):
            foot = at.as_matrix()  # the lowest row of the piece, in the frame
            ends = [np.linalg.solve(foot[:, :2], np.array([x, 119.5]) - foot[:, 2]) for x in (60, 100)]
            scene = [base.as_matrix()[:, :2] @ end + base.as_matrix()[:, 2] for end in ends]
            assert min(y for _, y in scene) >= 119.5 - 1


def pasted(still):
    """Two stills: objects in the middle, and what is pasted on them."""

    class Both(MadeStills):
        def __getitem__(self, position):
            return still[0] if position else MadeStills([(120, 160)])[0]

    made = ClipMaker(Both([(120, 160)] * 2), recipe("more_stills_low=1", "more_stills_high=1", "redraw=never"))
    return [made.plan(0, repeat=n) for n in range(12)]


def test_a_pasted_piece_that_is_cut_lies_at_the_frames_border():
    rows = [
        (inverted(pose.as_matrix()) @ [80, 119.5, 1])[1]
        for plan in pasted(boxed((120, 160), (60, 50, 100, 120)))
        for layer in plan.layers
        for pose in layer.poses
        if layer.still == 1
    ]
    assert len(rows) == 12 * 8
    assert min(rows) >= SIDE - 1.5


def test_nothing_is_pasted_of_a_photo_that_cuts_all_it_has():
    for plan in pasted(boxed((120, 160), (0, 40, 160, 120))):
        assert {layer.still for layer in plan.layers} == {0}


def stories(count, *settings, **rest):
    return [story for plan in plans(count, *settings, **rest) for story in plan.drawn["stories"]]


def test_objects_leave_and_return():
    stills = boxed((120, 160), (70, 50, 100, 80))
    settings = ("frames=24", "motion.moves=1", "motion.leave=1", "more_stills_high=0", "motion.still_camera=1")
    made = maker(*settings, stills=stills)
    returned = 0
    for n in range(12):
        clip = made.clip(0, repeat=n)
        counts = (clip.labels == 1).sum((1, 2))
        assert clip.plan.drawn["stories"] == ["returns"]
        returned += counts.min() == 0 and counts[-1] > 0 and counts[0] > 0
    assert returned >= 10


def test_there_is_no_leaving_without_the_time_for_it():
    stills = boxed((120, 160), (70, 50, 100, 80))
    told = stories(20, "frames=8", "motion.leave=1", "motion.moves=1", "more_stills_high=0", "motion.fastest=0.03",
                   stills=stills)  # fmt: skip
    assert set(told) == {"wanders"}


def test_one_object_hides_behind_another_and_comes_out():
    """Of those that pass, some are hidden by half or more at times; labels never overlap, the nearer one is seen."""
    made = maker("more_stills_low=1", "more_stills_high=1", "motion.cross=1", "motion.moves=0", "frames=16",
                 "motion.area_low=0.02", "motion.area_high=0.05")  # fmt: skip
    hidden = 0
    for n in range(18):
        clip = made.clip(n % 3, repeat=n)
        if "passes" not in clip.plan.drawn["stories"]:
            continue
        counts = np.array([np.bincount(frame.ravel(), minlength=9)[1:] for frame in clip.labels])
        hidden += (counts.min(0)[counts[0] > 0] < 0.5 * counts[0][counts[0] > 0]).any()
    assert hidden >= 5


def test_who_stands_lower_is_in_front():
    stills = boxed((120, 160), (70, 30, 100, 60), (40, 60, 70, 100))
    for plan in plans(6, "more_stills_high=0", stills=stills):
        assert [layer.objects for layer in plan.layers[1:]] == [(1,), (2,)]


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
    with pytest.raises(UsageError, match=r"motion: speed_low is 0\.5, above speed_high, 0\.06"):
        Smooth(speed_low=0.5)


def test_every_setting_says_what_it_means():
    for line in describe_clip_settings(load_clip_recipe("smooth")).splitlines():
        assert len(line.split("  ")[-1].split()) > 1, line
