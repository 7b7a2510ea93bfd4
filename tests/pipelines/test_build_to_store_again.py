"""A build into a store that was killed, cut off or overtaken: what is whole is kept, the rest is made again."""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import time
from dataclasses import replace
from typing import Any

import pytest

from datakit import places, stores
from datakit.datasets import SourceSpec
from datakit.errors import DatakitError, Locked
from datakit.stores import StoreError
from pipelines import build_shards as building
from pipelines import publish as publishing
from pipelines import shard_task, store_lock
from pipelines.build_shards import build_shards
from tests.runs import draw_source
from tests.s3 import client_at, new_bucket, s3_server
from tests.store_builds import config_for, files_of, objects


def test_what_is_whole_is_kept_without_reading_it(source, bucket, monkeypatch):
    """By size and the digest that is kept beside it."""
    config = config_for(source, bucket.place("out"))
    before = build_shards(config).manifest
    monkeypatch.setattr(building, "sha256_at", lambda place: pytest.fail(f"{place} was read"))
    again = build_shards(config)
    assert (again.kept, again.built, again.manifest) == (3, 0, before)


@pytest.mark.parametrize("harm", ["removed", "truncated", "replaced"])
def test_a_shard_that_is_not_whole_is_made_again(source, memory, on_disk, harm):
    """And the others are kept."""
    config = config_for(source, memory / "out")
    build_shards(config)
    name = "ecssd-00001.h5"
    if harm == "removed":
        places.remove(memory / "out" / name)
    else:
        data = on_disk[name][:-9] if harm == "truncated" else bytes(len(on_disk[name]))
        places.write_bytes(memory / "out" / name, data)
    again = build_shards(config)
    assert (again.kept, again.built) == (2, 1)
    assert objects(memory / "out") == on_disk


def test_a_shard_of_another_digest_is_made_again(source, bucket, on_disk):
    """By what is kept beside it, of the same size as it is."""
    config = config_for(source, bucket.place("out"))
    build_shards(config)
    name = "ecssd-00001.h5"
    put = {"Bucket": bucket.name, "Key": f"out/{name}", "Body": on_disk[name]}
    bucket.client.put_object(**put, Metadata={"sha256": "0" * 64})
    assert build_shards(config).kept == 2
    assert bucket.client.head_object(Bucket=bucket.name, Key=f"out/{name}")["Metadata"]["sha256"] != "0" * 64


def test_a_copy_without_digests_is_read_and_kept(source, bucket, on_disk):
    """As of a folder that other tools have copied."""
    for name, data in on_disk.items():
        bucket.client.put_object(Bucket=bucket.name, Key=f"out/{name}", Body=data)
    assert build_shards(config_for(source, bucket.place("out"))).kept == 3


@pytest.mark.parametrize("moment", ["upload", "write_record", "write_manifest"])
def test_a_run_that_ends_in_the_middle_goes_on(source, memory, on_disk, monkeypatch, moment):
    """No manifest stands before all it names, and the same command ends with the bytes of a quiet build."""
    config = config_for(source, memory / "out")
    owner = publishing if moment == "write_manifest" else shard_task
    calls = iter([None] if moment != "write_manifest" else [])
    real = getattr(owner, moment)

    def fails(*words: Any) -> None:
        if next(calls, "no more") == "no more":
            raise MemoryError("the power went")
        real(*words)

    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(owner, moment, fails)
        build_shards(config)
    left = objects(memory / "out")
    assert "manifest.json" not in left and [name for name in left if name.endswith(".h5")]
    build_shards(config)
    assert objects(memory / "out") == on_disk


@pytest.mark.parametrize("fault", ["kill-mid-shard", "kill-before-manifest"])
def test_a_killed_run_goes_on_at_once(source, bucket, tmp_path, datakit, start, fault):
    """SIGKILL leaves a lock of this host, which nobody holds, and nothing else that is not cleared."""
    build = ("build-shards", source, "--samples-per-shard", 5, "--out")
    assert datakit(*build, tmp_path / "quiet").exit_code == 0
    command = (*build, bucket.address("out"))
    killed = start(*command, fault=fault)
    killed.wait()
    assert killed.returncode == -signal.SIGKILL
    left = bucket.objects("out")
    assert ".lock/000001" in left and "manifest.json" not in left
    began = time.monotonic()
    result = datakit(*command)
    assert result.exit_code == 0, result.output
    assert time.monotonic() - began < store_lock.DEAD_S
    assert bucket.objects("out") == files_of(tmp_path / "quiet") and bucket.halves() == []


def test_what_a_killed_run_left_half_done_is_cleared(source, bucket, on_disk):
    """Half an upload and a trial object below the folder; those of others stay."""
    bucket.client.create_multipart_upload(Bucket=bucket.name, Key="out/ecssd-00000.h5")
    bucket.client.create_multipart_upload(Bucket=bucket.name, Key="outside/ecssd-00000.h5")
    bucket.client.put_object(Bucket=bucket.name, Key="out/.part-abc", Body=b"")
    build_shards(config_for(source, bucket.place("out")))
    assert bucket.halves() == ["outside/ecssd-00000.h5"]
    assert bucket.objects("out") == on_disk


