"""Stores to test with: moto's S3 server on a free port of this machine, and fsspec's memory."""

from __future__ import annotations

import contextlib
import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from datakit import places, stores
from datakit.places import Place, place_of

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "very-secret", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass(frozen=True)
class Bucket:
    """A bucket of a server, looked at past the code that is tested.

    Attributes:
        name: of the bucket.
        client: of boto3.
    """

    name: str
    client: Any

    def place(self, path: str = "") -> Place:
        """An address in it."""
        return place_of(self.address(path))

    def address(self, path: str = "") -> str:
        """An address in it, as a user writes it."""
        return f"s3://{self.name}/{path}".rstrip("/")

    def objects(self, folder: str = "") -> dict[str, bytes]:
        """Key below a folder -> content of every object there."""
        prefix = f"{folder}/" if folder else ""
        found: dict[str, bytes] = {}
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
            for each in page.get("Contents", ()):
                body = self.client.get_object(Bucket=self.name, Key=each["Key"])["Body"].read()
                found[each["Key"].removeprefix(prefix)] = body
        return found

    def halves(self) -> list[str]:
        """Keys of uploads that were begun and not completed."""
        return [each["Key"] for each in self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", ())]


@contextlib.contextmanager
def s3_server() -> Iterator[str]:
    """A server of its own; its address."""
    pytest.importorskip("moto.server", reason="moto is not installed (extra `dev`)")
    pytest.importorskip("s3fs", reason="s3fs is not installed (extra `s3`)")
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for every request otherwise
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


def client_at(endpoint: str) -> Any:
    """A client of boto3."""
    import boto3

    words = {name.lower(): value for name, value in KEYS.items() if "KEY" in name}
    return boto3.client("s3", endpoint_url=endpoint, region_name=KEYS["AWS_DEFAULT_REGION"], **words)


def new_bucket(endpoint: str) -> Bucket:
    """An empty bucket of a name that no other test has."""
    client = client_at(endpoint)
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    client.create_bucket(Bucket=name)
    return Bucket(name, client)


def put(folder: Path, place: Place) -> Place:
    """A folder of this machine as objects below an address."""
    for path in folder.rglob("*"):
        if path.is_file():
            places.write_bytes(place / path.relative_to(folder).as_posix(), path.read_bytes())
    return place


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Address of a server for all tests."""
    with s3_server() as endpoint:
        yield endpoint


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket; credentials and endpoint stand in the environment, also of commands that are started."""
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": s3_endpoint}.items():
        monkeypatch.setenv(name, value)
    return new_bucket(s3_endpoint)


@pytest.fixture
def memory() -> Iterator[Place]:
    """An empty folder of the store in this process's memory, removed afterwards."""
    pytest.importorskip("upath", reason="universal-pathlib is not installed (extra `stores`)")
    folder = place_of(f"memory://test-{uuid.uuid4().hex[:12]}")
    yield folder
    client = stores.filesystem(folder)
    with contextlib.suppress(FileNotFoundError):
        client.rm(str(folder.path), recursive=True)  # type: ignore[attr-defined]


@pytest.fixture
def store_requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Places of all requests from now on."""
    found: list[str] = []
    real = stores.patiently

    def noted(call: Any, place: Place) -> Any:
        found.append(str(place))
        return real(call, place)

    monkeypatch.setattr(places, "patiently", noted)
    return found


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that fails in passing is made again at once, and but once."""
    monkeypatch.setattr(stores, "TRIES", 2)
    monkeypatch.setattr(stores, "FIRST_WAIT", 0.0)


@pytest.fixture
def storage_options() -> Iterator[None]:
    """What a test sets by `use_storage_options` is forgotten afterwards."""
    yield
    stores.use_storage_options({})
