"""Windows lie where propagation needs them, and what is cut out of image and mask shows the same."""

import cv2
import numpy as np
import pytest

from datakit.transforms.crop import (
    MIN_SIDE,
    Window,
    cut_image,
    cut_mask,
    frame_window,
    object_window,
    paste_back,
    whole_window,
)

FRAME = (240, 320)
GREY = (127, 127, 127)


def disc(centre=(150, 110), radius=40, frame=FRAME):
    return cv2.circle(np.zeros(frame, np.uint8), centre, radius, 1, -1)


def picture_of(mask):
    return np.repeat(mask[..., None] * np.uint8(255), 3, axis=2)


def overlap(a, b):
    return (a & b).sum() / (a | b).sum()


def test_the_window_is_a_square_with_room_on_every_side():
    """An object of 80 pixels with half of that on every side fills the middle of 160 pixels."""
    window = object_window((100, 60, 180, 120), FRAME, 0.5, 224)
    assert window == Window((60, 10, 220, 170), (224, 224))


def test_a_mask_stands_for_its_box():
    """The window around a mask is the one around its bounding box."""
    assert object_window(disc(), FRAME, 0.5, 64) == object_window((110, 70, 191, 151), FRAME, 0.5, 64)


def test_the_window_moves_into_the_frame_where_it_fits():
    """An object in the corner is looked at from a window that ends with the frame."""
    assert object_window((0, 0, 40, 40), FRAME, 0.5, 64).box == (0, 0, 80, 80)
    assert object_window((300, 220, 320, 240), FRAME, 1.0, 64).box == (260, 180, 320, 240)


def test_a_window_wider_than_the_frame_is_centred_on_it():
    """Where only the height is too small, the window moves sideways alone."""
    assert object_window((20, 20, 180, 200), FRAME, 0.3, 64).box == (0, -24, 288, 264)


def test_the_window_is_neither_a_speck_nor_larger_than_the_frame():
    """A few pixels get the least side, the whole frame its longer side."""
    x0, y0, x1, y1 = object_window((100, 100, 103, 102), FRAME, 0.5, 64).box
    assert (x1 - x0, y1 - y0) == (MIN_SIDE, MIN_SIDE)
    assert object_window((0, 0, 320, 240), FRAME, 0.5, 64) == whole_window(FRAME, 64)
    assert object_window((2, 2, 9, 9), (20, 16), 0.5, 64).box == (-2, 0, 18, 20)


def test_no_object_means_the_whole_frame():
    """An empty mask gives the square around the frame."""
    assert object_window(np.zeros(FRAME, np.uint8), FRAME, 0.5, 64).box == (0, -40, 320, 280)


def test_the_frame_in_its_own_shape():
    """Its longer side gets the size asked for, nothing lies beyond it."""
    window = frame_window((480, 854), 427)
    assert window == Window((0, 0, 854, 480), (240, 427))
    assert window.is_inside((480, 854))


def test_beyond_the_frame_there_is_the_fill():
    """Image and mask show their fill where the window reaches out, and the frame where it does not."""
    window = whole_window(FRAME, 320)
    image, mask = cut_image(np.full((*FRAME, 3), 9, np.uint8), window, (1, 2, 3)), cut_mask(disc(), window, 7)
    assert (image[:40] == (1, 2, 3)).all() and (image[40:280] == 9).all() and (image[280:] == (1, 2, 3)).all()
    assert (mask[:40] == 7).all() and (mask[40:280] == disc()).all()
    assert not window.is_inside(FRAME)


def test_a_window_of_the_cuts_size_is_the_frames_own_pixels():
    """Nothing is resampled at scale 1."""
    image = np.random.default_rng(0).integers(0, 256, (*FRAME, 3), dtype=np.uint8)
    assert np.array_equal(cut_image(image, Window((30, 20, 94, 84), (64, 64)), GREY), image[20:84, 30:94])


@pytest.mark.parametrize("side", [50, 111, 224, 300, 448, 700])
def test_image_and_mask_are_cut_alike(side):
    """The picture of a mask, cut as a picture, shows the mask cut as a mask, at any scale to a fraction of a pixel."""
    mask = disc((451, 383), 41 * side // 111, (800, 900))
    window = Window((460 - side // 2, 390 - side // 2, 460 - side // 2 + side, 390 - side // 2 + side), (224, 224))
    image, cut = cut_image(picture_of(mask), window, GREY)[..., 0] / 255, cut_mask(mask, window)
    rows, columns = np.mgrid[:224, :224]
    for along in (rows, columns):
        assert (image * along).sum() / image.sum() == pytest.approx((cut * along).sum() / cut.sum(), abs=0.3)
    assert overlap(image > 0.5, cut > 0) > 0.95


def test_strong_shrinking_takes_the_mean():
    """Fine stripes become grey instead of a moiré."""
    stripes = np.zeros((640, 640, 3), np.uint8)
    stripes[:, ::2] = 255
    image = cut_image(stripes, whole_window((640, 640), 64), GREY)
    assert image.min() >= 127 and image.max() <= 128


@pytest.mark.parametrize("size", [80, 150, 224])
def test_mirroring_before_is_mirroring_after(size):
    """The mirrored window of a mirrored frame shows the mirrored cut."""
    image = np.random.default_rng(1).integers(0, 256, (*FRAME, 3), dtype=np.uint8)
    x0, y0, x1, y1 = 30, -8, 180, 142
    window, mirrored = Window((x0, y0, x1, y1), (size, size)), Window((320 - x1, y0, 320 - x0, y1), (size, size))
    cut, other = cut_image(image, window, GREY), cut_image(np.ascontiguousarray(image[:, ::-1]), mirrored, GREY)
    assert np.abs(cut[:, ::-1].astype(int) - other).max() <= 1
    mask, other = cut_mask(disc(), window), cut_mask(np.ascontiguousarray(disc()[:, ::-1]), mirrored)
    assert overlap(mask[:, ::-1], other) > 0.97


@pytest.mark.parametrize("window", [object_window(disc(), FRAME, 0.5, 224), whole_window(FRAME, 224),
                                    frame_window(FRAME, 224), object_window(disc(), FRAME, 0.2, 97)])  # fmt: skip
@pytest.mark.parametrize("stride", [1, 4])
def test_pasting_a_cut_gives_the_object_back(window, stride):
    """Scores of a disc, also at a network's stride, make the disc again."""
    h, w = (side // stride for side in window.size)
    scores = cv2.resize(cut_mask(disc(), window).astype(np.float32) - 0.5, (w, h), interpolation=cv2.INTER_AREA)
    assert overlap((paste_back(scores, window, FRAME, -1.0) > 0).view(np.uint8), disc()) > 0.97


def test_pasting_leaves_the_rest_as_told():
    """Beyond the window every pixel has the score given for it."""
    window = Window((100, 60, 180, 140), (40, 40))
    whole = paste_back(np.full((40, 40), 3, np.float32), window, FRAME, -20.0)
    assert (whole[60:140, 100:180] == 3).all() and (whole == 3).sum() == 80 * 80
    assert whole.dtype == np.float32 and whole.min() == -20


def test_the_cut_is_nobody_elses_memory():
    """What is done to a cut is not done to the frame."""
    mask = disc()
    cut_mask(mask, Window((0, 0, 320, 240), (240, 320)))[:] = 1
    assert not mask.all()
