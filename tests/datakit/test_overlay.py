"""Frames with their objects drawn on them, and the sheet of them."""

import numpy as np
import pytest

from datakit.preview import chosen_frames, overlay, shown_size, video_sheet
from datakit.video.palette import bright_colours, palette
from tests.clips import frame, labels


def test_the_palette_is_that_of_davis():
    """Known entries: black, dark red, dark green, olive; and its last, white-ish grey."""
    colours = np.array(palette()).reshape(256, 3)
    assert colours[[0, 1, 2, 3, 4, 8]].tolist() == [
        [0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128], [64, 0, 0]
    ]  # fmt: skip
    assert colours[255].tolist() == [224, 224, 192]


def test_objects_are_tinted_in_their_colour_and_the_ground_is_not():
    """Inside towards the colour of the id, outside as it was."""
    image, plane = frame(3, (96, 128)), labels(0, (96, 128))
    drawn = overlay(image, plane, "7").astype(int)
    toward = bright_colours()[2].astype(int)
    inside, outside = (35, 40), (80, 100)
    assert np.abs(drawn[inside] - toward).sum() < np.abs(image[inside].astype(int) - toward).sum()
    np.testing.assert_array_equal(drawn[outside], image[outside])


def test_without_objects_only_the_caption_is_drawn():
    """Beside its patch nothing changes."""
    image = frame(3, (96, 128))
    drawn = overlay(image, np.zeros((96, 128), np.uint8), "00007")
    np.testing.assert_array_equal(drawn[30:], image[30:])
    assert (drawn[:20, :40] != image[:20, :40]).any()


@pytest.mark.parametrize(
    ("size", "shown"), [((480, 854), (360, 640)), ((1920, 1080), (640, 360)), ((97, 131), (96, 132)), ((1, 1), (2, 2))]
)
def test_pictures_of_a_film_are_even_and_not_too_large(size, shown):
    """Within a pixel of the frame's proportions."""
    assert shown_size(size) == shown
    assert overlay(np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8), "").shape[:2] == shown


def test_a_sheet_shows_first_last_and_marked_frames():
    """And no more than fit."""
    chosen = chosen_frames(100, [33, 34])
    assert len(chosen) == 16
    assert {0, 33, 34, 99} <= set(chosen)
    assert chosen_frames(5) == [0, 1, 2, 3, 4]


def test_a_sheet_holds_all_its_pictures():
    """Every cell but those of the last row's end differs from paper."""
    cells = [(frame(k), labels(k), str(k)) for k in range(5)]
    sheet = video_sheet(cells, "clip")
    alone = video_sheet(cells[:1], "clip")
    assert sheet.shape[1] > 3 * alone.shape[1] > 0
    assert sheet.shape[0] > alone.shape[0]
