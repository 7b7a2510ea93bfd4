import os
from pathlib import Path

import pytest

from datakit import places, stores
from datakit.errors import UsageError
from datakit.places import Place, place_of
from tests.s3 import Bucket


def test_a_path_is_a_path() -> None:
    assert place_of("a/b") == Path("a/b") and not places.is_stored(place_of("a/b"))


def test_a_path_may_be_given_as_one(tmp_path: Path) -> None:
    assert place_of(tmp_path) == tmp_path


def test_an_address_is_a_place_in_a_store(memory: Place) -> None:
    assert places.is_stored(memory) and str(memory / "a").startswith("memory://")


@pytest.mark.parametrize(
    "text", ["https://me:secret-word@h/x", "https://h/x?X-Amz-Signature=secret-word", "s3://k:secret-word@b/x"]
)
def test_an_address_with_a_secret_in_it_is_refused_without_it(text: str) -> None:
    with pytest.raises(UsageError, match="--storage-option") as error:
        place_of(text)
    assert "secret-word" not in str(error.value)


def test_what_is_written_is_read(memory: Place) -> None:
    places.write_bytes(memory / "a/b", b"0123456789")
    assert places.read_bytes(memory / "a/b") == b"0123456789"
    assert places.read_bytes(memory / "a/b", 2, 5) == b"234"


def test_an_empty_part_asks_nothing(memory: Place) -> None:
    assert places.read_bytes(memory / "none", 7, 7) == b""


def test_parts_of_several_objects_are_read_at_once(bucket: Bucket) -> None:
    for name in ("a", "b"):
        places.write_bytes(bucket.place(name), name.encode() * 9)
    assert places.read_parts([(bucket.place("b"), 0, 3), (bucket.place("a"), 7, 9)]) == [b"bbb", b"aa"]


def test_a_part_beyond_the_end_is_an_error_that_names_both(memory: Place) -> None:
    places.write_bytes(memory / "a", b"0123")
    with pytest.raises(stores.EndsEarly, match="a: ends after 4 bytes, expected 6"):
        places.read_bytes(memory / "a", 2, 6)


@pytest.mark.parametrize("what", [places.read_bytes, places.sha256_at])
def test_what_is_not_there_is_not_found(what, bucket: Bucket) -> None:
    with pytest.raises(FileNotFoundError, match="no such object"):
        what(bucket.place("none"))


def test_a_missing_bucket_is_called_one(bucket: Bucket) -> None:
    with pytest.raises(FileNotFoundError, match=r"no such bucket.*s3://nobody-has-this"):
        places.read_bytes(place_of("s3://nobody-has-this/x"))


def test_sizes_and_kinds(bucket: Bucket) -> None:
    places.write_bytes(bucket.place("folder/a"), b"123")
    assert [places.size_at(bucket.place(path)) for path in ("folder/a", "folder", "none")] == [3, None, None]
    assert places.is_folder(bucket.place("folder")) and not places.is_file(bucket.place("folder"))
    assert places.is_file(bucket.place("folder/a")) and not places.exists(bucket.place("none"))


def test_a_folder_is_listed_without_itself(bucket: Bucket) -> None:
    for name in ("folder/", "folder/b.jpg", "folder/a.jpg", "folder/inner/c.jpg", "folder-too/d.jpg"):
        bucket.client.put_object(Bucket=bucket.name, Key=name, Body=b"12")
    found = {entry.name: (entry.is_dir(), entry.stat().st_size) for entry in places.entries_in(bucket.place("folder"))}
    assert found == {"a.jpg": (False, 2), "b.jpg": (False, 2), "inner": (True, 0)}
    assert [place.name for place in places.files_in(bucket.place("folder"), ".jpg")] == ["a.jpg", "b.jpg"]


def test_a_folder_of_this_machine_is_listed_alike(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12")
    assert [places.path_of(entry) for entry in places.entries_in(tmp_path)] == [tmp_path / "a"]


def test_no_folder_holds_no_files(bucket: Bucket, tmp_path: Path) -> None:
    assert places.files_in(bucket.place("none")) == places.files_in(tmp_path / "none") == []


def test_removing_what_is_not_there_is_nothing(bucket: Bucket, tmp_path: Path) -> None:
    places.write_bytes(bucket.place("a"), b"1")
    for place in (bucket.place("a"), bucket.place("a"), tmp_path / "none"):
        places.remove(place)
    assert bucket.objects() == {}


def test_a_copy_on_this_machine_goes_away(bucket: Bucket) -> None:
    places.write_bytes(bucket.place("a.h5"), b"1")
    with places.local_copy(bucket.place("a.h5")) as path:
        assert (path.name, path.read_bytes()) == ("a.h5", b"1")
    assert not path.exists()


def test_a_path_in_a_folder_is_a_text_on_a_disk(tmp_path: Path, memory: Place) -> None:
    assert places.beneath(tmp_path, "a/b") == os.path.join(tmp_path, "a/b")  # noqa: PTH118
    assert places.beneath(memory, "a/b") == memory / "a/b"


def test_one_place_or_several(memory: Place, tmp_path: Path) -> None:
    """An open address is no `os.PathLike`, and no collection either."""
    assert (
        places.each_of(memory) == [memory] and places.each_of("a") == ["a"] and places.each_of(tmp_path) == [tmp_path]
    )
    assert places.each_of(path for path in (tmp_path, memory)) == [tmp_path, memory]
