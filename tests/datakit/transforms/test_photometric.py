"""Light: every setting does what it says, to colours and not to places."""

import numpy as np
import pytest

from datakit.errors import UsageError
from datakit.seeds import generator
from datakit.transforms.base import ImageCrop
from datakit.transforms.photometric import Photometric

NOTHING = dict.fromkeys(("brightness", "contrast", "saturation", "tint", "grey", "blur"), 0.0)


def only(**settings):
    return Photometric(**{**NOTHING, **settings})


def draws(count=50):
    return [generator(0, "light", n) for n in range(count)]


def crop_of(image):
    return ImageCrop(image, np.zeros(image.shape[:2], np.uint8))


def lit(image, transform, rng):
    crop = crop_of(image)
    return transform.apply(crop, transform.sample_params(rng, crop)).image


def step_picture():
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 30:] = (200, 100, 50)
    return image


def test_light_changes_colours_and_not_places():
    """A flat picture stays flat, a step stays where it is."""
    for rng in draws(20):
        changed = lit(step_picture(), Photometric(blur=0), rng)
        assert (changed[:, :30] == changed[0, 0]).all() and (changed[:, 30:] == changed[0, 59]).all()
        assert changed.shape == (40, 60, 3) and changed.dtype == np.uint8


def test_brightness_contrast_saturation_are_what_they_are_called():
    """Each moves its own measure within the range given, and grey has no colour."""
    image = np.full((8, 8, 3), (120, 80, 60), np.uint8)
    image[:4] = (60, 40, 30)
    bright = [lit(image, only(brightness=0.25), rng).mean() / image.mean() for rng in draws()]
    assert min(bright) > 0.74 and max(bright) < 1.26 and max(bright) - min(bright) > 0.3
    contrast = [lit(image, only(contrast=0.25), rng) for rng in draws()]
    assert max(each.std() for each in contrast) > 1.1 * image.std()
    assert max(abs(each.mean() - image.mean()) for each in contrast) < 5
    spread = [np.ptp(lit(image, only(saturation=0.4), rng)[7, 7].astype(int)) for rng in draws()]
    assert min(spread) < 50 < 70 < max(spread)
    grey = lit(image, only(grey=1), draws()[0])
    assert np.ptp(grey.astype(int), axis=2).max() <= 1


def test_a_tint_moves_each_colour_by_itself():
    """Within its range, a grey is grey no longer."""
    grey = np.full((8, 8, 3), 100, np.uint8)
    tinted = np.array([lit(grey, only(tint=0.1), rng)[0, 0] for rng in draws()], int)
    assert tinted.min() >= 90 and tinted.max() <= 110 and np.ptp(tinted, axis=1).max() > 8


def test_blur_softens():
    """A blurred step has values between, its mean stays."""
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 30:] = 200
    soft = lit(image, only(blur=1), draws()[0])
    assert 0 < soft[0, 29, 0] < soft[0, 30, 0] < 200 and abs(soft.mean() - image.mean()) < 2


@pytest.mark.parametrize("name", NOTHING)
def test_switching_a_setting_off_leaves_the_generator_where_it_was(name):
    """As many numbers are drawn whatever the settings."""
    one, other = generator(0, "a", 0), generator(0, "a", 0)
    crop = crop_of(step_picture())
    Photometric().sample_params(one, crop)
    Photometric(**{name: 0.0}).sample_params(other, crop)
    assert one.random() == other.random()


def test_a_setting_out_of_range_is_refused():
    """The message names transform and setting."""
    with pytest.raises(UsageError, match=r"photometric\.tint"):
        Photometric(tint=1.5)
