"""Ways that go on: eased, within their room, never faster than they may be."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datakit.clips.paths import Pace, Route, away_and_back, drift, log_between, straight, wander

ROOM = (-0.3, -0.1, 0.2, 0.05)


def steps(points):
    return [math.dist(a, b) for a, b in pairwise(points)]


@given(st.integers(0, 2**32), st.integers(2, 64), st.floats(0.002, 0.08))
def test_a_wanderer_stays_in_its_room_and_keeps_its_speed(seed, frames, speed):
    route = wander(np.random.default_rng(seed), ROOM, Pace(speed, 0.3, 6, 0.3), frames, -3.0)
    points = route.at(frames, 2.0)
    assert all(ROOM[0] - 1e-9 <= x <= ROOM[2] + 1e-9 and ROOM[1] - 1e-9 <= y <= ROOM[3] + 1e-9 for x, y in points)
    assert max(steps(points)) <= speed + 1e-9


def test_more_frames_show_more_motion_not_a_slower_one():
    def mean_way(frames):
        pace = Pace(0.02, 0.3, 6, 0.3)
        routes = [wander(np.random.default_rng(n), ROOM, pace, frames, 0.0) for n in range(40)]
        return np.mean([sum(steps(route.at(frames, 2.0))) for route in routes]) / (frames - 1)

    assert mean_way(32) == pytest.approx(mean_way(8), rel=0.25)


def test_a_start_gathers_speed_and_an_arrival_loses_it():
    ways = steps(Route((4.0, 12.0), ((0.0, 0.0), (0.8, 0.0))).at(17, 3.0))
    assert ways[0] == 0 and ways[-1] == pytest.approx(0)
    assert max(ways) == pytest.approx(0.1)
    changes = np.abs(np.diff(ways))
    assert changes.max() < 0.05, "in several frames"


def test_a_pause_is_a_pause():
    route = Route((0.0, 5.0, 15.0, 20.0), ((0.0, 0.0), (0.2, 0.0), (0.2, 0.0), (0.0, 0.0)))
    points = route.at(21, 2.0)
    assert points[8:12] == [pytest.approx((0.2, 0.0))] * 4
    assert points[3][0] < 0.2 > points[18][0]


def test_some_wanderers_rest_and_some_turn_back():
    rests = turns = 0
    for seed in range(60):
        points = wander(np.random.default_rng(seed), ROOM, Pace(0.04, 0.5, 6, 0.3), 32, 0.0).at(32, 1.5)
        ways = steps(points[2:])
        rests += min(ways) < 1e-3 < max(ways)
        across = np.sign(np.round(np.diff([x for x, _ in points]), 4))
        turns += (across > 0).any() and (across < 0).any()
    assert rests > 20 and turns > 30


def test_no_room_is_no_motion():
    points = wander(np.random.default_rng(0), (0.0, 0.0, 0.0, 0.0), Pace(0.05, 0.3, 6, 0.3), 16, 0.0).at(16, 2.0)
    assert set(points) == {(0.0, 0.0)}


@given(st.integers(0, 2**32), st.integers(8, 40))
def test_one_that_leaves_is_away_and_comes_back_in_time(seed, frames):
    speed = max((0.6 + 0.5) / (frames - 2), 0.1)
    route = away_and_back(np.random.default_rng(seed), (0.6, 0.0), (0.1, 0.0), frames, speed)
    xs = [x for x, _ in route.at(frames, 0.5)]
    assert xs[0] < 0.1 and xs[-1] == pytest.approx(0.1, abs=0.1)
    assert max(xs) > 0.6 - speed


def test_a_straight_way_arrives_in_the_last_frame_where_it_can():
    points = straight(-0.5, 12, 0.1).at(12, 1.0)
    assert points[0] == (0.0, 0.0) and points[-1][0] == pytest.approx(-0.5, abs=0.03)
    assert straight(-0.5, 4, 0.1).at(4, 1.0)[-1][0] == pytest.approx(-0.3)


def test_a_route_backwards_goes_through_the_same_points():
    route = wander(np.random.default_rng(5), ROOM, Pace(0.03, 0.3, 6, 0.3), 16, 1.0)
    assert np.array(route.backwards(16).at(16, 2.0)) == pytest.approx(np.array(route.at(16, 2.0))[::-1])


@given(st.integers(0, 2**32), st.integers(2, 32))
def test_drifting_values_stay_small_and_do_not_jump(seed, frames):
    values = np.array(drift(np.random.default_rng(seed), (1.0, 0.0), frames, 10.0).at(frames, 3.0))
    assert np.abs(values[:, 0]).max() <= 1 + 1e-9
    assert not values[:, 1].any()
    assert np.abs(np.diff(values[:, 0])).max() <= 2 / 7 + 1e-9


def test_logarithms_are_drawn_uniformly():
    rng = np.random.default_rng(0)
    drawn = [log_between(rng, 0.01, 0.04) for _ in range(2000)]
    assert min(drawn) >= 0.01 and max(drawn) <= 0.04
    assert np.median(drawn) == pytest.approx(0.02, rel=0.06)
