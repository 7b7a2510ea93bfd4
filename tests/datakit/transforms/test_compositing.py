"""Copy-paste: a share of objects comes to lie on a part of another photo."""

import cv2
import numpy as np
import pytest

from datakit.seeds import generator
from datakit.transforms.base import ImageCrop
from datakit.transforms.compositing import Compositing, composite

SIDE = 224
TARGET = cv2.circle(np.zeros((SIDE, SIDE), np.uint8), (100, 110), 40, 1, -1)
IMAGE = np.full((SIDE, SIDE, 3), 200, np.uint8)
OTHER = np.random.default_rng(0).integers(0, 100, (90, 70, 3), dtype=np.uint8)


def pasted(transform, crop, rng):
    return transform.apply(crop, transform.sample_params(rng, crop))


def test_a_share_of_objects_is_put_on_another_photo():
    """Any of the photos; image and object keep their size."""
    asked = []
    crop = ImageCrop(IMAGE, TARGET, lambda which: asked.append(which) or OTHER)
    drawn = [pasted(Compositing(paste=0.3), crop, generator(0, "views", n)) for n in range(200)]
    found = [each.image for each in drawn if each is not crop]
    assert len(found) == len(asked) and 0.2 < len(found) / len(drawn) < 0.4
    assert {each.shape for each in found} == {(SIDE, SIDE, 3)} and all(each.target is TARGET for each in drawn)
    assert 0 <= min(asked) < 0.2 and 0.8 < max(asked) < 1


def test_without_another_photo_the_object_stays():
    """Whether there are none, or none for that number; as many numbers are drawn."""
    always = Compositing(paste=1)
    for photos in (None, lambda _: None):
        crop, rng, other = ImageCrop(IMAGE, TARGET, photos), generator(0, "a", 0), generator(0, "a", 0)
        assert pasted(always, crop, rng) is crop
        Compositing(paste=0).sample_params(other, crop)
        assert rng.random() == other.random()


def test_the_part_is_where_it_was_drawn():
    """At the drawn place of the other photo, half its shorter side at least."""
    ramp = np.repeat(np.arange(200, dtype=np.uint8)[None, :, None].repeat(100, 0), 3, axis=2)
    crop = ImageCrop(IMAGE, np.zeros_like(TARGET), lambda _: ramp)
    left, right = (Compositing().apply(crop, np.array([0, 0, across, 0.5])).image[..., 0] for across in (0.0, 1.0))
    assert (left.min(), left.max()) == (0, 49) and (right.min(), right.max()) == (150, 199)


def test_an_object_is_put_on_with_a_soft_outline():
    """Its inside is its own, what lies away from it is the backdrop's, between them they mix."""
    both = composite(IMAGE, TARGET, np.full_like(IMAGE, 20))
    assert (both[110, 70:130] == 200).all() and (both[:60] == 20).all()
    assert set(np.unique(both[110])) > {20, 200}


@pytest.mark.parametrize("centre", [(30, 30), (0, 12), (63, 63), (500, 500)])
def test_a_blend_near_the_object_is_a_blend_of_everything(centre):
    """Nothing farther from the outline than the blur reaches is the object's; at the edge, too."""
    image, backdrop = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    target = cv2.circle(np.zeros((64, 64), np.uint8), centre, 9, 1, -1)
    share = cv2.GaussianBlur(target * np.float32(1), (5, 5), 1.0)
    everywhere = cv2.blendLinear(image, backdrop, share, 1 - share)
    assert cv2.absdiff(composite(image, target, backdrop), everywhere).max() <= 1  # OpenCV rounds by place
