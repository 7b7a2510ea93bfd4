"""`datakit verify` of an export: missing, changed and extra files by name, and the exit code of `verify`."""

import json
from pathlib import Path

import pytest

from datakit.files import EXPORT_MANIFEST
from tests.runs import draw_source


@pytest.fixture
def out(tmp_path, datakit) -> Path:
    """Three photos exported."""
    built = datakit("build-shards", draw_source(tmp_path / "ecssd", 3), "--out", tmp_path / "shards")
    assert built.exit_code == 0, built.output
    assert datakit("export", tmp_path / "shards", "--to", "davis", "--out", tmp_path / "out").exit_code == 0
    return tmp_path / "out"


def found(datakit, out: Path, *words: object) -> tuple[int, list[tuple[str, str]]]:
    """Exit code, and file and kind of every finding."""
    ran = datakit("verify", out, "--json", *words)
    return ran.exit_code, [(each["file"], each["kind"]) for each in json.loads(ran.stdout)["findings"]]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_whole_export_is_sound(out, datakit, jobs):
    """Exit code 0, with the number of files."""
    ran = datakit("verify", out, "-j", jobs)
    assert ran.exit_code == 0 and f"{out}: sound: 7 files" in ran.output


def test_a_missing_file_is_named(out, datakit):
    """Exit code 4."""
    (out / "ImageSets/2017/train.txt").unlink()
    assert found(datakit, out) == (4, [("ImageSets/2017/train.txt", "missing")])


def test_a_file_that_became_longer_is_named(out, datakit):
    """By its size."""
    with (out / "ImageSets/2017/train.txt").open("a") as file:
        file.write("more\n")
    assert found(datakit, out) == (4, [("ImageSets/2017/train.txt", "changed")])


def test_one_changed_byte_is_found(out, datakit):
    """By the SHA-256."""
    path = out / "JPEGImages/480p/ecssd_0001/00000.jpg"
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    assert found(datakit, out) == (4, [("JPEGImages/480p/ecssd_0001/00000.jpg", "changed")])


def test_a_file_that_is_in_no_list_is_named(out, datakit):
    """A loader may read it."""
    (out / "JPEGImages/480p/ecssd_0001/00001.jpg").write_bytes(b"mine")
    assert found(datakit, out) == (4, [("JPEGImages/480p/ecssd_0001/00001.jpg", "extra")])


def test_a_changed_list_is_found_by_its_own_digest(out, datakit):
    """And says what to do."""
    text = (out / EXPORT_MANIFEST).read_text()
    (out / EXPORT_MANIFEST).write_text(text.replace('"photos": 3', '"photos": 4'))
    ran = datakit("verify", out)
    assert ran.exit_code == 4 and "damaged, its digest does not fit" in ran.output


def test_all_that_is_wrong_is_told_with_the_way_out(out, datakit):
    """A line for each, and how many there are."""
    (out / "ImageSets/2017/train.txt").unlink()
    (out / "notes.txt").write_text("mine")
    said = datakit("verify", out).output
    assert "1 missing, 1 extra of 7 files; run the command that made it again, with --overwrite" in said


def test_an_export_is_not_repaired(out, datakit):
    """It is made again."""
    ran = datakit("verify", out, "--repair")
    assert ran.exit_code == 2 and "with --overwrite" in ran.output


def test_a_folder_of_shards_with_such_a_file_in_it_is_still_one_of_shards(out, tmp_path, datakit):
    """Its manifest decides."""
    (tmp_path / "shards" / EXPORT_MANIFEST).write_bytes((out / EXPORT_MANIFEST).read_bytes())
    assert "sound: 1 shard" in datakit("verify", tmp_path / "shards").output
