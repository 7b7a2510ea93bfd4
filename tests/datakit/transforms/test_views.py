"""What training draws: every setting does what it says, nothing it does not, and 0 switches it off."""

from dataclasses import asdict, replace

import cv2
import numpy as np
import pytest

from datakit.config import settings_of
from datakit.errors import UsageError
from datakit.seeds import generator
from datakit.transforms.base import ImageCrop
from datakit.transforms.corruption import corrupt_guide
from datakit.transforms.crop import object_window, whole_window
from datakit.transforms.object_crop import ObjectCrop
from datakit.transforms.pose import sample_pose
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
    crop, image = ObjectCrop.of(disc()), np.random.default_rng(0).integers(0, 256, (*FRAME, 3), dtype=np.uint8)
    for rng in draws(10):
        assert corrupt_guide(rng, crop, STILL) is crop
        assert sample_window(rng, crop, STILL) == object_window(disc(), FRAME, 0.5, 224)
        assert sample_pose(rng, crop, STILL) is None
        cut = ImageCrop(image, disc(), lambda _: image[::-1])
        for transform in STILL.image_transforms:
            cut = transform.apply(cut, transform.sample_params(rng, cut))
        assert cut.image is image


def test_switching_one_thing_off_leaves_the_others_as_they_were():
    """Without faults, a generator stands where it would have stood with them."""
    with_faults, without = generator(0, "a", 0), generator(0, "a", 0)
    corrupt_guide(with_faults, ObjectCrop.of(disc()), ViewConfig(partial=1, off_centre=1, blob=1))
    corrupt_guide(without, ObjectCrop.of(disc()), STILL)
    assert with_faults.random() == without.random()


def test_windows_are_more_or_less_wide_about_the_propagators():
    """Sides lie within the margins drawn, half of them on either side of the propagator's."""
    boxes = [sample_window(rng, ObjectCrop.of(disc()), only(margin_low=0.25, margin_high=1.0)).box for rng in draws()]
    sides = [x1 - x0 for x0, _, x1, _ in boxes]
    assert min(sides) >= round(81 * 1.5) and max(sides) <= 81 * 3
    assert 0.4 < np.mean(np.array(sides) < 81 * 2) < 0.6


def test_windows_are_shifted_by_a_share_of_their_side():
    """The object leaves the middle by that share at most, in both directions."""
    small = ObjectCrop.of(disc((150, 120), 20))
    boxes = [sample_window(rng, small, only(shift=0.2)).box for rng in draws()]
    offsets = np.array([(x0 + x1) / 2 - 150.5 for x0, _, x1, _ in boxes])
    assert offsets.min() < -12 and offsets.max() > 12 and np.abs(offsets).max() <= 0.2 * 82 + 1


def test_a_share_of_windows_shows_everything():
    """And so does every window of an empty mask."""
    windows = [sample_window(rng, ObjectCrop.of(disc()), only(whole=0.3)) for rng in draws()]
    assert 0.2 < np.mean([window == whole_window(FRAME, 224) for window in windows]) < 0.4
    assert sample_window(generator(0, "a", 0), ObjectCrop.nothing(FRAME), ViewConfig()) == whole_window(FRAME, 224)


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


def test_a_setting_out_of_range_is_refused():
    """The message names it."""
    with pytest.raises(UsageError, match=r"view\.flip"):
        ViewConfig(flip=1.5)


def test_image_transforms_take_their_settings_from_the_view():
    """Each field of each transform is the view's setting of that name, with the same default and range."""
    view = only(paste=0.5, brightness=0.125, contrast=0.25, saturation=0.375, tint=0.625, grey=0.75, blur=0.875)
    taken = {name: value for each in view.image_transforms for name, value in asdict(each).items()}
    assert taken == {name: getattr(view, name) for name in taken} and len(taken) == 7
    for each in view.image_transforms:
        for name, field in settings_of(each).items():
            assert (field.default, field.metadata) == (
                settings_of(ViewConfig)[name].default,
                settings_of(ViewConfig)[name].metadata,
            )
