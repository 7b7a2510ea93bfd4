"""evaluate: scores where everything fits, a sentence and exit 4 where anything does not, the reference's numbers."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from datakit.evaluation import CONVENTIONS
from datakit.metrics import measure, statistics
from pipelines import cli_evaluate
from pipelines.evaluate.match import chosen_names
from tests.labelled import SIZE, draw_tree, labels_of, write_grey, write_labels
from tests.tiny import write_picture

DATA = os.environ.get("DATAKIT_TEST_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="DATAKIT_TEST_DATA names no folder of real data")
DAVIS = Path(DATA or "") / "davis2016"
TWO = {"bear": (1,), "dog": (1, 2)}


@pytest.fixture
def truth(tmp_path):
    """Ground truth of a sequence of one object and one of two."""
    return draw_tree(tmp_path / "truth", TWO)


@pytest.fixture
def predictions(tmp_path):
    """The same, a frame late."""
    return draw_tree(tmp_path / "predictions", TWO, late=1)


def scores(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def by_hand(ids=(1,), number=3):
    """J and F of a frame that is a frame late, one object or those of `ids` as one."""
    late, true = labels_of(number, ids, 1) > 0, labels_of(number, ids) > 0
    return measure(late.view(np.uint8), true.view(np.uint8))


def refused(result, *words):
    """No number on standard output, exit 4, and these words in the message."""
    assert result.exit_code == 4, result.output
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr
    return result.stderr


def test_the_command_offers_every_convention():
    """Its list, kept apart so that help is quick, is the library's."""
    assert tuple(CONVENTIONS) == cli_evaluate.CONVENTIONS


def test_perfect_predictions_score_one(datakit, truth):
    """Ground truth against itself: 1, 1 and 0, everywhere."""
    found = scores(datakit("evaluate", truth, truth, "--json"))
    perfect = {"mean": 1.0, "recall": 1.0, "decay": 0.0}
    assert found["J"] == found["F"] == found["J&F"] == perfect
    assert found["sequences"]["dog"]["objects"]["2"] == {"J": perfect, "F": perfect, "J&F": perfect, "frames": 6}


def test_json_holds_every_score(datakit, predictions, truth):
    """Set, sequences and objects, each with mean, recall and decay of J, F and J&F."""
    found = scores(datakit("evaluate", predictions, truth, "--json"))
    J, F = by_hand()
    assert found["convention"] == "davis2017" and found["mean_over"] == "objects"
    assert (found["sequences_scored"], found["sequences_in_ground_truth"]) == (2, 2)
    for entry in (found, found["sequences"]["bear"], found["sequences"]["dog"]["objects"]["2"]):
        assert entry["J"] == {"mean": pytest.approx(J), "recall": 1.0, "decay": pytest.approx(0)}
        assert entry["F"]["mean"] == pytest.approx(F)
        assert entry["J&F"]["mean"] == pytest.approx((J + F) / 2)


def test_the_table_shows_objects_sequences_and_the_set(datakit, predictions, truth):
    """A row each, and what was scored how."""
    lines = datakit("evaluate", predictions, truth).stdout.splitlines()
    assert lines[1].startswith("davis2017 (as dog/00000 holds objects 1, 2): objects of the first frame")
    rows = [line.split()[:2] for line in lines[3:]]
    assert rows == [["bear", "1"], ["dog", "1"], ["dog", "2"], ["dog", "mean"], ["all", "2"]]
    assert f"{by_hand().J:.3f}" in lines[-1]


def test_csv_holds_every_frame(datakit, predictions, truth, tmp_path):
    """A line per object and frame that counts, with all digits."""
    assert datakit("evaluate", predictions, truth, "--csv", tmp_path / "new/a.csv").exit_code == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "new/a.csv").read_text())))
    assert len(rows) == 3 * 6 and rows[0]["frame"] == "00001" and rows[-1]["frame"] == "00006"
    assert [(row["sequence"], row["object"]) for row in rows[::6]] == [("bear", "1"), ("dog", "1"), ("dog", "2")]
    assert (float(rows[2]["J"]), float(rows[2]["F"])) == tuple(by_hand())


