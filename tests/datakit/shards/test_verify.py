"""Verify finds what is wrong, says where, and survives files that HDF5 does not."""

import contextlib
import random
import shutil
from dataclasses import replace
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from datakit.files import file_sha256, write_text
from datakit.progress import displaying
from datakit.shards import Manifest, Shard, ShardEntry, ShardWriter, write_manifest
from datakit.shards.examine import examine
from datakit.shards.manifest import read_manifest
from datakit.shards.verify import verify
from tests.made import made_header, made_sample, made_triples


@pytest.fixture
def folder(tmp_path):
    """One published shard of three samples, one of them with a void region."""
    path = tmp_path / "made-00000.h5"
    with ShardWriter(path, made_header()) as writer:
        for number, name in enumerate("abc"):
            sample = made_sample(f"made/{name}", number, ignore=number == 1)
            writer.add(sample, made_triples(sample))
        stats = writer.publish()
    entry = ShardEntry(path.name, "made", "", stats.bytes, stats.sha256, 3, 3, stats.triples, 3)
    write_text(tmp_path / "errors.jsonl", "")
    ledger = file_sha256(tmp_path / "errors.jsonl")
    write_manifest(tmp_path, Manifest(dict(made_header().settings), {}, {}, (entry,), {}, ledger))
    return tmp_path


def flip(path, position, bit=0):
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(content)


def publish_as_is(folder):
    """Make the manifest agree with whatever the shard's bytes are now."""
    path = folder / "made-00000.h5"
    manifest = read_manifest(folder)
    entry = manifest.shards[0]
    changed = ShardEntry(**{**vars(entry), "bytes": path.stat().st_size, "sha256": file_sha256(path)})
    write_manifest(folder, Manifest(**{**vars(manifest), "shards": (changed,)}))


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_sound_folder_has_no_findings(folder, jobs):
    """Nothing is found where nothing is wrong."""
    assert verify(folder, jobs) == []


def test_a_missing_manifest_is_a_finding(folder):
    """An unfinished folder is not called sound."""
    (folder / "manifest.json").unlink()
    assert [finding.place for finding in verify(folder)] == ["manifest"]


def test_a_changed_ledger_and_a_stray_shard_are_findings(folder):
    """The ledger is part of what was published, a file nobody names is not."""
    write_text(folder / "errors.jsonl", "{}\n")
    shutil.copy(folder / "made-00000.h5", folder / "made-00001.h5")
    assert [finding.shard for finding in verify(folder)] == ["errors.jsonl", "made-00001.h5"]


@pytest.mark.parametrize("kind", ["images", "targets", "ignores", "deformed"])
def test_a_flipped_record_bit_is_placed(folder, kind):
    """Shard, record and sample key are named."""
    path = folder / "made-00000.h5"
    shard = Shard(path)
    start = path.read_bytes().index(bytes(shard.record(kind, 0)))
    flip(path, start + 5)
    places = {(finding.shard, finding.place) for finding in verify(folder)}
    assert ("made-00000.h5", "file") in places
    keys = [finding.key for finding in verify(folder) if finding.place.startswith(f"{kind}[")]
    assert keys
    assert keys[0].startswith("made/")


def test_a_flipped_table_bit_is_placed(folder):
    """A number in the table of triples is covered by the table's own CRC-32."""
    path = folder / "made-00000.h5"
    start = path.read_bytes().index(Shard(path).triples.tobytes())
    flip(path, start + 40)
    assert "triples" in {finding.place for finding in verify(folder)}


def test_a_truncated_shard_is_found(folder):
    """Both sizes are named."""
    path = folder / "made-00000.h5"
    path.write_bytes(path.read_bytes()[:-100])
    assert "bytes, the manifest says" in verify(folder)[0].text


def test_every_flip_anywhere_is_found_and_nothing_crashes(folder):
    """Single-bit flips at random places, HDF5's own structure included."""
    path = folder / "made-00000.h5"
    sound = path.read_bytes()
    rng = random.Random(0)
    for position in [0, 9, 60, *(rng.randrange(len(sound)) for _ in range(5))]:
        path.write_bytes(sound)
        flip(path, position, rng.randrange(8))
        findings = verify(folder)
        assert findings[0].place == "file", position
        assert len(findings) > 1, position


