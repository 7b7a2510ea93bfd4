"""What training draws: every setting does what it says, nothing it does not, and 0 switches it off."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from datakit.arrays import bounding_box
from datakit.errors import UsageError
from datakit.seeds import generator
from datakit.transforms.compositing import composite, sample_backdrop
from datakit.transforms.corruption import corrupt_guide
from datakit.transforms.crop import object_window, whole_window
from datakit.transforms.photometric import jitter_colours
from datakit.transforms.pose import apply_pose, sample_pose
from datakit.transforms.views import ViewConfig, random_window, sample_window

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
        assert np.array_equal(corrupt_guide(rng, disc(), STILL), disc())
        assert sample_window(rng, disc(), STILL) == object_window(disc(), FRAME, 0.5, 224)
        assert sample_pose(rng, disc(), STILL) is None and sample_backdrop(rng, STILL, lambda _: image) is None
        assert np.array_equal(jitter_colours(rng, image, STILL), image)


def test_switching_one_thing_off_leaves_the_others_as_they_were():
    """Without faults, a generator stands where it would have stood with them."""
    with_faults, without = generator(0, "a", 0), generator(0, "a", 0)
    corrupt_guide(with_faults, disc(), ViewConfig(partial=1, off_centre=1, blob=1))
    corrupt_guide(without, disc(), STILL)
    assert with_faults.random() == without.random()


def test_windows_are_more_or_less_wide_about_the_propagators():
    """Sides lie within the margins drawn, half of them on either side of the propagator's."""
    boxes = [sample_window(rng, disc(), only(margin_low=0.25, margin_high=1.0)).box for rng in draws()]
    sides = [x1 - x0 for x0, _, x1, _ in boxes]
    assert min(sides) >= round(81 * 1.5) and max(sides) <= 81 * 3
    assert 0.4 < np.mean(np.array(sides) < 81 * 2) < 0.6


def test_windows_are_shifted_by_a_share_of_their_side():
    """The object leaves the middle by that share at most, in both directions."""
    small = disc((150, 120), 20)
    boxes = [sample_window(rng, small, only(shift=0.2)).box for rng in draws()]
    offsets = np.array([(x0 + x1) / 2 - 150.5 for x0, _, x1, _ in boxes])
    assert offsets.min() < -12 and offsets.max() > 12 and np.abs(offsets).max() <= 0.2 * 82 + 1


def test_a_share_of_windows_shows_everything():
    """And so does every window of an empty mask."""
    windows = [sample_window(rng, disc(), only(whole=0.3)) for rng in draws()]
    assert 0.2 < np.mean([window == whole_window(FRAME, 224) for window in windows]) < 0.4
    assert sample_window(generator(0, "a", 0), EMPTY, ViewConfig()) == whole_window(FRAME, 224)


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
    kept = ("size", "crop", "margin_low", "margin_high", "off_centre_by", "flip")
    assert {value for name, value in paper.to_dict().items() if name not in kept} == {0}


def test_a_turn_keeps_the_objects_middle_and_area():
    """And turns no further than told."""
    bar = cv2.rectangle(EMPTY.copy(), (100, 110), (200, 130), 1, -1)
    angles = []
    for rng in draws(50):
        turned = apply_pose(bar, sample_pose(rng, bar, only(turn=30)), 0)
        (x, y), sides, angle = cv2.minAreaRect(cv2.findNonZero(turned))
        assert abs(x - 150) < 1 and abs(y - 120) < 1 and abs(turned.sum() / bar.sum() - 1) < 0.03
        angles.append((angle + 90 * (sides[0] < sides[1]) + 90) % 180 - 90)
    assert min(angles) < -20 and max(angles) > 20 and max(map(abs, angles)) < 31


def test_a_stretch_changes_the_ratio_of_width_to_height():
    """Either way, by no more than told; the area stays."""
    ratios = []
    for rng in draws(50):
        stretched = apply_pose(disc(), sample_pose(rng, disc(), only(stretch=0.2)), 0)
        x0, y0, x1, y1 = bounding_box(stretched)
        ratios.append((x1 - x0) / (y1 - y0))
        assert abs(stretched.sum() / disc().sum() - 1) < 0.03
    assert 0.8 < min(ratios) < 0.87 and 1.15 < max(ratios) < 1.25