def test_processes_change_nothing(datakit, predictions, truth):
    """Two give the very output of one."""
    one, two = (datakit("evaluate", predictions, truth, "--json", "-j", jobs) for jobs in (1, 2))
    assert one.stdout == two.stdout and scores(two)


def test_davis2016_merges_ids_of_palette_and_grey_files(datakit, tmp_path):
    """Ground truth of 0 and 255 is one object and nothing of it is void."""
    for number in range(6):
        write_grey(tmp_path / f"truth/dog/{number:05d}.png", (labels_of(number, (1, 2)) > 0) * np.uint8(255))
    found = scores(datakit("evaluate", draw_tree(tmp_path / "p", {"dog": (4, 3)}, 6, 1), tmp_path / "truth", "--json"))
    assert found["convention"] == "davis2016"
    assert found["J"]["mean"] == pytest.approx(by_hand((1, 2)).J)
    assert found["sequences"]["dog"]["objects"]["1"]["frames"] == 4


def test_void_is_not_judged(datakit, truth, tmp_path):
    """255 beside ids in the ground truth: what is predicted there does not matter."""
    predictions = shutil.copytree(truth, tmp_path / "p")
    labels = labels_of(3, (1, 2))
    labels[30:] = 255
    write_labels(truth / "dog/00003.png", labels)
    write_labels(predictions / "dog/00003.png", np.where(labels == 255, 2, labels).astype(np.uint8))
    assert scores(datakit("evaluate", predictions, truth, "--json"))["J"]["mean"] == 1.0


@pytest.mark.parametrize("name", ["youtube-objects", "segtrack"])
def test_ground_truth_may_be_sparse(datakit, predictions, truth, name):
    """Only the first frame is left out; predicted frames without ground truth are counted and named."""
    for number in (1, 2, 5):
        (truth / f"dog/{number:05d}.png").unlink()
    result = datakit("evaluate", predictions, truth, "--convention", name, "--json")
    found = scores(result)
    assert found["sequences"]["dog"]["objects"]["1"]["frames"] == 4
    assert found["sequences"]["bear"]["objects"]["1"]["frames"] == 7
    assert found["frames_without_ground_truth"] == {"dog": ["00001", "00002", "00005"]}
    text = datakit("evaluate", predictions, truth, "--convention", name).stdout
    assert "predicted frames without ground truth: 3, of dog: 00001, 00002, 00005" in text


def test_sequences_without_ground_truth_are_named_and_harmless(datakit, predictions, truth):
    """They are in no score; the report folder and hidden ones are not even that."""
    for extra in ("cat", "_report/dog", ".hidden"):
        write_labels(predictions / extra / "00000.png", labels_of(0))
    found = scores(datakit("evaluate", predictions, truth, "--json"))
    assert found["frames_without_ground_truth"] == {"cat": ["00000"]} and found["sequences_scored"] == 2


def test_one_sequence_folder_each(datakit, predictions, truth):
    """Named by the ground truth's folder."""
    found = scores(datakit("evaluate", predictions / "dog", truth / "dog", "--json"))
    assert list(found["sequences"]) == ["dog"]


def test_a_sequence_scored_against_another_is_noted(datakit, predictions, truth):
    """Where beside that lies one of its name; folders of other names are compared without a word."""
    found = datakit("evaluate", predictions / "dog", truth / "bear", "--convention", "davis2016")
    assert found.exit_code == 0 and f"beside that lies {truth / 'dog'}" in found.output
    assert "beside that" not in datakit("evaluate", truth / "dog", truth / "bear", "--convention", "davis2016").output
    (truth / "dog").rename(truth / "wolf")
    assert "beside that" not in datakit("evaluate", predictions / "dog", truth / "wolf").output


