"""Faults really made: whatever is killed, full or taken away, the same command ends with the bytes of a quiet build."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.faults import FAULTS
from tests.runs import draw_source, shard_bytes, small_disk

ROOT = Path(__file__).parents[2]
KILLS = [name for name in FAULTS if name.startswith("kill-")]


def run_with(fault, *command, **environment):
    """Run the command with a fault in it, as the leader of a process group of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tests.faults", fault, *map(str, command)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        start_new_session=True,
    )


def command_for(source, out, *more):
    return ("build-shards", source, "--out", out, "--samples-per-shard", 5, *more)


@pytest.fixture
def quiet(datakit, source, tmp_path):
    """Bytes of an undisturbed build of `source`."""
    assert datakit(*command_for(source, tmp_path / "quiet")).exit_code == 0
    return shard_bytes(tmp_path / "quiet")


@pytest.mark.parametrize("fault", KILLS)
def test_a_kill_at_a_named_moment_loses_nothing(datakit, source, tmp_path, quiet, fault):
    """SIGKILL of the whole group there: no manifest names what is not there, and the same command finishes."""
    out = tmp_path / "out"
    killed = run_with(fault, *command_for(source, out))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    if (out / "manifest.json").exists():
        assert shard_bytes(out) == quiet
    assert datakit(*command_for(source, out)).exit_code == 0
    assert shard_bytes(out) == quiet
    assert not [path for path in out.rglob("*") if ".part-" in str(path) or path.name == ".tmp"]


def test_a_kill_while_rebuilding_withdraws_the_manifest(datakit, source, tmp_path, quiet):
    """A finished folder whose shard is about to change is no longer called finished."""
    out = tmp_path / "out"
    datakit(*command_for(source, out))
    for name in ("ecssd-00000.h5", "ecssd-00001.h5"):
        (out / name).write_bytes(b"damaged")
    assert run_with("kill-mid-shard", *command_for(source, out)).returncode == -signal.SIGKILL
    assert not (out / "manifest.json").exists()
    assert datakit(*command_for(source, out)).exit_code == 0
    assert shard_bytes(out) == quiet


def test_a_kill_between_joining_parts_and_their_record_loses_nothing(datakit, source, tmp_path, quiet):
    """The joined shard without a record is made again, and nothing of its parts is left."""
    out = tmp_path / "out"
    command = command_for(source, out, "-j", 2)
    assert run_with("parts-kill-before-record", *command).returncode == -signal.SIGKILL
    assert list(out.glob("*.h5")) and list(out.glob(".tmp/*.h5.*")) and not list(out.glob("records/*.json"))
    assert datakit(*command).exit_code == 0
    assert shard_bytes(out) == quiet
    assert not (out / ".tmp").exists()


def kill_at_random_moments(start, datakit, tmp_path, kills, jobs):
    source = draw_source(tmp_path / "ecssd", 120, (240, 320))
    whole, out = tmp_path / "whole", tmp_path / "out"
    command = ("--samples-per-shard", 4 if jobs == 1 else 50, "-j", jobs)
    started = time.monotonic()
    assert start("build-shards", source, "--out", whole, *command, fault="small-parts").wait() == 0
    longest = time.monotonic() - started
    rng = random.Random(0)
    for _ in range(kills):
        process = start("build-shards", source, "--out", out, *command, fault="small-parts")
        time.sleep(rng.uniform(0.2, longest))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert datakit("build-shards", source, "--out", out, *command).exit_code == 0
    assert shard_bytes(out) == shard_bytes(whole)


@pytest.mark.torture
@pytest.mark.parametrize("jobs", [1, 2])
def test_twenty_kills_at_random_moments(start, datakit, tmp_path, jobs):
    """Anywhere between start and end, twenty times in a row on one folder."""
    kill_at_random_moments(start, datakit, tmp_path, 20, jobs)


def workers_of(process):
    """Worker processes of a running build."""
    with contextlib.suppress(psutil.Error):
        children = psutil.Process(process.pid).children(recursive=True)
        return [child for child in children if is_worker(child)]
    return []


def is_worker(process):
    """Whether a process was spawned, or forked from the server that forks workers and has its command line."""
    command = " ".join(process.cmdline())
    forked = "forkserver" in command and process.parent().cmdline() == process.cmdline()
    return forked or "spawn_main" in command


