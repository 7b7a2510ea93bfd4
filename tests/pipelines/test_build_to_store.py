"""A build into a store: the objects of a disk's files, and nothing beside."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from datakit import places, stores
from pipelines import shard_task
from pipelines.build_shards import build_shards
from pipelines.repair import RepairConfig, repair_shards
from tests.store_builds import config_for, objects


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


def test_a_dry_run_asks_no_store_for_its_room(source, memory, datakit):
    """And leaves nothing there."""
    result = datakit("build-shards", source, "--out", f"memory:/{memory.path}", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "with -j 1. Nothing was written." in result.output
    assert not places.exists(memory)


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