def test_only_the_frames_that_count_are_needed(datakit, predictions, truth):
    """DAVIS needs no prediction of the first and the last frame."""
    for number in (0, 7):
        (predictions / f"dog/{number:05d}.png").unlink()
    assert datakit("evaluate", predictions, truth).exit_code == 0
    refused(
        datakit("evaluate", predictions, truth, "--convention", "segtrack"),
        "dog: no prediction of 1 of 8 frames: 00007",
    )


def test_a_missing_sequence_is_named(datakit, predictions, truth):
    """A score of the rest is given only to who asks for that part, and says so."""
    shutil.rmtree(predictions / "bear")
    refused(datakit("evaluate", predictions, truth), "no predictions of 1 of 2 sequences: bear", "--sequences a,b")
    result = datakit("evaluate", predictions, truth, "--sequences", "dog")
    assert result.exit_code == 0 and "1 of 2 sequences" in result.stdout
    found = scores(datakit("evaluate", predictions, truth, "--sequences", "dog", "--json"))
    assert (found["sequences_scored"], found["sequences_in_ground_truth"]) == (1, 2)


def test_every_missing_frame_is_named(datakit, predictions, truth):
    """Of all sequences at once."""
    for place in ("dog/00003", "dog/00004", "bear/00002"):
        (predictions / f"{place}.png").unlink()
    refused(datakit("evaluate", predictions, truth), "dog: no prediction of 2 of 8 frames: 00003, 00004",
            "bear: no prediction of 1 of 8 frames: 00002")  # fmt: skip


def spoil_size(path):
    write_labels(path, np.zeros((SIZE[0], SIZE[1] + 1), np.uint8))


def spoil_id(path):
    write_labels(path, labels_of(3, (1, 2, 3)))


def spoil_void(path):
    labels = labels_of(3, (1, 2))
    labels[0] = 255
    write_labels(path, labels)


def spoil_greys(path):
    write_grey(path, np.arange(SIZE[0] * SIZE[1], dtype=np.uint8).reshape(SIZE))


def spoil_bytes(path):
    path.write_bytes(path.read_bytes()[:60])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_size, "prediction dog/00003.png: is 61x40, expected 60x40"),
        (spoil_id, "dog: predictions hold id 3 in 00003; objects of its ground truth: 1, 2"),
        (spoil_void, "prediction dog/00003.png: holds 255 beside ids"),
        (spoil_greys, "prediction dog/00003.png: is a soft mask"),
        (spoil_bytes, "prediction dog/00003.png: ends after 60 bytes"),
    ],
)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_prediction_that_does_not_fit_is_named(datakit, predictions, truth, spoil, words, jobs, tmp_path):
    """Exit 4, no number, nothing written."""
    spoil(predictions / "dog/00003.png")
    files = ("--csv", tmp_path / "a.csv", "--html", tmp_path / "a.html")
    refused(datakit("evaluate", predictions, truth, "-j", jobs, *files), words)
    assert not list(tmp_path.glob("a.*"))


def test_damaged_ground_truth_is_named(datakit, predictions, truth):
    """As such, wherever it is read first."""
    spoil_bytes(truth / "dog/00000.png")
    refused(datakit("evaluate", predictions, truth), "ground truth dog/00000.png: ends after 60 bytes")
    spoil_bytes(truth / "bear/00004.png")
    result = datakit("evaluate", predictions, truth, "--convention", "davis2016")
    refused(result, "ground truth bear/00004.png: ends after 60 bytes")


def test_equal_faults_of_a_sequence_are_one_line(datakit, predictions, truth):
    """With a few of its files, and how many there are; another kind has a line of its own."""
    for path in [*truth.glob("*/*.png")]:
        spoil_size(predictions / path.relative_to(truth))
    spoil_bytes(predictions / "dog/00004.png")
    said = refused(
        datakit("evaluate", predictions, truth),
        "prediction bear/00001.png: is 61x40, expected 60x40 as its ground truth",
        "the same holds for 00002.png, 00003.png, 00004.png … (5 in all)",
        "prediction dog/00004.png: ends after 60 bytes",
    )
    assert said.count("prediction ") == 3


