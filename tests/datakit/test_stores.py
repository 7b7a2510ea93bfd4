import hashlib
from pathlib import Path

import pytest

from datakit import places, stores
from datakit.errors import UsageError
from datakit.places import Place, place_of
from tests.s3 import Bucket


@pytest.mark.parametrize("text", ["ftp://h/x", "s4://b/x"])
def test_an_unknown_scheme_is_no_address(text: str) -> None:
    assert not stores.is_address(text)


def test_storage_options_are_json_or_text() -> None:
    found = stores.parse_storage_options(["anon=true", "endpoint_url=http://h:1", 'client_kwargs={"verify": false}'])
    assert found == {"anon": True, "endpoint_url": "http://h:1", "client_kwargs": {"verify": False}}


def test_a_storage_option_without_a_value_is_refused_unseen() -> None:
    with pytest.raises(UsageError, match="KEY=VALUE") as error:
        stores.parse_storage_options(["secret-word"])
    assert "secret-word" not in str(error.value)


@pytest.mark.usefixtures("storage_options")
def test_options_go_with_a_place_and_are_not_shown() -> None:
    stores.use_storage_options({"secret": "very-secret"})
    place = place_of("s3://bucket/a") / "b"
    assert place.storage_options["secret"] == "very-secret"  # type: ignore[attr-defined]
    assert "very-secret" not in str(place) + repr(place)


def test_an_upload_keeps_its_digest_beside_it(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    digest = hashlib.sha256(b"content").hexdigest()
    stores.upload(tmp_path / "a", bucket.place("a"), digest)
    assert stores.known_sha256(bucket.place("a")) == digest == places.sha256_at(bucket.place("a"))


def test_a_digest_that_was_not_kept_is_not_known(bucket: Bucket, memory: Place) -> None:
    places.write_bytes(bucket.place("a"), b"1")
    places.write_bytes(memory / "a", b"1")
    assert stores.known_sha256(bucket.place("a")) is stores.known_sha256(memory / "a") is None
    assert stores.known_sha256(bucket.place("none")) is None


@pytest.mark.parametrize("store", ["memory", "bucket"])
def test_an_object_is_created_once(store: str, request: pytest.FixtureRequest) -> None:
    found = request.getfixturevalue(store)
    place = (found.place() if store == "bucket" else found) / "lock"
    assert [stores.create(place, text) for text in (b"first", b"second")] == [True, False]
    assert places.read_bytes(place) == b"first"


def test_uploads_left_half_done_are_cleared_below_the_folder_alone(bucket: Bucket) -> None:
    for key in ("mine/a.h5", "mine/b.h5", "mine-not/c.h5"):
        bucket.client.create_multipart_upload(Bucket=bucket.name, Key=key)
    assert stores.clear_halves(bucket.place("mine")) == 2
    assert bucket.halves() == ["mine-not/c.h5"]


def test_stores_without_half_uploads_have_none(memory: Place) -> None:
    assert stores.clear_halves(memory) == 0


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
    monkeypatch.setattr(stores.time, "sleep", waits.append)
    call = Failing(error, 3)
    assert stores.patiently(call, memory) == "done"
    assert waits == [0.5, 1.0, 2.0]


@pytest.mark.usefixtures("impatient")
def test_a_store_that_stays_away_is_told_with_the_way_out(memory: Place) -> None:
    with pytest.raises(stores.StoreError, match=r"does not answer.*endpoint_url.*same command again"):
        stores.patiently(Failing(ConnectionResetError(), 9), memory)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PermissionError("AccessDenied for key AKIA-very-secret"), "give no right"),
        (type("NoCredentialsError", (Exception,), {})("Unable to locate credentials"), "no credentials were found"),
        (ValueError("https://h/x?signature=very-secret"), "refuses what it is given .ValueError"),
    ],
)
def test_what_will_not_pass_is_told_at_once_without_the_clients_words(error, told: str, memory: Place) -> None:
    call = Failing(error, 9)
    with pytest.raises(stores.StoreError, match=told) as found:
        stores.patiently(call, memory)
    assert call.calls == 1 and "very-secret" not in str(found.value)


@pytest.mark.usefixtures("storage_options")
@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"foo": "very-secret"}, TypeError("got an unexpected keyword argument 'foo'"), "--storage-option foo: "),
        ({"endpoint_url": "very-secret:9000"}, ValueError("Invalid endpoint: very-secret"), "http:// or https://"),
        ({"config_kwargs": {"x": "very-secret"}}, TypeError("x"), "look at --storage-option config_kwargs"),
    ],
)
def test_an_option_that_is_not_taken_is_named_without_its_value(options, error, told: str, memory: Place) -> None:
    stores.use_storage_options(options)
    with pytest.raises(stores.StoreError, match=told) as found:
        stores.patiently(Failing(error, 9), memory)
    assert "very-secret" not in str(found.value)


@pytest.mark.parametrize("text", ["s3://", "https:///x"])
def test_an_address_without_a_bucket_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"expected .*NAME/PATH"):
        place_of(text)
