"""One run at a time, and a dead one does not count."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from datakit.errors import Locked
from pipelines.lock import HOLDER, run_lock

HOLD = """
import sys, time
from pathlib import Path
from pipelines.lock import run_lock
with run_lock(Path(sys.argv[1])):
    time.sleep(60)
"""


def test_the_holder_is_named(tmp_path):
    """A second run learns process and start time of the first."""
    with (
        run_lock(tmp_path),
        pytest.raises(Locked, match=rf"host .+, pid {os.getpid()}, started 20"),
        run_lock(tmp_path),
    ):
        pass


def test_it_is_free_afterwards(tmp_path):
    """Nothing of the lock is in the way of the next run."""
    for _ in range(2):
        with run_lock(tmp_path):
            assert (tmp_path / HOLDER).exists()
    assert not (tmp_path / HOLDER).exists()


def test_a_killed_holder_leaves_no_stale_lock(tmp_path):
    """The kernel frees the lock; the note of the dead process does not mislead."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], cwd=Path(__file__).parents[2])
    while not (tmp_path / HOLDER).exists():
        assert holder.poll() is None
        time.sleep(0.01)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with run_lock(tmp_path):
        assert str(os.getpid()) in (tmp_path / HOLDER).read_text()
