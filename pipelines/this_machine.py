"""Processes of this machine: which of them are gone, and temporary folders that are removed after those."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from datakit.files import PART_PREFIX


def this_machine() -> str:
    """What tells apart where process ids mean different things: hosts, and containers of one name."""
    told = [socket.gethostname()]
    for path in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        with contextlib.suppress(OSError):
            told.append(str(path.readlink()) if path.is_symlink() else path.read_text().strip())
    return " ".join(told)


def is_gone(process: int) -> bool:
    """Whether this machine has no process of that id."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


@contextlib.contextmanager
def local_scratch() -> Iterator[Path]:
    """A folder of this machine that is removed afterwards; those of processes that were killed are removed before.

    Raises:
        OSError: it cannot be made.
    """
    ours = f"{PART_PREFIX}{hashlib.sha256(this_machine().encode()).hexdigest()[:12]}-"
    for left in Path(tempfile.gettempdir()).glob(f"{ours}*"):
        process = left.name.removeprefix(ours).partition("-")[0]
        if process.isdecimal() and is_gone(int(process)):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{ours}{os.getpid()}-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
