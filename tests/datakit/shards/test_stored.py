import multiprocessing
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from torch.utils.data import DataLoader

from datakit import places
from datakit.errors import ShardError
from datakit.places import Place
from datakit.shards import ShardReader, collate
from datakit.shards.cache import CachedPhotos
from datakit.shards.verify import verify
from datakit.stores import StoreError
from tests.s3 import Bucket, put
from tests.small_shards import write_shards


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("DATAKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def local(tmp_path: Path) -> Path:
    return write_shards(tmp_path / "shards")


@pytest.fixture
def stored(local: Path, bucket: Bucket) -> Place:
    return put(local, bucket.place("shards"))


def test_triples_are_those_of_a_folder(local: Path, stored: Place) -> None:
    here, there = ShardReader(local), ShardReader(stored)
    assert there.keys == here.keys
    for mine, theirs in zip(here, there, strict=True):
        for name in ("image", "guide", "target"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
        assert bytes(mine.photo.encoded) == bytes(theirs.photo.encoded)


def test_an_address_may_be_a_text(stored: Place, local: Path) -> None:
    assert len(ShardReader(str(stored))) == len(ShardReader(local))


def test_a_store_without_a_server_serves_as_well(local: Path, memory: Place) -> None:
    assert ShardReader(put(local, memory))[3].key == ShardReader(local)[3].key


def test_a_shard_is_opened_by_two_requests(stored: Place, store_requests: list[str]) -> None:
    reader = ShardReader(stored)
    store_requests.clear()
    reader.shard(0)
    assert store_requests == [f"{stored}/made-00000.h5"] * 2


def test_a_photo_is_asked_for_once(stored: Place, store_requests: list[str]) -> None:
    reader = ShardReader(stored)
    reader.shard(0)
    store_requests.clear()
    for _ in range(2):
        [reader[number] for number in range(3)]  # of one photo
    assert len(store_requests) == 1


def test_the_cache_serves_another_reader(stored: Place, store_requests: list[str]) -> None:
    list(ShardReader(stored))
    store_requests.clear()
    list(ShardReader(stored))
    assert store_requests == [f"{stored}/manifest.json"]


def test_photos_of_a_batch_are_asked_for_together(stored: Place, store_requests: list[str]) -> None:
    reader = ShardReader(stored)
    list(reader.shards())
    store_requests.clear()
    reader.prefetch(range(len(reader)))
    assert len(store_requests) == 1
    list(reader)
    assert len(store_requests) == 1


def test_many_shards_are_opened_at_once(bucket: Bucket, tmp_path: Path, monkeypatch) -> None:
    stored = put(write_shards(tmp_path / "many", photos=6, per_shard=1), bucket.place("many"))
    reader = ShardReader(stored)
    at_once = threading.Barrier(6, timeout=20)
    real = reader._open_shard

    def together(number: int):
        at_once.wait()
        return real(number)

    monkeypatch.setattr(reader, "_open_shard", together)
    assert [len(shard.images) for shard in reader.shards()] == [1] * 6


def test_prefetching_a_folder_does_nothing(local: Path, store_requests: list[str]) -> None:
    ShardReader(local).prefetch([0, 5])
    assert store_requests == []


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_loader_processes_read_it(method: str, stored: Place, local: Path) -> None:
    reader = ShardReader(stored)
    reader[0]  # a client that is in use when processes are forked
    context = multiprocessing.get_context(method)
    loader = DataLoader(reader, batch_size=4, num_workers=1, collate_fn=collate, multiprocessing_context=context)
    keys = [key for batch in loader for key in batch["key"]]
    assert keys == ShardReader(local).keys


def test_a_view_beside_it_is_read(local: Path, bucket: Bucket, tmp_path: Path, datakit) -> None:
    datakit("select", local, "--where", "variant == 0", "--out", tmp_path / "view")
    put(tmp_path / "view", bucket.place("view"))
    put(local, bucket.place("shards"))
    view = ShardReader(bucket.place("view"))
    assert view.keys == ShardReader(tmp_path / "view").keys
    assert str(view.contents.builds[0].folder) == bucket.address("shards")


def test_nothing_at_an_address_is_called_so(bucket: Bucket) -> None:
    with pytest.raises(ShardError, match="there is nothing; expected a folder of shards"):
        ShardReader(bucket.place("none"))


def test_an_unfinished_build_is_called_so(stored: Place) -> None:
    places.remove(stored / "manifest.json")
    with pytest.raises(ShardError, match="the build has not finished"):
        ShardReader(stored)


def test_a_missing_shard_is_named(stored: Place) -> None:
    places.remove(stored / "made-00001.h5")
    with pytest.raises(ShardError, match=r"made-00001.h5: is missing"):
        ShardReader(stored)[-1]


def test_a_truncated_shard_is_named(stored: Place) -> None:
    data = places.read_bytes(stored / "made-00000.h5")
    places.write_bytes(stored / "made-00000.h5", data[:-500])
    with pytest.raises(ShardError, match=r"made-00000.h5: ends after \d+ bytes.*truncated"):
        ShardReader(stored)[0]


@pytest.mark.parametrize("at", [0.3, 0.6, 0.9])
def test_a_shard_of_other_bytes_is_named(at: float, stored: Place) -> None:
    data = bytearray(places.read_bytes(stored / "made-00000.h5"))
    start = int(at * len(data))
    data[start : start + 64] = b"\xa5" * 64
    places.write_bytes(stored / "made-00000.h5", bytes(data))
    reader = ShardReader(stored)
    with pytest.raises(ShardError, match=r"made-00000.h5"):
        [reader[number] for number in range(12)]


def test_a_damaged_index_is_not_kept(stored: Place, local: Path) -> None:
    good = places.read_bytes(stored / "made-00000.h5")
    places.write_bytes(stored / "made-00000.h5", good[:-64] + b"\xa5" * 64)
    with pytest.raises(ShardError, match="were published"):
        ShardReader(stored)[0]
    places.write_bytes(stored / "made-00000.h5", good)
    assert ShardReader(stored)[0].key == ShardReader(local)[0].key


def test_a_shard_that_is_replaced_while_it_is_read_is_named(stored: Place, tmp_path: Path) -> None:
    reader = ShardReader(stored)
    reader.shard(0)
    other = write_shards(tmp_path / "other", crc32=9)
    places.write_bytes(stored / "made-00000.h5", (other / "made-00001.h5").read_bytes() * 3)
    with pytest.raises(ShardError, match=r"made-00000.h5: images\[0\].*replaced or damaged"):
        reader[0]


@pytest.mark.usefixtures("impatient")
def test_a_store_that_goes_away_is_named_and_what_is_kept_is_read(stored: Place, monkeypatch) -> None:
    reader = ShardReader(stored)
    first = reader[0].key

    def gone(*_args: object, **_words: object) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(places, "filesystem", lambda _place: type("Gone", (), {"cat_ranges": gone})())
    assert reader[0].key == first
    with pytest.raises(StoreError, match="does not answer"):
        reader[4]


def test_a_photo_that_was_damaged_in_the_cache_is_read_anew(stored: Place, cache: Path, local: Path) -> None:
    reader = ShardReader(stored)
    reader[0]
    photos = next(cache.glob("??/*/photos"))
    with photos.open("r+b") as file:
        file.write(bytes(photos.stat().st_size))
    np.testing.assert_array_equal(reader[0].image, ShardReader(local)[0].image)


def test_reading_goes_on_where_nothing_can_be_kept(stored: Place, local: Path, monkeypatch) -> None:
    monkeypatch.setattr(CachedPhotos, "keep", lambda *_: False)
    reader = ShardReader(stored)
    reader.prefetch(range(len(reader)))
    for mine, theirs in zip(ShardReader(local), reader, strict=True):
        np.testing.assert_array_equal(mine.image, theirs.image)


def test_a_cache_may_be_named(stored: Place, tmp_path: Path) -> None:
    ShardReader(stored, cache=tmp_path / "mine")[0]
    assert list((tmp_path / "mine").glob("??/*/index.h5"))


def test_a_whole_store_verifies(local: Path, stored: Place) -> None:
    shutil.copy(local / "manifest.json", local / "copy")
    found = verify(stored)
    assert [(finding.shard, finding.place) for finding in found] == [
        (finding.shard, finding.place) for finding in verify(local)
    ]


def test_verify_finds_what_is_wrong_with_a_shard(stored: Place, local: Path) -> None:
    before = {(finding.shard, finding.text) for finding in verify(local)}
    data = bytearray(places.read_bytes(stored / "made-00000.h5"))
    data[len(data) // 2] ^= 255
    places.write_bytes(stored / "made-00000.h5", bytes(data))
    places.remove(stored / "made-00001.h5")
    found = {finding.shard for finding in verify(stored) if (finding.shard, finding.text) not in before}
    assert found == {"made-00000.h5", "made-00001.h5"}


def test_no_photo_is_kept_twice(stored: Place, cache: Path) -> None:
    list(ShardReader(stored))
    size = sum(path.stat().st_blocks * 512 for path in cache.rglob("*") if path.is_file())
    assert size < 20 * os.statvfs(cache).f_frsize + 2 * sum(len(places.read_bytes(f)) for f in places.files_in(stored))


def test_rows_of_a_stored_folder_are_selected(local: Path, stored: Place, tmp_path: Path, datakit) -> None:
    for name, folder in (("here", local), ("there", stored)):
        assert datakit("select", folder, "--where", "variant == 0", "--out", tmp_path / name).exit_code == 0
    assert ShardReader(tmp_path / "there").keys == ShardReader(tmp_path / "here").keys


def test_a_stored_folder_is_split(stored: Place, tmp_path: Path, datakit) -> None:
    assert datakit("split", stored, "--val", 0.5, "--out", tmp_path / "parts").exit_code == 0
    parts = [ShardReader(tmp_path / "parts" / name).keys for name in ("train", "val")]
    assert sorted(parts[0] + parts[1]) == sorted(ShardReader(stored).keys)


def test_a_missing_bucket_is_called_one() -> None:
    with pytest.raises(ShardError, match="no such bucket"):
        ShardReader("s3://nobody-has-this-bucket/shards")
