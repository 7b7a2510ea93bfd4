"""Pixels from point maps: the part of the frame that is computed, exactness, composition."""

import cv2
import numpy as np
import pytest

from datakit.transforms import Affine, Tps
from datakit.transforms.affine import ScaleShift
from datakit.transforms.object_crop import ObjectCrop
from datakit.transforms.warp import Move, inverse_at_nodes, lattice_step, read, warp


def blob(size, centre, axes, angle=20):
    mask = np.zeros(size, np.uint8)
    cv2.ellipse(mask, centre, axes, angle, 0, 360, 1, -1)
    return mask


MASKS = {
    "middle": blob((300, 400), (200, 150), (100, 70)),
    "small in a large frame": blob((480, 854), (700, 90), (9, 14)),
    "at the corner": blob((211, 333), (5, 200), (60, 40)),
    "taller than 1024": blob((1500, 300), (150, 700), (80, 640), 0),
}


def bound(mask, steps, seed):
    """Point maps of one draw of several warps."""
    figure, rng, maps = ObjectCrop.of(mask), np.random.default_rng(seed), []
    for step in steps:
        each = step.point_map(step.sample_params(rng, figure), figure.box, maps)
        if each is not None:
            maps.append(each)
    return figure, maps


def directly(figure, maps):
    """The mask read at the exact inverse of every pixel, with no lattice."""
    x, y = np.meshgrid(np.arange(figure.size[1], dtype=float), np.arange(figure.size[0], dtype=float))
    for each in reversed(maps):
        x, y = each.inverse(x, y)
    x, y = (np.clip(np.rint(part), -1, 4000).astype(int) for part in (x, y))
    mask = np.pad(figure.mask(), ((1, 4001), (1, 4001)))[:4002, :4002]
    return mask[y + 1, x + 1]


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
@pytest.mark.parametrize("steps", [(Affine(),), (Tps(),), (Affine(), Tps(spline="interpolating")), (Tps(), Affine())])
def test_computing_a_part_equals_computing_the_whole_frame(mask, steps):
    """Inside the window not a pixel differs, outside it there is none."""
    for seed in range(8):
        figure, maps = bound(mask, steps, seed)
        x0, y0, x1, y1 = Move.planned(figure, maps).inside
        frame = Move.planned(figure, maps, whole=True)
        whole = read(frame, inverse_at_nodes(frame.nodes, frame.step, maps, figure.box), frame.nodes).mask()
        kept = np.zeros_like(whole)
        kept[y0:y1, x0:x1] = whole[y0:y1, x0:x1]
        np.testing.assert_array_equal(warp(figure, maps).mask(), kept)


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
def test_the_lattice_agrees_with_every_pixel_computed(mask):
    """IoU of at least 0.97 in every draw with what the spline says at each pixel."""
    for seed in range(6):
        figure, maps = bound(mask, (Affine(), Tps()), seed)
        x0, y0, x1, y1 = Move.planned(figure, maps).inside
        exact = directly(figure, maps)[y0:y1, x0:x1]
        ours = warp(figure, maps).mask()[y0:y1, x0:x1]
        assert np.sum(exact & ours) / np.sum(exact | ours) >= 0.97


def test_two_warps_are_read_once():
    """Shifts by halves compose to a whole pixel: read twice they would round twice."""
    figure = ObjectCrop.of(MASKS["middle"])
    halves = [ScaleShift(1.0, 0, 0, 0.5, 0.0)] * 3 + [ScaleShift(1.0, 0, 0, -0.5, 0.0)]
    moved = warp(figure, halves).mask()
    np.testing.assert_array_equal(moved, np.roll(figure.mask(), 1, axis=1))


def test_control_points_travel_with_the_affine_before():
    """A spline after a shift bends the object where it is then."""
    figure = ObjectCrop.of(MASKS["middle"])
    numbers = Tps().sample_params(np.random.default_rng(0), figure)
    shift = ScaleShift(1.0, 0, 0, 30.0, 10.0)
    alone = warp(figure, [Tps().point_map(numbers, figure.box, ())])
    after = warp(figure, [shift, Tps().point_map(numbers, figure.box, [shift])])
    assert alone.iou(warp(after, [ScaleShift(1.0, 0, 0, -30.0, -10.0)])) > 0.97


@pytest.mark.parametrize("optimised", [True, False])
def test_pixels_do_not_hang_on_how_opencv_was_built(optimised):
    """The maps are the exact bilinear values, with SIMD and without."""
    figure, maps = bound(MASKS["middle"], (Affine(), Tps()), 3)
    frame = Move.planned(figure, maps, whole=True)
    step = frame.step
    was = cv2.useOptimized()
    cv2.setUseOptimized(optimised)
    try:
        for part in inverse_at_nodes(frame.nodes, step, maps, figure.box):
            full = cv2.resize(part, (part.shape[1] * step, part.shape[0] * step), interpolation=cv2.INTER_LINEAR)
            np.testing.assert_array_equal(full, exactly_upsampled(part.astype(np.float64), step))
    finally:
        cv2.setUseOptimized(was)


def exactly_upsampled(part, step):
    """Bilinear upsampling in float64, where nothing is rounded."""
    for axis in (0, 1):
        at = np.clip((np.arange(part.shape[axis] * step) + 0.5) / step - 0.5, 0, part.shape[axis] - 1)
        low = np.minimum(at.astype(int), part.shape[axis] - 2)
        weight = (at - low).reshape((-1, 1) if axis == 0 else (1, -1))
        part = part.take(low, axis) * (1 - weight) + part.take(low + 1, axis) * weight
    return part


@pytest.mark.parametrize("side", [1, 100, 128, 129, 1000, 1025, 5000])
def test_lattice_values_fit_float32_with_eight_bits_to_spare(side):
    """At most 16 bits and a sign, whatever the size, and at least twice the box."""
    far = [ScaleShift(0.1, 0, 0, 0.0, 0.0)]
    u = inverse_at_nodes((-1, -1, 200, 3), 8, far, (0, 0, side, 5))[0]
    quantum = np.abs(u[u != 0]).min()
    scale = 2.0 ** -np.floor(np.log2(quantum))
    assert np.abs(u).max() * 256 * scale <= 2**25
    assert (u * 2**14 == np.rint(u * 2**14)).all() and np.abs(u).max() >= min(2 * side, 12_000)


def test_thin_and_strongly_bent_objects_get_a_finer_lattice():
    """A large smooth draw has a node every 8 px; a small object a finer lattice."""
    large, maps = bound(MASKS["middle"], (Tps(shift=0.02),), 0)
    assert lattice_step(large, maps) == 8
    small, maps = bound(MASKS["small in a large frame"], (Tps(),), 0)
    assert lattice_step(small, maps) < 8


def test_a_wide_frame_is_read_in_strips():
    """More pixels than the scratch holds: the seams do not show."""
    mask = blob((400, 3000), (1500, 200), (1300, 180), 0)
    figure, maps = bound(mask, (Affine(0.05, 0.02), Tps(shift=0.03)), 1)
    exact, ours = directly(figure, maps), warp(figure, maps).mask()
    assert np.sum(exact & ours) / np.sum(exact | ours) > 0.999
