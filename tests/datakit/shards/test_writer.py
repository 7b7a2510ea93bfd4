"""What a shard holds is what was put in, and nothing is left of a shard that could not be finished."""

import hashlib

import h5py
import numpy as np
import pytest

from datakit.shards import Shard, ShardWriter
from datakit.shards import writer as writing
from datakit.shards.layout import IMAGES
from datakit.shards.shard import decode_triple
from tests.made import made_header, made_sample, made_triples, write_made


def test_every_triple_comes_back_exactly(tmp_path):
    """Image, masks, void region and drawn numbers survive the file bit for bit."""
    samples = [made_sample("made/a", 1), made_sample("made/b", 2, ignore=True)]
    expected = [triple for sample in samples for triple in made_triples(sample)]
    write_made(tmp_path / "s.h5", samples)
    shard = Shard(tmp_path / "s.h5")
    assert len(shard.triples) == len(expected)
    for row, triple in enumerate(expected):
        stored = decode_triple(shard, row, check="all")
        for name in ("image", "guide", "target", "parameters"):
            np.testing.assert_array_equal(getattr(stored, name), getattr(triple, name), err_msg=name)
        np.testing.assert_equal(stored.ignore, triple.ignore)
        for name in ("key", "sample_key", "recipe", "kind", "variant", "iou", "area_ratio", "redraws", "flags"):
            assert getattr(stored, name) == getattr(triple, name)


def test_objects_of_one_photo_share_its_bytes(tmp_path):
    """Two samples of a photo store one image."""
    stats = write_made(tmp_path / "s.h5", [made_sample("made/a#1"), made_sample("made/a#2")])
    assert (stats.photos, stats.samples, stats.triples) == (1, 2, 6)
    assert Shard(tmp_path / "s.h5").triples["image_row"].tolist() == [0] * 6


def test_the_same_content_gives_the_same_bytes(tmp_path):
    """No time stamp, no path, no order of memory enters the file."""
    write_made(tmp_path / "one.h5", [made_sample()])
    write_made(tmp_path / "two.h5", [made_sample()])
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


def test_what_no_longer_fits_in_memory_is_spilled_and_written_the_same(tmp_path, monkeypatch):
    """A shard larger than what is held goes through a file, to the same bytes."""
    samples = [made_sample("made/a#1", ignore=True), made_sample("made/a#2"), made_sample("made/b", 2)]
    write_made(tmp_path / "held.h5", samples)
    monkeypatch.setattr(writing, "HELD_BYTES", 1000)
    write_made(tmp_path / "spilled.h5", samples)
    assert (tmp_path / "held.h5").read_bytes() == (tmp_path / "spilled.h5").read_bytes()


def test_stats_are_of_the_file(tmp_path):
    """Size and SHA-256 that enter the manifest are those of the published bytes."""
    stats = write_made(tmp_path / "s.h5", [made_sample()])
    content = (tmp_path / "s.h5").read_bytes()
    assert (stats.bytes, stats.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_an_empty_shard_can_be_written_and_read(tmp_path):
    """A slice of a source whose every photo failed is still a shard."""
    assert write_made(tmp_path / "s.h5", []).triples == 0
    assert len(Shard(tmp_path / "s.h5").triples) == 0


def test_an_exception_leaves_nothing_behind(tmp_path):
    """Leaving the writer by an exception removes spool and part files."""
    with pytest.raises(RuntimeError), ShardWriter(tmp_path / "s.h5", made_header()) as writer:
        writer.add(made_sample(), [])
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_the_file_opens_with_plain_h5py(tmp_path):
    """Attributes say what it is; record bytes lie contiguously, unfiltered."""
    write_made(tmp_path / "s.h5", [made_sample()])
    with h5py.File(tmp_path / "s.h5") as file:
        assert file.attrs["format"] == "masktrack-datakit shard"
        assert file.attrs["version"] == 1
        data = file[f"{IMAGES}/data"]
        assert data.chunks is None
        assert data.compression is None
        assert data.id.get_offset() is not None
