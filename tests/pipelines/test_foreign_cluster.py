"""A cluster that is not ours: a scheduler that knows nothing of this package, workers that go and come."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from datakit.errors import DatakitError, ShardError
from datakit.shards.manifest import read_manifest
from pipelines import worker_watch
from pipelines.cluster import Alike, run_tasks
from pipelines.progress import clock

ROOT = Path(__file__).parents[2]
DASK = "import sys; from dask.__main__ import main; main()"
BARE = "import sys; sys.modules |= dict.fromkeys(('datakit', 'model', 'pipelines')); " + DASK  # importing them fails


class Foreign:
    """A scheduler without this package, and workers, as processes of their own on loopback."""

    def __init__(self, folder):
        self.folder, self.started = folder, []
        file = folder / "scheduler.json"
        self.start(BARE, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file)
        while not (file.exists() and file.read_text().strip()):
            time.sleep(0.05)
        self.address = json.loads(file.read_text())["address"]

    def start(self, code, *words):
        options = {"cwd": self.folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen([sys.executable, "-c", code, *map(str, words)], env=environment, **options)
        self.started.append(process)
        return process

    def worker(self, code=DASK):
        """Another worker, without a nanny that would replace it."""
        return self.start(code, "worker", self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard")

    def wait(self):
        from distributed import Client

        with Client(self.address) as client:
            client.wait_for_workers(1, timeout=30)

    def stop(self):
        for process in self.started:
            process.kill()
            process.wait()


@pytest.fixture
def foreign(tmp_path):
    """A running cluster, gone afterwards."""
    cluster = Foreign(tmp_path)
    yield cluster
    cluster.stop()


def run(foreign, function, tasks, **options):
    results = {}
    run_tasks(function, tasks, str, results.__setitem__, scheduler=foreign.address, **options)
    return results


def test_the_scheduler_needs_nothing_of_ours(foreign):
    """Functions, results and errors of this package pass through it unread."""
    foreign.worker()
    foreign.wait()
    assert run(foreign, clock, [1, 2, 61]) == {1: "0:01", 2: "0:02", 61: "1:01"}
    with pytest.raises(ShardError, match="nowhere"):
        run(foreign, read_manifest, [foreign.folder / "nowhere"])


def test_the_last_worker_going_is_told_and_the_next_one_goes_on(foreign, monkeypatch):
    """Every task is done once a worker is there again."""
    monkeypatch.setattr(worker_watch, "SILENT_S", 0.5)
    first, lines, done = foreign.worker(), [], []
    foreign.wait()

    def finish(task, result):
        if not done:
            first.kill()
        done.append(task)

    class Listener(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())
            if len(lines) == 2:
                foreign.worker()

    news, listener = logging.getLogger("pipelines.cluster"), Listener()
    news.addHandler(listener)
    try:
        run_tasks(time.sleep, [0.1, 1.3, 1.31], str, finish, scheduler=foreign.address)
    finally:
        news.removeHandler(listener)
    assert sorted(done) == [0.1, 1.3, 1.31]
    assert f"a worker was lost at {foreign.address}" in lines[0]
    assert f"no worker is left at {foreign.address}" in lines[1]
    assert "again; going on" in lines[-1]


def test_a_later_worker_without_the_package_is_named(foreign, monkeypatch):
    """It was not there when the workers were checked."""
    first = foreign.worker()
    foreign.wait()

    def finish(task, result):
        first.kill()
        if len(foreign.started) == 2:
            foreign.worker(BARE)

    with pytest.raises(DatakitError, match=r"0\.\d+: a worker cannot load this package .*install masktrack-datakit"):
        run_tasks(time.sleep, [0.1, 0.11, 0.12], str, finish, scheduler=foreign.address)


def test_a_later_worker_of_other_versions_is_refused():
    """It could make other bytes."""
    from datakit.tools import tool_versions

    assert Alike(clock, tool_versions())(1) == "0:01"
    with pytest.raises(DatakitError, match=r"joined later has other versions: opencv \S+ \(here 4\.1\)"):
        Alike(clock, {**tool_versions(), "opencv": "4.1"})(1)


def test_ctrl_c_is_heard_while_no_worker_is_there(foreign):
    """The wait is a wait for both."""
    first = foreign.worker()
    foreign.wait()

    def finish(task, result):
        first.kill()
        threading.Timer(1.5, signal.raise_signal, [signal.SIGINT]).start()

    with pytest.raises(KeyboardInterrupt):
        run_tasks(time.sleep, [0.1, 0.11], str, finish, scheduler=foreign.address)
