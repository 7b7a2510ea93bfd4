"""The reader is a Sequence that travels between processes and refuses what is not whole."""

import json
import multiprocessing
import pickle
import sys

import numpy as np
import pytest

from datakit.errors import ShardError, UsageError
from datakit.files import digest_json, write_json, write_text
from datakit.shards import Manifest, ShardEntry, ShardReader, ShardWriter, collate, write_manifest
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
    with pytest.raises(ShardError, match=r"no manifest\.json.*has not finished.*build-shards"):
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
    """A damaged guide mask raises instead of training on nonsense."""
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
        for mask in (triple.guide, triple.target):
            assert mask.dtype == np.uint8
            assert set(np.unique(mask)) <= {0, 1}
            assert mask.shape == triple.image.shape[:2]


def test_a_reader_tells_itself_in_a_line(folder):
    """Folder, number of triples, sources and recipes."""
    reader = ShardReader(folder)
    assert repr(reader) == f"ShardReader({str(folder)!r}, 12 triples, 1 source, 2 recipes)"
    assert repr(reader.shard(1)) == f"Shard('{folder}/made-00001.h5', 6 triples of 2 photos)"
    few = reader.where("variant == 1")
    assert repr(few) == f"ShardReader({str(folder)!r}, 4 of 12 triples, 1 source, 2 recipes)"


def test_where_gives_a_reader_of_those_that_fit(folder):
    """In order, by number and by slice; it can be asked again, and the first reader keeps all."""
    reader = ShardReader(folder)
    wanted = [triple.key for triple in reader if triple.kind == "mask" and triple.variant == 1]
    some = reader.where("kind == 'mask'").where(lambda table: table["variant"] == 1)
    assert keys_of(some) == some.keys == some.table()["key"].tolist() == wanted
    assert some[-1].key == wanted[-1]
    assert [triple.key for triple in some[1:3]] == wanted[1:3]
    assert bytes(some.raw(0)[1]) == bytes(reader.raw(reader.keys.index(wanted[0]))[1])
    with pytest.raises(IndexError):
        some[len(wanted)]
    assert len(reader) == 12


def test_what_was_chosen_travels(folder):
    """A chosen reader pickles as any."""
    some = ShardReader(folder).where("variant == 1")
    assert keys_of(pickle.loads(pickle.dumps(some))) == some.keys


def test_nothing_chosen_is_an_empty_reader(folder):
    """Of no triples, not an error."""
    nothing = ShardReader(folder).where("iou > 2")
    assert (len(nothing), list(nothing), nothing.keys) == (0, [], [])


@pytest.mark.parametrize("condition", [lambda table: table["iou"], lambda table: np.ones(3, bool)])
def test_a_function_that_gives_no_condition_is_told(folder, condition):
    """Numbers instead of yes and no, or too few of them."""
    with pytest.raises(UsageError, match=r"expected bool \(12,\)"):
        ShardReader(folder).where(condition)


def test_a_column_asked_for_by_a_wrong_name_is_told(folder):
    """With the nearest one."""
    with pytest.raises(UsageError, match="no column 'flag'; did you mean 'flags'"):
        ShardReader(folder).table("key", "flag")


def test_a_data_frame_has_the_table(folder):
    """One column for each, texts as text."""
    reader = ShardReader(folder)
    frame = reader.to_pandas()
    assert frame["key"].tolist() == reader.keys
    assert tuple(frame) == reader.table().dtype.names


def test_without_pandas_a_sentence_says_what_to_do(folder, monkeypatch):
    """And what does without it."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match=r"pip install pandas.*to_csv"):
        ShardReader(folder).to_pandas()


def test_a_batch_is_lists_of_each_part(folder):
    """Photos differ in size, so nothing is stacked."""
    triples = ShardReader(folder)[:3]
    batch = collate(triples)
    assert batch["key"] == [triple.key for triple in triples]
    for name in ("image", "guide", "target", "ignore"):
        assert all(one is getattr(triple, name) for one, triple in zip(batch[name], triples, strict=True))


@pytest.mark.parametrize(("path", "words"), [
    ("nope", "nope: no such file or folder; expected a folder of shards"),
    ("made-00000.h5", r"made-00000\.h5: is a file; give its folder"),
    ("notes.txt", r"notes\.txt: is a file; expected a folder of shards, as `datakit build-shards` makes it"),
    ("source", "source: holds no shards; if it is a source, build first: `datakit build-shards .*source --out shards`"),
    ("begun", r"begun: no manifest\.json, the build has not finished; run the same `datakit build-shards` again"),
])  # fmt: skip
def test_what_is_no_folder_of_shards_is_told_by_what_it_is(folder, path, words):
    """Missing, a file, a source, a build that was stopped."""
    (folder / "source/images").mkdir(parents=True)
    (folder / "notes.txt").write_text("x")
    (folder / "begun").mkdir()
    (folder / "begun/settings.json").write_text("{}")
    with pytest.raises(ShardError, match=words):
        ShardReader(folder / path)


def test_a_refused_build_is_told_by_what_failed(tmp_path):
    """What failed first, with the log that names all, and what to change before it is run again."""
    log = [{"kind": "left-out", "reason": "empty mask"}] * 5 + [{"kind": "failed", "reason": "missing mask"}] * 3
    (tmp_path / "errors.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    (tmp_path / "settings.json").write_text("{}")
    with pytest.raises(ShardError) as caught:
        ShardReader(tmp_path)
    told = str(caught.value)
    assert "did not publish: 3 failed: missing mask, 5 left out: empty mask; " in told
    assert str(tmp_path / "errors.jsonl") in told and "; mend the source" in told and "--max-error-rate 1" in told


@pytest.mark.parametrize("content", ["", "no json\n", "[1]\n", '{"kind": 3}\n'])
def test_an_error_log_that_tells_nothing_leaves_a_build_unfinished(tmp_path, content):
    """Empty or damaged: the sentence is that of a build that was stopped."""
    (tmp_path / "errors.jsonl").write_text(content)
    (tmp_path / "settings.json").write_text("{}")
    with pytest.raises(ShardError, match="the build has not finished"):
        ShardReader(tmp_path)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_data_loader_takes_them_with_collate(folder, workers):
    """Photos and masks arrive as stored, also out of worker processes."""
    from torch.utils.data import DataLoader

    reader = ShardReader(folder)
    batches = list(DataLoader(reader, batch_size=5, num_workers=workers, collate_fn=collate))
    assert [key for batch in batches for key in batch["key"]] == reader.keys
    np.testing.assert_array_equal(batches[-1]["image"][-1], reader[-1].image)
    np.testing.assert_array_equal(batches[-1]["guide"][-1], reader[-1].guide)
