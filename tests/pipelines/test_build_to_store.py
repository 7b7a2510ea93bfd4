"""A build into a store: the objects of a disk's files, whole or not there, whatever is killed, refused or gone."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datakit import places, stores
from datakit.datasets import SourceSpec
from datakit.errors import DatakitError, Locked, SettingsDiffer, TooManyFailed, UsageError
from datakit.places import Place, entries_in, path_of, place_of, read_bytes
from datakit.stores import StoreError
from pipelines import build_shards as building
from pipelines import publish as publishing
from pipelines import shard_task, store_lock
from pipelines.build_shards import build_shards
from pipelines.repair import RepairConfig, repair_shards
from pipelines.settings import BuildConfig
from tests.runs import PICKY, draw_source
from tests.s3 import client_at, new_bucket, s3_server

SETTINGS = replace(PICKY, samples_per_shard=5)


def config_for(source: Path, out: Place, **more: Any) -> BuildConfig:
    """A build of a source in ECSSD's layout."""
    return BuildConfig((SourceSpec("ecssd", "ecssd", source),), out, more.pop("settings", SETTINGS), **more)


def objects(folder: Place) -> dict[str, bytes]:
    """Path below a folder -> content of everything there, on a disk or in a store."""
    found: dict[str, bytes] = {}
    for entry in entries_in(folder):
        path = path_of(entry)
        if entry.is_dir():
            found |= {f"{entry.name}/{name}": data for name, data in objects(path).items()}
        else:
            found[entry.name] = read_bytes(path)
    return found


def files_of(folder: Path) -> dict[str, bytes]:
    """What a build on a disk leaves, without the file that the kernel locks."""
    return {name: data for name, data in objects(folder).items() if name != ".lock"}


@pytest.fixture
def on_disk(source, tmp_path):
    """What a build on a disk leaves."""
    build_shards(config_for(source, tmp_path / "on-disk"))
    return files_of(tmp_path / "on-disk")


def test_memory_holds_what_a_disk_holds(source, memory, on_disk):
    """Byte for byte, and nothing beside."""
    summary = build_shards(config_for(source, memory / "out"))
    assert objects(memory / "out") == on_disk
    assert (summary.built, summary.kept, str(summary.out)) == (3, 0, str(memory / "out"))


def test_a_bucket_holds_what_a_disk_holds(source, bucket, on_disk):
    """Byte for byte, nothing beside, no upload half done; each shard keeps its SHA-256."""
    build_shards(config_for(source, bucket.place("some/out")))
    found = bucket.objects("some/out")
    assert found == on_disk
    assert bucket.halves() == []
    for name in [name for name in found if name.endswith(".h5")]:
        kept = bucket.client.head_object(Bucket=bucket.name, Key=f"some/out/{name}")["Metadata"]
        assert kept == {"sha256": hashlib.sha256(found[name]).hexdigest()}


def test_the_figures_of_the_report_are_those_of_a_disk(source, bucket, tmp_path):
    """Triples below `min_iou` are counted in the store as well."""
    below = build_shards(config_for(source, bucket.place("out"))).below
    assert below.total and below == build_shards(config_for(source, tmp_path / "out")).below


def test_processes_of_this_machine_write_to_a_bucket(source, bucket, s3_endpoint, on_disk, storage_options):
    """Whole shards, each by the worker that made it; scratch lies elsewhere."""
    # the server that workers are forked from may be older than this test's environment
    stores.use_storage_options({"endpoint_url": s3_endpoint, "key": "testing", "secret": "testing"})
    build_shards(config_for(source, bucket.place("out"), jobs=2))
    assert bucket.objects("out") == on_disk


def test_a_folder_may_be_a_whole_bucket(source, bucket, on_disk):
    """Without a path."""
    build_shards(config_for(source, bucket.place()))
    assert bucket.objects() == on_disk


# ---- going on


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


def test_other_settings_are_refused_and_replaced_when_asked(source, memory, on_disk):
    """Exit code 5, nothing touched; `--overwrite` leaves nothing of the former build."""
    config = config_for(source, memory / "out", settings=replace(SETTINGS, samples_per_shard=2))
    build_shards(config)
    before = objects(memory / "out")
    wanted = config_for(source, memory / "out")
    with pytest.raises(SettingsDiffer, match="samples_per_shard: 2 -> 5"):
        build_shards(wanted)
    assert objects(memory / "out") == before
    build_shards(replace(wanted, overwrite=True))
    assert objects(memory / "out") == on_disk


