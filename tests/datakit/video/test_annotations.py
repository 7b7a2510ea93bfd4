"""Drawn masks: data sets' and paint programs' ways to say which pixel is which object."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from datakit.errors import DatakitError
from datakit.video.annotations import read_annotation
from tests.clips import labels, write_labels

WHITE, RED, GREEN = (255, 255, 255), (255, 0, 0), (0, 255, 0)
CIRCLE, OTHER = (40, 40, 200, 200), (240, 240, 400, 340)


def painted(tmp_path, mode, *shapes, ground=None):
    """A picture of antialiased ellipses at a quarter of the size they are drawn at."""
    picture = Image.new(mode, (480, 360), ground or 0)
    for box, colour in shapes:
        ImageDraw.Draw(picture).ellipse(box, fill=colour)
    path = tmp_path / "mask.png"
    picture.resize((120, 90), Image.Resampling.LANCZOS).save(path)
    return path


def hard(box):
    picture = Image.new("L", (480, 360))
    ImageDraw.Draw(picture).ellipse(box, fill=255)
    return np.asarray(picture.resize((120, 90), Image.Resampling.BOX)) > 127


def agrees(found, expected):
    """All but a few pixels of the rim."""
    return np.count_nonzero(found != expected) <= 12


@pytest.mark.parametrize(("value", "number"), [(1, 1), (2, 2), (128, 128), (255, 1)])
def test_two_valued_grey_is_one_object(tmp_path, value, number):
    """Its value is its id, but for white."""
    Image.fromarray((labels() == 1).astype(np.uint8) * np.uint8(value)).save(tmp_path / "m.png")
    np.testing.assert_array_equal(read_annotation(tmp_path / "m.png"), (labels() == 1) * np.uint8(number))


def test_palette_ids_are_kept(tmp_path):
    """Also such that have gaps."""
    plane = np.where(labels() == 2, np.uint8(7), labels())
    np.testing.assert_array_equal(read_annotation(write_labels(tmp_path / "m.png", plane)), plane)


def test_255_beside_other_ids_is_void(tmp_path):
    """In a palette and in grey."""
    plane = labels()
    plane[:3] = 255
    expected = np.where(plane == 255, 0, plane)
    np.testing.assert_array_equal(read_annotation(write_labels(tmp_path / "m.png", plane)), expected)
    Image.fromarray(plane).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read_annotation(tmp_path / "grey.png"), expected)


@pytest.mark.parametrize("mode", ["L", "RGB", "LA", "RGBA"])
def test_antialiased_white_on_black_is_one_object(tmp_path, mode):
    """In every way a paint program saves it."""
    opaque = {"L": 255, "RGB": WHITE, "LA": (255, 255), "RGBA": (*WHITE, 255)}[mode]
    ground = {"L": 0, "RGB": (0, 0, 0), "LA": (0, 255), "RGBA": (0, 0, 0, 255)}[mode]
    found = read_annotation(painted(tmp_path, mode, (CIRCLE, opaque), ground=ground))
    assert agrees(found, hard(CIRCLE))


def test_paint_on_a_transparent_layer_is_the_object(tmp_path):
    """Black paint too: what counts is where paint is."""
    for colour in (RED, (0, 0, 0)):
        assert agrees(read_annotation(painted(tmp_path, "RGBA", (CIRCLE, (*colour, 255)))), hard(CIRCLE))


def test_two_colours_are_two_objects_in_the_order_of_their_long_ids(tmp_path):
    """On black, with soft edges that belong to one of them."""
    found = read_annotation(painted(tmp_path, "RGB", (OTHER, RED), (CIRCLE, GREEN)))
    assert agrees(found, np.where(hard(CIRCLE), 2, 0) + np.where(hard(OTHER), 1, 0))


def test_colours_of_the_palette_keep_their_ids(tmp_path):
    """A label picture that was saved as RGB: id 2 is dark green, id 5 purple."""
    found = read_annotation(painted(tmp_path, "RGB", (CIRCLE, (0, 128, 0)), (OTHER, (128, 0, 128))))
    assert set(np.unique(found)) == {0, 2, 5}
    assert agrees(found == 2, hard(CIRCLE))


def test_without_black_the_borders_colour_is_no_object(tmp_path):
    """Red on white."""
    assert agrees(read_annotation(painted(tmp_path, "RGB", (CIRCLE, RED), ground=WHITE)), hard(CIRCLE))


def test_an_empty_mask_is_refused(tmp_path):
    """It says how to draw one."""
    Image.new("L", (64, 48)).save(tmp_path / "m.png")
    with pytest.raises(DatakitError, match=r"m\.png: the mask is empty"):
        read_annotation(tmp_path / "m.png")


def test_a_photo_is_no_mask(tmp_path):
    """No colour of it fills an area."""
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "m.png")
    with pytest.raises(DatakitError, match="flat colours, expected one for each object"):
        read_annotation(tmp_path / "m.png")


def test_a_damaged_mask_is_named(tmp_path):
    """Cut in the middle."""
    path = write_labels(tmp_path / "m.png", labels())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DatakitError, match=r"m\.png: ends after"):
        read_annotation(path)
