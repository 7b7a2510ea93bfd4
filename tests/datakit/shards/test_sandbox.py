"""A child process that dies, hangs or grows is a finding, and the next shard is examined all the same."""

import os
import re
import signal
import sys
import time

import pytest

from datakit.errors import DatakitError
from datakit.shards.sandbox import SandboxedVerifier
from datakit.shards.verify import verify_file
from tests.hostile_shards import fuzz, write_shard


@pytest.fixture
def shard(tmp_path):
    """A sound shard."""
    write_shard(tmp_path / "made.h5")
    return tmp_path / "made.h5"


def started(sandbox, shard):
    assert sandbox.examine(shard) == []
    return sandbox._child


def test_a_dead_child_is_replaced(shard):
    """Its death is the finding; the next question has a new child."""
    with SandboxedVerifier() as sandbox:
        child = started(sandbox, shard)
        child.kill()
        child.wait()
        assert "SIGKILL" in sandbox.examine(shard)[0].text
        assert sandbox.examine(shard) == []
        assert sandbox.deaths == 1


def test_a_child_that_hangs_is_killed(shard):
    """A stopped process answers nothing; the time runs out and says so."""
    with SandboxedVerifier(seconds=30) as sandbox:
        child = started(sandbox, shard)
        os.kill(child.pid, signal.SIGSTOP)
        sandbox.seconds = 0.3
        began = time.monotonic()
        assert "timed out" in sandbox.examine(shard)[0].text
        assert time.monotonic() - began < 10
        assert child.poll() is not None


def test_memory_is_bounded(shard):
    """A child without the room to open a shard fails, the parent does not."""
    with SandboxedVerifier(memory=1 << 20) as sandbox:
        assert [finding.place for finding in sandbox.examine(shard)] == ["structure"]


def test_a_stranger_cannot_paint_the_terminal(tmp_path):
    """Control characters of a file do not reach what is printed."""
    import h5py

    write_shard(tmp_path / "made.h5")
    with h5py.File(tmp_path / "made.h5", "r+") as file:
        file.attrs["format"] = "\x1b[2J\x07"
    assert verify_file(tmp_path / "made.h5")[0].text.isprintable()


def test_no_child_is_left(shard):
    """Leaving the context ends it."""
    with SandboxedVerifier() as sandbox:
        child = started(sandbox, shard)
    assert child.poll() is not None


def test_mutants_never_end_this_process(tmp_path):
    """300 mutated files: every change of what a reader sees is found, and nothing hangs."""
    outcomes, wrong = fuzz(tmp_path, 300, seed=0)
    assert wrong == []
    assert outcomes.total() == 300
    assert outcomes["refused on opening"] > 50
    assert outcomes["found on reading"] > 30
    assert outcomes["child hung"] == 0


@pytest.mark.parametrize(
    ("program", "what"),
    [("/nowhere/python", "could not be started (No such file or directory)"), ("/bin/false", "ended before it opened")],
)
def test_no_shard_is_blamed_for_a_child_that_does_not_start(shard, monkeypatch, program, what):
    """As without memory or with too many processes: an error about the child, not a finding about the file."""
    monkeypatch.setattr(sys, "executable", program)
    with pytest.raises(DatakitError, match=re.escape(what)) as caught:
        verify_file(shard)
    assert "none is to blame" in str(caught.value) and shard.name not in str(caught.value)
