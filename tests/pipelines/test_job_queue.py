"""Workers as jobs of SLURM, whose commands are stand-ins that start the jobs as processes of this machine."""

import os
import signal
import sys
import time
from importlib.util import find_spec

import pytest

from datakit.errors import DatakitError, UsageError
from pipelines import scaling
from pipelines.cluster import run_tasks
from pipelines.job_queue import is_job_queue, job_queue
from pipelines.scaling import WorkerRange
from tests.fake_slurm import FakeSlurm
from tests.runs import draw_source, shard_bytes

needs_jobqueue = pytest.mark.skipif(find_spec("dask_jobqueue") is None, reason="dask-jobqueue is not installed")


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """SLURM's commands on PATH and jobs of one core; what is left of its jobs is killed afterwards."""
    import dask

    made = FakeSlurm(tmp_path / "slurm", os.environ["PATH"])
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    dask.config.refresh(paths=[made.environment["DASK_CONFIG"]])
    yield made
    dask.config.refresh()
    for process in made.running():
        os.killpg(os.getpgid(process.pid), signal.SIGKILL)


def gone(slurm):
    """Whether no job is left, ten seconds after at most."""
    until = time.monotonic() + 10
    while slurm.running() and time.monotonic() < until:
        time.sleep(0.1)
    return not slurm.running()


def test_systems_are_told_from_addresses():
    """A name, as --scheduler takes it."""
    assert is_job_queue("slurm") and is_job_queue("pbs")
    assert not is_job_queue(None) and not is_job_queue("tcp://slurm:8786") and not is_job_queue("slurm:8786")


def test_the_extra_is_named_where_it_lacks(monkeypatch):
    """With the line that installs it."""
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with pytest.raises(UsageError, match=r"--scheduler slurm needs dask_jobqueue.*masktrack-datakit\[jobqueue\]"):
        run_tasks(abs, [1], str, print, scheduler="slurm", adaptive=WorkerRange(0, 1))


def test_how_many_jobs_must_be_said(datakit, source, tmp_path):
    """A cluster's budget is not guessed."""
    result = datakit("build-shards", source, "--out", tmp_path / "out", "--scheduler", "slurm")
    assert result.exit_code == 2
    assert "--scheduler slurm: say how many workers it may start, such as --adaptive 0:20" in result.output


@needs_jobqueue
def test_a_machine_without_the_commands_is_told(slurm, monkeypatch):
    """Before anything waits for jobs."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="`sbatch` is not on this machine"), job_queue("slurm"):
        pass


@needs_jobqueue
def test_settings_without_a_size_are_told_with_lines_to_write(slurm):
    """Which file, and what goes in."""
    import dask

    with dask.config.set({"jobqueue.slurm.cores": None}), pytest.raises(UsageError) as caught, job_queue("slurm"):
        pass
    assert "jobqueue.yaml" in str(caught.value)
    assert "jobqueue:\n  slurm:\n    cores: 8\n    memory: 16GB" in str(caught.value)


@needs_jobqueue
def test_a_build_by_jobs_has_the_bytes_of_one_here(slurm, start, datakit, tmp_path):
    """Jobs are started for it, and none is left; the dashboard, where there is one, is the only word of Dask."""
    source = draw_source(tmp_path / "ecssd", 40)
    command = ("build-shards", source, "--samples-per-shard", 10, "--out")
    process = start(*command, tmp_path / "out", "--scheduler", "slurm", "--adaptive", "0:2")
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert 1 <= slurm.submitted() <= 4
    assert gone(slurm)
    assert datakit(*command, tmp_path / "quiet").exit_code == 0
    assert shard_bytes(tmp_path / "out") == shard_bytes(tmp_path / "quiet")


@needs_jobqueue
def test_ctrl_c_leaves_no_job_behind(slurm, start, tmp_path):
    """Nor does a second one while the jobs are cancelled; the same command goes on."""
    slurm.cancel_slowly()
    source = draw_source(tmp_path / "ecssd", 400, (240, 320))
    out = tmp_path / "out"
    command = ("build-shards", source, "--out", out, "--samples-per-shard", 5)
    process = start(*command, "--scheduler", "slurm", "--adaptive", "1:2")
    while not list(out.glob("*.h5")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    assert slurm.running()
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert gone(slurm)


@needs_jobqueue
def test_a_job_that_is_killed_is_replaced(slurm, monkeypatch):
    """As when its time is up: another one is submitted, and its task is made again."""
    monkeypatch.setattr(scaling, "LOST_S", 1.0)
    done = []

    def finish(task, result):
        if not done:
            os.killpg(os.getpgid(slurm.running()[0].pid), signal.SIGKILL)
        done.append(task)

    run_tasks(time.sleep, [2.5, 0.1, 0.2], str, finish, scheduler="slurm", adaptive=WorkerRange(1, 1))
    assert sorted(done) == [0.1, 0.2, 2.5]
    assert slurm.submitted() == 2 and gone(slurm)


@needs_jobqueue
def test_jobs_come_and_go_with_the_work(slurm, monkeypatch):
    """Two for two tasks, one while there is one, two again for what that one leads to."""
    monkeypatch.setattr(scaling, "IDLE_S", 0.5)
    seen = {}

    def finish(task, result):
        seen[task] = len(slurm.running())
        return [0.3, 0.4] if task == 8.0 else []

    run_tasks(time.sleep, [8.0, 0.1], str, finish, scheduler="slurm", adaptive=WorkerRange(0, 2))
    assert seen[8.0] == 1
    assert set(seen) == {8.0, 0.1, 0.3, 0.4}
    assert slurm.submitted() == 3 and gone(slurm)


@needs_jobqueue
def test_what_the_queue_says_when_it_refuses_is_told(slurm):
    """In its own words."""
    slurm.refuse("sbatch: error: invalid partition specified: gpu")
    with pytest.raises(DatakitError, match=r"no worker could be started(?s:.*)invalid partition specified: gpu"):
        run_tasks(time.sleep, [0.1], str, print, scheduler="slurm", adaptive=WorkerRange(0, 1))
    assert slurm.submitted() == 0
