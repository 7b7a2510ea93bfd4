"""Matrices between points of photos and frames, and the table of motions."""

import numpy as np
import pytest

from datakit.clips import MOTIONS, Drawn, Motion, register_motion
from datakit.clips.motion import about, inverted, of_pixels, turned
from datakit.errors import UsageError
from datakit.transforms.sampling import composed


def test_a_matrix_and_its_inverse_leave_points_where_they_are():
    matrix = about(turned(12, 7, 1.3), (40, 30), (3, -2))
    assert composed(inverted(matrix), matrix) == pytest.approx(np.eye(2, 3))


def test_the_centre_stays_but_for_the_shift():
    matrix = about(turned(33, 5, 0.7), (40, 30), (3, -2))
    assert matrix @ [40, 30, 1] == pytest.approx([43, 28])


def test_a_positive_turn_is_clockwise_on_the_screen():
    assert turned(90, 0, 1) @ [1, 0] == pytest.approx([0, 1])


def test_pixel_centres_are_whole_numbers():
    """Halving a picture: its first pixel lies between the first two of the photo."""
    a, _, c, _, _, f = of_pixels(np.array([[2.0, 0, 0], [0, 2.0, 0]]))
    assert (a, c, f) == (2, 0.5, 0.5)


def test_a_motion_is_registered_under_its_own_name_alone():
    class Still(Motion):
        kind = "test-still"

        def draw(self, rng, material):
            return Drawn((), ())

    register_motion(Still)
    try:
        assert MOTIONS["test-still"] is Still
        with pytest.raises(UsageError, match="calls itself 'test-still'"):
            MOTIONS.add("another", Still)
        with pytest.raises(UsageError, match="no class derived"):
            MOTIONS.add("third", dict)
    finally:
        del MOTIONS["test-still"]
