"""One run at a time on an output folder: an operating-system lock, and a note that says who holds it.

The kernel releases the lock when its holder dies, so there is no stale lock to remove by hand.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from datakit.errors import Locked
from datakit.files import write_json

LOCK = ".lock"
HOLDER = ".lock-holder.json"


class Hold:
    """A folder that is held for this run; what the kernel keeps cannot be lost."""

    def check(self) -> None:
        """Go on, as far as is known.

        Raises:
            Locked: another run has taken the folder over.
        """

    def confirm(self) -> None:
        """Go on; asks where the lock is kept.

        Raises:
            Locked: as `check`.
            OSError: that does not answer.
        """


@contextlib.contextmanager
def run_lock(
    folder: Path, taken: str = "another run is building here", way_out: str = "wait for it or stop it"
) -> Iterator[Hold]:
    """Hold `folder` for this run.

    Args:
        folder: that only one run may change.
        taken, way_out: what is said where another holds it: what that does, and what to do.

    Raises:
        Locked: another run holds it; the message names its host, process and start time.
    """
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise Locked(f"{folder}: {taken}: {_holder(folder)}; {way_out}") from None
    try:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        write_json(folder / HOLDER, {"host": socket.gethostname(), "pid": os.getpid(), "started": started})
        yield Hold()
    finally:
        with contextlib.suppress(OSError):
            (folder / HOLDER).unlink()
        lock.release()


def _holder(folder: Path) -> str:
    try:
        holder = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
        return f"host {holder['host']}, pid {holder['pid']}, started {holder['started']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it has not said who it is yet"