def test_many_faults_are_counted(datakit, predictions, truth):
    """The first twenty and how many more."""
    for number in range(34):
        draw_tree(truth, {f"s{number:02d}": (1,)})
        draw_tree(predictions, {f"s{number:02d}": (1,)})
        spoil_size(predictions / f"s{number:02d}/00003.png")
    said = refused(datakit("evaluate", predictions, truth), "and 14 more")
    assert said.count("prediction ") == 20


def test_a_part_is_scored_when_asked_for(datakit, predictions, truth):
    """Frames and sequences without a prediction are left out, and named."""
    for number in range(5, 8):
        (predictions / f"dog/{number:05d}.png").unlink()
    shutil.rmtree(predictions / "bear")
    refused(datakit("evaluate", predictions, truth), "--only-predicted")
    result = datakit("evaluate", predictions, truth, "--only-predicted")
    assert result.exit_code == 0, result.output
    assert "1 of 2 sequences" in result.stdout
    assert "--only-predicted: scored are 4 of 6 frames of dog" in result.stdout
    found = scores(datakit("evaluate", predictions, truth, "--only-predicted", "--json"))
    assert found["only_predicted"] == {"dog": {"frames": 4, "of": 6}}
    assert found["J"]["mean"] == pytest.approx(by_hand((1,))[0])


def test_a_whole_score_does_not_speak_of_parts(datakit, predictions, truth):
    """The key is there only when it was asked for."""
    assert "only_predicted" not in scores(datakit("evaluate", predictions, truth, "--json"))
    said = datakit("evaluate", predictions, truth, "--only-predicted").stdout
    assert "--only-predicted: scored are all frames that count" in said


def test_a_part_without_any_frame_is_no_score(datakit, predictions, truth):
    """Predictions of other frames only."""
    for path in predictions.glob("*/*.png"):
        path.rename(path.with_name(f"1{path.name}"))
    refused(datakit("evaluate", predictions, truth, "--only-predicted"), "no frame is left to score")


def test_an_object_that_enters_in_an_unpredicted_frame_counts_from_the_next(datakit, tmp_path):
    """As it would with all predictions."""
    for side in ("truth", "predictions"):
        draw_tree(tmp_path / side, {"dog": (1,)})
        for number in range(3, 8):
            write_labels(tmp_path / side / f"dog/{number:05d}.png", labels_of(number, (1, 2)))
    (tmp_path / "predictions/dog/00003.png").unlink()
    found = scores(datakit("evaluate", tmp_path / "predictions", tmp_path / "truth", "--only-predicted", "--json"))
    assert found["convention"] == "youtube-vos"
    assert {number: each["frames"] for number, each in found["sequences"]["dog"]["objects"].items()} == {"1": 6, "2": 4}


def test_predictions_that_count_from_one_are_remarked_once(datakit, predictions, truth):
    """By name every frame would fit its neighbour, and the score would not tell."""
    for folder in predictions.iterdir():
        for path in sorted(folder.iterdir(), reverse=True):
            path.rename(path.with_name(f"{int(path.stem) + 1:05d}.png"))
    said = datakit("evaluate", predictions, truth).stdout
    assert said.count("if the predictions count from 1, every frame was scored against its neighbour") == 1
    assert "predictions of bear, dog are numbered from 00001 to 00008, frames from 00000 to 00007" in said


