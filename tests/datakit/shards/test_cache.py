import errno
import logging
import multiprocessing
import os
from pathlib import Path

import pytest

from datakit.errors import DatakitError, UsageError
from datakit.shards.cache import Cache, CachedPhotos

SHA = "ab" + "0" * 62
OTHER = "cd" + "0" * 62
KB = bytes(range(256)) * 4


def write_index(path: Path) -> None:
    path.write_bytes(KB)


def test_the_folder_is_named_by_the_environment(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("DATAKIT_CACHE", str(tmp_path / "there"))
    monkeypatch.setenv("DATAKIT_CACHE_SIZE", "1000")
    cache = Cache()
    assert (cache.folder, cache.size) == (tmp_path / "there", 1000)


def test_a_size_that_is_none_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("DATAKIT_CACHE_SIZE", "20GB")
    with pytest.raises(UsageError, match="expected a number of bytes"):
        Cache(tmp_path)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatakitError, match="it is a file"):
        Cache(tmp_path / "file")


def test_an_index_is_made_once(tmp_path: Path) -> None:
    kept = Cache(tmp_path).of(SHA)
    path = kept.index(write_index)
    assert kept.index(lambda _: pytest.fail("made again")) == path


def test_an_index_that_could_not_be_made_is_not_there(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError

    kept = Cache(tmp_path).of(SHA)
    with pytest.raises(RuntimeError):
        kept.index(fail)
    assert kept.index(write_index).read_bytes() == KB


def test_a_photo_is_there_when_it_was_kept(tmp_path: Path) -> None:
    photos = Cache(tmp_path).of(SHA).photos(1000, 3)
    assert 1 not in photos
    assert photos.keep(1, 300, b"a photo")
    assert 1 in photos and bytes(photos.part(300, 307)) == b"a photo"


def test_another_process_sees_it(tmp_path: Path) -> None:
    photos = Cache(tmp_path).of(SHA).photos(1000, 3)
    process = multiprocessing.get_context("spawn").Process(target=_keep, args=(tmp_path,))
    process.start()
    process.join()
    assert 2 in photos and bytes(photos.part(500, 503)) == b"abc"


def _keep(folder: Path) -> None:
    Cache(folder).of(SHA).photos(1000, 3).keep(2, 500, b"abc")


def fill(cache: Cache, sha256: str, used: float) -> CachedPhotos:
    """A shard's index and one photo of some kB, as they were left at a time."""
    kept = cache.of(sha256)
    path = kept.index(write_index)
    photos = kept.photos(1 << 16, 2)
    photos.keep(0, 0, KB * 8)
    os.utime(path.parent, (used, used))
    return photos


def test_what_was_not_used_for_longest_goes_first_and_photos_before_indexes(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    fill(cache, SHA, 1000)
    fill(cache, OTHER, 2000)
    cache.make_room(30_000)
    names = {path.parent.name[:2]: {each.name for each in path.parent.iterdir()} for path in tmp_path.glob("??/*/*")}
    assert names == {"ab": {"index.h5"}, "cd": {"index.h5", "photos", "have"}}


def test_indexes_go_where_photos_are_not_enough(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    fill(cache, SHA, 1000)
    cache.make_room(0)
    assert not list(tmp_path.glob("??/*"))


def test_what_a_process_has_open_stays_readable_when_it_is_removed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    photos = fill(cache, SHA, 1000)
    cache.make_room(0)
    assert bytes(photos.part(0, 1024)) == KB


def test_after_removal_photos_are_kept_anew(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    photos = fill(cache, SHA, 1000)
    cache.make_room(0)
    photos.keep(1, 40_000, b"new")
    assert 1 in cache.of(SHA).photos(1 << 16, 2) and 0 not in photos


def test_the_size_holds_while_photos_are_added(tmp_path: Path) -> None:
    cache = Cache(tmp_path, size=200_000)
    for number in range(40):
        cache.of(f"{number:064d}").photos(1 << 16, 2).keep(0, 0, KB * 16)
    taken = sum(path.stat().st_blocks * 512 for path in tmp_path.rglob("*") if path.is_file())
    assert 0 < taken <= 200_000


def test_where_the_disk_is_full_photos_are_not_kept_and_that_is_told_once(tmp_path: Path, monkeypatch, caplog) -> None:
    photos = Cache(tmp_path).of(SHA).photos(1000, 3)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    monkeypatch.setattr(CachedPhotos, "_told", False)
    with caplog.at_level(logging.WARNING):
        assert not photos.keep(0, 0, b"abc") and not photos.keep(1, 10, b"abc")
    assert 0 not in photos
    assert [record.message for record in caplog.records] == [
        f"cache {tmp_path}: No space left on device; photos are read without being kept"
    ]


def test_where_the_disk_is_full_an_index_is_an_error_that_names_the_way_out(tmp_path: Path) -> None:
    def full(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="--cache DIR"):
        Cache(tmp_path).of(SHA).index(full)