def test_a_worker_leaves_nothing_on_its_disk(source, memory, tmp_path, monkeypatch):
    """Nor where it failed."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "local"))
    (tmp_path / "local").mkdir()
    build_shards(config_for(source, memory / "out"))
    monkeypatch.setattr(shard_task, "upload", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build_shards(config_for(source, memory / "another"))
    assert list((tmp_path / "local").iterdir()) == []


# ---- refusals, before any work


def test_a_bucket_that_is_not_there_is_named(source, bucket, datakit, monkeypatch):
    """Exit code 2, before a photo is read."""
    monkeypatch.setattr(building, "plan_without_duplicates", lambda _: pytest.fail("it began to work"))
    result = datakit("build-shards", source, "--out", "s3://no-such-bucket/out")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: --out s3://no-such-bucket/out: no such bucket; make the bucket first, or name another\n"
    )


def test_no_rights_are_told(source, bucket, datakit, monkeypatch):
    """Exit code 1, before a photo is read."""
    monkeypatch.setattr(building, "plan_without_duplicates", lambda _: pytest.fail("it began to work"))
    monkeypatch.setattr("moto.settings.INITIAL_NO_AUTH_ACTION_COUNT", 0)  # from now on it looks at credentials
    result = datakit("build-shards", source, "--out", bucket.address("out"))
    assert result.exit_code == 1
    refused = f"--out {bucket.address('out')}: the store refuses it: the credentials give no right to this"
    assert result.stderr == f"Error: {refused}\n"


def test_a_dry_run_asks_no_store_for_its_room(source, memory, datakit):
    """And leaves nothing there."""
    result = datakit("build-shards", source, "--out", f"memory:/{memory.path}", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "with -j 1. Nothing was written." in result.output
    assert not places.exists(memory)


def test_what_can_only_be_read_is_refused(source):
    """A web server takes no shards."""
    pytest.importorskip("aiohttp", reason="aiohttp is not installed (extra `http`)")
    with pytest.raises(UsageError, match="can only be read"):
        build_shards(config_for(source, place_of("https://example.com/out")))


def test_a_folder_of_other_things_is_refused(source, bucket):
    """Nothing is touched."""
    bucket.client.put_object(Bucket=bucket.name, Key="out/thesis.tex", Body=b"x")
    with pytest.raises(UsageError, match=r"holds 'thesis.tex' but no settings\.json"):
        build_shards(config_for(source, bucket.place("out")))
    assert bucket.objects("out") == {"thesis.tex": b"x"}


def test_an_object_is_no_folder(source, bucket):
    """As a file on a disk is none."""
    bucket.client.put_object(Bucket=bucket.name, Key="out", Body=b"x")
    with pytest.raises(UsageError, match="is an object, expected a folder"):
        build_shards(config_for(source, bucket.place("out")))
    assert bucket.objects() == {"out": b"x"}


def test_a_folder_within_the_source_is_refused(source, bucket):
    """By its address; one whose name only begins alike is not."""
    bucket.client.put_object(Bucket=bucket.name, Key="set/images/1.jpg", Body=b"x")
    config = replace(config_for(source, bucket.place("set/out")), images={"ecssd": bucket.place("set")})
    with pytest.raises(UsageError, match=r"lies in the source s3://.+/set, .+ such as s3://.+/shards"):
        build_shards(config)
    assert places.lies_in(bucket.place("set"), bucket.place("set"))
    assert not places.lies_in(bucket.place("set-out"), bucket.place("set"))


def test_too_many_failures_leave_the_log_and_no_manifest(source, memory):
    """As on a disk; and a build that may leave them out goes on from it."""
    (source / "images/0001.jpg").write_bytes(b"")
    config = config_for(source, memory / "out")
    with pytest.raises(TooManyFailed, match="1 of 12 items failed"):
        build_shards(config)
    left = objects(memory / "out")
    assert len(left["errors.jsonl"].splitlines()) == 1 and "manifest.json" not in left
    build_shards(replace(config, max_error_rate=0.1))
    assert "manifest.json" in objects(memory / "out")


# ---- two at once


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


def test_a_large_shard_goes_up_in_parts(bucket, tmp_path):
    """It appears when its last part is there, its digest beside it, and no upload is left half done."""
    data = np.random.default_rng(0).bytes(2 * stores.PART + 9)
    (tmp_path / "shard.h5").write_bytes(data)
    stores.upload(tmp_path / "shard.h5", bucket.place("shard.h5"), "abc")
    head = bucket.client.head_object(Bucket=bucket.name, Key="shard.h5")
    assert head["ETag"].endswith('-3"') and head["Metadata"] == {"sha256": "abc"}  # of three parts
    assert (bucket.objects(), bucket.halves()) == ({"shard.h5": data}, [])


# ---- repair


def test_repair_restores_the_published_bytes(source, bucket, on_disk):
    """A truncated shard, a lost record and a changed settings file."""
    out = bucket.place("out")
    build_shards(config_for(source, out))
    places.write_bytes(out / "ecssd-00001.h5", on_disk["ecssd-00001.h5"][:-9])
    places.write_bytes(out / "settings.json", b"{}")
    places.remove(out / "records/ecssd-00002.json")
    done = repair_shards(RepairConfig(out))
    assert set(done.repaired) == {"ecssd-00001.h5", "settings.json", "records/ecssd-00002.json"}
    assert (done.remaining, done.refused) == ((), {})
    assert bucket.objects("out") == on_disk


def test_repair_refuses_what_the_source_no_longer_gives(source, memory):
    """And leaves the shard as it is."""
    out = memory / "out"
    build_shards(config_for(source, out))
    places.write_bytes(out / "ecssd-00001.h5", b"damaged")
    (source / "images/0006.jpg").write_bytes((source / "images/0007.jpg").read_bytes())
    done = repair_shards(RepairConfig(out))
    assert "has changed since" in done.refused["ecssd-00001.h5"]
    assert read_bytes(out / "ecssd-00001.h5") == b"damaged"
