"""Changes of colour against Pillow's, which the published loaders use, and how they are drawn."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from datakit.clips import CLIP_PRESETS, Colour
from datakit.clips.colour import shaded
from datakit.clips.plan import Shade
from datakit.errors import UsageError
from datakit.seeds import generator
from tests.clip_stills import made_photo

PHOTO = made_photo((120, 160))


@pytest.mark.parametrize(
    ("kind", "enhance"),
    [("brightness", ImageEnhance.Brightness), ("contrast", ImageEnhance.Contrast), ("saturation", ImageEnhance.Color)],
)
@pytest.mark.parametrize("factor", [0.6, 0.95, 1.4])
def test_a_change_is_pillows_to_a_level(kind, enhance, factor):
    expected = np.asarray(enhance(Image.fromarray(PHOTO)).enhance(factor)).astype(int)
    assert np.abs(shaded(PHOTO, [Shade(kind, factor)]) - expected).max() <= 1


def test_grey_is_pillows_to_a_level():
    expected = np.asarray(Image.fromarray(PHOTO).convert("L")).astype(int)[..., None]
    assert np.abs(shaded(PHOTO, [Shade("grey", 1.0)]) - expected).max() <= 1


@pytest.mark.parametrize("turns", [-0.1, 0.03, 0.25])
def test_hue_is_pillows_but_for_a_few_levels(turns):
    """OpenCV and Pillow round hue, saturation and value in their own ways."""
    h, s, v = Image.fromarray(PHOTO).convert("HSV").split()
    moved = ((np.asarray(h).astype(int) + int(turns * 255)) % 256).astype(np.uint8)
    expected = np.asarray(Image.merge("HSV", (Image.fromarray(moved), s, v)).convert("RGB")).astype(int)
    away = np.abs(shaded(PHOTO, [Shade("hue", turns)]) - expected)
    assert away.mean() < 1.5


def test_changes_are_made_in_their_order():
    first, second = Shade("brightness", 2.5), Shade("hue", 0.25)
    assert not np.array_equal(shaded(PHOTO, [first, second]), shaded(PHOTO, [second, first]))
    step_by_step = shaded(shaded(PHOTO, [first]), [second]).astype(int)
    assert np.abs(shaded(PHOTO, [first, second]) - step_by_step).max() <= 1


def test_nothing_to_change_gives_the_picture_itself():
    assert shaded(PHOTO, []) is PHOTO


def test_a_colour_is_changed_by_itself():
    image = np.full((4, 4, 3), 100, np.uint8)
    made = shaded(image, [Shade("red", 1.5), Shade("blue", 0.5)])
    assert made[0, 0].tolist() == [150, 100, 50]


def test_a_picture_can_be_changed_in_place():
    picture = PHOTO.copy()
    assert shaded(picture, [Shade("hue", 0.1), Shade("blur", 1.0)], into=picture) is picture
    assert np.array_equal(picture, shaded(PHOTO, [Shade("hue", 0.1), Shade("blur", 1.0)]))


def test_a_change_that_is_off_is_not_drawn():
    rng = generator(0, "colour", 0)
    assert Colour().draw_clip(rng) == () and Colour().draw_frame(rng, 1) == ()
    assert {each.kind for each in Colour(hue=0.1, saturation=0.2).draw_frame(rng, 1)} == {"hue", "saturation"}


def test_frame_0_can_be_left_alone():
    rng = generator(0, "colour", 0)
    colour = Colour(brightness=0.5, first=False)
    assert colour.draw_frame(rng, 0) == ()
    assert colour.draw_frame(rng, 1)


def test_every_order_of_changes_is_as_likely():
    rng = generator(0, "order", 0)
    drawn = [tuple(each.kind for each in CLIP_PRESETS["aot"].colour.draw_frame(rng, 0)) for _ in range(4800)]
    counts = np.unique(drawn, axis=0, return_counts=True)[1]
    assert len(counts) == 24
    assert counts.min() > 140 and counts.max() < 260


def test_a_setting_beyond_its_range_is_named():
    with pytest.raises(UsageError, match=r"colour\.hue: 0\.7 is outside"):
        Colour(hue=0.7)
