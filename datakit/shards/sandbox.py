"""Shards examined in a child process that may die, hang or eat memory, and is replaced when it does.

HDF5 is not made for hostile files: a flipped byte of its structure can crash the process.
The child is spoken to in lines of JSON, never in pickles, since it has read what cannot be trusted.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from ..errors import DatakitError, ShardError
from ..formats import MAX_PIXELS
from .examine import MAX_FINDINGS, Finding, examine
from .shard import Shard

MEMORY = 4 << 30  # address space of a child, beside the file that it maps
PIXEL_BYTES = 16  # of memory to decode a photo and its masks, per pixel above the usual limit
SECONDS, SECONDS_PER_MB = 60.0, 2.0  # a sound shard takes about 0.1 s per MB
MAX_REPLY = 64 << 20
READY = b'"ready"\n'  # a child's first line: what comes after that is about the shard
START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from datakit.shards.sandbox import run_child; run_child()"
)


class SandboxedVerifier:
    """A child process that verifies shards one after another; where one crashes it, a new child takes its place.

    A context manager: leaving it ends the child.

    Args:
        seconds: most time for one shard; default by its size.
        memory: most address space of the child, in bytes, beside the file.

    Attributes:
        deaths: how many children died or were killed.
    """

    def __init__(self, seconds: float | None = None, memory: int = MEMORY):
        self.seconds = seconds
        self.memory = memory
        self.deaths = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._is_ready = False

    def __enter__(self) -> Self:
        self._child = self._start()  # it imports, a third of a second, while its first shard is hashed
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def examine(
        self,
        path: Path,
        max_pixels: int = MAX_PIXELS,
        expected: Mapping[str, Any] | None = None,
        deep: bool = True,
    ) -> list[Finding]:
        """What `examine.examine` finds, or how the child ended over it.

        Raises:
            DatakitError: no child could be started, of which no shard is to blame.
        """
        reply = self._ask("examine", path, max_pixels=max_pixels, expected=dict(expected or {}), deep=deep)
        if isinstance(reply, str):
            return [Finding(path.name, "structure", "", reply)]
        return [Finding(**{**found, "shard": path.name}) for found in reply]

    def source_crc32(self, path: Path) -> dict[str, dict[str, int]] | None:
        """`images` and `targets` -> key -> CRC-32 of its source file; None where the shard cannot say."""
        reply = self._ask("source_crc32", path, max_pixels=1 << 30)
        return reply if isinstance(reply, dict) else None

    def _ask(self, question: str, path: Path, **arguments: Any) -> Any:
        """The child's answer, or a sentence about its end."""
        try:
            size = _allocated(path)
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        seconds = self.seconds or SECONDS + SECONDS_PER_MB * size / 1e6
        limits = {"memory": self.memory + size, "seconds": int(seconds) + 30}
        request = {"question": question, "path": str(path.absolute()), "arguments": arguments, **limits}
        child = self._child = self._child or self._start()
        assert child.stdin is not None
        self._await_ready(child)
        try:
            child.stdin.write(json.dumps(request).encode() + b"\n")
            child.stdin.flush()
            answer = self._line(child, time.monotonic() + seconds)
        except BrokenPipeError:
            answer = b""
        except BaseException:
            self._end()  # an answer to come would be taken for the next one's
            raise
        if answer:
            return json.loads(answer)
        self.deaths += 1
        status = self._end()
        if answer is None:
            return f"verification timed out after {seconds:.0f} s, or its output exceeded {MAX_REPLY >> 20} MB"
        return f"HDF5 or a decoder crashed while reading it ({_status(status)})"

    def _start(self) -> subprocess.Popen[bytes]:
        threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._is_ready = False
        try:
            return subprocess.Popen(
                [sys.executable, "-c", START, json.dumps(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **threads},
            )
        except OSError as error:
            raise _no_child(f"could not be started ({error.strerror})") from None

    def _await_ready(self, child: subprocess.Popen[bytes]) -> None:
        """Wait until a new child has imported what it needs.

        Raises:
            DatakitError: it died of that, or takes too long.
        """
        if self._is_ready:
            return
        answer = self._line(child, time.monotonic() + SECONDS)
        self._is_ready = answer == READY
        if not self._is_ready:
            late = f"was not ready after {SECONDS:.0f} s"
            status = self._end()
            raise _no_child(late if answer is None else f"ended before it opened anything ({_status(status)})")

    def _line(self, child: subprocess.Popen[bytes], deadline: float) -> bytes | None:
        """One line of the child; b'' when it has died, None when it is late or says too much."""
        assert child.stdout is not None
        pieces: list[bytes] = []
        length = 0
        while not pieces or b"\n" not in pieces[-1]:
            ready, _, _ = select.select([child.stdout], [], [], max(deadline - time.monotonic(), 0))
            if not ready or length > MAX_REPLY:
                return None
            piece = os.read(child.stdout.fileno(), 1 << 16)
            if not piece:
                return b""
            pieces.append(piece)
            length += len(piece)
        return b"".join(pieces)

    def _end(self) -> int:
        child, self._child = self._child, None
        if child is None:
            return 0
        assert child.stdin is not None and child.stdout is not None
        if child.poll() is None:
            child.kill()
        status = child.wait()
        child.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        return status


def _no_child(what: str) -> DatakitError:
    return DatakitError(
        f"shards are verified in child processes, and one {what}; no shard was examined by it and none is to blame: "
        "free memory, or end other programs, or raise the limits of `ulimit -a`, and verify again"
    )


def _allocated(path: Path) -> int:
    """Bytes a file takes on disk: a sparse one can claim any length for nothing."""
    found = path.stat()
    return min(found.st_size, found.st_blocks * 512)


def _status(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"exit {status}"


def run_child() -> None:
    """The child's life: answer questions from standard input until it ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    answers.write(READY)
    answers.flush()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        extra = PIXEL_BYTES * max(min(request["arguments"]["max_pixels"], 1 << 30) - MAX_PIXELS, 0)
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        memory = request["memory"] + extra
        resource.setrlimit(resource.RLIMIT_AS, (memory if hard == resource.RLIM_INFINITY else min(memory, hard), hard))
        signal.alarm(request["seconds"])  # should the parent be gone, a hanging child ends by itself
        answer = _QUESTIONS[request["question"]](Path(request["path"]), **request["arguments"])
        signal.alarm(0)
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def _examine(path: Path, max_pixels: int, expected: Mapping[str, Any], deep: bool) -> list[dict[str, Any]]:
    return [asdict(finding) for finding in examine(path, max_pixels, expected, deep)][:MAX_FINDINGS]


def _source_crc32(path: Path, max_pixels: int) -> dict[str, dict[str, int]] | None:
    try:
        shard = Shard(path, max_pixels)
    except ShardError:
        return None
    tables = {"images": shard.images, "targets": shard.targets}
    if any(zlib.crc32(table.tobytes()) != shard.table_crc32[f"{name}/table"] for name, table in tables.items()):
        return None
    return {name: {row["key"].decode(): int(row["source_crc32"]) for row in table} for name, table in tables.items()}


_QUESTIONS: dict[str, Callable[..., Any]] = {"examine": _examine, "source_crc32": _source_crc32}
