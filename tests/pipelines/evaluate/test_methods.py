"""What methods are called, and the frames on which several of them are compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from datakit.errors import Mismatch, UsageError
from pipelines.evaluate.match import SequencePair
from pipelines.evaluate.methods import for_each, named_methods, on_common_frames


def pair(frames, predicted=None, name="dog"):
    """A sequence with ground truth of some frames, and predictions of them or of others."""
    files = [{each: Path(side, name, each) for each in each_side} for side, each_side in (
        ("truth", frames), ("found", frames if predicted is None else predicted))]  # fmt: skip
    return SequencePair(name, *files)


def test_a_method_is_called_as_its_folder():
    """In the order in which they were given."""
    assert list(named_methods(["runs/lite", "/elsewhere/osvos/"]).items()) == [
        ("lite", Path("runs/lite")),
        ("osvos", Path("/elsewhere/osvos")),
    ]


def test_a_method_is_called_as_it_is_named():
    """Whatever its folder is called, and whatever else is in its path."""
    assert named_methods(["a=runs/x=1", "b=runs/x=1"]) == {"a": Path("runs/x=1"), "b": Path("runs/x=1")}


def test_a_folder_with_an_equals_sign_is_a_folder(tmp_path, monkeypatch):
    """If it is there, or if the sign stands behind a slash."""
    monkeypatch.chdir(tmp_path)
    Path("lr=1").mkdir()
    assert named_methods(["lr=1", "runs/lr=2"]) == {"lr=1": Path("lr=1"), "lr=2": Path("runs/lr=2")}


def test_folders_called_alike_are_told_apart_by_what_stands_before():
    """As little of it as does."""
    assert list(named_methods(["a/x/results", "b/x/results", "c/lite"])) == ["a/x/results", "b/x/results", "lite"]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["a=x", "a=y"], "a=: two methods of that name"),
        (["x", "x"], "a second method called 'x'; give it a name of its own: NAME=x"),
        (["x=y", "runs/x"], "a second method called 'x'"),
        (["=x"], "expected NAME=PATH"),
        (["a="], "expected NAME=PATH"),
    ],
)
def test_names_that_cannot_be_told_apart_are_refused(texts, words):
    """With the way out."""
    with pytest.raises(UsageError, match=words):
        named_methods(texts)


def test_faults_of_all_methods_are_told_at_once():
    """Each with the method's name; of one method alone as they are."""

    def fail(method):
        raise Mismatch(f"no frames in {method.upper()}")

    with pytest.raises(Mismatch, match=r"\Aa: no frames in A\nb: no frames in B\Z"):
        for_each(["a", "b"], fail)
    with pytest.raises(Mismatch, match=r"\Ano frames in A\Z"):
        for_each(["a"], fail)


def test_methods_are_compared_on_the_frames_that_all_have():
    """What one of them was not asked for is outside for the others, too."""
    found = on_common_frames({"a": [pair("01234567")], "b": [pair("2345")], "c": [pair("345678")]}, False)
    for (clip,) in found.values():
        assert list(clip.target) == ["3", "4", "5"]
    assert list(found["a"][0].outside) == ["0", "1", "2", "6", "7"]
    assert list(found["a"][0].predicted) == list("01234567")


def test_whole_clips_stay_as_they_are():
    """Nothing is outside."""
    clips = [pair("0123")]
    assert on_common_frames({"a": clips, "b": clips}, False) == {"a": clips, "b": clips}


def test_of_predicted_frames_those_are_scored_that_all_methods_have():
    """And of sequences those that all have."""
    found = on_common_frames(
        {"a": [pair("0123", "012"), pair("0", name="cat")], "b": [pair("0123", "123")]}, only_predicted=True
    )
    assert [[list(clip.predicted) for clip in clips] for clips in found.values()] == [[["1", "2"]], [["1", "2"]]]
    assert list(found["b"][0].target) == list("0123")


def test_methods_without_a_common_frame_are_not_compared():
    """What each has is named."""
    with pytest.raises(Mismatch, match="dog: no frame that all methods have: a 0 to 3, b 5"):
        on_common_frames({"a": [pair("0123")], "b": [pair("5")]}, False)


def test_methods_without_a_common_sequence_are_not_compared():
    """What each has is named."""
    with pytest.raises(Mismatch, match="no sequence that all methods have predictions of: a has dog; b has cat"):
        on_common_frames({"a": [pair("01")], "b": [pair("01", name="cat")]}, True)
