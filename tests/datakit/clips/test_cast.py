"""Ways of objects: motion goes on, nothing floats, some leave, return, and hide behind others."""

import math
from itertools import pairwise

import numpy as np
import pytest

from datakit.clips import ClipMaker
from datakit.clips.motion import inverted
from datakit.clips.plan import GROUND
from tests.clip_stills import MadeStills
from tests.smooth_clips import SIDE, STILLS, boxed, maker, plans, recipe


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
