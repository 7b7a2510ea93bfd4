"""`datakit propagate --davis`: every sequence of a tree, where a bad one stops no other."""

import json
import sys

import numpy as np
import pytest

from pipelines.propagate import run
from pipelines.propagate.run import PropagateJob
from pipelines.propagate.tree import TreeJob, sequence_jobs
from tests.clips import contents, draw_folder, draw_tree, labels, write_labels

pytestmark = pytest.mark.usefixtures("no_weights")


def test_without_pyav_a_tree_tells_so_once(datakit, tmp_path, monkeypatch):
    """Not for every sequence."""
    monkeypatch.setitem(sys.modules, "av", None)
    found = datakit("propagate", "--davis", draw_tree(tmp_path / "davis"), "--out", tmp_path / "out")
    assert found.exit_code == 0 and found.stderr.count("no overlay.mp4, which needs av") == 1


def test_a_tree_is_segmented_with_or_without_imagesets(datakit, tmp_path):
    """Every sequence, or those of a split."""
    root, out = draw_tree(tmp_path / "davis", ("cat", "dog", "emu")), tmp_path / "out"
    found = datakit("propagate", "--davis", root, "--out", out)
    assert found.exit_code == 0, found.output
    assert sorted(path.name for path in out.iterdir()) == ["_report", "cat", "dog", "emu"]
    (root / "ImageSets/2017").mkdir(parents=True)
    (root / "ImageSets/2017/val.txt").write_text("emu\n")
    told = json.loads(
        datakit("propagate", "--davis", root, "--out", tmp_path / "b", "--sequences", "val", "--json").stdout
    )
    assert [each["sequence"] for each in told["sequences"]] == ["emu"]


def test_frames_without_annotations_are_told(datakit, tmp_path):
    """Before and after; not where somebody chose the sequences."""
    root = draw_tree(tmp_path / "davis", ("cat", "dog"))
    (root / "Annotations/480p/dog").rename(tmp_path / "aside")
    draw_folder(root / "JPEGImages/480p/.ipynb_checkpoints", 2)
    found = datakit("propagate", "--davis", root, "--out", tmp_path / "out")
    assert found.exit_code == 0 and found.output.count("no annotations of dog: not looked at") == 2
    found = datakit("propagate", "--davis", root, "--sequences", "cat", "--out", tmp_path / "out")
    assert found.exit_code == 0 and "no annotations" not in found.output


def test_a_tree_begins_with_the_boxes_of_its_objects(datakit, tmp_path):
    """With their ids, as if they had been written with --box."""
    root = draw_tree(tmp_path / "davis", ("cat",))
    clip, boxes = root / "JPEGImages/480p/cat", ("--box", "5,8,20,20@00000:1", "--box", "30,30,50,40@00000:2")
    assert datakit("propagate", "--davis", root, "--from-boxes", "--out", tmp_path / "tree").exit_code == 0
    assert datakit("propagate", clip, *boxes, "--out", tmp_path / "one").exit_code == 0
    settings = [json.loads((tmp_path / out / "_report/cat/settings.json").read_text()) for out in ("tree", "one")]
    assert settings[0]["start"] == settings[1]["start"] != {}
    assert contents(tmp_path / "tree" / "cat") == contents(tmp_path / "one" / "cat")


@pytest.mark.parametrize("chosen", [("--start", "1"), ("--stride", "2")])
def test_annotations_of_frames_that_are_not_chosen_are_no_fault(datakit, tmp_path, chosen):
    """Also where no object is known yet."""
    root = draw_tree(tmp_path / "davis", ("cat",))
    folder = root / "Annotations/480p/cat"
    for number in (1, 2):
        write_labels(folder / f"{number:05d}.png", labels(number))
    write_labels(folder / "00000.png", labels() * 0)
    found = datakit("propagate", "--davis", root, "--out", tmp_path / "out", *chosen)
    assert found.exit_code == 0, found.output
    assert sorted(path.stem for path in (tmp_path / "out/cat").iterdir())[-1] in ("00003", "00002")


def test_a_fault_nobody_thought_of_stops_no_other_sequence(datakit, tmp_path, monkeypatch):
    """It is told like any other."""
    finish = run.finish

    def broken(job, *rest):
        return finish(job, *rest) if job.name == "dog" else {}["gone"]

    monkeypatch.setattr(run, "finish", broken)
    found = datakit("propagate", "--davis", draw_tree(tmp_path / "davis"), "--out", tmp_path / "out")
    assert found.exit_code == 1 and "cat: KeyError('gone')" in found.stderr
    assert (tmp_path / "out/_report/dog/report.json").is_file()


def test_a_bad_sequence_stops_no_other(datakit, tmp_path):
    """It is named with its reason, the others are finished."""
    root, out = draw_tree(tmp_path / "davis"), tmp_path / "out"
    path = root / "JPEGImages/480p/cat/00002.jpg"
    path.write_bytes(path.read_bytes()[:200])
    found = datakit("propagate", "--davis", root, "--out", out)
    assert found.exit_code == 1
    assert "1 of 2 sequences failed" in found.stderr
    assert "00002.jpg: ends after 200 bytes" in found.stderr
    assert len(list((out / "dog").iterdir())) == 4
    assert not (out / "cat").exists()


def test_a_bad_annotation_stops_no_other_sequence_that_begins_with_boxes(datakit, tmp_path):
    """It is read where the sequence is made."""
    root, out = draw_tree(tmp_path / "davis"), tmp_path / "out"
    (root / "Annotations/480p/cat/00000.png").write_bytes(b"no picture")
    found = datakit("propagate", "--davis", root, "--out", out, "--from-boxes")
    assert found.exit_code == 1 and "1 of 2 sequences failed" in found.stderr and "cat" in found.stderr
    assert len(list((out / "dog").iterdir())) == 4


def test_workers_that_there_are_share_the_cores(tmp_path, monkeypatch):
    """One sequence gets all of them, however many workers were asked for."""
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    root = draw_tree(tmp_path / "davis")
    threads = []
    for jobs, names in ((8, "cat"), (8, "cat,dog"), (1, None)):
        tree = TreeJob(root, PropagateJob(root, tmp_path / "out"), sequences=names, jobs=jobs)
        threads.append({job.network.threads for job in sequence_jobs(tree)})
    assert threads == [{0}, {8}, {0}]


def test_a_tree_made_with_other_settings_is_refused_with_exit_code_5(datakit, tmp_path):
    """As a single video is."""
    root, out = draw_tree(tmp_path / "davis"), tmp_path / "out"
    datakit("propagate", "--davis", root, "--out", out)
    assert datakit("propagate", "--davis", root, "--out", out, "--size", 64).exit_code == 5
    assert datakit("propagate", "--davis", root, "--out", out).exit_code == 0


def test_more_objects_than_usual_are_told_before_a_tree_is_begun(datakit, tmp_path):
    """With the sequence."""
    root = draw_tree(tmp_path / "davis")
    plane = np.arange(48 * 64).reshape(48, 64) // 30 % 71
    write_labels(root / "Annotations/480p/dog/00000.png", plane.astype(np.uint8))
    found = datakit("propagate", "--davis", root, "--out", tmp_path / "out")
    assert found.stderr.index("dog: 70 objects are given") < found.stderr.index("8/8 frames")
