"""A run of a part of a clip is scored on that part, as a video of its own; what is missing is told."""

from __future__ import annotations

import json
import shutil

import pytest

from pipelines.evaluate.match import SequencePair
from pipelines.evaluate.part import part_text
from pipelines.propagate import network
from tests.clips import DriftingEngine, draw_folder, labels, write_labels
from tests.labelled import draw_tree, labels_of
from tests.labelled import write_labels as write_frame

FRAMES = 12


def name(number):
    return f"{number:05d}"


def reported(predictions, sequence, frames):
    """What `datakit propagate` leaves beside a sequence it has finished, as far as it matters here."""
    folder = predictions / "_report" / sequence
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps({"frames": [{"frame": name(number)} for number in frames]}))


def only(folder, numbers):
    """The folder with the frames of these numbers alone."""
    for path in folder.glob("*.png"):
        if int(path.stem) not in numbers:
            path.unlink()
    return folder


@pytest.fixture
def truth(tmp_path):
    """One object in twelve frames."""
    return draw_tree(tmp_path / "truth", {"dog": (1,)}, FRAMES)


@pytest.fixture
def run(tmp_path):
    """Predictions a frame late of the frames of some numbers, and the report that says they were asked for."""

    def make(numbers, folder="run"):
        predictions = draw_tree(tmp_path / folder, {"dog": (1,)}, FRAMES, late=1)
        only(predictions / "dog", numbers)
        reported(predictions, "dog", numbers)
        return predictions

    return make


