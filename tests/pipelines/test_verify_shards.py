"""`datakit verify`: damage found wherever it is, and repaired to the published bytes or refused by name."""

import json
import zlib
from dataclasses import replace

import h5py
import numpy as np
import pytest

from datakit.files import file_sha256
from datakit.shards.manifest import read_manifest, write_manifest
from pipelines.shard_task import read_record, write_record
from tests.damage import damage, published, troubled_source


@pytest.fixture
def source(tmp_path):
    """Twelve photos, two of them unusable."""
    return troubled_source(tmp_path / "ecssd")


@pytest.fixture
def out(source, datakit, tmp_path):
    """Three shards of it."""
    folder = tmp_path / "out"
    built = datakit("build-shards", source, "--out", folder, "--samples-per-shard", 5, "--max-error-rate", 1)
    assert built.exit_code == 0, built.output
    return folder


def contents(out):
    return {str(path.relative_to(out)): path.read_bytes() for path in published(out)}


def flip(path, position=20_000):
    content = bytearray(path.read_bytes())
    content[position] ^= 4
    path.write_bytes(content)


def report(result):
    return json.loads(result.stdout)


def test_a_sound_folder_is_verified(out, datakit):
    """Exit 0, with or without --deep, and --repair leaves every byte alone."""
    before = contents(out)
    for options in ([], ["--deep"], ["--repair"], ["--repair", "--deep"], ["-j", 2]):
        result = datakit("verify", out, *options)
        assert (result.exit_code, "sound: 3 shards, 20 triples" in result.output) == (0, True), result.output
    assert contents(out) == before


def test_what_is_sound_is_counted(out, datakit):
    """Shards and triples of a folder; a single file is opened in a child only, so that its triples are not."""
    assert f"{out}: sound: 3 shards, 20 triples (bytes, structure and tables" in datakit("verify", out).output
    path = out / "ecssd-00000.h5"
    assert f"{path}: sound: 1 shard (every record)" in datakit("verify", path).output


def test_one_finding_is_one_finding(out, datakit):
    """No plural of one."""
    (out / "errors.jsonl").unlink()
    assert "1 finding in errors.jsonl" in datakit("verify", out).output


def test_flips_and_cuts_anywhere_are_found_and_placed(out):
    """60 flips and 10 cuts over shards, records, manifest, settings and ledger; the long form is in tests/torture."""
    outcomes, wrong = damage(out, 60, 10, seed=0)
    assert wrong == []
    assert len(outcomes) > 6


def test_a_single_file_is_examined_by_itself(out, datakit):
    """It says that no manifest was asked, and how to ask one; damage is placed; exit 4."""
    path = out / "ecssd-00000.h5"
    result = datakit("verify", path)
    assert (result.exit_code, "name its folder" in result.output) == (0, True)
    flip(path)
    result = datakit("verify", path, "--json")
    assert result.exit_code == 4
    assert report(result)["vouched_for"] is False
    assert report(result)["findings"][0]["place"].startswith("images[")


def test_what_is_not_a_shard_is_named_once(datakit, source):
    """A photo, or a folder of them: the place stands before what is wrong with it, and nowhere else."""
    photo = source / "images/0000.jpg"
    told = datakit("verify", photo).stdout
    assert told.splitlines() == [
        f"{photo}: 1 finding; it was examined by itself: name its folder to compare it with a manifest",
        "  structure: not a readable shard: does not begin as an HDF5 file does",
    ]
    result = datakit("verify", source)
    assert result.exit_code == 4
    assert result.stdout.startswith(f"{source}: holds no shards; if it is a source, build first")
    assert len(result.stdout.splitlines()) == 1


def test_it_says_how_much_was_read(out, datakit):
    """Of three shards bytes, structure and tables; with --deep, and of a single file, every record."""
    assert "3/3 shards" in datakit("verify", out).output
    assert "--deep reads every record" in datakit("verify", out).output
    for options in ([out, "--deep"], [out / "ecssd-00000.h5"]):
        assert "(every record)" in datakit("verify", *options).output
        assert report(datakit("verify", *options, "--json"))["deep"] is True
    assert report(datakit("verify", out, "--json"))["deep"] is False


def test_without_a_usable_manifest_every_record_is_read(out, datakit):
    """And the report says so, with --repair too."""
    (out / "manifest.json").write_text("{")
    for options in ([], ["--repair"]):
        found = report(datakit("verify", out, "--json", *options))
        assert (found["vouched_for"], found["deep"]) == (False, True)


