"""A camera that moves within a photo."""

import math

import numpy as np
import pytest

from datakit.clips.camera import View
from datakit.transforms.sampling import composed
from tests.smooth_clips import STILLS, corners, plans


def test_a_view_shows_its_centre_in_the_middle_and_its_side_across():
    for is_flipped in (False, True):
        matrix = View((70.0, 30.0), 50.0, 10.0).matrix(100, is_flipped)
        assert matrix @ [50, 50, 1] == pytest.approx([70, 30])
        assert math.dist(matrix @ [0, 0, 1], matrix @ [100, 0, 1]) == pytest.approx(50)
        assert np.sign(np.linalg.det(matrix[:, :2])) == (-1 if is_flipped else 1)
    assert composed(np.eye(2, 3), matrix) == pytest.approx(matrix)


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
