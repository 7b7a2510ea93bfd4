"""What cannot be built into a store is refused with a reason, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from datakit import places
from datakit.errors import SettingsDiffer, TooManyFailed, UsageError
from datakit.places import place_of, read_bytes
from pipelines import build_shards as building
from pipelines.build_shards import build_shards
from pipelines.repair import RepairConfig, repair_shards
from tests.store_builds import SETTINGS, config_for, objects


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


def test_repair_refuses_what_the_source_no_longer_gives(source, memory):
    """And leaves the shard as it is."""
    out = memory / "out"
    build_shards(config_for(source, out))
    places.write_bytes(out / "ecssd-00001.h5", b"damaged")
    (source / "images/0006.jpg").write_bytes((source / "images/0007.jpg").read_bytes())
    done = repair_shards(RepairConfig(out))
    assert "has changed since" in done.refused["ecssd-00001.h5"]
    assert read_bytes(out / "ecssd-00001.h5") == b"damaged"
