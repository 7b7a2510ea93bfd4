"""Motion blur, soft rims, exposure, JPEG and lagging blocks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datakit.clips.effects import finish_frames, lay, smeared
from datakit.clips.plan import Finish, Shade
from tests.clip_stills import made_photo

WAYS = st.tuples(st.floats(-30, 30), st.floats(-30, 30))


def dot():
    """(61, 61) with one bright pixel in the middle."""
    plane = np.zeros((61, 61), np.uint8)
    plane[30, 30] = 255
    return plane


@given(WAYS)
def test_an_even_picture_stays_even(way):
    even = np.full((40, 40, 3), 77, np.uint8)
    assert np.array_equal(smeared(even, way), even)


@pytest.mark.parametrize("way", [(4.0, 0.0), (0.0, -5.0), (3.0, 4.0), (-11.0, 6.0)])
def test_a_point_draws_a_line_around_where_it_was(way):
    drawn = smeared(dot(), way).astype(float)
    rows, columns = np.nonzero(drawn)
    weights = drawn[rows, columns] / drawn.sum()
    assert (weights @ columns, weights @ rows) == pytest.approx((30, 30), abs=0.3)
    assert abs(columns - 30).max() <= abs(way[0]) / 2 + 3 and abs(rows - 30).max() <= abs(way[1]) / 2 + 3
    across = (columns - 30) * way[1] - (rows - 30) * way[0]
    assert np.abs(across).max() / np.hypot(*way) < 3, "no wider than it must be"


def test_a_longer_way_smears_further():
    edge = np.zeros((9, 80), np.uint8)
    edge[:, 40:] = 255
    widths = [np.count_nonzero((line := smeared(edge, (way, 0.0))[4]) > 12) - np.count_nonzero(line > 242)
              for way in (2.0, 6.0, 14.0)]  # fmt: skip
    assert widths[0] < widths[1] < widths[2]


def test_no_way_is_no_smear():
    photo = made_photo((32, 32))
    assert smeared(photo, (0.0, 0.0)) is photo


@given(st.one_of(st.none(), WAYS), st.integers(0, 255))
def test_an_object_on_a_ground_of_its_own_colour_leaves_no_rim(way, colour):
    even, share = np.full((40, 40, 3), colour, np.uint8), np.zeros((40, 40), np.uint8)
    share[10:30, 10:30] = 255
    share[9], share[:, 30] = 100, 17
    below = even.copy()
    lay(below, even, share, way)
    passes = 0 if way is None else math.ceil(max(map(abs, way)) / 6)
    assert np.abs(below.astype(int) - even).max() <= 2 + passes, "a level for each rounding"


def test_a_rim_is_a_mixture_and_the_rest_is_not_touched():
    below, share = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8)
    share[2:4], share[4] = 255, 51
    lay(below, np.full((8, 8, 3), 200, np.uint8), share, None)
    assert below[:, 0, 0] == pytest.approx([0, 0, 200, 200, 40, 0, 0, 0], abs=1)
    assert not below[:2].any() and (below[2:4] == 200).all()


def test_a_moving_object_is_seen_through_at_its_rim():
    below, share = np.zeros((20, 40, 3), np.uint8), np.zeros((20, 40), np.uint8)
    share[:, 10:30] = 255
    lay(below, np.full((20, 40, 3), 200, np.uint8), share, (6.0, 0.0))
    line = below[10, :, 0]
    assert line[20] == 200 and not line[:6].any() and 0 < line[9] < line[11] < 200


def test_exposure_changes_with_the_frame():
    frames = np.full((2, 32, 32, 3), 100, np.uint8)
    finish_frames(frames, [Finish(), Finish((Shade("red", 1.1), Shade("green", 1.0), Shade("blue", 0.5)))])
    assert frames[:, 0, 0].tolist() == [[100, 100, 100], [110, 100, 50]]


def test_a_jpeg_of_low_quality_differs_more():
    photo = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), np.uint8)
    away = []
    for quality in (95, 40):
        frames = photo.copy()
        finish_frames(frames, [Finish(quality=quality)])
        away.append(np.abs(frames.astype(int) - photo).mean())
    assert 0 < away[0] < away[1]


def test_blocks_that_hardly_change_lag_and_others_do_not():
    frames = np.full((3, 40, 40, 3), 100, np.uint8)
    frames[1:] += 2
    frames[1:, :16, :16] = 200
    finish_frames(frames, [Finish(lag=3.0)] * 3)
    assert (frames[1, :16, :16] == 200).all()
    assert (frames[1:, 16:32] == 100).all()


def test_a_slow_change_shows_in_the_end_in_spite_of_lag():
    frames = np.stack([np.full((32, 32, 3), 100 + n, np.uint8) for n in range(10)])
    finish_frames(frames, [Finish(lag=3.0)] * 10)
    away = [int(frames[n].max()) - (100 + n) for n in range(10)]
    assert max(map(abs, away)) < 3
