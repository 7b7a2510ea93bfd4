"""Temporary folders go with their process, however that ended."""

import os
import subprocess
import sys

import pytest

from pipelines.this_machine import is_gone, local_scratch, this_machine


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A folder of temporary files of its own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_removed_afterwards(temporary):
    """With what lies in it, also after an error."""
    with pytest.raises(ZeroDivisionError), local_scratch() as folder:
        (folder / "shard.h5").write_bytes(b"x")
        raise ZeroDivisionError
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_removed(temporary):
    """By the next that needs a folder; those of living processes and of other machines stay."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with local_scratch() as folder:
        left = folder.with_name(folder.name.replace(f"-{os.getpid()}-", f"-{gone.pid}-"))
        elsewhere = temporary / f".part-0123456789ab-{gone.pid}-x"
        for each in (left, elsewhere):
            each.mkdir()
        with local_scratch():
            assert folder.is_dir() and elsewhere.is_dir() and not left.exists()


def test_a_process_is_gone_or_not(temporary):
    """This one is not, one that ended is; this machine has a name of its own."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert (is_gone(os.getpid()), is_gone(ended.pid), is_gone(1 << 40)) == (False, True, False)
    assert this_machine() == this_machine() != ""
