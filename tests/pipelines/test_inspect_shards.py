"""Inspect counts what is there and tells a changed source from an identical one."""

import csv
import json
import shutil

import cv2
import pytest


@pytest.fixture
def shards(datakit, source, tmp_path):
    """A build of `source` with masks and boxes."""
    out = tmp_path / "out"
    recipes = ("--recipe", "masktrack", "--recipe", "masktrack-box")
    assert datakit("build-shards", source, "--out", out, *recipes).exit_code == 0
    return out


def test_statistics_add_up(datakit, shards):
    """Groups per source and recipe sum to the whole; histograms hold every triple."""
    groups = json.loads(datakit("inspect", shards, "--json").stdout)["groups"]
    assert [(g["source"], g["recipe"], g["kind"], g["triples"]) for g in groups] == [
        ("ecssd", "masktrack", "mask", 24),
        ("ecssd", "masktrack-box", "box", 12),
        ("all", "all", "all", 36),
    ]
    assert sum(groups[-1]["iou_histogram"]) == sum(groups[-1]["area_ratio_histogram"]) == 36
    assert groups[-1]["photos"] == groups[-1]["samples"] == 12


def test_the_text_shows_counts_and_bars(datakit, shards):
    """A person sees the groups and the distribution of IoU."""
    text = datakit("inspect", shards).output
    assert "masktrack-box" in text
    assert "█" in text


def test_a_csv_has_a_line_for_each_triple(datakit, shards, tmp_path):
    """For a spreadsheet; the statistics are shown all the same, as JSON too."""
    result = datakit("inspect", shards, "--csv", tmp_path / "t.csv", "--json")
    assert (result.exit_code, json.loads(result.stdout)["groups"][-1]["triples"]) == (0, 36)
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 36
    assert (rows[0]["key"], rows[0]["source"], rows[0]["dilate.radius"]) == ("ecssd/0000@masktrack/0", "ecssd", "5.0")


def test_the_csv_is_named_with_its_size(datakit, shards, tmp_path):
    """Below the statistics."""
    result = datakit("inspect", shards, "--csv", tmp_path / "t.csv")
    assert result.stdout.splitlines()[-1] == f"{tmp_path / 't.csv'}: 0.0 MB"


def test_a_source_is_no_folder_of_shards(datakit, source, shards):
    """It says what to do with one; a single shard names its folder."""
    result = datakit("inspect", source)
    assert (result.exit_code, f"build first: `datakit build-shards {source} --out shards`" in result.stderr) == (
        1,
        True,
    )
    assert "is a file; give its folder" in datakit("inspect", shards / "ecssd-00000.h5").stderr


def test_rebuilt_triples_are_identical(datakit, shards):
    """All triples of the folder equal what their source gives."""
    result = datakit("inspect", shards, "--random", 36)
    assert result.exit_code == 0
    assert "36 of 36 identical" in result.output


def test_a_sample_key_stands_for_its_triples(datakit, shards):
    """A sample's key compares all its triples, a triple's key one."""
    assert "3 of 3 identical" in datakit("inspect", shards, "--sample", "ecssd/0003").output
    assert "1 of 1 identical" in datakit("inspect", shards, "--sample", "ecssd/0003@masktrack/1").output


def test_one_changed_mask_pixel_is_reported(datakit, shards, source):
    """Exit 4, the pixel is named."""
    path = str(source / "ground_truth_mask/0003.png")
    mask = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    mask[1, 2] = 255
    cv2.imwrite(path, mask)
    result = datakit("inspect", shards, "--sample", "ecssd/0003")
    assert result.exit_code == 4
    assert "1 pixel differs, the first at x 2, y 1" in result.output
    assert "the source annotation has changed" in result.output


def test_a_changed_photo_is_reported(datakit, shards, source):
    """A photo encoded anew is not the stored one."""
    path = str(source / "images/0003.jpg")
    cv2.imwrite(path, 255 - cv2.imread(path))
    result = datakit("inspect", shards, "--sample", "ecssd/0003@masktrack/0", "--json")
    assert result.exit_code == 4
    differs = json.loads(result.stdout)[0]["differs"]
    assert any(text.startswith("image: ") for text in differs)


def test_a_vanished_photo_is_reported(datakit, shards, source):
    """A photo the source no longer holds is said to be gone."""
    (source / "images/0003.jpg").unlink()
    (source / "ground_truth_mask/0003.png").unlink()
    result = datakit("inspect", shards, "--sample", "ecssd/0003")
    assert result.exit_code == 4
    assert "no longer holds ecssd/0003" in result.output


def test_a_source_that_moved_is_found_by_its_new_place(datakit, shards, source, tmp_path):
    """Without --source the old place is looked for; with it the new one serves."""
    shutil.move(source, tmp_path / "moved")
    assert datakit("inspect", shards, "--sample", "ecssd/0003").exit_code == 2
    result = datakit("inspect", shards, "--sample", "ecssd/0003", "--source", f"ecssd={tmp_path / 'moved'}")
    assert result.exit_code == 0, result.output


def test_an_unknown_key_is_refused_with_an_example(datakit, shards):
    """Exit 2 and a key that exists."""
    result = datakit("inspect", shards, "--sample", "ecssd/nobody")
    assert result.exit_code == 2
    assert "a key looks like 'ecssd/" in result.output


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("ecssd/0003@masktrack/2", "did you mean ecssd/0003@masktrack/1"),
        ("ecssd/0003@masktrak/1", "did you mean ecssd/0003@masktrack/1"),
        ("ecsd/0003@masktrack/1", "did you mean ecssd/0003@masktrack/1"),
    ],
)
def test_a_key_that_is_nearly_right_gets_the_nearest(datakit, shards, key, near):
    """Of the same photo where that is there, else of all."""
    result = datakit("inspect", shards, "--sample", key)
    assert result.exit_code == 2
    assert near in result.output


def test_a_moved_source_keeps_its_layout_and_pictures(datakit, source, tmp_path):
    """Only what is said anew changes: a set of two odd folders is found again by --source and --images."""
    out = tmp_path / "out"
    masks, pictures = source / "ground_truth_mask", source / "images"
    masks.rename(source / "m")
    pictures.rename(source / "p")
    build = ("build-shards", f"odd:pairs={source / 'm'}", "--images", f"odd={source / 'p'}", "--out", out)
    assert datakit(*build).exit_code == 0
    source.rename(tmp_path / "moved")
    there = ("--source", f"odd={tmp_path / 'moved/m'}", "--images", f"odd={tmp_path / 'moved/p'}")
    result = datakit("inspect", out, "--random", 5, *there)
    assert result.exit_code == 0, result.output


def test_an_unknown_source_is_refused(datakit, shards, source):
    """A label the folder was not built from is a typing error."""
    result = datakit("inspect", shards, "--sample", "ecssd/0003", "--source", f"escd={source}")
    assert result.exit_code == 2
    assert "'escd'" in result.output


def test_a_tilde_in_a_file_name_is_no_view(datakit, source, tmp_path):
    """Keys escape what separates their parts."""
    for folder, suffix in (("images", "jpg"), ("ground_truth_mask", "png")):
        (source / folder / f"0003.{suffix}").rename(source / folder / f"0003~r+2.{suffix}")
    out = tmp_path / "out"
    assert datakit("build-shards", source, "--out", out).exit_code == 0
    assert "24 of 24 identical" in datakit("inspect", out, "--random", 24).output