@pytest.mark.parametrize(("table", "deep"), [("iou", True), ("crc32", False)])
def test_what_was_published_wrong_is_not_repaired(out, datakit, table, deep):
    """One finding, exit 4 and why, also where only --deep sees it; `--repair` is not offered."""
    publish_wrong(out, table)
    options = ["--deep"] if deep else []
    assert "--repair" not in datakit("verify", out, *options).output
    result = datakit("verify", out, "--repair", "--json", *options)
    assert result.exit_code == 4
    assert [finding["shard"] for finding in report(result)["findings"]] == ["ecssd-00000.h5"]
    assert "build anew" in report(result)["refused"]["ecssd-00000.h5"]


def publish_wrong(out, table):
    """Put a wrong number into a shard, and make record and manifest agree with its bytes."""
    path = out / "ecssd-00000.h5"
    with h5py.File(path, "r+") as file:
        rows = file["triples"][()]
        rows["iou"][0] = 0.123
        if table == "iou":
            file["triples"][...] = rows
        file["triples"].attrs["crc32"] = np.uint32(zlib.crc32(rows.tobytes()))
    manifest = read_manifest(out)
    entry = replace(manifest.shards[0], bytes=path.stat().st_size, sha256=file_sha256(path))
    record = read_record(out, path.name)
    write_record(out, replace(record, entry=entry))
    write_manifest(out, replace(manifest, shards=(entry, *manifest.shards[1:])))


def test_a_single_file_is_not_repaired(out, datakit):
    """There is nothing to compare it with; nor is there for what does not exist."""
    assert datakit("verify", out / "ecssd-00000.h5", "--repair").exit_code == 2
    assert datakit("verify", out / "nothing.h5").exit_code == 2


def test_a_folder_without_manifest_is_examined_file_by_file(out, datakit):
    """The missing manifest is a finding, and so is what a damaged shard says of itself."""
    (out / "manifest.json").unlink()
    flip(out / "ecssd-00001.h5")
    found = report(datakit("verify", out, "--json"))
    assert [finding["shard"] for finding in found["findings"]] == ["manifest.json", "ecssd-00001.h5"]
    assert found["vouched_for"] is False


def test_damage_of_every_sort_is_repaired(out, datakit):
    """Flipped, cut and missing shards, records, settings and ledger come back byte for byte."""
    before = contents(out)
    flip(out / "ecssd-00000.h5")
    cut = out / "ecssd-00001.h5"
    cut.write_bytes(cut.read_bytes()[:3000])
    (out / "ecssd-00002.h5").unlink()
    (out / "records/ecssd-00000.json").write_text("{}")
    (out / "records/ecssd-00001.json").unlink()
    for name in ("errors.jsonl", "settings.json", "manifest.json"):
        (out / name).write_text((out / name).read_text() + "\n")
    result = datakit("verify", out, "--repair", "--json")
    assert result.exit_code == 0, result.output
    assert set(report(result)["repaired"]) == {
        "ecssd-00000.h5", "ecssd-00001.h5", "ecssd-00002.h5", "records/ecssd-00000.json", "records/ecssd-00001.json",
        "errors.jsonl", "settings.json", "manifest.json",
    }  # fmt: skip
    assert contents(out) == before
    assert not (out / ".tmp").exists()


def test_a_moved_source_is_named_for_the_repair(out, source, datakit, tmp_path):
    """Without its place the shard stays as it is and the message says what to do; --source mends it."""
    before = contents(out)
    flip(out / "ecssd-00000.h5")
    damaged = contents(out)
    source.rename(tmp_path / "elsewhere")
    result = datakit("verify", out, "--repair")
    assert result.exit_code == 4
    assert "ecssd-00000.h5: not repaired" in result.output
    assert contents(out) == damaged
    result = datakit("verify", out, "--repair", "--source", f"ecssd={tmp_path / 'elsewhere'}")
    assert result.exit_code == 0, result.output
    assert contents(out) == before


