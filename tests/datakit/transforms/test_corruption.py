"""Faults of guide masks: each does what it says, as often as told."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from datakit.arrays import bounding_box
from datakit.seeds import generator
from datakit.transforms.corruption import corrupt_guide, leak, occlude, shift
from datakit.transforms.crop import object_window
from datakit.transforms.object_crop import ObjectCrop
from datakit.transforms.views import ViewConfig

FRAME = (240, 320)
EMPTY = np.zeros(FRAME, np.uint8)


def disc(centre=(150, 110), radius=40):
    return cv2.circle(EMPTY.copy(), centre, radius, 1, -1)


def crop():
    return ObjectCrop.of(disc())


def only(**settings):
    return replace(ViewConfig().still(), **settings)


def draws(count=200):
    return [generator(0, "faults", n) for n in range(count)]


@pytest.mark.parametrize("fault", ["partial", "off_centre", "blob"])
def test_each_fault_comes_as_often_as_told(fault):
    """With its share, and never where the mask is empty."""
    changed = [not np.array_equal(corrupt_guide(rng, crop(), only(**{fault: 0.3})).mask(), disc()) for rng in draws()]
    assert 0.2 < np.mean(changed) < 0.4
    assert not corrupt_guide(generator(0, "a", 0), ObjectCrop.of(EMPTY), only(**{fault: 1})).width


def test_a_mask_is_moved_whole():
    """Its shape stays, its box goes by the share of its size that was drawn."""
    assert shift(crop(), np.array([1.0, 0.25]), 0.3).box == (110 + 24, 70 - 12, 191 + 24, 151 - 12)
    assert shift(crop(), np.array([0.9, 0.1]), 0.3).area == disc().sum()


def test_a_mask_is_not_moved_out_of_the_frame():
    """Where nothing would be left it stays."""
    corner = np.zeros((20, 20), np.uint8)
    corner[0, 0] = 1
    assert np.array_equal(shift(ObjectCrop.of(corner), np.array([0.0, 0.0]), 1.0).mask(), corner)


def test_a_part_is_cut_off_and_a_third_kept():
    """What is left is part of the mask, and no less than a third of it."""
    for rng in draws(30):
        kept = occlude(crop(), rng.random(2)).mask()
        assert not (kept & ~disc()).any() and kept.sum() >= disc().sum() // 3
    assert occlude(crop(), np.array([0.0, 0.25])).mask()[:, 160:].sum() == 0


def test_a_leak_is_added_within_propagations_window():
    """The mask stays, the piece too much begins where propagation would have looked."""
    x0, y0, x1, y1 = object_window(disc(), FRAME, 0.5, 64).box
    for rng in draws(30):
        draw = rng.random(4)
        more = leak(crop(), draw).mask()
        assert not (disc() & ~more).any() and more.max() == 1
        left, top, right, bottom = bounding_box(more - disc()) or (x0, y0, x1, y1)
        assert left < x1 and right > x0 and top < y1 and bottom > y0
