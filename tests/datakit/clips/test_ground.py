"""What lies behind an object, and what is its own."""

import numpy as np
import pytest

from datakit.clips.ground import of_objects, without_objects
from tests.clip_stills import made_photo

SIZE = (90, 120)


def disc(x, y, radius, size=SIZE):
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]]
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def ramp():
    """A ground that grows brighter to the right and downwards."""
    rows, columns = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    return np.stack([60 + columns, 40 + rows, np.full(SIZE, 90)], 2).astype(np.uint8)


def test_a_hole_in_a_smooth_ground_is_filled_smoothly():
    labels = disc(60, 45, 15).astype(np.uint8)
    photo = np.where(labels[..., None] > 0, np.uint8(255), ramp())
    filled = without_objects(photo, labels, [1])
    assert np.abs(filled.astype(int) - ramp()).max() <= 16
    assert np.abs(np.diff(filled.astype(int), axis=1)).max() <= 14, "no seam"


def test_nothing_beyond_the_rim_is_touched():
    labels = disc(60, 45, 15).astype(np.uint8)
    photo = made_photo(SIZE)
    filled = without_objects(photo, labels, [1])
    assert np.array_equal(filled[~disc(60, 45, 19)], photo[~disc(60, 45, 19)])
    assert not np.array_equal(filled[labels > 0], photo[labels > 0])


def test_nothing_of_the_object_is_left():
    """Not even of its blurred outline."""
    labels = disc(60, 45, 14).astype(np.uint8)
    photo = np.where(disc(60, 45, 15)[..., None], np.uint8([255, 0, 0]), np.uint8([0, 90, 0]))
    assert not without_objects(photo, labels, [1])[..., 0].any()


def test_the_grain_of_the_ground_goes_on_in_the_hole():
    photo = np.random.default_rng(0).integers(90, 130, (*SIZE, 3), np.uint8)
    labels = disc(60, 45, 15).astype(np.uint8)
    filled = without_objects(np.where(labels[..., None] > 0, np.uint8(255), photo), labels, [1])
    assert filled[labels > 0].std() == pytest.approx(photo.std(), rel=0.25)


def test_an_object_that_stays_is_neither_touched_nor_used():
    labels = disc(50, 45, 12).astype(np.uint8)
    labels[disc(74, 45, 11)] = 2
    photo = np.full((*SIZE, 3), 100, np.uint8)
    photo[labels == 2] = (255, 0, 0)
    filled = without_objects(photo, labels, [1])
    assert np.array_equal(filled, photo)


@pytest.mark.parametrize("labels", [np.zeros(SIZE, np.uint8), np.ones(SIZE, np.uint8)])
def test_the_photo_itself_where_there_is_no_object_or_no_ground(labels):
    photo = made_photo(SIZE)
    assert without_objects(photo, labels, [1]) is photo


@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("size", [(90, 120), (91, 117)])
def test_a_smaller_photo_is_filled_at_the_same_place(factor, size):
    labels = disc(60, 45, 20, size).astype(np.uint8)
    small = np.full((-(-size[0] // factor), -(-size[1] // factor), 3), 100, np.uint8)
    small[45 // factor, 60 // factor] = 255
    assert (without_objects(small, labels, [1], factor) == 100).all()


def test_an_object_at_the_border_is_taken_out():
    labels = disc(0, 89, 30).astype(np.uint8)
    photo = np.where(labels[..., None] > 0, np.uint8(255), np.uint8(100)).repeat(3, 2)
    assert (without_objects(photo, labels, [1]) == 100).all()


def test_an_objects_colours_go_on_beyond_its_outline():
    labels = disc(60, 45, 20).astype(np.uint8)
    photo = np.where(disc(60, 45, 19)[..., None], np.uint8([200, 30, 30]), np.uint8([0, 0, 0]))
    own = of_objects(photo, labels, [1])
    assert (own[disc(60, 45, 21)] == (200, 30, 30)).all()
    assert np.array_equal(own[~disc(60, 45, 26)], photo[~disc(60, 45, 26)])
    assert np.array_equal(own[disc(60, 45, 18)], photo[disc(60, 45, 18)])


def test_a_thin_object_keeps_its_colours():
    labels = np.zeros(SIZE, np.uint8)
    labels[40, 20:60] = 1
    photo = made_photo(SIZE)
    assert np.array_equal(of_objects(photo, labels, [1]), photo)
