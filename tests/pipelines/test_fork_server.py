"""The process that workers are forked from has settings of its own and leaves none behind here."""

import os
import signal
import sys
from pathlib import Path

import pytest

from pipelines.cluster import run_tasks
from pipelines.fork_server import ENVIRONMENT, METHOD, start_fork_server


def state_of_worker(number):
    """What a worker came to life with: the environment of the process it was forked from, its handler of SIGINT."""
    lines = Path("/proc/self/environ").read_text().split("\0")
    started_with = dict(line.split("=", 1) for line in lines if "=" in line)
    return {name: started_with.get(name) for name in ENVIRONMENT}, signal.getsignal(signal.SIGINT)


@pytest.mark.skipif(METHOD != "forkserver", reason=f"{sys.platform} does not fork workers")
def test_workers_have_its_settings(tmp_path):
    """Thresholds of the allocator count only in the environment that a process starts with."""
    states = []
    run_tasks(state_of_worker, [1, 2], str, lambda _, state: states.append(state), jobs=2, scratch=tmp_path)
    assert states == [(ENVIRONMENT, signal.SIG_IGN)] * 2


def test_starting_it_changes_nothing_here():
    """Neither the environment nor the handler of SIGINT; twice is once."""
    before = dict(os.environ), signal.getsignal(signal.SIGINT)
    start_fork_server()
    start_fork_server()
    assert (dict(os.environ), signal.getsignal(signal.SIGINT)) == before