def test_a_changed_photo_is_refused_by_name(out, source, datakit):
    """The source now gives other bytes: nothing is replaced, the photo is named, what can be repaired is."""
    before = contents(out)
    flip(out / "ecssd-00000.h5")
    flip(out / "ecssd-00001.h5")
    damaged = (out / "ecssd-00000.h5").read_bytes()
    photo = source / "images/0003.jpg"
    changed = bytearray(photo.read_bytes())
    changed[15] ^= 1  # of its density: other bytes of a photo that is as sound as before
    photo.write_bytes(changed)
    result = datakit("verify", out, "--repair")
    assert result.exit_code == 4
    assert "ecssd-00000.h5: not repaired: source 'ecssd' has changed since: the photo of ecssd/0003 differs" in (
        result.output
    )
    assert (out / "ecssd-00000.h5").read_bytes() == damaged
    assert (out / "ecssd-00001.h5").read_bytes() == before["ecssd-00001.h5"]


def test_a_changed_mask_and_a_lost_photo_are_refused_by_name(out, source, datakit):
    """The annotation or the photo is named, whether the listing or only a file's content differs."""
    for number, path in (("0001", "ground_truth_mask/0001.png"), ("0004", "images/0004.jpg")):
        kept = (source / path).read_bytes()
        if number == "0001":
            (source / path).write_bytes((source / "ground_truth_mask/0003.png").read_bytes())
        else:
            (source / path).unlink()
        shard = out / "ecssd-00000.h5"
        sound = shard.read_bytes()
        flip(shard)
        result = datakit("verify", out, "--repair", "--json")
        assert result.exit_code == 4
        assert f"ecssd/{number}" in report(result)["refused"]["ecssd-00000.h5"]
        shard.write_bytes(sound)
        (source / path).write_bytes(kept)


def test_a_lost_shard_of_a_changed_source_cannot_name_the_photo(out, source, datakit):
    """Then the range of photos is named, and why it is no more."""
    (out / "ecssd-00000.h5").unlink()
    (source / "images/0003.jpg").write_bytes((source / "images/0004.jpg").read_bytes())
    refused = report(datakit("verify", out, "--repair", "--json"))["refused"]["ecssd-00000.h5"]
    assert "ecssd/0000 to ecssd/0005" in refused or "ecssd/0000 to ecssd/0004" in refused


def test_another_tool_version_is_refused_by_name(out, datakit, monkeypatch):
    """What other versions make is not what was published; the settings, which need none, are restored."""
    flip(out / "ecssd-00000.h5")
    (out / "settings.json").write_text("{}")
    from pipelines import repair

    newer = {**repair.tool_versions(), "opencv": "99.0"}
    monkeypatch.setattr(repair, "tool_versions", lambda: newer)
    result = datakit("verify", out, "--repair", "--json")
    assert result.exit_code == 4
    assert "opencv" in report(result)["refused"]["ecssd-00000.h5"]
    assert "99.0" in report(result)["refused"]["ecssd-00000.h5"]
    assert report(result)["repaired"] == ["settings.json"]


def test_a_damaged_manifest_names_the_way_out(out, datakit):
    """It cannot be restored alone: the same build keeps every shard and writes it anew."""
    before = contents(out)
    flip(out / "manifest.json", 300)
    result = datakit("verify", out, "--repair")
    assert result.exit_code == 4
    assert "manifest.json: not repaired: run the same `datakit build-shards`" in result.output
    assert {name for name, data in contents(out).items() if data != before[name]} == {"manifest.json"}


def test_a_stray_shard_is_left_alone(out, datakit):
    """It is reported, not removed."""
    (out / "stray.h5").write_bytes(b"mine")
    result = datakit("verify", out, "--repair")
    assert result.exit_code == 4
    assert "stray.h5: not repaired" in result.output
    assert (out / "stray.h5").read_bytes() == b"mine"


def test_a_repair_waits_for_nobody(out, datakit):
    """Another run on the folder: exit 6, nothing touched."""
    from pipelines.lock import run_lock

    flip(out / "ecssd-00000.h5")
    before = contents(out)
    with run_lock(out):
        assert datakit("verify", out, "--repair").exit_code == 6
    assert contents(out) == before


def test_a_shard_open_elsewhere_is_not_for_repair(out, datakit):
    """Neither called damaged nor mended: its writer is named."""
    shard = sorted(out.glob("*.h5"))[0]
    with h5py.File(shard, "r+"):
        found = datakit("verify", out)
        assert found.exit_code == 4
        assert "is open for writing in this process" in found.stdout and "close it there" in found.stdout
        assert "--repair" not in found.stdout and "damage lies" not in found.stdout
        mended = datakit("verify", out, "--repair")
        assert mended.exit_code == 4
        assert f"{shard.name}: not repaired: is open for writing elsewhere, not damaged" in mended.stdout
    assert datakit("verify", out).exit_code == 0