def test_where_half_uploads_cannot_be_seen_the_build_goes_on(source, bucket, on_disk, monkeypatch, caplog):
    """Not every store has them, nor everybody the right; what is to be done instead is said."""
    from s3fs import S3FileSystem

    real = S3FileSystem.call_s3

    def refuse(self: Any, method: str, *words: Any, **more: Any) -> Any:
        if method == "list_multipart_uploads":
            raise PermissionError("Access Denied")
        return real(self, method, *words, **more)

    monkeypatch.setattr(S3FileSystem, "call_s3", refuse)
    build_shards(config_for(source, bucket.place("out")))
    assert bucket.objects("out") == on_disk
    assert "let the bucket's lifecycle rules abort such uploads" in caplog.text


def test_shards_of_former_sources_are_removed(source, memory, tmp_path):
    """After the manifest that no longer names them."""
    other = SourceSpec("other", "ecssd", draw_source(tmp_path / "other", 3))
    config = config_for(source, memory / "out")
    build_shards(replace(config, sources=(*config.sources, other)))
    assert "other-00000.h5" in objects(memory / "out")
    build_shards(config)
    assert not [name for name in objects(memory / "out") if "other" in name]


def test_two_runs_at_once_are_kept_apart(source, bucket, monkeypatch):
    """The second is refused and changes nothing."""
    monkeypatch.setattr(store_lock, "BEAT_S", 0.05)
    monkeypatch.setattr(store_lock, "LOOK_S", 0.05)
    out = bucket.place("out")
    with store_lock.store_lock(out):
        with pytest.raises(Locked, match=r"another run is building here: host .+, pid .+, started 20"):
            build_shards(config_for(source, out))
        assert list(bucket.objects("out")) == [".lock/000001"]
    assert bucket.objects() == {}


def test_a_run_that_was_overtaken_publishes_nothing(source, bucket, monkeypatch):
    """It finds a higher lock than its own before the manifest, and leaves that alone."""
    config = config_for(source, bucket.place("out"))
    real = building.publish

    def overtaken(*words: Any) -> Any:
        body = json.dumps({"host": "other", "pid": 7, "started": "today"}).encode()
        bucket.client.put_object(Bucket=bucket.name, Key="out/.lock/000002", Body=body)
        return real(*words)

    monkeypatch.setattr(building, "publish", overtaken)
    with pytest.raises(Locked, match="another one took over: host other, pid 7"):
        build_shards(config)
    left = bucket.objects("out")
    assert not {"manifest.json", "errors.jsonl"} & set(left)
    assert [name for name in left if name.startswith(".lock")] == [".lock/000002"]


def test_a_shard_that_a_forgotten_worker_replaced_is_not_published(source, bucket, on_disk, monkeypatch):
    """Of a run that was killed, while its worker went on; the same command makes that shard again."""
    config = config_for(source, bucket.place("out"))
    write_record = shard_task.write_record

    def replaced_later(*words: Any) -> None:
        write_record(*words)
        put = {"Bucket": bucket.name, "Key": "out/ecssd-00001.h5", "Body": b"of other settings"}
        bucket.client.put_object(**put, Metadata={"sha256": "0" * 64})

    with monkeypatch.context() as patch, pytest.raises(DatakitError, match=r"ecssd-00001\.h5 changed while this run"):
        patch.setattr(shard_task, "write_record", replaced_later)
        build_shards(config)
    assert "manifest.json" not in bucket.objects("out")
    assert build_shards(config).built == 1
    assert bucket.objects("out") == on_disk


# ---- the store goes away; secrets


@pytest.fixture
def told(monkeypatch):
    """Every line that is logged, of all libraries."""
    lines: list[str] = []
    monkeypatch.setattr(logging.Logger, "handle", lambda _, record: lines.append(record.getMessage()))
    return lines


def options_for(endpoint: str) -> dict[str, Any]:
    """Storage options with secrets in them, of a client that gives up soon."""
    few = {"retries": {"total_max_attempts": 1}}
    return {"endpoint_url": endpoint, "key": "my-key-id", "secret": "my-secret", "config_kwargs": few}


def test_an_endpoint_that_goes_away_is_told_and_the_run_goes_on_later(
    source, on_disk, impatient, storage_options, told, monkeypatch
):
    """One sentence with exit code 1 that says what to do; nothing is lost, and no secret stands anywhere."""
    with contextlib.ExitStack() as server:
        endpoint = server.enter_context(s3_server())
        stores.use_storage_options(options_for(endpoint))
        bucket = new_bucket(endpoint)
        with (
            monkeypatch.context() as patch,
            pytest.raises(StoreError, match=r"does not answer .+ run the same") as gone,
        ):
            write_record = shard_task.write_record
            patch.setattr(shard_task, "write_record", lambda *words: (write_record(*words), server.close()))
            build_shards(config_for(source, bucket.place("out")))
    assert gone.value.exit_code == 1 and str(gone.value).count("\n") == 0
    with s3_server() as endpoint:  # moto keeps its buckets in this process
        stores.use_storage_options(options_for(endpoint))
        summary = build_shards(config_for(source, bucket.place("out")))
        found = replace(bucket, client=client_at(endpoint)).objects("out")
    assert (summary.kept, found) == (1, on_disk)
    for secret in ("my-key-id", "my-secret", endpoint):
        assert secret not in " ".join([str(gone.value), repr(config_for(source, bucket.place("out"))), *told])
        assert not [name for name, data in found.items() if secret.encode() in data]
