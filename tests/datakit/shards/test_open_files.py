"""Shards that somebody has open are read all the same, and are never called damaged."""

import signal
import subprocess
import sys
from contextlib import contextmanager

import h5py
import numpy as np
import pytest

from datakit.shards import ShardReader
from datakit.shards.examine import OPEN
from datakit.shards.open_files import who_writes
from datakit.shards.verify import verify
from tests.small_shards import write_shards

HOLD = "import h5py, sys; file = h5py.File(sys.argv[1], sys.argv[2], **eval(sys.argv[3])); print(); sys.stdin.read()"


@pytest.fixture
def folder(tmp_path):
    """One shard of three photos."""
    return write_shards(tmp_path / "shards", photos=3)


def findings(folder):
    """Of the shard; the ledger of these folders is none."""
    return [finding for finding in verify(folder) if finding.shard.endswith(".h5")]


@contextmanager
def held(path, mode, locking, here):
    """The file open in this process or in another."""
    options = {} if locking is None else {"locking": locking}
    if here:
        with h5py.File(path, mode, **options) as file:
            yield file
        return
    command = [sys.executable, "-c", HOLD, str(path), mode, repr(options)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process
        process.stdin.close()


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("locking", [None, False, True])
@pytest.mark.parametrize("mode", ["r", "r+"])
def test_it_is_read_whoever_has_it_open(folder, mode, locking, here):
    """A notebook's own handle, with h5py's lock or without, and another program's."""
    expected = ShardReader(folder)[0]
    with held(folder / "made-00000.h5", mode, locking, here):
        found = ShardReader(folder)[0]
        assert found.key == expected.key and np.array_equal(found.image, expected.image)


@pytest.mark.parametrize("mode", ["r", "r+"])
def test_the_other_handle_goes_on(folder, mode):
    """What was taken from it before stays open."""
    with h5py.File(folder / "made-00000.h5", mode) as file:
        table = file["triples"]
        assert len(ShardReader(folder)) == 9 and ShardReader(folder)[0].key
        assert len(table[()]) == 9 and len(file["images/table"]) == 3


def test_open_for_reading_is_no_finding(folder):
    """Nothing on disk changes."""
    with held(folder / "made-00000.h5", "r", None, here=True):
        assert findings(folder) == []


@pytest.mark.parametrize(("here", "who"), [(True, "in this process"), (False, "in process")])
@pytest.mark.parametrize("locking", [None, False])
def test_open_for_writing_is_told_as_that(folder, locking, here, who):
    """HDF5 marks the file, which changes its SHA-256; closed, it is sound again."""
    path = folder / "made-00000.h5"
    with held(path, "r+", locking, here):
        (finding,) = findings(folder)
        assert finding.place == OPEN
        assert f"is open for writing {who}" in finding.text and "is as published" in finding.text
    assert who_writes(path) == "" and findings(folder) == []


def test_a_lock_alone_tells_that_it_is_open(folder, monkeypatch):
    """Where the system says nothing of other processes."""
    monkeypatch.setattr("datakit.shards.open_files._writing", lambda path: [])
    with held(folder / "made-00000.h5", "r+", None, here=False):
        assert who_writes(folder / "made-00000.h5") == "elsewhere"


def test_what_is_being_written_is_not_called_damaged(folder):
    """Other bytes, and a writer at work: judged when it is done."""
    with h5py.File(folder / "made-00000.h5", "r+") as file:
        file["triples"][0, "iou"] = 0.125
        file.flush()
        assert OPEN in [finding.place for finding in findings(folder)]
        assert "file" not in [finding.place for finding in findings(folder)]
    assert "file" in [finding.place for finding in findings(folder)]


def test_a_mark_left_by_a_killed_program_is_told(folder):
    """Nobody has it open: then it is for `--repair`."""
    path = folder / "made-00000.h5"
    with held(path, "r+", None, here=False) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert ShardReader(folder)[0].key
    finding = findings(folder)[0]
    assert finding.place == "file" and "a program ended without closing it" in finding.text


def test_a_shard_cut_by_its_writer_says_who_it_is(folder):
    """Not to build again what another program is about to finish."""
    path = folder / "made-00000.h5"
    with held(path, "r+", False, here=True), path.open("ab") as file:
        file.write(b"more")
        file.flush()
        with pytest.raises(Exception, match="it is open for writing in this process"):
            ShardReader(folder)[0]
