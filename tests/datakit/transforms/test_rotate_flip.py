"""First-frame views: image and mask stay together, and no border shows."""

import cv2
import numpy as np
import pytest

from datakit.transforms import PRESETS, Augment
from datakit.transforms.rotate_flip import inscribed, turned_image, turned_mask


def test_angle_zero_resamples_nothing():
    """The picture itself, or its exact mirror."""
    image = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    np.testing.assert_array_equal(turned_image(image, 0, False), image)
    np.testing.assert_array_equal(turned_image(image, 0, True), image[:, ::-1])
    np.testing.assert_array_equal(turned_mask(image[..., 0], 0, True), image[:, ::-1, 0])


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("angle", [-20, -7.5, 4, 20])
def test_image_and_mask_turn_together(angle, flip):
    """A picture of the mask turns into a picture of the turned mask."""
    mask = np.zeros((90, 140), np.uint8)
    cv2.ellipse(mask, (60, 40), (35, 15), 10, 0, 360, 1, -1)
    image = turned_image(np.dstack([mask * 255] * 3), angle, flip)
    turned = turned_mask(mask, angle, flip)
    assert image.shape == (90, 140, 3) and turned.shape == (90, 140) and set(np.unique(turned)) == {0, 1}
    assert ((image[..., 0] > 127) != turned).mean() < 0.003


def test_positive_angles_turn_counter_clockwise():
    """A spot to the right of the centre goes up."""
    mask = np.zeros((101, 101), np.uint8)
    mask[48:53, 78:83] = 1
    y, x = np.nonzero(turned_mask(mask, 10, False))
    assert y.mean() < 45 and x.mean() > 75


@pytest.mark.parametrize("size", [(60, 90), (90, 60), (50, 50), (20, 200)])
@pytest.mark.parametrize("angle", [1, 20, 44, 45, 60, 89, -20, 120])
def test_the_inscribed_rectangle_fits_and_touches(size, angle):
    """Its corners lie inside the turned frame, and at least two on the frame's edge."""
    height, width = size
    crop_width, crop_height = inscribed(width, height, angle)
    turn = np.radians(angle)
    corners = np.array([[sx * crop_width / 2, sy * crop_height / 2] for sx in (-1, 1) for sy in (-1, 1)])
    back = np.abs(corners @ [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    assert (back <= np.array([width, height]) / 2 + 1e-9).all()
    assert np.isclose(back, np.array([width, height]) / 2).any(axis=1).sum() >= 2


def test_no_pixel_comes_from_outside():
    """A white picture stays white to its corners."""
    assert (turned_image(np.full((40, 70, 3), 255, np.uint8), 17, False) == 255).all()


def test_42_looks_of_the_preset():
    """±2 … ±20 degrees in steps of 2, and 0, each flipped."""
    looks = list(PRESETS["online"].augment.turns())
    assert len(looks) == len(set(looks)) == 42 and (-20.0, True) in looks and (0.0, False) in looks
    assert list(Augment(angles=(3,), flip=False).turns()) == [(3.0, False)]
