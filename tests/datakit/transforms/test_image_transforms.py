"""What holds for every transform of an image: parameters are drawn first, applying them is a pure function."""

import cv2
import numpy as np
import pytest

from datakit.config import settings_of
from datakit.seeds import generator
from datakit.transforms.base import ImageCrop
from datakit.transforms.views import IMAGE_TRANSFORMS

every_transform = pytest.mark.parametrize("kind", IMAGE_TRANSFORMS, ids=lambda kind: kind.kind)
SIDE = 64
TARGET = cv2.circle(np.zeros((SIDE, SIDE), np.uint8), (30, 34), 14, 1, -1)
NOISE = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def crop():
    return ImageCrop(NOISE.copy(), TARGET.copy(), lambda _: NOISE[::-1])


def at_most(kind):
    """The transform with every setting at the end of its range."""
    return kind(**{name: each.metadata["high"] for name, each in settings_of(kind).items()})


@every_transform
def test_every_number_drawn_has_a_name(kind):
    """One each, of different names; the same generator gives the same numbers."""
    first, again = (kind().sample_params(generator(0, "a", 1), crop()) for _ in range(2))
    names = kind().parameter_names
    assert first.shape == (len(names),) and len(set(names)) == len(names) and first.dtype == np.float64
    np.testing.assert_array_equal(first, again)


@every_transform
def test_the_same_numbers_give_the_same_image(kind):
    """Another one than before, of its shape; what they are applied to stays, and so does the object."""
    shown, transform = crop(), at_most(kind)
    parameters = transform.sample_params(generator(0, "a", 1), shown)
    first, again = (transform.apply(shown, parameters) for _ in range(2))
    np.testing.assert_array_equal(first.image, again.image)
    assert (first.image != NOISE).any() and (first.image.shape, first.image.dtype) == (NOISE.shape, np.uint8)
    np.testing.assert_array_equal(shown.image, NOISE)
    assert first.target is shown.target and np.array_equal(shown.target, TARGET)


@every_transform
def test_without_numbers_the_image_stays(kind):
    """NaN says that the transform does not apply."""
    shown = crop()
    assert kind().apply(shown, np.full(len(kind().parameter_names), np.nan)) is shown


@every_transform
def test_settings_change_what_is_drawn_and_not_how_much(kind):
    """With all of them at 0 the image stays, and the generator stands where it would have stood."""
    off, shown = kind(**dict.fromkeys(settings_of(kind), 0.0)), crop()
    one, other = generator(0, "a", 1), generator(0, "a", 1)
    at_most(kind).sample_params(one, shown)
    assert off.apply(shown, off.sample_params(other, shown)).image is shown.image
    assert one.random() == other.random()


@every_transform
def test_captions_name_what_was_drawn(kind):
    """A line for each number, with the transform's name."""
    drawn = at_most(kind).sample_params(generator(0, "a", 1), crop())
    said = kind().describe(dict(zip(kind().parameter_names, drawn.tolist(), strict=True)))
    assert len(said) == len(drawn) and all(line.startswith(kind.kind) for line in said)
