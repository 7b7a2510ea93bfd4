import hashlib
import os
from pathlib import Path

import pytest

from datakit import places
from datakit.errors import UsageError
from datakit.places import Place, place_of
from tests.s3 import Bucket


def test_a_path_is_a_path() -> None:
    assert place_of("a/b") == Path("a/b") and not places.is_stored(place_of("a/b"))


def test_a_path_may_be_given_as_one(tmp_path: Path) -> None:
    assert place_of(tmp_path) == tmp_path


def test_an_address_is_a_place_in_a_store(memory: Place) -> None:
    assert places.is_stored(memory) and str(memory / "a").startswith("memory://")


@pytest.mark.parametrize("text", ["ftp://h/x", "s4://b/x"])
def test_an_unknown_scheme_is_no_address(text: str) -> None:
    assert not places.is_address(text)


@pytest.mark.parametrize(
    "text", ["https://me:secret-word@h/x", "https://h/x?X-Amz-Signature=secret-word", "s3://k:secret-word@b/x"]
)
def test_an_address_with_a_secret_in_it_is_refused_without_it(text: str) -> None:
    with pytest.raises(UsageError, match="--storage-option") as error:
        place_of(text)
    assert "secret-word" not in str(error.value)


def test_storage_options_are_json_or_text() -> None:
    found = places.parse_storage_options(["anon=true", "endpoint_url=http://h:1", 'client_kwargs={"verify": false}'])
    assert found == {"anon": True, "endpoint_url": "http://h:1", "client_kwargs": {"verify": False}}


def test_a_storage_option_without_a_value_is_refused_unseen() -> None:
    with pytest.raises(UsageError, match="KEY=VALUE") as error:
        places.parse_storage_options(["secret-word"])
    assert "secret-word" not in str(error.value)


@pytest.mark.usefixtures("storage_options")
def test_options_go_with_a_place_and_are_not_shown() -> None:
    places.use_storage_options({"secret": "very-secret"})
    place = place_of("s3://bucket/a") / "b"
    assert place.storage_options["secret"] == "very-secret"  # type: ignore[attr-defined]
    assert "very-secret" not in str(place) + repr(place)


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
    with pytest.raises(places.EndsEarly, match="a: ends after 4 bytes, expected 6"):
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


def test_an_upload_keeps_its_digest_beside_it(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    digest = hashlib.sha256(b"content").hexdigest()
    places.upload(tmp_path / "a", bucket.place("a"), digest)
    assert places.known_sha256(bucket.place("a")) == digest == places.sha256_at(bucket.place("a"))


def test_a_digest_that_was_not_kept_is_not_known(bucket: Bucket, memory: Place) -> None:
    places.write_bytes(bucket.place("a"), b"1")
    places.write_bytes(memory / "a", b"1")
    assert places.known_sha256(bucket.place("a")) is places.known_sha256(memory / "a") is None
    assert places.known_sha256(bucket.place("none")) is None


@pytest.mark.parametrize("store", ["memory", "bucket"])
def test_an_object_is_created_once(store: str, request: pytest.FixtureRequest) -> None:
    found = request.getfixturevalue(store)
    place = (found.place() if store == "bucket" else found) / "lock"
    assert [places.create(place, text) for text in (b"first", b"second")] == [True, False]
    assert places.read_bytes(place) == b"first"


def test_removing_what_is_not_there_is_nothing(bucket: Bucket, tmp_path: Path) -> None:
    places.write_bytes(bucket.place("a"), b"1")
    for place in (bucket.place("a"), bucket.place("a"), tmp_path / "none"):
        places.remove(place)
    assert bucket.objects() == {}


def test_uploads_left_half_done_are_cleared_below_the_folder_alone(bucket: Bucket) -> None:
    for key in ("mine/a.h5", "mine/b.h5", "mine-not/c.h5"):
        bucket.client.create_multipart_upload(Bucket=bucket.name, Key=key)
    assert places.clear_halves(bucket.place("mine")) == 2
    assert bucket.halves() == ["mine-not/c.h5"]


def test_stores_without_half_uploads_have_none(memory: Place) -> None:
    assert places.clear_halves(memory) == 0


def test_a_copy_on_this_machine_goes_away(bucket: Bucket) -> None:
    places.write_bytes(bucket.place("a.h5"), b"1")
    with places.local_copy(bucket.place("a.h5")) as path:
        assert (path.name, path.read_bytes()) == ("a.h5", b"1")
    assert not path.exists()


class Failing:
    """A request that fails so often, then succeeds."""

    def __init__(self, error: Exception, times: int):
        self.error, self.times, self.calls = error, times, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        return "done"


class ReadTimeoutError(Exception):
    """Called as a client's own."""


@pytest.mark.parametrize("error", [ConnectionResetError(), TimeoutError(), ReadTimeoutError("x")])
def test_a_request_that_fails_in_passing_is_made_again(error: Exception, monkeypatch, memory: Place) -> None:
    waits: list[float] = []
    monkeypatch.setattr(places.time, "sleep", waits.append)
    call = Failing(error, 3)
    assert places.patiently(call, memory) == "done"
    assert waits == [0.5, 1.0, 2.0]


@pytest.mark.usefixtures("impatient")
def test_a_store_that_stays_away_is_told_with_the_way_out(memory: Place) -> None:
    with pytest.raises(places.StoreError, match=r"does not answer.*endpoint_url.*same command again"):
        places.patiently(Failing(ConnectionResetError(), 9), memory)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PermissionError("AccessDenied for key AKIA-very-secret"), "give no right"),
        (type("NoCredentialsError", (Exception,), {})("Unable to locate credentials"), "no credentials were found"),
        (ValueError("https://h/x?signature=very-secret"), "cannot be used .ValueError"),
    ],
)
def test_what_will_not_pass_is_told_at_once_without_the_clients_words(error, told: str, memory: Place) -> None:
    call = Failing(error, 9)
    with pytest.raises(places.StoreError, match=told) as found:
        places.patiently(call, memory)
    assert call.calls == 1 and "very-secret" not in str(found.value)


def test_a_path_in_a_folder_is_a_text_on_a_disk(tmp_path: Path, memory: Place) -> None:
    assert places.beneath(tmp_path, "a/b") == os.path.join(tmp_path, "a/b")  # noqa: PTH118
    assert places.beneath(memory, "a/b") == memory / "a/b"
