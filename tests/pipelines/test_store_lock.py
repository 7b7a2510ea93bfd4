"""One run at a time in a store, a dead one does not count, and no clock is believed."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from datakit.errors import Locked
from datakit.places import Place, files_in, read_bytes, remove, write_bytes
from pipelines import store_lock as module
from pipelines.lock import LOCK, Hold
from pipelines.store_lock import hold_folder, store_lock


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Seconds as hundredths."""
    for name, seconds in {"BEAT_S": 0.05, "DEAD_S": 0.4, "LOOK_S": 0.02}.items():
        monkeypatch.setattr(module, name, seconds)


def leave_lock(folder: Place, number: int = 1, **note: Any) -> Place:
    """A lock as a run of another host leaves it."""
    path = folder / LOCK / f"{number:06d}"
    said = {"host": "far", "pid": 7, "started": "2026-11-29T12:00:00+00:00", "machine": "far", "run": "x"}
    write_bytes(path, json.dumps(said | note).encode())
    return path


def locks(folder: Place) -> list[str]:
    """Names of the locks that are there."""
    return [path.name for path in files_in(folder / LOCK)]


def hook(monkeypatch: pytest.MonkeyPatch, before: Any) -> None:
    """Let something be done before each write of the memory store; it may raise, or change the words."""
    from fsspec.implementations.memory import MemoryFileSystem

    real = MemoryFileSystem.pipe_file

    def pipe_file(self: Any, path: str, value: bytes, mode: str = "overwrite", **more: Any) -> None:
        real(self, path, value, before(path, mode) or mode, **more)

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", pipe_file)


def test_the_holder_is_named(memory):
    """A second run learns host, process and start of the first; exit code 6."""
    named = rf"host {socket.gethostname()}, pid {os.getpid()}, started 20"
    with store_lock(memory), pytest.raises(Locked, match=named) as refused, store_lock(memory):
        pass
    assert refused.value.exit_code == 6


def test_it_is_free_afterwards(memory):
    """Nothing of the lock is in the way of the next run, and nothing is left."""
    for _ in range(2):
        with store_lock(memory):
            assert locks(memory) == ["000001"]
    assert locks(memory) == []


def test_a_folder_on_a_disk_is_held_by_the_kernel(tmp_path):
    """The same words for both."""
    with hold_folder(tmp_path) as hold:
        assert type(hold) is Hold and hold.confirm() is None
        assert (tmp_path / LOCK).is_file()


def test_it_is_free_where_the_run_ended_in_an_error(memory):
    """And the error is what is told."""
    with pytest.raises(ZeroDivisionError), store_lock(memory):
        raise ZeroDivisionError
    assert locks(memory) == []


def test_a_killed_holder_of_this_host_is_seen_at_once(memory, monkeypatch):
    """Its process is gone, so there is nothing to wait for."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    leave_lock(memory, pid=process.pid, machine=module.this_machine())
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("it waited"))
    with store_lock(memory):
        assert locks(memory) == ["000002"]


def test_a_run_of_this_very_process_that_ended_is_seen_at_once(memory, monkeypatch):
    """It could not remove its lock, since the store was gone."""
    with store_lock(memory):
        left = read_bytes(memory / LOCK / "000001")
    write_bytes(memory / LOCK / "000001", left)
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("it waited"))
    with store_lock(memory):
        assert locks(memory) == ["000002"]


def test_a_process_id_of_another_host_says_nothing(memory):
    """A dead holder elsewhere is waited for, and then overtaken."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    leave_lock(memory, pid=process.pid)
    began = time.monotonic()
    with store_lock(memory):
        assert time.monotonic() - began >= module.DEAD_S
        assert locks(memory) == ["000002"]


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_a_clock_that_is_off_means_nothing(memory, hours):
    """Who writes its lock is alive and who does not is dead, whenever either says it started."""
    started = (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
    ended = threading.Event()

    def beat() -> None:
        number = 0
        while not ended.wait(0.03):
            number += 1
            leave_lock(memory, started=started, beats=number)

    leave_lock(memory, started=started)
    thread = threading.Thread(target=beat)
    thread.start()
    try:
        with pytest.raises(Locked, match="host far, pid 7, started 20"), store_lock(memory):
            pass
    finally:
        ended.set()
        thread.join()
    with store_lock(memory):
        assert locks(memory) == ["000002"]


def test_a_holder_writes_its_lock_anew(memory):
    """Which is what others see of it."""
    with store_lock(memory):
        seen = {read_bytes(memory / LOCK / "000001") for _ in range(40) if time.sleep(0.01) is None}
    assert len(seen) > 2


def test_a_holder_that_was_overtaken_is_told(memory):
    """By its next beat, and at once where it asks; it leaves the lock of the other alone."""
    with store_lock(memory) as hold:
        hold.check()
        leave_lock(memory, number=2)
        with pytest.raises(Locked, match="another one took over: host far, pid 7"):
            hold.confirm()
        for _ in range(100):
            time.sleep(0.02)
            try:
                hold.check()
            except Locked:
                break
        else:
            pytest.fail("no beat has seen it")
    assert locks(memory) == ["000002"]


def test_a_holder_whose_lock_is_gone_is_told(memory):
    """The other one has overtaken it, ended and cleared up."""
    with store_lock(memory) as hold:
        remove(memory / LOCK / "000001")
        with pytest.raises(Locked, match="has ended since"):
            hold.confirm()
    assert locks(memory) == []


def test_a_lock_of_the_same_number_is_not_taken_for_the_own(memory):
    """The other one has ended, and a third began."""
    with store_lock(memory) as hold:
        leave_lock(memory, number=1)
        with pytest.raises(Locked, match="host far"):
            hold.confirm()
    assert locks(memory) == ["000001"]


@pytest.mark.parametrize("left_behind", [0, 1])
@pytest.mark.parametrize("store", ["memory", "bucket"])
def test_of_many_at_once_one_gets_it(request, monkeypatch, store, left_behind):
    """With and without the lock of a dead run to take over."""
    folder = request.getfixturevalue(store)
    folder = folder.place("out") if store == "bucket" else folder
    monkeypatch.setattr(module, "BEAT_S", 0.2)
    monkeypatch.setattr(module, "DEAD_S", 1.5)
    if left_behind:
        leave_lock(folder)
    barrier, over, holders, refused = threading.Barrier(6), threading.Event(), [], []

    def run() -> None:
        barrier.wait()
        try:
            with store_lock(folder) as hold:
                holders.append(hold)
                over.wait(30)
                hold.confirm()
        except Locked as error:
            refused.append(str(error))
            if len(refused) == 5:
                over.set()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(holders), len(refused)) == (1, 5)
    assert locks(folder) == []


