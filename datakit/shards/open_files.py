"""Shards that are open for writing somewhere: what they look like on disk, and who has them open.

While a shard is open for writing (`h5py.File(path, "r+")`), HDF5 keeps a mark in its header, even where nothing is
written, and takes it back on closing. So its bytes are not those that were published, and yet nothing is damaged.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

# "File Consistency Flags" of a superblock of version 0, the only one in shards: HDF5 File Format Specification §II.A.
FLAGS = slice(20, 24)


def who_writes(path: Path) -> str:
    """Who has a shard open for writing through HDF5: `in this process`, `in process 123`, `elsewhere`, '' for nobody.

    Known are processes of this machine that the user may look at (Linux), and any that hold the lock of HDF5.
    """
    if not _is_marked(path):
        return ""
    processes = sorted(_writing(path))
    if os.getpid() in processes:
        return "in this process"
    if processes:
        return f"in process {processes[0]}"
    return "elsewhere" if _is_locked(path) else ""


def differs_by_mark_only(path: Path, sha256: str) -> bool:
    """Whether a file is as published but for HDF5's mark of being open for writing.

    Args:
        path: the file.
        sha256: of the published bytes.
    """
    if not _is_marked(path):
        return False
    with path.open("rb") as file:
        head = bytearray(file.read(FLAGS.stop))
        head[FLAGS] = bytes(FLAGS.stop - FLAGS.start)
        digest = hashlib.sha256(head)
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest() == sha256


def _is_marked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return any(file.read(FLAGS.stop)[FLAGS])
    except OSError:
        return False


def _writing(path: Path) -> Iterator[int]:
    """Numbers of the processes that have the file open for writing, as far as the system tells."""
    try:
        wanted = path.stat()
        processes = [entry for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    except OSError:
        return
    for process in processes:
        with contextlib.suppress(OSError):  # somebody else's, or gone meanwhile
            for handle in (process / "fd").iterdir():
                with contextlib.suppress(OSError, ValueError):
                    found = handle.stat()
                    if (found.st_dev, found.st_ino) != (wanted.st_dev, wanted.st_ino):
                        continue
                    if _flags(process / "fdinfo" / handle.name) & os.O_ACCMODE != os.O_RDONLY:
                        yield int(process.name)


def _flags(info: Path) -> int:
    """Open flags of a descriptor, from its entry in /proc."""
    lines = info.read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("flags:")).split()[1], 8)


def _is_locked(path: Path) -> bool:
    """Whether somebody holds the file's lock for writing, as HDF5 does unless told otherwise."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        pass
    return False
