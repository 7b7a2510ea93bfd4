"""A build that publishes nothing says why on the terminal, and leaves a folder that the corrected command may use."""

import json

import cv2
import numpy as np
import pytest

from datakit.errors import Problem, TooManyFailed
from datakit.shards import read_manifest
from pipelines.reasons import MOST_REASONS, withheld
from tests.damage import lose_the_middle
from tests.runs import draw_source, shard_bytes


@pytest.fixture
def empty(tmp_path):
    """Three photos whose masks are empty, and one whose mask is missing."""
    root = draw_source(tmp_path / "ecssd", 4)
    for path in (root / "ground_truth_mask").iterdir():
        cv2.imwrite(str(path), np.zeros((48, 64), np.uint8))
    (root / "ground_truth_mask/0003.png").unlink()
    return root


def test_nothing_built_tells_the_commonest_reasons(datakit, empty, tmp_path):
    """With a count and an example each, the commonest first; then where all of them stand."""
    result = datakit("build-shards", empty, "--out", tmp_path / "out")
    lines = result.stderr[result.stderr.index("Error: ") :].splitlines()
    assert result.exit_code == 1 and lines[0] == "Error: none of 4 items gave a sample, so nothing was published"
    assert lines[1].startswith("  3 ") and "e.g. ecssd/0000: ground_truth_mask/0000.png: " in lines[1]
    assert lines[2].startswith("  1 failed: missing mask, e.g. ecssd/0003: images/0003.jpg: ")
    assert lines[3] == f"all of them stand in {tmp_path / 'out/errors.jsonl'}" and len(lines) == 4


def test_nothing_built_speaks_json_too(datakit, empty, tmp_path):
    """The same groups as validate-source has, with the message, on standard output."""
    result = datakit("build-shards", empty, "--out", tmp_path / "out", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 1 and told["error"].startswith("none of 4 items gave a sample")
    assert [group["count"] for group in told["groups"]] == [3, 1]
    assert told["groups"][1]["examples"][0]["key"] == "ecssd/0003"


def test_too_many_failures_tell_the_failures(datakit, source, tmp_path):
    """Exit 3; a photo damaged in its middle is among them, by name."""
    (source / "images/0001.jpg").write_bytes(b"")
    for number in (2, 3):
        lose_the_middle(source / f"images/000{number}.jpg")
    result = datakit("build-shards", source, "--out", tmp_path / "out")
    assert result.exit_code == 3
    assert "3 of 12 items failed, more than --max-error-rate 0.01 allows; no manifest was published" in result.stderr
    assert "  2 failed: damaged image, e.g. ecssd/0002: images/0002.jpg: JPEG header" in result.stderr
    assert "  1 failed: empty file, e.g. ecssd/0001: " in result.stderr


def test_too_many_failures_tell_how_to_build_the_rest(datakit, source, tmp_path):
    """Half-labelled sets are common; the command that the message names builds what has a mask."""
    for number in range(6):
        (source / f"ground_truth_mask/{number:04d}.png").unlink()
    result = datakit("build-shards", source, "--out", tmp_path / "out")
    way_out = "or build the 6 samples that can be read: the same command with `--max-error-rate 1`"
    assert result.exit_code == 3 and result.stderr.rstrip().endswith(way_out)
    again = datakit("build-shards", source, "--out", tmp_path / "out", "--max-error-rate", 1)
    assert again.exit_code == 0 and read_manifest(tmp_path / "out").sources["ecssd"]["samples"] == 6


def test_an_error_tells_some_reasons_and_counts_the_others(tmp_path):
    """Control characters of file names stay out of the terminal."""
    problems = [Problem(f"a/{n}", "failed", "list", f"reason {n}", "x\x1b[2J: y") for n in range(MOST_REASONS + 2)]
    error = withheld(TooManyFailed, "it failed", problems, tmp_path / "errors.jsonl", "mend it")
    lines = str(error).splitlines()
    assert len(lines) == MOST_REASONS + 3 and lines[-2] == "  and 2 more reasons"
    assert "\x1b" not in str(error) and len(error.details["groups"]) == MOST_REASONS + 2


def test_a_folder_in_which_nothing_was_built_is_taken_over(datakit, source, tmp_path):
    """The corrected command builds there what it builds elsewhere, and says so."""
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    assert datakit("build-shards", source, "--out", out, "--min-area", 100_000).exit_code == 1
    result = datakit("build-shards", source, "--out", out)
    assert result.exit_code == 0
    assert (
        f"{out}: an earlier build with other settings published nothing here; its folder is taken over" in result.stderr
    )
    assert datakit("build-shards", source, "--out", elsewhere).exit_code == 0
    assert shard_bytes(out) == shard_bytes(elsewhere)


@pytest.mark.parametrize("record", ["sound", "damaged"])
def test_finished_shards_of_other_settings_are_not_taken_over(datakit, source, tmp_path, record):
    """A build that was stopped before its end has shards to go on with: exit 5, and nothing is touched."""
    out = tmp_path / "out"
    (source / "images/0001.jpg").write_bytes(b"")
    assert datakit("build-shards", source, "--out", out).exit_code == 3
    (out / "errors.jsonl").unlink()  # a build writes it when all shards are there
    if record == "damaged":
        (out / "records/ecssd-00000.json").write_text("{")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert datakit("build-shards", source, "--out", out, "--seed", 1).exit_code == 5
    assert before == {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert datakit("build-shards", source, "--out", out, "--seed", 1, "--dry-run").exit_code == 5


def test_a_folder_of_a_build_that_was_withheld_is_taken_over(datakit, source, tmp_path):
    """Too many failed, so nothing was published: the corrected command builds what it builds elsewhere."""
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    (source / "images/0001.jpg").write_bytes(b"")
    assert datakit("build-shards", source, "--out", out).exit_code == 3
    (source / "images/0001.jpg").unlink()
    (source / "ground_truth_mask/0001.png").unlink()
    result = datakit("build-shards", source, "--out", out, "--seed", 1)
    assert result.exit_code == 0 and "published nothing here; its folder is taken over" in result.stderr
    assert datakit("build-shards", source, "--out", elsewhere, "--seed", 1).exit_code == 0
    assert shard_bytes(out) == shard_bytes(elsewhere)


def test_a_dry_run_does_not_take_a_folder_over(datakit, source, tmp_path):
    """It touches nothing, and does not refuse what the build would do."""
    out = tmp_path / "out"
    assert datakit("build-shards", source, "--out", out, "--min-area", 100_000).exit_code == 1
    before = (out / "settings.json").read_bytes()
    assert datakit("build-shards", source, "--out", out, "--dry-run").exit_code == 0
    assert (out / "settings.json").read_bytes() == before
