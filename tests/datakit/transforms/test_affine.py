"""Scale and shift: their ranges, what they are relative to, and where pixels go."""

import numpy as np

from datakit.transforms import Affine, Recipe, deform
from datakit.transforms.affine import ScaleShift
from datakit.transforms.object_crop import ObjectCrop
from datakit.transforms.warp import warp


def rectangle(height=20, width=40):
    mask = np.zeros((100, 120), np.uint8)
    mask[40 : 40 + height, 30 : 30 + width] = 1
    return mask


def test_draws_fill_their_ranges_and_no_more():
    """Scale within 1 ± 0.05; shifts within ± 10 % of the box's own width and height, continuously."""
    figure, rng = ObjectCrop.of(rectangle()), np.random.default_rng(0)
    drawn = np.array([Affine().sample_params(rng, figure) for _ in range(2000)])
    limit = np.array([0.05, 4.0, 2.0])
    off = np.abs(drawn - [1, 0, 0])
    assert (off <= limit).all() and (off.max(axis=0) > 0.99 * limit).all()
    assert len(np.unique(drawn[:, 1])) == 2000, "no grid of steps"


def test_golden_numbers():
    """Draws are the same for ever: three uniform numbers, in this order."""
    drawn = Affine().sample_params(np.random.default_rng(7), ObjectCrop.of(rectangle()))
    scale, x, y = 2 * np.random.default_rng(7).random(3) - 1
    np.testing.assert_array_equal(drawn, [1 + 0.05 * scale, 0.1 * 40 * x, 0.1 * 20 * y])
    np.testing.assert_allclose(drawn, [1.01250954669, 3.177710407757, 1.102742760981], atol=1e-9)


def test_a_whole_shift_moves_every_pixel_by_it():
    """Nearest reading of whole pixels is a copy."""
    mask = rectangle()
    moved = warp(ObjectCrop.of(mask), [ScaleShift(1.0, 50, 50, 7.0, -3.0)]).mask()
    np.testing.assert_array_equal(moved, np.roll(mask, (-3, 7), axis=(0, 1)))


def test_scale_is_about_the_centre_of_the_box():
    """Twice the size grows alike on all four sides."""
    figure = ObjectCrop.of(rectangle())
    doubled = warp(figure, [Affine().point_map(np.array([2.0, 0, 0]), figure.box, ())])
    assert doubled.box == (30 - 20, 40 - 10, 70 + 20, 60 + 10)
    assert doubled.area == 4 * figure.area


def test_pixels_leaving_the_frame_are_dropped():
    """They do not pile up on the border, and what comes in is background."""
    figure = ObjectCrop.of(rectangle())
    gone = warp(figure, [ScaleShift(1.0, 0, 0, 75.0, 0.0)])
    assert gone.box == (105, 40, 120, 60) and gone.area == 15 * 20
    assert not warp(figure, [ScaleShift(1.0, 0, 0, 500.0, 0.0)]).width


def test_forward_undoes_inverse():
    """The two directions are one map."""
    points = np.random.default_rng(0).random((2, 50)) * 100
    there = ScaleShift(1.04, 31.5, 40.0, 3.25, -7.5)
    np.testing.assert_allclose(there.forward(*there.inverse(*points)), points, atol=1e-10)


def test_the_recorded_numbers_are_those_of_the_mask():
    """What is stored says what was done: the box of the result is the moved box."""
    mask = rectangle()
    rough = deform(mask, Recipe("a", (Affine(0, 0.5),)), np.random.default_rng(3))
    x0, y0, *_ = ObjectCrop.of(rough.mask).box
    assert abs(x0 - 30 - rough.parameters[1]) <= 0.51 and abs(y0 - 40 - rough.parameters[2]) <= 0.51