def test_image_and_mask_are_posed_alike():
    """A white disc on black lies under its mask to within a pixel of the outline."""
    image = np.repeat(disc()[..., None] * np.uint8(255), 3, axis=2)
    for rng in draws(20):
        pose = sample_pose(rng, disc(), only(turn=40, stretch=0.3))
        white = (apply_pose(image, pose, (0, 0, 0))[..., 0] > 127).view(np.uint8)
        assert (white != apply_pose(disc(), pose, 0)).sum() < 0.02 * disc().sum()


def test_a_share_of_objects_is_put_on_another_photo():
    """On a part of it, of the size of the cut; without photos none is."""
    other = np.random.default_rng(0).integers(0, 256, (90, 70, 3), dtype=np.uint8)
    asked = []
    drawn = [sample_backdrop(rng, only(paste=0.3), lambda which: asked.append(which) or other) for rng in draws()]
    found = [each for each in drawn if each is not None]
    assert 0.2 < len(found) / len(drawn) < 0.4 and {each.shape for each in found} == {(224, 224, 3)}
    assert 0 <= min(asked) < 0.2 and 0.8 < max(asked) < 1
    assert sample_backdrop(generator(0, "a", 0), only(paste=1), None) is None


def test_an_object_is_put_on_with_a_soft_outline():
    """Its inside is its own, what lies away from it is the backdrop's, between them they mix."""
    image, background = (np.full((*FRAME, 3), value, np.uint8) for value in (200, 20))
    both = composite(image, disc(), background)
    assert (both[110, 120:180] == 200).all() and (both[:60] == 20).all()
    assert set(np.unique(both[110])) > {20, 200}
    assert composite(image, disc(), None) is image


def test_light_changes_colours_and_not_places():
    """A flat picture stays flat, a step stays where it is."""
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 30:] = (200, 100, 50)
    for rng in draws(20):
        lit = jitter_colours(rng, image, ViewConfig(blur=0))
        assert (lit[:, :30] == lit[0, 0]).all() and (lit[:, 30:] == lit[0, 59]).all()
        assert lit.shape == image.shape and lit.dtype == np.uint8


def test_brightness_contrast_saturation_are_what_they_are_called():
    """Each moves its own measure within the range given, and grey has no colour."""
    image = np.full((8, 8, 3), (120, 80, 60), np.uint8)
    image[:4] = (60, 40, 30)
    bright = [jitter_colours(rng, image, only(brightness=0.25)).mean() / image.mean() for rng in draws(50)]
    assert min(bright) > 0.74 and max(bright) < 1.26 and max(bright) - min(bright) > 0.3
    contrast = [jitter_colours(rng, image, only(contrast=0.25)) for rng in draws(50)]
    assert max(each.std() for each in contrast) > 1.1 * image.std()
    assert max(abs(each.mean() - image.mean()) for each in contrast) < 5
    spread = [np.ptp(jitter_colours(rng, image, only(saturation=0.4))[7, 7].astype(int)) for rng in draws(50)]
    assert min(spread) < 50 < 70 < max(spread)
    grey = jitter_colours(generator(0, "a", 0), image, only(grey=1))
    assert np.ptp(grey.astype(int), axis=2).max() <= 1


def test_a_tint_moves_each_colour_by_itself():
    """Within its range, a grey is grey no longer."""
    grey = np.full((8, 8, 3), 100, np.uint8)
    tinted = np.array([jitter_colours(rng, grey, only(tint=0.1))[0, 0] for rng in draws(50)], int)
    assert tinted.min() >= 90 and tinted.max() <= 110 and np.ptp(tinted, axis=1).max() > 8


def test_blur_softens():
    """A blurred step has values between, its mean stays."""
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 30:] = 200
    soft = jitter_colours(generator(0, "a", 0), image, only(blur=1))
    assert 0 < soft[0, 29, 0] < soft[0, 30, 0] < 200 and abs(soft.mean() - image.mean()) < 2


def test_a_setting_out_of_range_is_refused():
    """The message names it."""
    with pytest.raises(UsageError, match=r"view\.flip"):
        ViewConfig(flip=1.5)
