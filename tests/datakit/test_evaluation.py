"""Conventions: which frames and objects count, and what the scores of many become."""

from __future__ import annotations

import numpy as np
import pytest

from datakit.errors import Mismatch
from datakit.evaluation import CONVENTIONS, FrameResult, score_frame, score_sequence, score_set
from datakit.metrics import Measures, statistics
from datakit.video.labels import LabelMap
from tests.labelled import labels_of

FRAMES = [f"{number:05d}" for number in range(6)]


def label_map(labels, ignore=None):
    ids = tuple(int(value) for value in np.unique(labels) if value)
    return LabelMap(labels, ids, ignore)


def results(ids_of_frames, measures=None, predicted=None):
    """One result a frame; the first is not measured."""
    measures = measures or {}
    made = [FrameResult(FRAMES[0], ids_of_frames[0])]
    for number, ids in enumerate(ids_of_frames[1:], 1):
        values = {each: measures.get((each, number), Measures(0.5, 0.25)) for each in ids}
        made.append(FrameResult(FRAMES[number], ids, ids if predicted is None else predicted[number], values))
    return made


def ids_of(sequence):
    return [each.id for each in sequence.objects]


@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("davis2016", FRAMES[1:-1]),
        ("davis2017", FRAMES[1:-1]),
        ("youtube-objects", FRAMES[1:]),
        ("segtrack", FRAMES[1:]),
    ],
)
def test_frames_that_count(name, frames):
    """DAVIS leaves out the first and the last, the others only the first."""
    assert CONVENTIONS[name].scored_frames(FRAMES) == frames
    assert CONVENTIONS[name].scored_frames(FRAMES[:1]) == []


def test_merged_frames_know_one_object():
    """Ids may be swapped or missing; only the union counts."""
    target, prediction = label_map(labels_of(0, (1, 2))), label_map(labels_of(0, (2, 7)))
    assert score_frame("a", target, prediction, True).measures == {1: (1.0, 1.0)}
    assert score_frame("a", label_map(labels_of(0, (255,))), prediction, True).measures[1].J == 0.5


def test_every_id_is_measured_by_itself():
    """Those of either side; one that only one side has is wrong altogether."""
    found = score_frame("a", label_map(labels_of(0, (1, 2))), label_map(labels_of(0, (1, 3))), False)
    assert found.measures == {1: (1.0, 1.0), 2: (0.0, 0.0), 3: (0.0, 0.0)}
    assert (found.ids, found.predicted) == ((1, 2), (1, 3))


def test_void_of_the_ground_truth_is_not_judged():
    """Neither merged nor by object."""
    labels, ignore = labels_of(0, (1, 2)), np.zeros((40, 60), np.uint8)
    prediction = label_map(labels.copy())
    prediction.labels[30:] = 1
    ignore[28:] = 1
    assert score_frame("a", label_map(labels, ignore), prediction, True).measures == {1: (1.0, 1.0)}
    assert set(score_frame("a", label_map(labels, ignore), prediction, False).measures.values()) == {(1.0, 1.0)}


def test_davis2017_scores_the_objects_of_the_first_frame():
    """An object that enters later does not count and is named; one that is gone everywhere counts as found."""
    found = score_sequence("s", results([(1, 2), (1, 2), (1, 3), (1, 3)], predicted=[(), (1,), (1,), (1,)]),
                           CONVENTIONS["davis2017"])  # fmt: skip
    assert ids_of(found) == [1, 2] and found.left_out == (3,)
    assert found.objects[1].J.tolist() == [0.5, 1, 1] and found.objects[1].frames == ("00001", "00002", "00003")


@pytest.mark.parametrize("name", ["youtube-objects", "segtrack"])
def test_objects_may_enter_where_ground_truth_gives_them(name):
    """Each counts from the frame after its first one; one that is given in the last frame alone never does."""
    found = score_sequence("s", results([(1,), (1,), (1, 2), (1, 2), (1, 2, 3)]), CONVENTIONS[name])
    assert {each.id: each.frames for each in found.objects} == {1: tuple(FRAMES[1:5]), 2: tuple(FRAMES[3:5])}
    assert found.left_out == (3,)


@pytest.mark.parametrize("name", ["davis2017", "youtube-objects", "segtrack"])
def test_an_id_that_is_no_object_is_refused(name):
    """By its number, its frames and the ids there are."""
    predicted = [(), (1,), (1, 4), (1, 4), (1,), (1,)]
    with pytest.raises(Mismatch, match=r"^s: predictions hold id 4 in 00002, 00003; objects of its ground truth: 1;"):
        score_sequence("s", results([(1,)] * 6, predicted=predicted), CONVENTIONS[name])


def test_davis2016_takes_any_id():
    """All are one object."""
    frames = [FrameResult("a", (1,), (5, 6), {1: Measures(0.75, 0.5)})]
    assert score_sequence("s", frames, CONVENTIONS["davis2016"]).scores.J.mean == 0.75


@pytest.mark.parametrize(("ids", "why"), [([(1,)], "no frame is left"), ([(), (), ()], "holds no object")])
def test_a_sequence_with_nothing_to_score_is_refused(ids, why):
    """There is no mean of nothing."""
    with pytest.raises(Mismatch, match=f"^s: .*{why}.*davis2017"):
        score_sequence("s", results(ids, predicted=[()] * len(ids)), CONVENTIONS["davis2017"])


def made_set(name):
    """Two sequences, one with an object of J 0.9, one with three of J 0.3."""
    many = {(each, number): Measures(0.3, 0.5) for each in (1, 2, 3) for number in range(6)}
    one = {(1, number): Measures(0.9, 0.5) for number in range(6)}
    convention = CONVENTIONS[name]
    sequences = [score_sequence("a", results([(1,)] * 6, one), convention),
                 score_sequence("b", results([(1, 2, 3)] * 6, many), convention)]  # fmt: skip
    return score_set(sequences, convention)


@pytest.mark.parametrize(("name", "expected"), [("davis2017", (0.9 + 3 * 0.3) / 4), ("segtrack", (0.9 + 0.3) / 2)])
def test_a_set_is_the_mean_over_objects_or_sequences(name, expected):
    """DAVIS counts objects, MaskTrack's paper counts videos on the other two sets."""
    assert made_set(name).scores.J.mean == pytest.approx(expected, abs=1e-12)


def test_scores_of_many_are_means_of_their_scores():
    """Recall and decay too, and J&F is the mean of J and F."""
    rng = np.random.default_rng(0)
    measures = {(each, number): Measures(*rng.random(2)) for each in (1, 2) for number in range(6)}
    found = score_sequence("s", results([(1, 2)] * 6, measures), CONVENTIONS["davis2017"])
    by_hand = [statistics(np.array([measures[each, number].J for number in range(1, 6)])) for each in (1, 2)]
    assert pytest.approx(np.mean(by_hand, axis=0)) == found.scores.J
    assert found.scores.of("J&F") == pytest.approx((np.array(found.scores.J) + found.scores.F) / 2)
