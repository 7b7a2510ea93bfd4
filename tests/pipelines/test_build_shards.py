"""What a build promises: everything accounted for, equal bytes however it is run, nothing mixed, nothing lost."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from datakit.shards import ShardReader, read_manifest
from tests.runs import draw_source, shard_bytes


def ledger(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "errors.jsonl").read_text().splitlines()]


def build(datakit, source, out, *more):
    return datakit("build-shards", source, "--out", out, "--samples-per-shard", 5, *more)


@pytest.fixture
def reference(datakit, source, tmp_path):
    """Bytes of an undisturbed build of `source`."""
    assert build(datakit, source, tmp_path / "reference").exit_code == 0
    return shard_bytes(tmp_path / "reference")


def test_every_photo_becomes_its_variants(datakit, source, tmp_path):
    """Twelve photos, two variants each, in shards of five."""
    result = build(datakit, source, tmp_path / "out")
    assert result.exit_code == 0, result.output
    reader = ShardReader(tmp_path / "out")
    assert len(reader) == 24
    assert [shard.photos for shard in reader.manifest.shards] == [5, 5, 2]
    assert reader.keys[:2] == ["ecssd/0000@masktrack/0", "ecssd/0000@masktrack/1"]


def test_what_gives_no_triple_stands_in_the_ledger(datakit, source, tmp_path):
    """Damage and choices are told apart, named, and the counts add up exactly."""
    (source / "images/0001.jpg").write_bytes((source / "images/0001.jpg").read_bytes()[:200])
    (source / "ground_truth_mask/0002.png").unlink()
    (source / "images/Thumbs.db").write_bytes(b"x")
    assert build(datakit, source, tmp_path / "out", "--max-error-rate", 0.5).exit_code == 0
    manifest = read_manifest(tmp_path / "out")
    counts = manifest.sources["ecssd"]
    lines = ledger(tmp_path / "out")
    assert (
        counts["items"] == counts["samples"] + counts["failed"] + counts["left_out"] == counts["samples"] + len(lines)
    )
    assert {(line["key"], line["kind"]) for line in lines} >= {("ecssd/0001", "failed"), ("ecssd/0002", "failed")}
    assert (counts["samples"], counts["failed"], counts["left_out"]) == (10, 2, 1)
    assert all(line["stage"] and line["reason"] and line["detail"] for line in lines)


def test_too_many_failures_publish_nothing(datakit, source, tmp_path):
    """Beyond the limit: exit 3, the ledger is there, the manifest is not; allowing more then publishes."""
    (source / "images/0001.jpg").write_bytes(b"")
    result = build(datakit, source, tmp_path / "out")
    assert result.exit_code == 3
    assert "1 of 12 items failed" in result.output
    assert len(ledger(tmp_path / "out")) == 1
    assert not (tmp_path / "out/manifest.json").exists()
    assert build(datakit, source, tmp_path / "out", "--max-error-rate", 0.1).exit_code == 0


def test_on_error_fail_stops_at_the_first(datakit, source, tmp_path):
    """Exit 1 naming the file; no manifest."""
    (source / "images/0001.jpg").write_bytes(b"")
    result = build(datakit, source, tmp_path / "out", "--on-error", "fail")
    assert result.exit_code == 1
    assert "0001.jpg" in result.output
    assert not (tmp_path / "out/manifest.json").exists()


def test_two_workers_give_the_bytes_of_one(datakit, source, tmp_path, reference):
    """Shards and manifest do not know how many made them."""
    assert build(datakit, source, tmp_path / "out", "-j", 2).exit_code == 0
    assert shard_bytes(tmp_path / "out") == reference


def test_an_external_cluster_gives_the_same_bytes(datakit, source, tmp_path, reference, monkeypatch):
    """`dask scheduler` and `dask worker` as processes of their own, left alive afterwards."""
    root = Path(__file__).parents[2]
    dask = [sys.executable, "-m", "dask"]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    address_file = tmp_path / "scheduler.json"
    options = {"env": environment, "cwd": tmp_path, "stderr": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    scheduler = subprocess.Popen(
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", address_file],
        **options,
    )
    worker = subprocess.Popen(
        [*dask, "worker", "--scheduler-file", address_file, "--no-dashboard", "--nthreads", "1"], **options
    )
    try:
        address = address_of(address_file)
        wait_for_workers(address)
        monkeypatch.chdir(source)  # the workers stand in another folder
        result = build(datakit, "ecssd=.", tmp_path / "out", "--scheduler", address)
        assert result.exit_code == 0, result.output
        assert shard_bytes(tmp_path / "out") == reference
        assert scheduler.poll() is None
        assert worker.poll() is None
    finally:
        for process in (worker, scheduler):
            process.terminate()
            process.wait()


def address_of(path: Path) -> str:
    for _ in range(200):
        if path.exists() and path.read_text().strip():
            return json.loads(path.read_text())["address"]
        time.sleep(0.1)
    raise TimeoutError(path)


def wait_for_workers(address: str) -> None:
    from distributed import Client

    with Client(address) as client:
        client.wait_for_workers(1, timeout=30)


def test_a_scheduler_that_is_not_there_is_named(datakit, source, tmp_path):
    """Exit 1 with the address, not a traceback."""
    result = build(datakit, source, tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9")
    assert result.exit_code == 1
    assert "tcp://127.0.0.1:9" in result.output


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_build_resumes_to_the_same_bytes(start, datakit, tmp_path, jobs):
    """SIGKILL of the whole process group at growing delays; the run that is left alone ends as if undisturbed."""
    source = draw_source(tmp_path / "ecssd", 60, (240, 320))
    whole = tmp_path / "whole"
    assert datakit("build-shards", source, "--out", whole, "--samples-per-shard", 4).exit_code == 0
    out = tmp_path / "out"
    command = ("build-shards", source, "--out", out, "--samples-per-shard", 4, "-j", jobs)
    for delay in (0.3, 0.6, 0.8, 1.0, 1.2):
        process = start(*command)
        time.sleep(delay * jobs)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert datakit(*command).exit_code == 0
    assert shard_bytes(out) == shard_bytes(whole)
    assert not list(out.rglob(".part-*"))


def test_dropping_and_adding_a_source_is_a_resume(datakit, source, tmp_path):
    """The other source's files are neither changed nor written again, and the dropped ones go."""
    other = draw_source(tmp_path / "other", 3)
    out = tmp_path / "out"
    sources = (f"a={source}", f"b={other}")
    assert datakit("build-shards", *sources, "--out", out).exit_code == 0
    before = shard_bytes(out)
    written = (out / "a-00000.h5").stat().st_mtime_ns
    assert datakit("build-shards", sources[0], "--out", out).exit_code == 0
    assert not (out / "b-00000.h5").exists()
    result = datakit("build-shards", *sources, "--out", out)
    assert "1 of 2 shards complete" in result.output
    assert (out / "a-00000.h5").stat().st_mtime_ns == written
    assert shard_bytes(out) == before