def test_a_killed_worker_is_replaced(start, datakit, tmp_path):
    """SIGKILL of one worker: its shard is made elsewhere, the run ends 0 with the bytes of a quiet one."""
    source = draw_source(tmp_path / "ecssd", 400, (240, 320))
    out = tmp_path / "out"
    process = start("build-shards", source, "--out", out, "--samples-per-shard", 10, "-j", 2)
    while not list(out.glob("*.h5")):
        assert process.poll() is None
        time.sleep(0.01)
    victims = workers_of(process)
    assert len(victims) == 2
    victims[0].kill()
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "a worker was lost on this machine; what it was making is made again" in errors
    assert datakit("build-shards", source, "--out", tmp_path / "quiet", "--samples-per-shard", 10).exit_code == 0
    assert shard_bytes(out) == shard_bytes(tmp_path / "quiet")


def test_a_worker_killed_over_a_part_of_a_shard_is_replaced(start, datakit, tmp_path):
    """One shard in parts: the lost part is made again, and the shard has the bytes of a single task's."""
    source = draw_source(tmp_path / "ecssd", 300, (240, 320))
    out = tmp_path / "out"
    process = start("build-shards", source, "--out", out, "-j", 2, fault="small-parts")
    while not list(out.glob(".tmp/*.h5.*")):
        assert process.poll() is None
        time.sleep(0.01)
    workers_of(process)[0].kill()
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert errors.count("300/300 photos") == 1  # joining is no more photos
    assert datakit("build-shards", source, "--out", tmp_path / "quiet").exit_code == 0
    assert shard_bytes(out) == shard_bytes(tmp_path / "quiet")
    assert not (out / ".tmp").exists()