def test_who_wakes_while_it_is_overtaken_is_left_alone(memory, monkeypatch):
    """Its lock changes between the last look and the new lock: the new one is given up."""
    leave_lock(memory)
    awake, ended = threading.Event(), threading.Event()

    def wake(path: str, mode: str) -> None:
        if mode == "create" and path.endswith("000002") and not awake.is_set():
            leave_lock(memory, beats=1)
            awake.set()

    def beat() -> None:
        number = 1
        while awake.wait(5) and not ended.wait(0.03):
            number += 1
            leave_lock(memory, beats=number)

    hook(monkeypatch, wake)
    thread = threading.Thread(target=beat)
    thread.start()
    try:
        with pytest.raises(Locked, match="host far"), store_lock(memory):
            pass
    finally:
        ended.set()
        thread.join()
    assert locks(memory) == ["000001"]


def test_a_store_without_conditional_writes_is_named(memory, monkeypatch, caplog):
    """Two runs at once are not kept apart there, and who runs one learns it."""
    hook(monkeypatch, lambda path, mode: "overwrite")
    with store_lock(memory):
        assert locks(memory) == ["000001"]
    assert "no conditional writes, so two runs at once are not kept apart" in caplog.text


def test_a_store_that_refuses_conditional_writes_is_named(memory, monkeypatch, caplog):
    """It can be built in all the same."""

    def refuse(path: str, mode: str) -> None:
        if mode == "create":
            raise OSError(errno.ENOSYS, "A header you provided implies functionality that is not implemented")

    hook(monkeypatch, refuse)
    with store_lock(memory):
        assert locks(memory) == ["000001"]
    assert "no conditional writes" in caplog.text


def test_a_store_that_has_them_is_not(memory, caplog):
    """Nothing is said where all is well."""
    with store_lock(memory):
        pass
    assert caplog.text == ""


def test_an_answer_that_was_lost_does_not_lock_the_run_out(memory, monkeypatch, impatient):
    """The request is made again, and meets what its first try has made."""
    from fsspec.implementations.memory import MemoryFileSystem

    real, calls = MemoryFileSystem.pipe_file, []

    def pipe_file(self: Any, path: str, value: bytes, **more: Any) -> None:
        real(self, path, value, **more)
        calls.append(path)
        if len(calls) == 1:
            raise ConnectionResetError

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", pipe_file)
    with store_lock(memory):
        assert locks(memory) == ["000001"]


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"[1]", b'{"host": 3}'])
def test_a_lock_that_says_nothing_is_waited_for(memory, content):
    """Then it is taken over like any other."""
    write_bytes(memory / LOCK / "000007", content)
    with store_lock(memory):
        assert locks(memory) == ["000008"]


def test_what_is_no_lock_is_no_lock(memory):
    """Somebody's object among them is not looked at, and not removed."""
    write_bytes(memory / LOCK / "README", b"x")
    with store_lock(memory):
        assert locks(memory) == ["000001", "README"]
    assert locks(memory) == ["README"]