def test_changed_settings_are_refused_and_listed(datakit, source, tmp_path):
    """Exit 5 with key, old and new value; not a byte or time stamp changes."""
    out = tmp_path / "out"
    build(datakit, source, out)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.rglob("*") if path.is_file()}
    result = build(datakit, source, out, "--seed", 7, "--set", "tps.shift=0.2")
    assert result.exit_code == 5
    assert "settings.seed: 0 -> 7" in result.output
    assert "0.1 -> 0.2" in result.output
    assert before == {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.rglob("*") if path.is_file()}


def test_overwrite_replaces_other_settings(datakit, source, tmp_path, reference):
    """After --overwrite the folder is what a fresh build gives."""
    out = tmp_path / "out"
    build(datakit, source, out, "--seed", 7)
    assert shard_bytes(out) != reference
    assert build(datakit, source, out, "--overwrite").exit_code == 0
    assert shard_bytes(out) == reference


def test_a_folder_of_other_things_is_left_alone(datakit, source, tmp_path):
    """Building into somebody's folder is refused, with --overwrite too."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home/thesis.tex").write_text("years of work")
    result = build(datakit, source, tmp_path / "home", "--overwrite")
    assert result.exit_code == 2
    assert "thesis.tex" in result.output
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("inside", ["shards", "images/shards", ""])
def test_shards_are_not_mixed_with_the_photos_of_their_source(datakit, source, inside):
    """They would be listed as stray files by the next build; a folder beside the source is named."""
    before = sorted(source.rglob("*"))
    result = build(datakit, source, source / inside)
    assert result.exit_code == 2
    assert f"lies in the source {source}" in result.output
    assert f"name a folder elsewhere, such as {source.parent / 'shards'}" in result.output
    assert sorted(source.rglob("*")) == before


def test_a_second_run_is_told_who_holds_the_folder(start, datakit, tmp_path):
    """Exit 6 with host, pid and start time, while the first goes on to its end."""
    source = draw_source(tmp_path / "ecssd", 150, (240, 320))
    out = tmp_path / "out"
    first = start("build-shards", source, "--out", out)
    while not (out / ".lock-holder.json").exists():
        assert first.poll() is None
        time.sleep(0.01)
    first.send_signal(signal.SIGSTOP)  # so that it cannot finish before the second run asks
    result = datakit("build-shards", source, "--out", out)
    first.send_signal(signal.SIGCONT)
    assert result.exit_code == 6
    assert f"pid {first.pid}" in result.output
    assert "host" in result.output
    assert "started" in result.output
    assert first.wait() == 0


@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupting_takes_three_lines_and_leaves_nobody(start, tmp_path, jobs):
    """Ctrl-C to the whole group: exit 130, at most three lines, no process left, and the same command finishes."""
    source = draw_source(tmp_path / "ecssd", 400, (240, 320))
    out = tmp_path / "out"
    command = ("build-shards", source, "--out", out, "--samples-per-shard", 4, "-j", jobs)
    process = start(*command)
    while not list(out.glob("*.h5")):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    told = [line for line in errors.splitlines() if not line.startswith(("recipe", "settings", "reading"))]
    assert len([line for line in told if line.strip()]) <= 3, errors
    assert "build-shards" in told[-1]
    deadline = time.monotonic() + 3  # multiprocessing's own tracker notices the end a moment later
    while left := [p for p in psutil.process_iter() if _group(p) == process.pid and p.status() != "zombie"]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def _group(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid)
    except (ProcessLookupError, PermissionError):
        return None


def test_a_damaged_shard_is_built_again(datakit, source, tmp_path, reference):
    """One flipped bit: the same command rebuilds that shard alone."""
    out = tmp_path / "out"
    build(datakit, source, out)
    path = out / "ecssd-00001.h5"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    result = build(datakit, source, out)
    assert "2 of 3 shards complete" in result.output
    assert shard_bytes(out) == reference


def test_new_photos_rebuild_only_their_shard(datakit, source, tmp_path):
    """A photo added at the end changes the last shard of its source and no other."""
    out = tmp_path / "out"
    build(datakit, source, out)
    before = shard_bytes(out)
    for folder, suffix in (("images", "jpg"), ("ground_truth_mask", "png")):
        (source / folder / f"9999.{suffix}").write_bytes((source / folder / f"0000.{suffix}").read_bytes())
    assert "2 of 3 shards complete" in build(datakit, source, out).output
    after = shard_bytes(out)
    assert {name for name in after if after[name] != before[name]} == {"ecssd-00002.h5", "manifest.json"}


def test_a_dry_run_touches_nothing(datakit, source, tmp_path):
    """Counts, size, time and free disk, and no output folder."""
    result = build(datakit, source, tmp_path / "out", "--dry-run")
    assert result.exit_code == 0
    assert not (tmp_path / "out").exists()
    report = json.loads(build(datakit, source, tmp_path / "out", "--dry-run", "--json").stdout)
    estimate = report["sources"][0]
    assert (estimate["photos"], estimate["shards"], estimate["triples"]) == (12, 3, 24)
    assert report["bytes"] > 0
    assert report["free_bytes"] > 0


def test_no_room_is_said_before_the_work(datakit, source, tmp_path, monkeypatch):
    """A disk that is too small ends the run with both figures and no shard."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})())
    result = build(datakit, source, tmp_path / "out")
    assert result.exit_code == 1
    assert "free" in result.output
    assert not list((tmp_path / "out").glob("*.h5"))


