"""The spline against scipy and against its own definition, and how control points are drawn."""

import cv2
import numpy as np
import pytest
from scipy.interpolate import RBFInterpolator

from datakit.transforms import Recipe, Tps, deform
from datakit.transforms.object_crop import ObjectCrop
from datakit.transforms.tps import Spline, degenerate, distinct_below


def blob(size=(300, 400), axes=(100, 70)):
    mask = np.zeros(size, np.uint8)
    cv2.ellipse(mask, (size[1] // 2, size[0] // 2), axes, 25, 0, 360, 1, -1)
    return mask


def pairs(array):
    return [tuple(row) for row in array.tolist()]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("count", [3, 5, 9])
def test_interpolating_spline_equals_scipys(seed, count):
    """RBFInterpolator's thin plate with its linear part is the oracle."""
    rng = np.random.default_rng(seed)
    sites, values, points = rng.random((count, 2)) * 200, rng.random((count, 2)) * 200, rng.random((100, 2)) * 300
    ours = np.stack(Spline(pairs(sites), pairs(values), False)(*points.T), axis=1)
    theirs = RBFInterpolator(sites, values, kernel="thin_plate_spline", degree=1)(points)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_smoothing_spline_equals_scipys_with_the_default_of_tpaps(seed):
    """Lambda is the trace of the kernel across the linear functions, over n - 3; scipy halves r² log r²."""
    rng = np.random.default_rng(seed)
    sites, values, points = rng.random((5, 2)) * 200, rng.random((5, 2)) * 200, rng.random((100, 2)) * 300
    squared = np.square(sites[:, None] - sites).sum(-1)
    kernel = squared * np.log(np.where(squared, squared, 1))
    linear = np.column_stack([np.ones(5), sites])
    across = np.eye(5) - linear @ np.linalg.inv(linear.T @ linear) @ linear.T
    smoothing = np.trace(kernel @ across) / 2
    assert smoothing > 0
    theirs = RBFInterpolator(sites, values, kernel="thin_plate_spline", degree=1, smoothing=smoothing / 2)(points)
    ours = np.stack(Spline(pairs(sites), pairs(values), True)(*points.T), axis=1)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_smoothing_realises_about_82_percent_of_the_moves():
    """As measured on tpaps itself: control points land on average four fifths of the way."""
    figure, rng, step = ObjectCrop.of(blob()), np.random.default_rng(0), Tps()
    realised = []
    for _ in range(400):
        warping = step.point_map(step.sample_params(rng, figure), figure.box, ())
        start, end = np.array(warping.start), np.array(warping.end)
        reached = np.stack(warping.inverse(*end.T), axis=1)
        realised.append(np.linalg.norm(reached - end) / np.linalg.norm(start - end))
    assert 0.78 < np.mean(realised) < 0.87


def test_control_points_lie_on_the_ring_and_differ():
    """Background pixels that touch the mask, drawn without replacement, moved by at most 10 % of width and height."""
    mask = blob()
    figure, rng = ObjectCrop.of(mask), np.random.default_rng(0)
    ring = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))) - mask
    for _ in range(200):
        x, y, dx, dy = Tps().sample_params(rng, figure).reshape(5, 4).T
        assert ring[y.astype(int), x.astype(int)].all() and len({*zip(x, y, strict=True)}) == 5
        assert (np.abs(dx) <= 0.1 * figure.width).all() and (np.abs(dy) <= 0.1 * figure.height).all()


def test_the_ring_of_holes_and_borders():
    """Holes have a ring too, the frame's edge cuts it, corners do not count."""
    mask = np.ones((4, 5), np.uint8)
    mask[1, 2] = 0
    mask[:, 4] = 0
    assert ObjectCrop.of(mask).ring.tolist() == [[4, 0], [2, 1], [4, 1], [4, 2], [4, 3]]


def test_every_set_of_points_is_equally_likely():
    """Choosing 2 of 4 by even numbers gives each ordered pair once in twelve."""
    grid = (np.arange(12) + 0.5) / 12
    picks = [tuple(distinct_below((a, b), 4)) for a in grid for b in grid]
    counts = [picks.count((a, b)) for a in range(4) for b in range(4)]
    assert [n for n in counts if n] == [12] * 12


def test_golden_numbers():
    """Draws are the same for ever."""
    mask = np.zeros((20, 30), np.uint8)
    mask[5:15, 5:25] = 1
    drawn = Tps().sample_params(np.random.default_rng(7), ObjectCrop.of(mask)).reshape(5, 4)
    np.testing.assert_array_equal(drawn[:, :2], GOLDEN_POINTS)
    np.testing.assert_allclose(drawn[:, 2:], GOLDEN_MOVES, atol=1e-9)


@pytest.mark.parametrize(
    "mask",
    [np.ones((6, 8), np.uint8), np.pad(np.ones((1, 1), np.uint8), 1), np.eye(1, 40, 20, dtype=np.uint8)],
    ids=["no ring", "four ring pixels", "one row"],
)
def test_too_small_a_ring_skips_the_step_and_says_so(mask):
    """NaN for every number, the mask as it is, and the flag."""
    rough = deform(mask, Recipe("t", (Tps(),)), np.random.default_rng(0))
    assert rough.draw_flags == "no-tps" and np.isnan(rough.parameters).all()
    np.testing.assert_array_equal(rough.mask, mask)


def test_points_on_a_line_are_never_used():
    """A mask along the upper border has its whole ring on one line."""
    mask = np.zeros((30, 40), np.uint8)
    mask[0] = 1
    rough = deform(mask, Recipe("t", (Tps(),)), np.random.default_rng(0))
    assert rough.draw_flags == "no-tps" and np.isnan(rough.parameters).all()


def test_what_is_degenerate():
    """Lines in any direction and near twins are; a thin triangle is not."""
    assert degenerate([(0, 0), (1, 1), (2, 2), (5, 5)])
    assert degenerate([(0, 0), (10, 0), (5, 0.001)])
    assert degenerate([(0, 0), (10, 0), (0, 10), (10, 0.01)])
    assert not degenerate([(0, 0), (100, 0), (50, 1)])


GOLDEN_POINTS = [[25, 13], [18, 15], [10, 15], [17, 4], [22, 4]]
GOLDEN_MOVES = [
    [1.494213781585, -0.989469390869],
    [1.284913673531, 0.594138857504],
    [-0.128260188625, -0.393935146361],
    [-0.886297551597, -0.490260824692],
    [-0.219694776469, 0.009096517916],
]
