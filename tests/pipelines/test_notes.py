"""What was read and deserves a word stands in the build's own table, in --json, and in validate-source."""

import json
from pathlib import Path

import h5py
import pytest

from datakit.shards import read_manifest
from tests import tiny
from tests.runs import shard_bytes

NEAR = [[10, 8, 40, 8, 40, 40, 10, 40]]
TALL = [[4, 20, 30, 20, 30, 60, 4, 60]]
BOTH_WAYS = (
    "photos turned by EXIF, outlines fit both ways: read as drawn on the upright photo (if not: --annotated stored)"
)
UPRIGHT = "photos turned by EXIF, outlines fit the upright photo only"
CUT = "outlines cut off by the edge of the photo"


@pytest.fixture
def phone(tmp_path):
    """Four photos that EXIF 6 turns, written as stored and drawn upright; two outlines fit upright only."""
    images, annotations = [], []
    for number, outline in enumerate([NEAR, TALL, TALL, NEAR]):
        tiny.write_rotated_jpeg(tmp_path / f"set/val2017/{number}.jpg", tiny.picture(number), 6)
        images.append({"id": number, "file_name": f"{number}.jpg", "height": 48, "width": 64})
        annotations.append({"id": number, "image_id": number, "segmentation": outline})
    annotations.append({"id": 9, "image_id": 1, "segmentation": [[4, 40, 30, 40, 30, 72, 4, 72]]})
    return f"c:coco={tiny.coco_file(tmp_path / 'set', images, annotations)}"


def notes(out: Path) -> dict[str, int]:
    return {reason: note["count"] for reason, note in read_manifest(out).sources["c"].get("notes", {}).items()}


def test_notes_are_counted_in_the_table(datakit, phone, tmp_path):
    """A line each with a count and an example; items add up as ever."""
    out = tmp_path / "out"
    result = datakit("build-shards", phone, "--out", out)
    assert result.exit_code == 0, result.output
    assert notes(out) == {BOTH_WAYS: 2, UPRIGHT: 2, CUT: 1}
    assert f"2 noted in c: {BOTH_WAYS}; such as c/0: 0.jpg: EXIF orientation 6" in result.output
    assert f"1 noted in c: {CUT}; such as c/1#9: annotation 9 of 1.jpg: 75% of its outline" in result.output
    counts = read_manifest(out).sources["c"]
    assert (counts["items"], counts["samples"]) == (5, 5) and (out / "errors.jsonl").read_text() == ""
    assert datakit("verify", out, "--deep").exit_code == 0


def test_notes_outlive_a_resume_and_stand_in_json(datakit, phone, tmp_path):
    """Shards that are kept, and shards of parts, say what they said; with two workers the same."""
    out = tmp_path / "out"
    assert datakit("build-shards", phone, "--out", out, "--samples-per-shard", 2).exit_code == 0
    (out / "c-00001.h5").unlink()
    again = datakit("build-shards", phone, "--out", out, "--samples-per-shard", 2, "-j", 2, "--json")
    body = json.loads(again.stdout)
    assert body["kept"] and body["built"]
    assert {reason: note["count"] for reason, note in body["sources"]["c"]["notes"].items()} == {
        BOTH_WAYS: 2, UPRIGHT: 2, CUT: 1,
    }  # fmt: skip


def test_what_was_asked_for_needs_no_note(datakit, phone, tmp_path):
    """--annotated says it; masks follow, and outlines that fit one way only stay as they are."""
    areas = {}
    for name, more in (("upright", ()), ("asked", ("--annotated", "c=upright")), ("stored", ("--annotated", "stored"))):
        assert datakit("build-shards", phone, "--out", tmp_path / name, *more).exit_code == 0
        with h5py.File(tmp_path / name / "c-00000.h5") as file:
            areas[name] = [bytes(file["targets/data"]), *file["targets/table"]["area"].tolist()]
    assert areas["upright"] == areas["asked"] != areas["stored"] and areas["upright"][1:] == areas["stored"][1:]
    assert notes(tmp_path / "asked") == notes(tmp_path / "stored") == {UPRIGHT: 2, CUT: 1}


def test_where_nothing_is_noted_the_files_are_as_ever(datakit, source, tmp_path):
    """Records and manifest have no place for what is not there."""
    assert datakit("build-shards", source, "--out", tmp_path / "out").exit_code == 0
    assert "notes" not in read_manifest(tmp_path / "out").sources["ecssd"]
    (record,) = (tmp_path / "out/records").glob("*.json")
    assert "notes" not in json.loads(record.read_text())
    assert shard_bytes(tmp_path / "out")


def test_validate_source_warns_of_the_same(datakit, phone):
    """The same words; warnings alone exit 0."""
    result = datakit("validate-source", phone, "--json")
    groups = {group["reason"]: group["count"] for group in json.loads(result.stdout)["groups"]}
    assert {reason: groups[reason] for reason in (BOTH_WAYS, UPRIGHT, CUT)} == {BOTH_WAYS: 2, UPRIGHT: 2, CUT: 1}
