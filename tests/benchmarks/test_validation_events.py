"""Swaps and returns, on clips of a few pixels whose events are known."""

import numpy as np
import pytest

from benchmarks.validation_events import Events, clip_events, longest, overlaps

FRAMES = 14


def film(*tracks):
    """(T, 1, 40) ids: of object 1, 2 … the first column of its 4 in each frame, None where it is hidden."""
    labels = np.zeros((len(tracks[0]), 1, 40), np.uint8)
    for number, track in enumerate(tracks, 1):
        for frame, left in enumerate(track):
            if left is not None:
                labels[frame, 0, left : left + 4] = number
    return labels


def events(predicted, true, objects):
    """Of two films."""
    return clip_events(zip(predicted, true, strict=True), objects)


def hidden(first, after, left=20):
    """A track at one place that is hidden from one frame on and back from another on."""
    return [None if first <= frame < after else left for frame in range(FRAMES)]


STILL = film([0] * FRAMES, [20] * FRAMES)


def test_overlaps_count_pixels_by_predicted_and_true_id():
    """Rows are predictions; an id beyond the objects counts as ground."""
    predicted, true = np.array([[1, 1, 2, 7]], np.uint8), np.array([[1, 0, 1, 2]], np.uint8)
    assert overlaps(predicted, true, 2).tolist() == [[0, 0, 1], [1, 1, 0], [0, 1, 0]]


def test_a_perfect_prediction_swaps_nothing():
    """Nor does anything return that never left."""
    assert events(STILL, STILL, 2) == Events(swaps=0, returns=0, found=0)


@pytest.mark.parametrize(("frames", "swaps"), [(2, 0), (3, 2), (9, 2)])
def test_objects_that_trade_places_for_three_frames_are_swapped(frames, swaps):
    """Each object counts once, however long it lasts."""
    places = [(20, 0) if 3 <= frame < 3 + frames else (0, 20) for frame in range(FRAMES)]
    assert events(film(*zip(*places, strict=True)), STILL, 2).swaps == swaps


def test_a_region_that_mostly_lies_on_its_own_object_is_not_swapped():
    """Even if it reaches over the other."""
    predicted = STILL.copy()
    predicted[:, 0, 20:22] = 1
    assert events(predicted, STILL, 2).swaps == 0


def test_three_swapped_frames_apart_are_no_swap():
    """They must follow each other."""
    places = [(20, 0) if frame in (3, 5, 7) else (0, 20) for frame in range(FRAMES)]
    assert events(film(*zip(*places, strict=True)), STILL, 2).swaps == 0


@pytest.mark.parametrize(
    ("first", "after", "returns"),
    [(3, 5, 1), (3, 4, 0), (3, 9, 1), (3, 10, 0), (3, FRAMES, 0)],
    ids=["two frames", "one frame", "five frames are left", "four frames are left", "never back"],
)
def test_a_return_is_hidden_for_two_frames_and_back_for_five(first, after, returns):
    """Else there is nothing to be found, or no time for it."""
    true = film(hidden(first, after))
    assert events(true, true, 1) == Events(0, returns, returns)


@pytest.mark.parametrize(("frame", "found"), [(6, 1), (10, 1), (11, 0)])
def test_an_object_is_found_in_the_first_five_frames_or_not(frame, found):
    """Back in frame 6, predicted from some frame on."""
    predicted = film(hidden(3, frame))
    assert events(predicted, film(hidden(3, 6)), 1) == Events(0, 1, found)


@pytest.mark.parametrize(("left", "found"), [(21, 1), (22, 0)])
def test_found_means_half_of_the_union(left, found):
    """Of 4 pixels, moved by one: 3 of 5; by two: 2 of 6."""
    assert events(film(hidden(3, 6, left)), film(hidden(3, 6)), 1).found == found


def test_the_longest_run_is_counted():
    """None where nothing is true."""
    assert longest([True, False, True, True, False]) == 2
    assert longest([False]) == longest([]) == 0
