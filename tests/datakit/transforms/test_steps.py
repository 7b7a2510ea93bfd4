"""Every deformation keeps the contract, and the laws all of them share."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from datakit.arrays import bounding_box
from datakit.transforms import Affine, Box, Dilate, Recipe, Tps, deform, replay
from datakit.transforms.dilate import disc, factors
from tests.deformation_contract import check_deformation, shapes

STEPS = [Affine(), Tps(), Tps(points=7, spline="interpolating"), Tps(points=3), Dilate(), Dilate(0), Box(), Box(0.5)]
STILL = [Affine(0, 0), Tps(shift=0), Tps(shift=0, spline="interpolating"), Dilate(0)]


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


@settings(max_examples=60, deadline=None)
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


@settings(max_examples=60, deadline=None)
@given(masks(), st.integers(0, 9))
def test_dilation_contains_the_mask_and_is_the_disc(mask, radius):
    """Grown by exactly the pixels within the Euclidean radius, inside the frame."""
    rough = deform(mask, Recipe("grow", (Dilate(radius),)), np.random.default_rng(0)).mask
    y, x = np.nonzero(mask)
    rows, columns = np.indices(mask.shape)
    near = ((rows[..., None] - y) ** 2 + (columns[..., None] - x) ** 2).min(axis=-1) <= radius**2
    np.testing.assert_array_equal(rough, near)
    assert (rough >= mask).all()


@pytest.mark.parametrize("radius", [1, 2, 5, 10, 20, 41])
def test_the_shapes_a_disc_is_made_of_give_the_disc(radius):
    """One pixel grown by each in turn, with fewer pixels in all where there are several."""
    grown = np.zeros((2 * radius + 1, 2 * radius + 1), np.uint8)
    grown[radius, radius] = 1
    for shape in factors(radius):
        grown = cv2.dilate(grown, shape)
    np.testing.assert_array_equal(grown, disc(radius))
    assert len(factors(radius)) == 1 or sum(shape.sum() for shape in factors(radius)) < disc(radius).sum()


@settings(max_examples=60, deadline=None)
@given(masks(), st.integers(0, 2**32))
def test_the_box_contains_the_mask_and_is_its_own_box(mask, seed):
    """A filled rectangle, as tight as can be, and unchanged by a second time."""
    recipe = Recipe("box", (Box(),))
    rough = deform(mask, recipe, np.random.default_rng(seed)).mask
    x0, y0, x1, y1 = bounding_box(mask)
    assert (rough >= mask).all() and rough.sum() == (x1 - x0) * (y1 - y0)
    np.testing.assert_array_equal(deform(rough, recipe, np.random.default_rng(seed)).mask, rough)


@settings(max_examples=60, deadline=None)
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
