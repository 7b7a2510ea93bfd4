"""Workers that come and go in the middle of a run: on a cluster of this machine, and on one that scales itself."""

import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines import scaling
from pipelines.cluster import run_tasks
from pipelines.scaling import Scaling, WorkerRange
from tests.runs import draw_source, shard_bytes

ROOT = Path(__file__).parents[2]
SCALES_ITSELF = """
import sys, time
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=0, threads_per_worker=1, dashboard_address=None) as cluster:
        cluster.adapt(minimum=0, maximum=2, interval="200ms")
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def scales_itself():
    """Address of a cluster without workers, which starts as many as it thinks its tasks need."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    process = subprocess.Popen([sys.executable, "-c", SCALES_ITSELF], env=environment, **pipes)
    yield process.stdout.readline().strip()
    process.stdin.close()
    process.wait(30)


def process_after(seconds):
    """Which process did it."""
    time.sleep(seconds)
    return os.getpid()


def test_workers_of_this_machine_come_and_go(monkeypatch, tmp_path, caplog):
    """Three for three tasks, one for the last, more for what that one leads to; none counts as lost."""
    monkeypatch.setattr(scaling, "IDLE_S", 0.5)
    told, processes, stopped = [], {}, []
    stop_jobs = Scaling._stop_jobs

    async def told_stop(self, jobs, addresses):
        told.append(len(addresses))
        await stop_jobs(self, jobs, addresses)

    monkeypatch.setattr(Scaling, "_stop_jobs", told_stop)

    def finish(task, process):
        processes[task] = process
        if task != 6.0:
            return []
        stopped.append(sum(told))
        return [2.0, 2.1]

    caplog.set_level(logging.INFO, "pipelines")
    tasks = [0.1, 0.2, 6.0]
    run_tasks(process_after, tasks, str, finish, adaptive=WorkerRange(0, 3), scratch=tmp_path)
    assert sorted(processes) == [0.1, 0.2, 2.0, 2.1, 6.0]
    assert stopped == [2]
    assert len({processes[2.0], processes[2.1]} - {processes[0.1], processes[0.2]}) == 2
    assert "lost" not in caplog.text


def test_stopping_busy_workers_in_the_middle_of_a_build_loses_nothing(monkeypatch, datakit, tmp_path, caplog):
    """Two of three are stopped over their shards; these are made again, to the bytes of an undisturbed build."""
    source = draw_source(tmp_path / "ecssd", 300, (240, 320))
    out = tmp_path / "out"
    command = ("build-shards", source, "--samples-per-shard", 20, "--out")
    follow, stopped = Scaling.follow, []

    def harsh(self, left):
        if list(out.glob("*.h5")) and not stopped and self._settled(self._now()):
            jobs = self._jobs()
            stopped.extend(list(jobs)[:2])
            self._most = 1
            self._start(self._stop_jobs(stopped, [address for job in stopped for address in jobs[job]]))
        follow(self, left)

    monkeypatch.setattr(Scaling, "follow", harsh)
    caplog.set_level(logging.WARNING, "pipelines")
    result = datakit(*command, out, "--adaptive", "1:3")
    assert result.exit_code == 0, result.output
    assert len(stopped) == 2
    assert "lost" not in caplog.text
    assert datakit(*command, tmp_path / "quiet").exit_code == 0
    assert shard_bytes(out) == shard_bytes(tmp_path / "quiet")


def test_a_cluster_that_scales_itself_sees_what_waits(scales_itself):
    """It has no worker at first, and would have one for ever if it were handed one task after the other."""
    processes = set()
    run_tasks(
        process_after,
        [3.0 + number / 100 for number in range(6)],
        str,
        lambda task, process: processes.add(process),
        scheduler=scales_itself,
        adaptive=WorkerRange(0, 4),
    )
    assert len(processes) >= 2  # more where one was let go and came again


def test_processes_and_a_range_of_them_are_not_both_given(datakit, source, tmp_path):
    """Which of the two counts would be a guess."""
    result = datakit("build-shards", source, "--out", tmp_path / "out", "-j", 2, "--adaptive", "1:3")
    assert result.exit_code == 2
    assert "-j 2 and --adaptive both say how many processes there are; give one of them" in result.output


def test_what_is_no_range_is_named(datakit, source, tmp_path):
    """With an example of one."""
    result = datakit("build-shards", source, "--out", tmp_path / "out", "--adaptive", "3:1")
    assert result.exit_code == 2
    assert "'3:1': expected MIN:MAX, the fewest and the most workers, such as 0:20" in result.output
