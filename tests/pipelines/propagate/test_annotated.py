"""Several annotated frames of a sequence: which are given, what is written of them, and what the report says."""

import json

import numpy as np
import pytest

from datakit.video.labels import read_labels
from pipelines.propagate.masks import Spacing
from tests.clips import contents, draw_folder, labels, write_labels

FRAMES = 8
EVERY = ("--annotate-every", 3)


@pytest.fixture
def davis(tmp_path):
    """One sequence, annotated in every frame; object 2 is gone in frames 3 to 5, object 3 enters in frame 4."""
    root = tmp_path / "davis"
    draw_folder(root / "JPEGImages/480p/clip", FRAMES, ".jpg")
    for number in range(FRAMES):
        write_labels(annotation(root, number), truth(number))
    return root


@pytest.fixture
def propagated(datakit, davis, tmp_path, no_weights):
    """Propagates the tree with some words more; the folder of results."""

    def run(*words, out="out"):
        found = datakit("propagate", "--davis", davis, "--out", tmp_path / out, *words)
        assert found.exit_code == 0, found.output
        return tmp_path / out

    return run


def annotation(root, number):
    return root / f"Annotations/480p/clip/{number:05d}.png"


def truth(number):
    plane = labels(number)
    plane[(plane == 2) & (number in (3, 4, 5))] = 0
    if number >= 4:
        plane[42:46, 2:9] = 3
    return plane


def picture(out, number):
    return read_labels(out / f"clip/{number:05d}.png", "picture").labels


def report(out):
    return json.loads((out / "_report/clip/report.json").read_text())


@pytest.mark.parametrize(("spacing", "count", "places"), [
    (Spacing(10), 25, [0, 10, 20]),
    (Spacing(1), 3, [0, 1, 2]),
    (Spacing(40), 25, [0]),
    (Spacing(share=0.1), 50, [0, 10, 20, 30, 40]),
    (Spacing(share=0.3), 10, [0, 3, 6]),
    (Spacing(share=0.01), 25, [0]),
    (Spacing(share=1), 3, [0, 1, 2]),
])  # fmt: skip
def test_annotations_are_evenly_spread_from_the_first_on(spacing, count, places):
    """Of every so many one, or a share, at least one."""
    assert list(spacing.places(count)) == places


def test_given_frames_are_written_as_given(propagated):
    """Also where an object is gone that is followed elsewhere."""
    out = propagated(*EVERY)
    for number in (0, 3, 6):
        np.testing.assert_array_equal(picture(out, number), truth(number))
    assert not np.array_equal(picture(out, 1), truth(1))


def test_an_object_that_a_given_frame_does_not_show_is_not_carried_through_it(propagated):
    """The annotation denies it; the frames before come from both sides, those after from this one."""
    out = propagated(*EVERY)
    shown = [set(np.unique(picture(out, number)).tolist()) - {0} for number in range(4)]
    assert shown == [{1, 2}, {1, 2}, {1}, {1}]


def test_the_report_says_which_frames_were_given(propagated):
    """An object that enters between two of them is given where it enters, as always."""
    out = propagated(*EVERY)
    assert report(out)["given"] == {"00000": [1, 2], "00003": [1], "00004": [3], "00006": [1, 2, 3]}
    assert report(out)["remarks"] == ["3 of 8 annotations are given in full: 00000, 00003, 00006"]
    assert report(out)["frames"][3]["lost"] == []


def test_frames_between_come_from_the_nearest_annotation(propagated, davis):
    """Forwards and backwards, where an annotation shows all objects."""
    for number in range(FRAMES):
        write_labels(annotation(davis, number), labels(number))
    out = propagated("--annotate-every", 7)
    np.testing.assert_array_equal(picture(out, 1), np.roll(labels(0), 1, 1))
    np.testing.assert_array_equal(picture(out, 6), np.roll(labels(7), 1, 1))


def test_a_share_is_given_instead(propagated):
    """A quarter of eight frames: two."""
    assert list(report(propagated("--annotate-share", 0.25))["given"]) == ["00000", "00004"]


def test_boxes_of_given_frames_are_given(propagated):
    """With --from-boxes; the objects without a box there are not looked for."""
    out = propagated(*EVERY, "--from-boxes")
    assert report(out)["given"] == {"00000": [1, 2], "00003": [1], "00004": [3], "00006": [1, 2, 3]}
    assert set(np.unique(picture(out, 3))) == {0, 1}


@pytest.mark.parametrize("made", [2, 4, 5])
def test_going_on_after_a_given_frame_makes_the_same(propagated, made):
    """Whatever objects it shows."""
    quiet, out = propagated(*EVERY, out="quiet"), propagated(*EVERY)
    for number in range(made, FRAMES):
        (out / f"clip/{number:05d}.png").unlink()
    propagated(*EVERY)
    assert contents(out) == contents(quiet)


def test_a_frame_without_an_object_cannot_be_given(propagated, davis):
    """It is told and left out."""
    write_labels(annotation(davis, 3), np.zeros_like(labels()))
    out = propagated(*EVERY)
    assert "00003" not in report(out)["given"]
    said = "2 of 8 annotations are given in full: 00000, 00006; 1 hold no object and are not used"
    assert report(out)["remarks"] == [said]


def test_other_annotations_are_other_settings(datakit, davis, propagated, tmp_path):
    """Nothing is touched."""
    out = propagated(*EVERY)
    found = datakit("propagate", "--davis", davis, "--out", out, "--annotate-every", 2)
    assert found.exit_code == 5 and "start" in found.stderr


@pytest.mark.parametrize(("words", "said"), [
    (("--davis", "{root}", *EVERY, "--annotate-share", "0.5"), "both say which annotations are given; give one"),
    (("{root}/JPEGImages/480p/clip", *EVERY), "--annotate-every belongs to --davis ROOT"),
    (("{root}/JPEGImages/480p/clip", "--annotate-share", "0.5"), "--annotate-share belongs to --davis ROOT"),
])  # fmt: skip
def test_what_does_not_go_together_is_refused(datakit, davis, tmp_path, words, said):
    """Before anything is written."""
    found = datakit("propagate", *(str(word).format(root=davis) for word in words), "--out", tmp_path / "out")
    assert found.exit_code == 2 and said in found.stderr
    assert not (tmp_path / "out").exists()