def change(folder, table, column, value):
    """Rewrite a cell of a table as a faulty writer would have: with a CRC-32 and a manifest that fit."""
    import zlib

    with h5py.File(folder / "made-00000.h5", "r+") as file:
        rows = file[table][()]
        rows[column][0] = value
        file[table][...] = rows
        file[table].attrs["crc32"] = np.uint32(zlib.crc32(rows.tobytes()))
    publish_as_is(folder)


@pytest.mark.parametrize(
    ("table", "column", "value", "place"),
    [
        ("triples", "iou", 0.123, "triples[0].iou"),
        ("targets/table", "area", 3, "targets[0]"),
        ("images/table", "width", 50, "images[0]"),
        ("triples", "target_row", 99, "triples"),
    ],
)
def test_a_wrong_number_is_found_by_its_meaning(folder, table, column, value, place):
    """Digests that fit do not help: what is stored must be what the masks say."""
    change(folder, table, column, value)
    assert place in {finding.place for finding in verify(folder, deep=True)}


def test_records_are_read_where_bytes_do_not_fit(folder):
    """A shard whose SHA-256 fits is not decoded unless `deep`; one whose does not is, whatever was asked."""
    change(folder, "triples", "iou", 0.123)
    assert verify(folder) == []
    with (folder / "made-00000.h5").open("ab") as file:
        file.write(b"x")
    assert [finding.place for finding in verify(folder)] == ["file", "triples[0].iou"]


def test_a_structure_no_shard_has_is_found_behind_a_manifest_that_fits(folder):
    """A stranger's manifest fits a stranger's shards: links are judged without `deep`, too."""
    with h5py.File(folder / "made-00000.h5", "r+") as file:
        del file["triples"]
        file["triples"] = h5py.SoftLink("/images/data")
    publish_as_is(folder)
    assert [finding.place for finding in verify(folder)] == ["triples"]


@pytest.mark.parametrize(
    ("attribute", "place"), [("settings_digest", "settings_digest"), ("source", "source"), ("triples", "triples")]
)
def test_tables_and_counts_are_judged_without_deep(folder, attribute, place):
    """Against the manifest, and a table against its own CRC-32, behind a SHA-256 that fits."""
    with h5py.File(folder / "made-00000.h5", "r+") as file:
        if attribute == "triples":
            file["triples"].attrs["crc32"] = np.uint32(1)
        else:
            file.attrs[attribute] = "other"
    publish_as_is(folder)
    assert place in {finding.place for finding in verify(folder)}


@pytest.mark.parametrize("column", ["photos", "samples", "triples"])
def test_a_manifest_that_counts_otherwise_is_found_without_deep(folder, column):
    """Every count of an entry is held against the shard."""
    manifest = read_manifest(folder)
    changed = replace(manifest.shards[0], **{column: 7})
    write_manifest(folder, replace(manifest, shards=(changed,)))
    assert column in {finding.place for finding in verify(folder)}


def test_an_entry_that_is_there_twice_is_judged_twice(folder):
    """The bytes that each of them promises."""
    manifest = read_manifest(folder)
    entry = manifest.shards[0]
    write_manifest(folder, replace(manifest, shards=(replace(entry, sha256="0" * 64), entry)))
    assert "file" in {finding.place for finding in verify(folder)}


def test_a_file_that_cannot_be_read_is_a_finding(folder, monkeypatch):
    """Others are judged all the same."""

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("datakit.shards.verify.file_sha256", refuse)
    assert "cannot be read: Permission denied" in {finding.text for finding in verify(folder)}


def test_every_shard_is_told_of(folder):
    """Who tracks it hears of one shard after the other, and of how many."""
    told = []
    manifest = read_manifest(folder)
    write_manifest(folder, replace(manifest, shards=manifest.shards * 2))

    @contextlib.contextmanager
    def display(total, unit):
        yield SimpleNamespace(advance=lambda count: told.append((count, total, unit)))

    with displaying(display):
        verify(folder)
    assert told == [(1, 2, "shards"), (1, 2, "shards")]


def test_a_file_that_is_no_shard_is_a_finding(tmp_path):
    """A foreign HDF5 file is named for what it is not."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a"] = 1
    assert "expected" in examine(tmp_path / "x.h5")[0].text
