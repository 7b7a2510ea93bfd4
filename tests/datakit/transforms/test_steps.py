"""Every deformation keeps the contract, and the laws all of them share."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from datakit.arrays import bounding_box
from datakit.transforms import (
    Affine,
    Box,
    Dilate,
    Erode,
    Holes,
    Leak,
    Occlude,
    Recipe,
    RotateFlip,
    Shift,
    Tps,
    deform,
    replay,
)
from tests.deformation_contract import check_deformation, shapes

STEPS = [Affine(), Tps(), Tps(points=7, spline="interpolating"), Tps(points=3), Dilate(), Dilate(0), Box(), Box(0.5)]
STEPS += [Affine(rotation=30, shear=0.3), Affine(shear=0.5), Dilate((1, 9)), Dilate(share=0.2), Dilate(share=(0, 0.5))]
STEPS += [Erode(), Erode((0, 40)), Erode(share=(0.1, 0.3)), Holes(), Holes(16, 1.0), RotateFlip(), Shift(), Shift(2)]
STEPS += [RotateFlip(180, flip=0.5, about="frame"), Shift(prob=0), Occlude(), Occlude(0.95), Leak(), Leak((0, 1), 10)]
STILL = [Affine(0, 0), Tps(shift=0), Tps(shift=0, spline="interpolating"), Dilate(0)]
STILL += [RotateFlip(0), Erode(0), Shift(0), Occlude(0), *(step(prob=0) for step in (Shift, Occlude, Leak))]


@st.composite
def masks(draw):
    """Masks of any shape up to 40x40: noise, blocks, single pixels, full, never empty."""
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    kind = draw(st.sampled_from(["noise", "block", "pixel", "full"]))
    if kind == "noise":
        mask = draw(arrays(np.uint8, (height, width), elements=st.integers(0, 1)))
    else:
        mask = np.full((height, width), kind == "full", np.uint8)
    if kind == "block":
        y0, x0 = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        mask[y0 : draw(st.integers(y0 + 1, height)), x0 : draw(st.integers(x0 + 1, width))] = 1
    if not mask.any():
        mask[draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))] = 1
    return mask


@pytest.mark.parametrize("step", STEPS, ids=repr)
def test_keeps_the_contract(step):
    """Every kind, at its defaults and at the ends of its ranges."""
    check_deformation(step)


@pytest.mark.parametrize("step", STILL, ids=repr)
def test_zero_ranges_are_the_identity(step):
    """Nothing drawn, nothing moved: not a pixel differs."""
    for mask in shapes():
        rough = deform(mask, Recipe("still", (step,)), np.random.default_rng(0))
        np.testing.assert_array_equal(rough.mask, mask)
        assert (rough.iou, rough.area_ratio, rough.redraws) == (1.0, 1.0, 0)


@settings(max_examples=60)
@given(masks(), st.integers(0, 2**32), st.permutations([Affine(), Tps(), Dilate(2), Box(0.2)]))
def test_any_mask_in_any_order_gives_a_mask_that_replays(mask, seed, steps):
    """Values stay 0 and 1, measures are exact, and the numbers alone give the same mask again."""
    recipe = Recipe("any", tuple(steps[: 1 + seed % 4]), max_redraws=2)
    rough = deform(mask, recipe, np.random.default_rng(seed))
    again = deform(mask, recipe, np.random.default_rng(seed))
    assert rough.mask.shape == mask.shape and set(np.unique(rough.mask)) <= {0, 1}
    np.testing.assert_array_equal(rough.mask, again.mask)
    np.testing.assert_array_equal(rough.parameters, again.parameters)
    np.testing.assert_array_equal(rough.mask, replay(mask, recipe, rough.parameters))
    both, either = np.sum(rough.mask & mask), np.sum(rough.mask | mask)
    assert rough.iou == both / either and rough.area_ratio == rough.mask.sum() / mask.sum()


@settings(max_examples=60)
@given(masks(), st.integers(0, 9))
def test_dilation_contains_the_mask_and_is_the_disc(mask, radius):
    """Grown by exactly the pixels within the Euclidean radius, inside the frame."""
    rough = deform(mask, Recipe("grow", (Dilate(radius),)), np.random.default_rng(0)).mask
    y, x = np.nonzero(mask)
    rows, columns = np.indices(mask.shape)
    near = ((rows[..., None] - y) ** 2 + (columns[..., None] - x) ** 2).min(axis=-1) <= radius**2
    np.testing.assert_array_equal(rough, near)
    assert (rough >= mask).all()


@settings(max_examples=60)
@given(masks(), st.integers(0, 9))
def test_erosion_lies_within_the_mask_and_undoes_no_more_than_the_disc(mask, radius):
    """Pixels farther than the radius from all background of the frame; of a thin object, something is left."""
    guide = deform(mask, Recipe("shrink", (Erode(radius),)), np.random.default_rng(0))
    assert (guide.mask <= mask).all() and guide.mask.any()
    y, x = np.nonzero(mask == 0)
    rows, columns = np.indices(mask.shape)
    far = ((rows[..., None] - y) ** 2 + (columns[..., None] - x) ** 2 > guide.parameters[0] ** 2).all(axis=-1)
    np.testing.assert_array_equal(guide.mask, far & (mask > 0))


@settings(max_examples=60)
@given(masks(), st.integers(0, 2**32))
def test_holes_and_occlusions_only_take_away_and_leaks_only_add(mask, seed):
    """And none leaves nothing."""
    for step in (Holes(3, (0.0, 0.6)), Occlude((0.0, 0.95))):
        guide = deform(mask, Recipe("less", (step,)), np.random.default_rng(seed)).mask
        assert (guide <= mask).all() and guide.any()
    assert (deform(mask, Recipe("more", (Leak(),)), np.random.default_rng(seed)).mask >= mask).all()


@settings(max_examples=40)
@given(masks(), st.integers(0, 2**32))
def test_a_shift_is_a_translation_by_whole_pixels(mask, seed):
    """What stays in the frame is the mask itself, elsewhere."""
    guide = deform(mask, Recipe("moved", (Shift(0.8),)), np.random.default_rng(seed))
    if np.isnan(guide.parameters).any():
        np.testing.assert_array_equal(guide.mask, mask)
    else:
        y, x = np.nonzero(mask)
        x, y = x + int(guide.parameters[0]), y + int(guide.parameters[1])
        inside = (x >= 0) & (x < mask.shape[1]) & (y >= 0) & (y < mask.shape[0])
        assert set(zip(*np.nonzero(guide.mask), strict=True)) == set(zip(y[inside], x[inside], strict=True))


@pytest.mark.parametrize(("step", "other"), [(Dilate(share=0.1), Dilate()), (Erode(share=0.1), Erode())])
def test_a_share_scales_with_the_object(step, other):
    """Twice the size, twice the radius, where a radius in pixels stays what it is."""
    squares = [np.zeros((400, 400), np.uint8) for _ in range(2)]
    squares[0][100:200, 100:200] = squares[1][100:300, 100:300] = 1
    radii = {
        each: [deform(square, Recipe("r", (each,)), np.random.default_rng(0)).parameters[0] for square in squares]
        for each in (step, other)
    }
    assert radii[step] == [10, 20] and len(set(radii[other])) == 1


@pytest.mark.parametrize("step", [Dilate((1, 9)), Erode((1, 9))], ids=repr)
def test_a_range_of_radii_is_drawn_whole_and_evenly(step):
    """From the least to the largest, both of them, each about as often."""
    disc = cv2.circle(np.zeros((80, 80), np.uint8), (40, 40), 30, 1, -1)
    rng = np.random.default_rng(0)
    radii = [int(deform(disc, Recipe("r", (step,)), rng).parameters[0]) for _ in range(900)]
    counts = np.bincount(radii, minlength=10)
    assert counts[0] == 0 and len(counts) == 10 and counts[1:].min() > 60


def test_half_a_turn_is_the_mask_turned_and_mirrored():
    """A rotation by 180 degrees about the box's centre and a flip are the array reversed, pixel for pixel."""
    mask = next(shapes())
    crop = mask[14:47, 15:66]
    inner = np.zeros_like(mask)
    inner[10 : 10 + crop.shape[0], 20 : 20 + crop.shape[1]] = crop
    ys, xs = np.nonzero(inner)
    box = np.s_[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    for step, expected in ((RotateFlip(0, flip=1), np.s_[:, ::-1]), (Affine(0, 0, rotation=1e-9), np.s_[:])):
        guide = deform(inner, Recipe("turn", (step,)), np.random.default_rng(0)).mask
        np.testing.assert_array_equal(guide[box], inner[box][expected])


def test_a_positive_rotation_is_counter_clockwise_on_the_screen():
    """A bar to the right of the centre goes up."""
    mask = np.zeros((101, 101), np.uint8)
    mask[48:53, 10:91] = 1
    mask[48:60, 85:91] = 1
    step = RotateFlip(90)
    maps = step.point_map(np.array([90.0, 0, 50, 50]), (0, 0, 0, 0), ())
    x, y = maps.forward(np.array([80.0]), np.array([50.0]))
    assert (round(float(x[0]), 6), round(float(y[0]), 6)) == (50, 20)
    back = maps.inverse(x, y)
    np.testing.assert_allclose(np.ravel(back), [80, 50])


@settings(max_examples=60)
@given(masks(), st.integers(0, 2**32))
def test_the_box_contains_the_mask_and_is_its_own_box(mask, seed):
    """A filled rectangle, as tight as can be, and unchanged by a second time."""
    recipe = Recipe("box", (Box(),))
    rough = deform(mask, recipe, np.random.default_rng(seed)).mask
    x0, y0, x1, y1 = bounding_box(mask)
    assert (rough >= mask).all() and rough.sum() == (x1 - x0) * (y1 - y0)
    np.testing.assert_array_equal(deform(rough, recipe, np.random.default_rng(seed)).mask, rough)


@settings(max_examples=60)
@given(masks(), st.integers(0, 2**32), st.floats(0, 0.5))
def test_a_jittered_box_stays_in_the_frame_and_near(mask, seed, jitter):
    """Never empty, every side off by at most the fraction asked for, and half a pixel of rounding."""
    rough = deform(mask, Recipe("box", (Box(jitter),)), np.random.default_rng(seed))
    x0, y0, x1, y1 = rough.parameters
    assert 0 <= x0 < x1 <= mask.shape[1] and 0 <= y0 < y1 <= mask.shape[0]
    assert bounding_box(rough.mask) == (x0, y0, x1, y1)
    tight = np.array(bounding_box(mask))
    reach = jitter * (tight[2:] - tight[:2]) + 0.5
    assert (np.abs(rough.parameters - tight) <= np.maximum(np.tile(reach, 2), 1)).all()
