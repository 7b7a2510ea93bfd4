"""--drop-duplicates: the first of photos that are alike stays, every other is named with it."""

import json
import shutil
import sys

import cv2
import pytest

from pipelines.drop_duplicates import twins_of
from pipelines.validate_source import Duplicate
from tests.pipelines.test_validate_source import twin


def pair(first, second, how="equal file", score=1.0):
    return Duplicate(first, second, how, score, False)


def problems(out):
    lines = (out / "errors.jsonl").read_text().splitlines()
    return {line["key"]: line for line in map(json.loads, lines)}


def copied(source, name, number="0001"):
    """A photo that is there twice, with a mask of its own."""
    shutil.copy(source / f"images/{number}.jpg", source / f"images/{name}.jpg")
    shutil.copy(source / f"ground_truth_mask/{number}.png", source / f"ground_truth_mask/{name}.png")


def test_an_equal_file_is_left_out_and_named(datakit, source, tmp_path):
    """The first by key stays; the counts add up; the settings say what was asked for."""
    copied(source, "copy")
    out = tmp_path / "out"
    result = datakit("build-shards", source, "--out", out, "--drop-duplicates", "--json")
    assert result.exit_code == 0, result.output
    found = problems(out)["ecssd/copy"]
    assert (found["kind"], found["reason"]) == ("left-out", "duplicate photo")
    assert found["detail"] == "images/copy.jpg: the same picture as ecssd/0001 (equal file), which stays"
    counts = json.loads((out / "manifest.json").read_text())["sources"]["ecssd"]
    assert (counts["photos"], counts["samples"], counts["left_out"]) == (12, 12, 1)
    assert json.loads((out / "manifest.json").read_text())["settings"]["dropped_duplicates"] == "near"


def test_without_the_option_both_are_built(datakit, source, tmp_path):
    """And nothing about it stands in the manifest, as in those of older versions."""
    copied(source, "copy")
    assert datakit("build-shards", source, "--out", tmp_path / "out").exit_code == 0
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["sources"]["ecssd"]["samples"] == 13 and "dropped_duplicates" not in manifest["settings"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_mirrored_copy_in_another_source_is_left_out(datakit, source, tmp_path, jobs):
    """Near-duplicates are looked for in all sources together, by any number of processes."""
    other = twin(source, tmp_path / "other", lambda photo: photo[:, ::-1])
    out = tmp_path / "out"
    result = datakit("build-shards", source, f"other={other}", "--out", out, "--drop-duplicates", "--jobs", jobs)
    assert result.exit_code == 0, result.output
    assert list(problems(out)) == ["other/twin"]
    assert "the same picture as ecssd/0005 (near, mirrored" in problems(out)["other/twin"]["detail"]


def test_a_copy_whose_first_has_no_sample_stays(datakit, source, tmp_path):
    """An empty mask displaces no photo that has an object."""
    copied(source, "copy")
    empty = cv2.imread(str(source / "ground_truth_mask/0001.png"), 0) * 0
    cv2.imwrite(str(source / "ground_truth_mask/0001.png"), empty)
    out = tmp_path / "out"
    assert datakit("build-shards", source, "--out", out, "--drop-duplicates").exit_code == 0
    assert {key: found["reason"] for key, found in problems(out).items()} == {"ecssd/0001": "empty mask"}


def test_without_imagehash_equal_files_are_left_out_with_a_word(datakit, source, tmp_path, monkeypatch):
    """What is missing is named, and the manifest says what was done."""
    monkeypatch.setitem(sys.modules, "imagehash", None)
    copied(source, "copy")
    other = twin(source, tmp_path / "other", lambda photo: photo[:, ::-1])
    out = tmp_path / "out"
    result = datakit("build-shards", source, f"other={other}", "--out", out, "--drop-duplicates")
    assert result.exit_code == 0 and "pip install 'masktrack-datakit[dedup]'" in result.stderr
    assert list(problems(out)) == ["ecssd/copy"]
    assert json.loads((out / "manifest.json").read_text())["settings"]["dropped_duplicates"] == "equal"


def test_a_second_run_keeps_what_the_first_made(datakit, source, tmp_path):
    """The same photos are found again."""
    copied(source, "copy")
    words = ("build-shards", source, "--out", tmp_path / "out", "--drop-duplicates", "--json")
    datakit(*words)
    assert json.loads(datakit(*words).stdout)["built"] == 0


def test_a_dry_run_counts_without_them(datakit, source, tmp_path):
    """What it says is what a build does."""
    copied(source, "copy")
    result = datakit("build-shards", source, "--out", tmp_path / "out", "--drop-duplicates", "--dry-run", "--json")
    assert json.loads(result.stdout)["sources"][0]["photos"] == 12


def test_of_a_group_the_first_stays():
    """However its pairs are linked."""
    found = twins_of([pair("s/b", "s/c", "near", 0.9), pair("s/a", "s/c", "near", 0.8), pair("s/x", "s/y")])
    assert {key: twin for key, (twin, _) in found.items()} == {"s/b": "s/a", "s/c": "s/a", "s/y": "s/x"}


def test_how_alike_they_are_is_said():
    """In percent of the hash."""
    assert twins_of([pair("s/a", "s/b", "near", 0.912)]) == {"s/b": ("s/a", "near, 91% alike")}