def test_options_may_come_from_a_file(datakit, source, tmp_path, reference):
    """A TOML file sets options, the command line wins, unknown keys are refused."""
    config = tmp_path / "build.toml"
    config.write_text("seed = 3\nsamples-per-shard = 5\n")
    command = ("build-shards", source, "--out", tmp_path / "out", "--config", config)
    assert datakit(*command, "--seed", 0).exit_code == 0
    assert shard_bytes(tmp_path / "out") == reference
    config.write_text("sede = 3\n")
    result = datakit(*command)
    assert result.exit_code == 2
    assert "'sede'" in result.output
    assert "seed" in result.output


def test_smaller_images_can_be_stored(datakit, source, tmp_path):
    """--image-size shrinks photo and masks together; --image-codec chooses how they are stored."""
    assert build(datakit, source, tmp_path / "out", "--image-size", 32, "--image-codec", "jpeg:90").exit_code == 0
    triple = ShardReader(tmp_path / "out")[0]
    assert triple.image.shape == (24, 32, 3)
    assert triple.target.shape == (24, 32)


def test_limit_takes_the_first_photos(datakit, source, tmp_path):
    """--limit 3 builds the first three photos of every source."""
    assert build(datakit, source, tmp_path / "out", "--limit", 3).exit_code == 0
    assert len(ShardReader(tmp_path / "out")) == 6


