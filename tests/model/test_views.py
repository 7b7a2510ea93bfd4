"""What training draws: every fault does what it says, nothing it does not, and 0 switches it off."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from datakit.arrays import bounding_box
from datakit.errors import UsageError
from datakit.seeds import generator
from model.crop import object_window, whole_window
from model.views import ViewConfig, cut_off, draw_faults, draw_light, draw_window, leaked, moved, random_window

FRAME = (240, 320)
STILL = ViewConfig().still()
EMPTY = np.zeros(FRAME, np.uint8)


def disc(centre=(150, 110), radius=40):
    return cv2.circle(EMPTY.copy(), centre, radius, 1, -1)


def only(**settings):
    return replace(STILL, **settings)


def draws(count=200):
    return [generator(0, "views", n) for n in range(count)]


def test_nothing_is_drawn_where_all_is_off():
    """A still view is the propagator's window, the mask and the light as they are."""
    image = np.random.default_rng(0).integers(0, 256, (*FRAME, 3), dtype=np.uint8)
    for rng in draws(10):
        assert np.array_equal(draw_faults(rng, disc(), STILL), disc())
        assert draw_window(rng, disc(), STILL) == object_window(disc(), FRAME, 0.5, 224)
        assert np.array_equal(draw_light(rng, image, STILL), image)


def test_switching_one_thing_off_leaves_the_others_as_they_were():
    """Without faults, a generator stands where it would have stood with them."""
    with_faults, without = generator(0, "a", 0), generator(0, "a", 0)
    draw_faults(with_faults, disc(), ViewConfig(partial=1, off_centre=1, blob=1))
    draw_faults(without, disc(), STILL)
    assert with_faults.random() == without.random()


def test_windows_are_more_or_less_wide_about_the_propagators():
    """Sides lie within the margins drawn, half of them on either side of the propagator's."""
    boxes = [draw_window(rng, disc(), only(margin_low=0.25, margin_high=1.0)).box for rng in draws()]
    sides = [x1 - x0 for x0, _, x1, _ in boxes]
    assert min(sides) >= round(81 * 1.5) and max(sides) <= 81 * 3
    assert 0.4 < np.mean(np.array(sides) < 81 * 2) < 0.6


def test_windows_are_shifted_by_a_share_of_their_side():
    """The object leaves the middle by that share at most, in both directions."""
    small = disc((150, 120), 20)
    boxes = [draw_window(rng, small, only(shift=0.2)).box for rng in draws()]
    offsets = np.array([(x0 + x1) / 2 - 150.5 for x0, _, x1, _ in boxes])
    assert offsets.min() < -12 and offsets.max() > 12 and np.abs(offsets).max() <= 0.2 * 82 + 1


def test_a_share_of_windows_shows_everything():
    """And so does every window of an empty mask."""
    windows = [draw_window(rng, disc(), only(whole=0.3)) for rng in draws()]
    assert 0.2 < np.mean([window == whole_window(FRAME, 224) for window in windows]) < 0.4
    assert draw_window(generator(0, "a", 0), EMPTY, ViewConfig()) == whole_window(FRAME, 224)


def test_random_crops_keep_the_photos_scale():
    """Whole pixels of the photo, anywhere in it; a smaller photo lies in the middle of the cut."""
    places = {random_window((240, 320), 200, *rng.random(2)).box for rng in draws()}
    assert {x1 - x0 for x0, _, x1, _ in places} == {200}
    assert min(box[0] for box in places) <= 2 and max(box[2] for box in places) >= 318
    assert all(box[1] >= 0 and box[3] <= 240 for box in places)
    assert random_window((240, 320), 321, 0.3, 0.9).box == (-1, -41, 320, 280)


def test_the_papers_view_is_a_random_crop_and_a_mirror():
    """No scale, no light, no fault."""
    paper = ViewConfig.paper()
    assert (paper.size, paper.crop, paper.flip) == (321, "random", 0.5)
    assert {getattr(paper, name) for name in ("brightness", "contrast", "saturation", "grey", "blur", "partial",
                                              "off_centre", "blob", "whole")} == {0}  # fmt: skip