class External:
    """A scheduler and a worker with its nanny, as processes of their own on loopback."""

    def __init__(self, folder):
        file = folder / "scheduler.json"
        common = {"cwd": folder, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
        dask = [sys.executable, "-m", "dask"]
        where = ["--host", "127.0.0.1", "--port", "0", "--scheduler-file", file]
        self.scheduler = subprocess.Popen([*dask, "scheduler", *where, "--no-dashboard"], **common, **quiet)
        worker = [*dask, "worker", "--scheduler-file", file, "--no-dashboard", "--nthreads", "1", "--nworkers", "2"]
        self.nanny = subprocess.Popen(worker, **common, **quiet)
        while not (file.exists() and file.read_text().strip()):
            time.sleep(0.05)
        self.address = json.loads(file.read_text())["address"]
        from distributed import Client

        with Client(self.address) as client:
            client.wait_for_workers(2, timeout=30)

    def stop(self):
        for process in (self.nanny, self.scheduler):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def external(tmp_path):
    """A running cluster, gone afterwards."""
    cluster = External(tmp_path)
    yield cluster
    cluster.stop()


@pytest.fixture
def running(start, external, tmp_path):
    """A build on the external cluster that has finished its first shard."""
    source = draw_source(tmp_path / "ecssd", 400, (240, 320))
    out = tmp_path / "out"
    command = ("build-shards", source, "--out", out, "--samples-per-shard", 10)
    process = start(*command, "--scheduler", external.address)
    while not list(out.glob("*.h5")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    return process, command, out


def test_a_killed_external_worker_is_replaced(running, external, datakit, tmp_path):
    """The cluster's own nanny starts another worker and the build goes on."""
    process, command, out = running
    workers_of(external.nanny)[0].kill()
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert f"a worker was lost at {external.address}; what it was making is made again" in errors
    assert_as_quiet(datakit, command, out, tmp_path)


def test_a_killed_external_scheduler_is_told_and_survived(running, external, datakit, tmp_path):
    """Exit 1 with one clear line instead of waiting for ever; the shards so far are kept."""
    process, command, out = running
    external.scheduler.kill()
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "run the same command again" in errors
    assert "Traceback" not in errors
    os.killpg(external.nanny.pid, signal.SIGKILL)
    assert "shards complete" in datakit(*command).output
    assert_as_quiet(datakit, command, out, tmp_path)


def test_a_killed_nanny_leaves_a_build_that_can_go_on(running, external, datakit, tmp_path):
    """All external workers gone with their nanny: stopping the build and running it here gives the same bytes."""
    process, command, out = running
    os.killpg(external.nanny.pid, signal.SIGKILL)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert datakit(*command).exit_code == 0
    assert_as_quiet(datakit, command, out, tmp_path)


def assert_as_quiet(datakit, command, out, tmp_path):
    """What `out` holds is what an undisturbed build of the same source gives."""
    quiet = tmp_path / "undisturbed"
    assert datakit(*("build-shards", command[1], "--out", quiet, *command[4:])).exit_code == 0
    assert shard_bytes(out) == shard_bytes(quiet)


def test_a_full_disk_is_told_and_survived(datakit, tmp_path):
    """Exit 1 naming the disk, nothing half-written under a final name; with room again the same command finishes."""
    source = draw_source(tmp_path / "ecssd", 12, (240, 320))
    assert datakit(*command_for(source, tmp_path / "quiet")).exit_code == 0
    quiet = shard_bytes(tmp_path / "quiet")
    with small_disk(tmp_path / "disk", "900k") as disk:
        out = disk / "out"
        full = run_with("no-preflight", *command_for(source, out))
        assert full.returncode == 1
        assert "No space left" in full.stderr
        assert "Traceback" not in full.stderr
        assert not (out / "manifest.json").exists()
        for path in out.glob("*.h5"):
            assert quiet[path.name] == path.read_bytes()
        subprocess.run(["mount", "-o", "remount,size=50m", disk], check=True)
        assert datakit(*command_for(source, out)).exit_code == 0
        assert shard_bytes(out) == quiet


def test_a_read_only_folder_is_told(datakit, source, tmp_path):
    """Exit 1, one line with the path."""
    with small_disk(tmp_path / "disk", "1m") as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        result = datakit(*command_for(source, disk / "out"))
        assert result.exit_code == 1
        assert f"{disk} cannot be written: it is on a read-only file system; name a folder" in result.output
        assert "Errno" not in result.output


def test_a_command_that_writes_one_file_tells_of_a_read_only_folder_too(datakit, source, tmp_path):
    """The folder the user named, not the half-written file in it, and a way out."""
    with small_disk(tmp_path / "disk", "1m") as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        result = datakit("preview-deformations", source, "--out", disk / "p.png", "--count", 1)
        assert result.exit_code == 1
        said = f"{disk} cannot be written: it is on a read-only file system; name a folder on another disk"
        assert said in result.output


def test_out_may_lie_on_another_file_system_than_the_temporary_folder(datakit, source, tmp_path, quiet):
    """Renaming stays within the output folder."""
    with small_disk(tmp_path / "disk", "50m") as disk:
        assert datakit(*command_for(source, disk / "out")).exit_code == 0
        assert shard_bytes(disk / "out") == quiet


def test_a_clock_gone_backwards_changes_nothing(datakit, source, tmp_path, quiet):
    """Files from the future are kept: completeness is judged by digests, never by time."""
    out = tmp_path / "out"
    datakit(*command_for(source, out))
    future = time.time() + 10**7
    for path in out.rglob("*"):
        os.utime(path, (future, future))
    assert "3 of 3 shards complete" in datakit(*command_for(source, out)).output
    assert shard_bytes(out) == quiet


@pytest.mark.parametrize(("fault", "code"), [("photo-removed", 3), ("photo-changed", 0)])
def test_a_source_that_changes_during_the_run(datakit, source, tmp_path, fault, code):
    """A photo gone after planning is a failed item, a changed one is built as it is; the next run makes it right.

    Also where the photo came back as it was, as after a network drive that was away for a moment.
    """
    out, photo = tmp_path / "out", (source / "images/0007.jpg").read_bytes()
    run = run_with(fault, *command_for(source, out), FAULT_SOURCE=str(source))
    assert run.returncode == code, run.stderr
    if fault == "photo-removed":
        assert "missing file" in (out / "errors.jsonl").read_text()
        (source / "images/0007.jpg").write_bytes(photo)
    assert datakit(*command_for(source, out)).exit_code == 0
    assert datakit(*command_for(source, tmp_path / "fresh")).exit_code == 0
    assert shard_bytes(out) == shard_bytes(tmp_path / "fresh")