def test_frames_that_are_there_twice_are_told(datakit, predictions, truth):
    """The overlay beside the labels is not scored."""
    write_picture(predictions / "dog/00003.jpg", np.zeros((*SIZE, 3), np.uint8))
    said = datakit("evaluate", predictions, truth).stdout
    assert "predictions: frames that are there twice, by name: dog/00003.jpg not used" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("{predictions}/dog", "{truth}"), "is one sequence"),
        (("{predictions}", "{truth}", "--sequences", "dog,cat"), "--sequences: cat: not among the ground truth"),
        (("{predictions}", "{truth}", "--sequences", ","), "no name"),
        (("{predictions}/dog", "{truth}/dog", "--sequences", "dog"), "is one sequence"),
        (("{predictions}", "{truth}/nowhere"), "no such file or folder; expected a folder of label pictures"),
        (("{predictions}", "{truth}", "--convention", "davis"), "davis2016"),
    ],
)
def test_what_cannot_be_used_is_a_usage_error(datakit, predictions, truth, arguments, words):
    """Exit 2, with what was expected."""
    result = datakit("evaluate", *(each.format(predictions=predictions, truth=truth) for each in arguments))
    assert result.exit_code == 2 and words in result.output


def test_photos_are_no_ground_truth(datakit, predictions, tmp_path):
    """Frames beside their masks are easily mixed up; the way out names the folder of masks."""
    for name in TWO:
        for number in range(8):
            write_picture(tmp_path / f"JPEGImages/{name}/{number:05d}.jpg", np.zeros((*SIZE, 3), np.uint8))
    result = datakit("evaluate", predictions, tmp_path / "JPEGImages")
    assert result.exit_code == 2
    assert "JPEGImages: holds JPEG pictures, as frames are; give the folder of annotated masks" in result.stderr


@pytest.mark.parametrize("option", ["--csv", "--html"])
def test_the_place_of_an_output_is_checked_before_the_work(datakit, predictions, truth, tmp_path, option):
    """A file stands where a folder is needed: nothing is read for it; a folder that is missing is made."""
    (tmp_path / "file").write_text("mine")
    result = datakit("evaluate", predictions / "nowhere", truth, option, tmp_path / "file/scores")
    assert result.exit_code == 1
    assert f"{option} {tmp_path / 'file/scores'}: {tmp_path / 'file'} cannot be written: it is a file" in result.stderr
    assert datakit("evaluate", predictions, truth, option, tmp_path / "new/scores").exit_code == 0
    assert (tmp_path / "new/scores").is_file()


def test_sequences_from_a_file(tmp_path):
    """DAVIS lists its splits as names or as paths of single frames; commas do without a file."""
    names = tmp_path / "val.txt"
    names.write_text("dog\nbear\n\n")
    assert chosen_names(str(names)) == ("dog", "bear")
    names.write_text(
        "".join(f"/JPEGImages/480p/{n}/{k}.jpg /Annotations/480p/{n}/{k}.png\n" for n in "ab" for k in "01")
    )
    assert chosen_names(str(names)) == ("a", "b")
    assert chosen_names(" dog, bear,dog") == ("dog", "bear") and chosen_names(None) is None


@needs_data
def test_osvos_masks_score_as_by_the_reference_code(datakit, tmp_path):
    """Every frame of the ten sequences, and the statistics of every sequence, to 1e-6."""
    golden = json.loads((DAVIS / "official/golden_JF_osvos_masks.json").read_text())
    found = scores(datakit("evaluate", DAVIS / "osvos_results", DAVIS, "-j", 2, "--json", "--csv", tmp_path / "a.csv"))
    assert found["convention"] == "davis2016" and list(found["sequences"]) == sorted(golden)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text())))
    for name, entry in golden.items():
        for part in "JF":
            values = [float(row[part]) for row in rows if row["sequence"] == name]
            assert values == pytest.approx(entry[part][1:-1], abs=1e-6)
            assert found["sequences"][name][part] == pytest.approx(entry[f"{part}_stats"], abs=1e-6)
            assert found["sequences"][name][part] == pytest.approx(statistics(np.array(values))._asdict())
    means = [entry["J_stats"]["mean"] for entry in golden.values()]
    assert found["J"]["mean"] == pytest.approx(np.mean(means), abs=1e-6)


def test_a_list_longer_than_a_file_name_may_be_is_a_list():
    """The thirty names of DAVIS-2016's validation half are."""
    names = [f"sequence-{number:02d}" for number in range(40)]
    assert chosen_names(",".join(names)) == tuple(names)
