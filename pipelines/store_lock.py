"""One run at a time on a folder of a store, which has no locks: objects that only one run can make.

A lock is the object `.lock/000001`, which its holder writes anew every few seconds. Who finds one that does not change
takes the next number; of several who try one gets it, since a store makes an object only where there is none
(`If-None-Match`). No clock is compared with that of another machine. A holder that was paused and overtaken finds a
higher number than its own, or its own gone, and stops.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from datakit.errors import Locked
from datakit.files import json_text
from datakit.places import Place, files_in, is_stored, read_bytes, remove, write_bytes
from datakit.stores import create

from .lock import LOCK, Hold, run_lock
from .this_machine import is_gone, this_machine

logger = logging.getLogger(__name__)
BEAT_S = 10.0  # between two times that a holder writes its lock
DEAD_S = 45.0  # after which a lock that did not change has no holder: four beats were missed
RELEASE_S = 10.0  # that a run waits for its lock to be removed; a store that is gone takes longer
LOOK_S = 1.0  # between two looks at a lock that may have none
_held: set[str] = set()  # runs of this process that hold a folder
UNNAMED = "it has not said who it is yet"


def hold_folder(folder: Place) -> AbstractContextManager[Hold]:
    """Hold a folder for this run, on a disk or in a store.

    Raises:
        Locked: another run holds it; the message names its host, process and start time.
    """
    return store_lock(folder) if is_stored(folder) else run_lock(folder)


@contextlib.contextmanager
def store_lock(folder: Place) -> Iterator[Hold]:
    """Hold a folder of a store for this run.

    Raises:
        Locked: another run holds it. It takes up to `DEAD_S` to see that one of another host does not any more.
        OSError: the store cannot be used.
    """
    hold = _acquire(folder)
    with hold.beating():
        hold.warn_if_not_kept_apart()
        yield hold


class StoreHold(Hold):
    """A lock of a store, held.

    Args:
        folder: that is held.
        number: of the lock.
    """

    def __init__(self, folder: Place, number: int):
        self.folder, self.number = folder, number
        self.path = folder / LOCK / f"{number:06d}"
        self._run = uuid.uuid4().hex
        self._note = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": this_machine(),
            "run": self._run,
        }
        self._beats = 0
        self._lost: Locked | None = None
        self._ended = threading.Event()

    def create(self) -> bool:
        """Take the number, if nobody has."""
        # a request that was made again may meet what its first try has made
        if not create(self.path, self._text()) and not self._is_mine(read_or_none(self.path)):
            return False
        _held.add(self._run)
        return True

    def check(self) -> None:
        """Go on, as far as the last beat saw.

        Raises:
            Locked: another run has taken the folder over.
        """
        if self._lost is not None:
            raise self._lost

    def confirm(self) -> None:
        """Go on; asks the store.

        Raises:
            Locked, OSError: see `Hold`.
        """
        self.check()
        found = locks_in(self.folder)
        if not self._is_mine(found.get(self.number)) or max(found) > self.number:
            by = holder_text(found[max(found)]) if found else "and has ended since"
            raise Locked(
                f"{self.folder}: this run was held up, and another one took over: {by}; nothing more is written here, "
                "and what was finished is kept"
            )

    @contextlib.contextmanager
    def beating(self) -> Iterator[None]:
        """Inside, the lock is written anew every few seconds, by a thread, which removes it at the end."""
        thread = threading.Thread(target=self._beat, name="lock", daemon=True)
        thread.start()
        try:
            yield
        finally:
            _held.discard(self._run)
            self._ended.set()
            thread.join(RELEASE_S)

    def _beat(self) -> None:
        self._beat_until_ended()
        with contextlib.suppress(OSError):  # what ended the run is told, not this; who finds the lock sees it dead
            self.release()

    def _beat_until_ended(self) -> None:
        while not self._ended.wait(BEAT_S):
            began = time.monotonic()
            try:
                self.confirm()
                if time.monotonic() - began < DEAD_S / 2:  # held up right here, it may be somebody else's by now
                    self._beats += 1
                    write_bytes(self.path, self._text())
            except Locked as error:
                self._lost = error
                return
            except OSError:  # the run itself will meet it, or it passes
                continue

    def warn_if_not_kept_apart(self) -> None:
        """Try to make the lock once more, and say so where the store does it."""
        if create(self.path, self._text()):
            logger.warning(
                f"{self.folder}: this store has no conditional writes, so two runs at once are not kept apart; start "
                "one at a time"
            )

    def release(self) -> None:
        """Remove the lock, unless it is somebody else's by now."""
        _held.discard(self._run)
        if self._is_mine(read_or_none(self.path)):
            remove(self.path)

    def _is_mine(self, note: bytes | None) -> bool:
        return bool(_note_of(note).get("run") == self._run)

    def _text(self) -> bytes:
        return json_text({**self._note, "beats": self._beats}).encode()


def _acquire(folder: Place) -> StoreHold:
    """Take the lowest number above all that were left behind."""
    while True:
        dead = _outlast(folder)
        hold = StoreHold(folder, max(dead, default=0) + 1)
        if not hold.create():
            continue
        others = {number: note for number, note in locks_in(folder).items() if number != hold.number}
        if all(dead.get(number) == note for number, note in others.items()):
            for number in others:
                remove(folder / LOCK / f"{number:06d}")
            return hold
        hold.release()  # somebody came in between, who may be alive


def _outlast(folder: Place) -> Mapping[int, bytes]:
    """The locks of a folder, once it is clear that nobody holds one.

    Raises:
        Locked: somebody does.
    """
    found, since = locks_in(folder), time.monotonic()
    if any(map(_may_live, found.values())):
        logger.info(f"{folder}: a run has left its lock, or is building here: {holder_text(found[max(found)])}; "
                    f"waiting up to {DEAD_S:g} s to see which")  # fmt: skip
    while any(map(_may_live, found.values())):
        time.sleep(LOOK_S)
        is_last = time.monotonic() - since >= DEAD_S
        now = locks_in(folder)
        alive = {number: note for number, note in now.items() if found.get(number) != note}
        if alive:
            by = holder_text(alive[max(alive)])
            raise Locked(f"{folder}: another run is building here: {by}; wait for it or stop it")
        found = now
        if is_last:
            break
    return found


def _may_live(note: bytes) -> bool:
    """Whether a holder may be there: not if it was a run of this machine that is gone."""
    holder = _note_of(note)
    if holder.get("machine") != this_machine():
        return True
    if holder.get("pid") == os.getpid():
        return holder.get("run") in _held
    return not (isinstance(holder.get("pid"), int) and is_gone(holder["pid"]))


def locks_in(folder: Place) -> dict[int, bytes]:
    """Number -> content of every lock of a folder."""
    found = {}
    for path in files_in(folder / LOCK):
        note = read_or_none(path)
        if note is not None and path.name.isdigit():
            found[int(path.name)] = note
    return found


def read_or_none(place: Place) -> bytes | None:
    """Content of an object; None where there is none any more."""
    try:
        return read_bytes(place)
    except FileNotFoundError:
        return None


def holder_text(note: bytes) -> str:
    """Who wrote a lock, for a message."""
    holder = _note_of(note)
    try:
        return f"host {holder['host']}, pid {holder['pid']}, started {holder['started']}"
    except KeyError:
        return UNNAMED


def _note_of(data: bytes | None) -> dict[str, Any]:
    try:
        note = json.loads(data or b"{}")
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}
