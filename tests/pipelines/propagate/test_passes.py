"""Which frame is made from which annotation, and in which direction."""

import numpy as np
import pytest

from pipelines.propagate.passes import nearest, plan_passes, run_passes
from tests.clips import SIZE, Drifting


def mask(*ids):
    """(H, W) with a row for each id."""
    plane = np.zeros(SIZE, np.uint8)
    for number in ids:
        plane[number * 3] = number
    return plane


def orders(count, masks):
    return [list(each.places) for each in plan_passes(count, masks)]


def test_one_annotation_in_the_first_frame_is_one_pass():
    """Forwards."""
    assert orders(5, {0: mask(1)}) == [[0, 1, 2, 3, 4]]


def test_frames_before_the_only_annotation_are_made_backwards():
    """From it, in both directions."""
    assert orders(5, {2: mask(1)}) == [[2, 3, 4], [1, 0]]


def test_each_frame_is_made_from_the_nearest_annotation():
    """Between two that show the same objects, half of the frames come from each."""
    assert orders(8, {0: mask(1), 5: mask(1)}) == [[0, 1, 2], [4, 3], [5, 6, 7]]


def test_an_object_that_enters_later_is_not_looked_for_before():
    """Its mask is given in passing; the others go on as they were."""
    (only,) = plan_passes(6, {0: mask(1), 3: mask(2)})
    assert list(only.places) == [0, 1, 2, 3, 4, 5]
    assert set(only.masks) == {0, 3}


def test_a_full_annotation_with_a_new_object_goes_back_without_it():
    """The seed of the way back holds what was known before."""
    passes = plan_passes(6, {0: mask(1), 5: mask(1, 2)})
    assert [list(each.places) for each in passes] == [[0, 1, 2], [4, 3], [5]]
    assert set(np.unique(passes[1].seed)) == {0, 1}


def test_an_annotation_of_all_objects_is_gone_back_from_though_one_is_missing():
    """It is gone there; and of what comes later it is not expected."""
    masks = {0: mask(1, 2), 4: mask(1), 8: mask(1)}
    assert orders(10, masks) == [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]
    passes = plan_passes(10, masks, complete=set(masks))
    assert [list(each.places) for each in passes] == [[0, 1, 2], [3], [4, 5, 6], [7], [8, 9]]


def test_an_annotation_of_other_objects_is_not_gone_back_from():
    """None of those that were followed shows in it."""
    passes = plan_passes(6, {0: mask(1), 4: mask(2)}, complete={0, 4})
    assert [list(each.places) for each in passes] == [[0, 1, 2, 3], [4, 5]]
    assert all(each.seed is None for each in passes)


def test_a_network_with_a_memory_is_shown_other_annotations_of_its_objects_first():
    """The nearest last, at most six; of an object that it does not begin with nothing."""
    shown, frames = [], np.zeros((10, *SIZE, 3), np.uint8)

    class Remembering(Drifting):
        def replay(self, made, mask=None, frame=None):
            if mask is not None:
                shown.append(sorted(set(np.unique(made).tolist()) - {0}))
            super().replay(made, mask, frame)

    masks = {0: mask(1), 3: mask(1, 2), 9: mask(1, 2)}
    passes = plan_passes(10, masks, complete=set(masks))
    list(run_passes(passes[:1], Remembering, frames, lambda _: None, lambda _: None, masks))
    assert shown == [[1], [1]]
    assert nearest(range(0, 100, 10), 50) == [20, 80, 30, 70, 40, 60]


@pytest.mark.parametrize("annotated", [[0], [3], [0, 4], [2, 3, 9], [0, 1, 2], [9]])
def test_every_frame_is_made_exactly_once(annotated):
    """Wherever annotations lie."""
    places = [place for order in orders(10, {place: mask(1) for place in annotated}) for place in order]
    assert sorted(places) == list(range(10))


@pytest.mark.parametrize("annotated", [[0], [3], [1, 6]])
@pytest.mark.parametrize("done", [0, 1, 4, 7, 9])
def test_going_on_makes_what_an_undisturbed_run_makes(annotated, done):
    """After any number of frames, in any pass."""
    frames = np.zeros((10, *SIZE, 3), np.uint8)
    passes = plan_passes(10, {place: mask(1, 2) for place in annotated})
    whole = {step.place: step for step in run_passes(passes, Drifting, frames, lambda _: None, lambda _: None)}
    kept = dict(list(whole.items())[:done])

    def written(place):
        return kept[place].labels if place in kept else None

    steps = list(run_passes(passes, Drifting, frames, written, lambda _: None))
    assert sum(step.kept for step in steps) == done
    for step in steps:
        np.testing.assert_array_equal(step.labels, whole[step.place].labels)
        assert step.lost == whole[step.place].lost