@pytest.mark.parametrize("fault", ["partial", "off_centre", "blob"])
def test_each_fault_comes_as_often_as_told(fault):
    """With its share, and never where the mask is empty."""
    changed = [not np.array_equal(draw_faults(rng, disc(), only(**{fault: 0.3})), disc()) for rng in draws()]
    assert 0.2 < np.mean(changed) < 0.4
    assert not draw_faults(generator(0, "a", 0), EMPTY, only(**{fault: 1})).any()


def test_a_mask_is_moved_whole():
    """Its shape stays, its box goes by the share of its size that was drawn."""
    assert bounding_box(moved(disc(), np.array([1.0, 0.25]), 0.3)) == (110 + 24, 70 - 12, 191 + 24, 151 - 12)
    assert moved(disc(), np.array([0.9, 0.1]), 0.3).sum() == disc().sum()


def test_a_mask_is_not_moved_out_of_the_frame():
    """Where nothing would be left it stays."""
    corner = np.zeros((20, 20), np.uint8)
    corner[0, 0] = 1
    assert np.array_equal(moved(corner, np.array([0.0, 0.0]), 1.0), corner)


def test_a_part_is_cut_off_and_a_third_kept():
    """What is left is part of the mask, and no less than a third of it."""
    for rng in draws(30):
        kept = cut_off(disc(), rng.random(2))
        assert not (kept & ~disc()).any() and kept.sum() >= disc().sum() // 3
    assert cut_off(disc(), np.array([0.0, 0.25]))[:, 160:].sum() == 0


def test_a_leak_is_added_within_propagations_window():
    """The mask stays, the piece too much begins where propagation would have looked."""
    x0, y0, x1, y1 = object_window(disc(), FRAME, 0.5, 64).box
    for rng in draws(30):
        draw = rng.random(4)
        more = leaked(disc(), draw)
        assert not (disc() & ~more).any() and more.max() == 1
        left, top, right, bottom = bounding_box(more - disc()) or (x0, y0, x1, y1)
        assert left < x1 and right > x0 and top < y1 and bottom > y0


def test_light_changes_colours_and_not_places():
    """A flat picture stays flat, a step stays where it is."""
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 30:] = (200, 100, 50)
    for rng in draws(20):
        lit = draw_light(rng, image, ViewConfig(blur=0))
        assert (lit[:, :30] == lit[0, 0]).all() and (lit[:, 30:] == lit[0, 59]).all()
        assert lit.shape == image.shape and lit.dtype == np.uint8


def test_brightness_contrast_saturation_are_what_they_are_called():
    """Each moves its own measure within the range given, and grey has no colour."""
    image = np.full((8, 8, 3), (120, 80, 60), np.uint8)
    image[:4] = (60, 40, 30)
    bright = [draw_light(rng, image, only(brightness=0.25)).mean() / image.mean() for rng in draws(50)]
    assert min(bright) > 0.74 and max(bright) < 1.26 and max(bright) - min(bright) > 0.3
    contrast = [draw_light(rng, image, only(contrast=0.25)) for rng in draws(50)]
    assert max(each.std() for each in contrast) > 1.1 * image.std()
    assert max(abs(each.mean() - image.mean()) for each in contrast) < 5
    spread = [np.ptp(draw_light(rng, image, only(saturation=0.4))[7, 7].astype(int)) for rng in draws(50)]
    assert min(spread) < 50 < 70 < max(spread)
    grey = draw_light(generator(0, "a", 0), image, only(grey=1))
    assert np.ptp(grey.astype(int), axis=2).max() <= 1


def test_blur_softens():
    """A blurred step has values between, its mean stays."""
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 30:] = 200
    soft = draw_light(generator(0, "a", 0), image, only(blur=1))
    assert 0 < soft[0, 29, 0] < soft[0, 30, 0] < 200 and abs(soft.mean() - image.mean()) < 2


def test_a_setting_out_of_range_is_refused():
    """The message names it."""
    with pytest.raises(UsageError, match=r"view\.flip"):
        ViewConfig(flip=1.5)
