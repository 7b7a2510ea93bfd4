"""Which convention is chosen, judged from all ids of the ground truth; and folders that look swapped."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from tests.labelled import draw_tree, labels_of, write_grey, write_labels

SWAP = np.array([0, 2, 1], np.uint8)


def late_truth(root, name="walk", frames=10):
    """No object, then one, then two: frames 3 and 6 on."""
    for number in range(frames):
        ids = (1, 2)[: (number >= 3) + (number >= 6)]
        write_labels(root / name / f"{number:05d}.png", labels_of(number, ids) if ids else labels_of(0) * 0)
    return root


def changed(source, target, change):
    """A copy of a tree with every picture changed."""
    from datakit.video.labels import read_labels

    for path in sorted(source.rglob("*.png")):
        write_labels(target / path.relative_to(source), change(read_labels(path, "").labels))
    return target


def scored(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_objects_that_enter_late_choose_the_convention_for_that(datakit, tmp_path):
    """A copy scores one, swapped ids and a missing object do not."""
    truth = late_truth(tmp_path / "truth")
    perfect = scored(datakit("evaluate", shutil.copytree(truth, tmp_path / "copy"), truth, "--json"))
    assert perfect["convention"] == "youtube-vos" and perfect["J&F"]["mean"] == 1
    swapped = changed(truth, tmp_path / "swapped", lambda labels: SWAP[labels])
    assert scored(datakit("evaluate", swapped, truth, "--json"))["J&F"]["mean"] < 0.2
    missing = changed(truth, tmp_path / "missing", lambda labels: np.where(labels == 2, np.uint8(0), labels))
    assert scored(datakit("evaluate", missing, truth, "--json"))["J&F"]["mean"] == pytest.approx(0.5)
    assert "as object 1 of walk enters after its first frame" in datakit("evaluate", missing, truth).stdout


def test_a_second_object_that_enters_late_is_seen(datakit, tmp_path):
    """The first frame holds one."""
    for number in range(8):
        ids = (1, 2) if number >= 4 else (1,)
        write_labels(tmp_path / f"truth/walk/{number:05d}.png", labels_of(number, ids))
    swapped = changed(tmp_path / "truth", tmp_path / "swapped", lambda labels: SWAP[labels])
    result = datakit("evaluate", swapped, tmp_path / "truth")
    assert result.exit_code == 0 and "youtube-vos" in result.stdout and "1.000" not in result.stdout


def test_a_late_object_beside_a_sequence_of_several_is_seen(datakit, tmp_path):
    """Not only the sequence that is looked at first."""
    truth = late_truth(draw_tree(tmp_path / "truth", {"bear": (1, 2)}))
    found = scored(datakit("evaluate", shutil.copytree(truth, tmp_path / "copy"), truth, "--json"))
    assert found["convention"] == "youtube-vos" and found["J&F"]["mean"] == 1


def test_a_late_single_object_is_one_object(datakit, tmp_path):
    """Nothing can be swapped, so that DAVIS-2016 it stays."""
    for number in range(6):
        write_grey(tmp_path / f"truth/walk/{number:05d}.png", labels_of(number) * np.uint8(255 * (number >= 2)))
    found = scored(
        datakit("evaluate", shutil.copytree(tmp_path / "truth", tmp_path / "c"), tmp_path / "truth", "--json")
    )
    assert found["convention"] == "davis2016" and found["J&F"]["mean"] == 1


@pytest.mark.parametrize("convention", ["davis2017", "youtube-vos", None])
def test_masks_without_numbers_do_not_score_several_objects(datakit, tmp_path, convention):
    """0 and 255 say nothing of which object is shown."""
    truth = draw_tree(tmp_path / "truth", {"bear": (1, 2)})
    for path in sorted(truth.rglob("*.png")):
        write_grey(tmp_path / "p" / path.relative_to(truth), labels_of(int(path.stem)) * np.uint8(255))
    chosen = ("--convention", convention) if convention else ()
    result = datakit("evaluate", tmp_path / "p", truth, *chosen)
    assert result.exit_code == 4 and "masks of 0 and 255" in result.stderr and "davis2016" in result.stderr


def test_merging_by_choice_is_said(datakit, tmp_path):
    """All ids as one object: allowed, and named."""
    truth = draw_tree(tmp_path / "truth", {"bear": (1, 2)})
    result = datakit("evaluate", shutil.copytree(truth, tmp_path / "p"), truth, "--convention", "davis2016")
    assert result.exit_code == 0 and "bear: objects 1, 2 count as one" in result.stdout


def test_the_way_out_knows_objects_that_enter_later(datakit, tmp_path):
    """A perfect prediction refused by davis2017 is sent to the convention that counts its ids."""
    truth = late_truth(tmp_path / "truth")
    write_labels(truth / "walk/00000.png", labels_of(0))
    result = datakit("evaluate", shutil.copytree(truth, tmp_path / "p"), truth, "--convention", "davis2017")
    assert result.exit_code == 4 and "the convention youtube-vos counts" in result.stderr


def test_a_lone_id_goes_the_whole_way(datakit, tmp_path):
    """Grey pictures that hold only id 2, on both sides, and as 0 and 255 where there is but one object."""
    for number in range(5):
        write_grey(tmp_path / f"truth/walk/{number:05d}.png", labels_of(number) * np.uint8(2))
        write_grey(tmp_path / f"p/walk/{number:05d}.png", labels_of(number) * np.uint8(255))
    for predictions in ("truth", "p"):
        assert scored(datakit("evaluate", tmp_path / predictions, tmp_path / "truth", "--json"))["J&F"]["mean"] == 1


def test_ids_of_16_bits_are_scored(datakit, tmp_path):
    """As they are."""
    for number in range(5):
        plane = np.array([0, 26001, 26002], np.uint16)[labels_of(number, (1, 2))]
        write_grey(tmp_path / f"truth/walk/{number:05d}.png", plane)
    found = scored(datakit("evaluate", tmp_path / "truth", tmp_path / "truth", "--json"))
    assert set(found["sequences"]["walk"]["objects"]) == {"26001", "26002"} and found["J&F"]["mean"] == 1


def test_options_tell_what_grey_values_are(datakit, tmp_path):
    """Ids that look soft, and soft masks that a threshold cuts."""
    for number in range(5):
        plane = np.array([0, 128, 255], np.uint8)[labels_of(number, (1, 2))]
        write_grey(tmp_path / f"truth/walk/{number:05d}.png", plane)
    truth = tmp_path / "truth"
    assert "--ids, whose 255 is then void, or --threshold N" in datakit("evaluate", truth, truth).stderr
    assert "holds 255 beside ids" in datakit("evaluate", truth, truth, "--ids").stderr
    page = tmp_path / "a.html"
    assert datakit("evaluate", truth, truth, "--threshold", 100, "--html", page).exit_code == 0 and page.is_file()


def test_photos_beside_predictions_alone_are_told(datakit, tmp_path):
    """Ground truth lies beside its photos, and so do exported annotations, which are scored all the same."""
    truth = draw_tree(tmp_path / "set/Annotations", {"bear": (1, 2), "dog": (1,)})
    (tmp_path / "set/JPEGImages").mkdir()
    results = draw_tree(tmp_path / "results", {"bear": (1, 2)})
    result = datakit("evaluate", truth, results)
    assert result.exit_code == 0 and "look swapped" in result.stdout and "JPEGImages" in result.stdout
    assert "swapped" not in datakit("evaluate", truth, truth).stdout


def test_folders_that_look_swapped_are_refused(datakit, tmp_path):
    """Results lie beside their report."""
    truth = draw_tree(tmp_path / "set/Annotations", {"bear": (1, 2), "dog": (1,)})
    results = draw_tree(tmp_path / "results", {"bear": (1, 2)})
    (results / "_report/bear").mkdir(parents=True)
    plain = shutil.copytree(truth, tmp_path / "plain")
    for first, second in ((plain, results), (plain / "bear", results / "bear")):
        result = datakit("evaluate", first, second)
        assert result.exit_code == 2 and "as results of propagate have" in result.output
    assert datakit("evaluate", truth, truth).exit_code == 0


def test_the_report_is_no_prediction(datakit, tmp_path):
    """Its sheet and film lie where label pictures might be looked for."""
    truth = draw_tree(tmp_path / "truth", {"bear": (1,)})
    draw_tree(tmp_path / "out/_report", {"bear": (1,)})
    result = datakit("evaluate", tmp_path / "out/_report/bear", truth / "bear")
    assert result.exit_code == 2 and "lies in the report of a propagation" in result.output
    assert f"give {tmp_path}/out" in result.output
    draw_tree(tmp_path / "out", {"bear": (1,)})
    for folder in ("bear", ""):
        result = datakit("evaluate", tmp_path / "out/_report" / folder, truth / folder)
        assert f"give {tmp_path}/out/{folder}".rstrip("/") + "\n" in result.output


def test_the_reason_names_the_object_that_enters(datakit, tmp_path):
    """Not the one that was there from the beginning."""
    for number in range(8):
        write_labels(tmp_path / f"truth/walk/{number:05d}.png", labels_of(number, (1, 2) if number >= 4 else (1,)))
    result = datakit("evaluate", tmp_path / "truth", tmp_path / "truth")
    assert "as object 2 of walk enters after its first frame" in result.stdout


def test_an_object_of_the_first_frame_alone_counts_as_one_of_several(datakit, tmp_path):
    """The first frame is not scored, and its ids are looked at all the same."""
    for number in range(6):
        write_labels(tmp_path / f"truth/walk/{number:05d}.png", labels_of(number) * np.uint8(1 if number else 2))
    swapped = changed(tmp_path / "truth", tmp_path / "swapped", lambda labels: SWAP[labels])
    assert scored(datakit("evaluate", swapped, tmp_path / "truth", "--json"))["J&F"]["mean"] < 0.2


@pytest.mark.parametrize("last", [0, 1])
def test_ground_truth_without_an_object_scores_nothing(datakit, tmp_path, last):
    """Nothing against nothing is no 1.000; nor is an object in the last frame alone, which does not count."""
    for number in range(5):
        write_labels(tmp_path / f"truth/walk/{number:05d}.png", labels_of(0) * np.uint8(number == 4 and last))
    result = datakit("evaluate", tmp_path / "truth", tmp_path / "truth")
    assert result.exit_code == 4 and "its ground truth holds no object" in result.stderr