def scores(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_part_is_scored_as_if_the_ground_truth_ended_with_it(datakit, truth, run, tmp_path):
    """The same numbers as with ground truth of these frames alone, whose first and last one do not count."""
    predictions = run(range(3, 9))
    found = scores(datakit("evaluate", predictions, truth, "--json"))
    alone = shutil.copytree(truth, tmp_path / "alone")
    only(alone / "dog", range(3, 9))
    expected = scores(datakit("evaluate", predictions, alone, "--json"))
    assert found["sequences"] == expected["sequences"] and found["J"] == expected["J"]
    assert found["sequences"]["dog"]["objects"]["1"]["frames"] == 4


def test_the_report_says_which_part(datakit, truth, run):
    """With its frames, of how many, and those that are missing; in JSON by name."""
    predictions = run(range(3, 9))
    said = datakit("evaluate", predictions, truth).stdout
    assert "1 sequence, in part" in said
    assert "dog: part: frames 3..8 of 12; missing: 0..2, 9..11\n" in said
    assert "a part is scored as a video of its own, which begins with the first of its frames" in said
    assert scores(datakit("evaluate", predictions, truth, "--json"))["parts"] == {
        "dog": {
            "first": "00003",
            "last": "00008",
            "frames": 6,
            "of": 12,
            "stride": 1,
            "missing": [name(number) for number in (0, 1, 2, 9, 10, 11)],
        }
    }


def test_of_a_stride_the_step_is_told(datakit, truth, run):
    """And how many frames lie between."""
    predictions = run(range(1, 9, 3))
    said = datakit("evaluate", predictions, truth, "--convention", "youtube-vos").stdout
    assert "dog: part: frames 1..7 of 12, of every 3 one; missing: 0, 8..11 and 4 between them" in said
    found = scores(datakit("evaluate", predictions, truth, "--convention", "youtube-vos", "--json"))
    assert found["parts"]["dog"]["stride"] == 3 and found["sequences"]["dog"]["objects"]["1"]["frames"] == 2


def test_a_frame_that_was_asked_for_and_is_missing_is_an_error(datakit, truth, run):
    """The report excuses only what it says was never asked for."""
    predictions = run(range(3, 9))
    (predictions / "dog/00005.png").unlink()
    result = datakit("evaluate", predictions, truth)
    assert result.exit_code == 4 and result.stdout == ""
    assert "dog: no prediction of 1 of 6 frames: 00005" in result.stderr


def test_a_complete_run_with_missing_frames_is_an_error(datakit, truth, run):
    """Its report lists them all; the way out names --part."""
    predictions = run(range(FRAMES))
    only(predictions / "dog", range(6))
    result = datakit("evaluate", predictions, truth)
    assert result.exit_code == 4 and "no prediction of 5 of 12 frames" in result.stderr and "--part" in result.stderr


@pytest.mark.parametrize("text", ["", "[1]", '{"frames": []}', '{"frames": [{"frame": 3}]}', '{"frames": {"a": 1}}'])
def test_a_report_that_cannot_be_read_excuses_nothing(datakit, truth, run, text):
    """Missing frames are an error then, as without it."""
    predictions = run(range(3, 9))
    (predictions / "_report/dog/report.json").write_text(text)
    assert datakit("evaluate", predictions, truth).exit_code == 4


def test_of_one_sequence_folder_the_report_lies_beside_it(datakit, truth, run):
    """`results/dog` has its report in `results/_report/dog`, whatever the ground truth is called."""
    predictions = run(range(3, 9))
    renamed = truth.rename(truth.with_name("named")) / "dog"
    found = scores(datakit("evaluate", predictions / "dog", renamed.rename(renamed.with_name("hound")), "--json"))
    assert found["parts"]["hound"]["frames"] == 6


def test_a_run_without_ground_truth_of_its_frames_is_an_error(datakit, truth, run):
    """Both sides are named."""
    predictions = run(range(3, 9))
    only(truth / "dog", range(2))
    result = datakit("evaluate", predictions, truth)
    assert result.exit_code == 4
    assert (
        "dog: its run was asked for 00003, 00004, 00005 … (6 in all); ground truth is of 00000, 00001" in result.stderr
    )


def test_results_of_other_tools_are_parts_when_it_is_said(datakit, truth, run):
    """Without a report, by --part; the numbers are those of a run that has one."""
    predictions = run(range(3, 9))
    expected = scores(datakit("evaluate", predictions, truth, "--json"))
    shutil.rmtree(predictions / "_report")
    assert datakit("evaluate", predictions, truth).exit_code == 4
    assert scores(datakit("evaluate", predictions, truth, "--part", "--json")) == expected


def test_predictions_with_gaps_are_no_part(datakit, truth, run):
    """The gap is named, and the option that takes whatever is there."""
    predictions = run({3, 4, 5, 7, 8})
    shutil.rmtree(predictions / "_report")
    result = datakit("evaluate", predictions, truth, "--part")
    assert result.exit_code == 4
    assert "dog: no prediction of 00006, between 00005 and 00007; elsewhere frames follow" in result.stderr
    assert "--only-predicted" in result.stderr


def test_a_whole_clip_stays_whole_with_the_option(datakit, truth, run):
    """A tool that does not write the given first frame has not left out a part."""
    predictions = run(range(1, FRAMES))
    shutil.rmtree(predictions / "_report")
    whole = datakit("evaluate", predictions, truth, "--json")
    assert "parts" not in scores(whole)
    assert datakit("evaluate", predictions, truth, "--part", "--json").stdout == whole.stdout


def test_part_and_only_predicted_exclude_each_other(datakit, truth, run):
    """They answer different questions."""
    result = datakit("evaluate", run(range(3, 9)), truth, "--part", "--only-predicted")
    assert result.exit_code == 2 and "--part and --only-predicted: choose one" in result.output


def test_only_predicted_scores_whatever_is_there_of_the_whole(datakit, truth, run):
    """Whatever the report says, as it always did."""
    found = scores(datakit("evaluate", run(range(3, 9)), truth, "--only-predicted", "--json"))
    assert found["only_predicted"] == {"dog": {"frames": 6, "of": 10}} and "parts" not in found


def test_an_object_that_is_only_before_the_part_may_be_predicted(datakit, tmp_path):
    """It is one of the sequence, and no fault of who has seen it before."""
    truth = draw_tree(tmp_path / "truth", {"dog": (1, 2)}, FRAMES)
    for number in range(3, FRAMES):
        write_frame(truth / "dog" / f"{name(number)}.png", labels_of(number, (1,)))
    predictions = draw_tree(tmp_path / "run", {"dog": (1, 2)}, FRAMES)
    reported(predictions, "dog", range(4, FRAMES))
    found = scores(datakit("evaluate", predictions, truth, "--convention", "davis2017", "--json"))
    assert list(found["sequences"]["dog"]["objects"]) == ["1"] and found["J"]["mean"] == 1.0


def test_frames_without_numbers_are_named_as_they_are():
    """A part of them is still a part."""
    files = {each: each for each in ("a", "b", "c", "d")}
    clip = SequencePair("dog", {"b": files["b"], "c": files["c"]}, files, {"a": files["a"], "d": files["d"]})
    assert part_text(clip) == "part: frames b..c of 4; missing: a, d"


@pytest.mark.parametrize(("options", "words"), [
    (("--start", 2, "--stop", 5), "clip: part: frames 2..4 of 6; missing: 0..1, 5"),
    (("--start", 1, "--stride", 2), "clip: part: frames 1..5 of 6, of every 2 one; missing: 0 and 2 between them"),
])  # fmt: skip
def test_what_propagate_was_asked_for_is_scored(datakit, tmp_path, monkeypatch, options, words):
    """Its own options, its own report; the network only moves masks."""
    monkeypatch.setattr(network, "open_engine", DriftingEngine)
    clip = draw_folder(tmp_path / "clip")
    for number in range(6):
        write_labels(tmp_path / "truth/clip" / f"{name(number)}.png", labels(number))
    mask = tmp_path / "truth/clip" / f"{name(options[1])}.png"
    made = datakit("propagate", clip, "--mask", mask, *options, "--no-overlay", "--out", tmp_path / "out")
    assert made.exit_code == 0, made.output
    result = datakit("evaluate", tmp_path / "out", tmp_path / "truth")
    assert result.exit_code == 0 and words in result.stdout


def test_masks_that_a_run_was_given_are_told(datakit, truth, run):
    """They count like its own, so that a method that was given more may look better; the ends are not scored."""
    predictions = run(range(FRAMES))
    path = predictions / "_report/dog/report.json"
    given = {**{name(number): [1] for number in (0, 4, 8)}, name(9): []}
    path.write_text(json.dumps({**json.loads(path.read_text()), "given": given}))
    told = "objects that the run was given, by masks or boxes, count like its own: dog 2 of 10 scored frames"
    other = run(range(FRAMES), "other")
    assert told in datakit("evaluate", predictions, truth).stdout
    assert f"run: {told}" in (said := datakit("evaluate", predictions, other, truth).stdout), said
    assert "given" not in datakit("evaluate", other, truth).stdout
