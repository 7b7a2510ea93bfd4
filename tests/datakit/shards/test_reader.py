"""The reader is a Sequence that travels between processes and refuses what is not whole."""

import json
import multiprocessing
import pickle

import numpy as np
import pytest

from datakit.errors import ShardError
from datakit.files import digest_json, write_json, write_text
from datakit.shards import Manifest, ShardEntry, ShardReader, ShardWriter, write_manifest
from tests.made import made_header, made_sample, made_triples


@pytest.fixture
def folder(tmp_path):
    """Two published shards of two samples each."""
    entries = []
    for number in range(2):
        path = tmp_path / f"made-{number:05d}.h5"
        with ShardWriter(path, made_header()) as writer:
            for name in "ab":
                sample = made_sample(f"made/{number}{name}", number)
                writer.add(sample, made_triples(sample))
            stats = writer.publish()
        entries.append(
            ShardEntry(path.name, "made", "", stats.bytes, stats.sha256, stats.photos, stats.samples, stats.triples, 2)
        )
    write_text(tmp_path / "errors.jsonl", "")
    write_manifest(tmp_path, Manifest(dict(made_header().settings), {}, {}, tuple(entries), {}, ""))
    return tmp_path


def keys_of(reader):
    return [triple.key for triple in reader]


def test_length_order_and_negative_indices(folder):
    """Twelve triples in order of shard and row; -1 is the last; a slice is a list."""
    reader = ShardReader(folder)
    assert len(reader) == 12
    assert keys_of(reader) == reader.keys
    assert reader[-1].key == reader.keys[-1]
    assert [triple.key for triple in reader[3:5]] == reader.keys[3:5]
    with pytest.raises(IndexError):
        reader[12]


def test_it_survives_pickling_after_use(folder):
    """Open maps stay behind; the copy opens its own."""
    reader = ShardReader(folder)
    reader[0]
    assert keys_of(pickle.loads(pickle.dumps(reader))) == reader.keys


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_it_reads_in_another_process(folder, method):
    """A reader used in the parent reads the same in a forked and in a spawned child."""
    reader = ShardReader(folder)
    expected = keys_of(reader)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(keys_of, [reader, reader]) == [expected, expected]


def test_few_shards_stay_open(folder):
    """No more than `max_open` shards are held, and reading goes on being right."""
    reader = ShardReader(folder, max_open=1)
    assert [reader[i].key for i in (0, 11, 0, 11)] == [reader.keys[0], reader.keys[11]] * 2
    assert len(reader._open) == 1


def test_raw_records_are_the_stored_bytes(folder):
    """Raw access gives the image's own bytes."""
    reader = ShardReader(folder)
    assert bytes(reader.raw(0)[0]) == made_sample("made/0a", 0).photo.encoded


def test_a_folder_without_a_manifest_is_refused(folder):
    """An unfinished build is not read by mistake."""
    (folder / "manifest.json").unlink()
    with pytest.raises(ShardError, match=r"no manifest\.json.*build-shards"):
        ShardReader(folder)


def test_a_changed_manifest_is_refused(folder):
    """One changed digit in the manifest breaks its own digest."""
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"triples": 6', '"triples": 7', 1))
    with pytest.raises(ShardError, match="digest"):
        ShardReader(folder)


def forge(folder, change):
    """Rewrite the manifest as a stranger would: with a digest that fits."""
    path = folder / "manifest.json"
    body = json.loads(path.read_text())
    del body["digest"]
    change(body)
    write_json(path, {**body, "digest": digest_json(body)})


FORGERIES = {
    "a shard outside the folder": lambda body: body["shards"][0].update(file="../made-00000.h5"),
    "a shard at an absolute path": lambda body: body["shards"][0].update(file="/etc/passwd"),
    "a count that is no number": lambda body: body["shards"][0].update(triples="many"),
    "a count below zero": lambda body: body["shards"][0].update(triples=-6),
    "another count": lambda body: body["shards"][0].update(triples=7),
    "a field more": lambda body: body["shards"][0].update(more=1),
    "a field less": lambda body: body.pop("tools"),
    "settings that are a list": lambda body: body.update(settings=[]),
    "no recipes": lambda body: body.update(settings={}),
    "recipes of another kind": lambda body: body["settings"].update(recipes=[{"name": "x", "steps": 3}]),
    "no shards but a text": lambda body: body.update(shards="x"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_manifest_is_refused(folder, name):
    """Whatever it says ends in a ShardError, never outside the folder."""
    forge(folder, FORGERIES[name])
    with pytest.raises(ShardError):
        ShardReader(folder)[0]


@pytest.mark.parametrize(
    "text", ["", "[]", "[" * 100_000, '{"digest": NaN}', '{"digest": "\\ud800", "format": 1}', "\0"]
)
def test_what_is_no_manifest_is_refused(folder, text):
    """Empty, deep, not finite and not Unicode: a ShardError."""
    (folder / "manifest.json").write_text(text)
    with pytest.raises(ShardError, match="manifest"):
        ShardReader(folder)


def test_a_shard_of_another_size_is_refused(folder):
    """A truncated shard is named with both sizes before HDF5 sees it."""
    path = folder / "made-00001.h5"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ShardError, match=r"made-00001\.h5: has \d+ bytes, the manifest says \d+"):
        ShardReader(folder)[11]


def test_a_flipped_mask_bit_is_caught_on_reading(folder):
    """A damaged rough mask raises instead of training on nonsense."""
    reader = ShardReader(folder)
    record = bytes(reader.raw(0)[1])
    path = folder / "made-00000.h5"
    content = bytearray(path.read_bytes())
    content[content.index(record)] ^= 1
    path.write_bytes(content)
    with pytest.raises(ShardError, match=r"deformed\[\d\]: CRC-32"):
        [triple.key for triple in ShardReader(folder)]


def test_stored_masks_are_zero_and_one(folder):
    """Every mask comes back (H, W) uint8 with nothing but 0 and 1."""
    for triple in ShardReader(folder):
        for mask in (triple.deformed, triple.target):
            assert mask.dtype == np.uint8
            assert set(np.unique(mask)) <= {0, 1}
            assert mask.shape == triple.image.shape[:2]
