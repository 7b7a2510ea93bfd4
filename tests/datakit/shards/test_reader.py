"""The reader is a Sequence that travels between processes and refuses what is not whole."""

import multiprocessing
import pickle

import numpy as np
import pytest

from datakit.errors import ShardError
from datakit.files import write_text
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