def test_a_file_of_somebody_else_in_the_folder_stays(datakit, source, tmp_path):
    """Only shards that a record of ours speaks of are ever removed."""
    out = tmp_path / "out"
    build(datakit, source, out)
    (out / "mine.h5").write_bytes(b"mine")
    for more in ((), ("--overwrite",)):
        assert build(datakit, source, out, *more).exit_code == 0
        assert (out / "mine.h5").read_bytes() == b"mine"


def test_dropping_a_source_is_announced(datakit, source, tmp_path):
    """What will be removed is said before the work."""
    other = draw_source(tmp_path / "other", 3)
    out = tmp_path / "out"
    datakit("build-shards", f"a={source}", f"b={other}", "--out", out)
    result = datakit("build-shards", f"a={source}", "--out", out)
    assert "1 shard of former sources will be removed: b-00000.h5" in result.output


def test_a_source_without_a_single_sample_publishes_nothing(datakit, source, tmp_path):
    """All masks empty: exit 1 with the ledger's place, not a success with nothing in it."""
    for path in (source / "ground_truth_mask").iterdir():
        cv2.imwrite(str(path), np.zeros((48, 64), np.uint8))
    result = build(datakit, source, tmp_path / "out")
    assert result.exit_code == 1
    assert "none of 12 items gave a sample" in result.output
    assert not (tmp_path / "out/manifest.json").exists()


def test_overwrite_builds_anew_under_the_same_settings(datakit, source, tmp_path, reference):
    """A photo changed in place to the same size is taken in by --overwrite."""
    out = tmp_path / "out"
    build(datakit, source, out)
    path = source / "images/0003.jpg"
    path.write_bytes(path.read_bytes()[:-2] + b"\xff\xd9")
    assert "0 kept, 3 built" in build(datakit, source, out, "--overwrite").output


def test_a_config_file_takes_option_names(datakit, source, tmp_path):
    """`recipe` and `min-area` as on the command line; one recipe needs no list."""
    config = tmp_path / "build.toml"
    config.write_text('recipe = "masktrack-box"\nmin-area = 1\n')
    assert datakit("build-shards", source, "--out", tmp_path / "out", "--config", config).exit_code == 0
    assert ShardReader(tmp_path / "out")[0].kind == "box"


def test_a_dry_run_refuses_what_the_build_would(datakit, source, tmp_path):
    """Other settings than the folder's end a dry run, too."""
    build(datakit, source, tmp_path / "out")
    assert build(datakit, source, tmp_path / "out", "--seed", 3, "--dry-run").exit_code == 5
