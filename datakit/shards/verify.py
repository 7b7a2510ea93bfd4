"""What is wrong with a folder of shards, or with one shard, as a list of findings; an empty list means sound.

Bytes are judged here, against the manifest. What needs HDF5 is done in child processes: a manifest that
came with a shard from a stranger vouches for nothing, and a flipped structure byte can bring HDF5 down.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from ..errors import ShardError
from ..files import digest_json, file_sha256
from .apart import Examiner
from .bookkeeping import bookkeeping_findings
from .examine import Finding
from .manifest import NAME, Manifest, ShardEntry, read_manifest

__all__ = ["Finding", "byte_check", "verify", "verify_file"]


def verify(
    folder: Path,
    jobs: int = 1,
    quick: bool = False,
    done: Callable[[int], None] = lambda _: None,
    examiner: Examiner | None = None,
) -> list[Finding]:
    """Check a folder of shards from the manifest down to the meaning of every mask.

    Manifest digest, ledger, settings, records, stray files; per shard size and SHA-256; then, unless `quick`,
    per record CRC-32, decoding, sizes, tables, non-empty targets and the stored IoU against the recomputed one.

    Args:
        folder: a finished folder of shards.
        jobs: processes.
        quick: judge bytes only (manifest, size, SHA-256); contents of damaged shards are examined all the same.
        done: called with 1 after every shard.
        examiner: a child to use instead of new ones, for many calls in a row.

    Returns:
        Findings in order of shard and place. Without a manifest that is one, and what every shard says by itself.
    """
    try:
        manifest = read_manifest(folder)
    except ShardError as error:
        found = [Finding(NAME, "manifest", "", str(error))]
        paths = [] if quick else sorted(folder.glob("*.h5"))
        examined = _examine_all([(path, {}) for path in paths], jobs, examiner, done)
        return found + [finding for one in examined for finding in one]
    findings = list(bookkeeping_findings(folder, manifest))
    with ThreadPoolExecutor(jobs) as threads:
        in_bytes = list(threads.map(lambda entry: list(byte_check(folder, entry)), manifest.shards))
    tasks = [
        (folder / entry.file, _expectation(manifest, entry) | {"damaged": bool(found)})
        for entry, found in zip(manifest.shards, in_bytes, strict=True)
        if (folder / entry.file).is_file() and (found or not quick)
    ]
    inside = dict(zip([path.name for path, _ in tasks], _examine_all(tasks, jobs, examiner, done), strict=True))
    for entry, found in zip(manifest.shards, in_bytes, strict=True):
        findings += found + inside.get(entry.file, [])
    return findings


def verify_file(path: Path, examiner: Examiner | None = None) -> list[Finding]:
    """Check one shard by itself, in a child process, as one would a stranger's.

    Args:
        path: the file; no manifest is looked for.
        examiner: a child to use instead of a new one.
    """
    return next(_examine_all([(path, {})], 1, examiner))


def byte_check(folder: Path, entry: ShardEntry) -> Iterator[Finding]:
    """Size and SHA-256 of one shard file against the manifest."""
    path = folder / entry.file
    if not path.is_file():
        yield Finding(entry.file, "file", "", "missing")
    elif (size := path.stat().st_size) != entry.bytes:
        yield Finding(entry.file, "file", "", f"has {size} bytes, the manifest says {entry.bytes}")
    elif (digest := file_sha256(path)) != entry.sha256:
        yield Finding(entry.file, "file", "", f"SHA-256 is {digest[:12]}…, the manifest says {entry.sha256[:12]}…")


def _expectation(manifest: Manifest, entry: ShardEntry) -> dict[str, Any]:
    counts = {name: getattr(entry, name) for name in ("source", "photos", "samples", "triples")}
    expected = {**counts, "settings_digest": digest_json(manifest.settings)}
    return {"max_pixels": manifest.max_pixels, "expected": expected}


Task = tuple[Path, dict[str, Any]]


def _examine_all(
    tasks: Sequence[Task], jobs: int, examiner: Examiner | None, done: Callable[[int], None] = lambda _: None
) -> Iterator[list[Finding]]:
    """Findings of every task in order, from `jobs` children that each take the next one."""
    jobs = 1 if examiner else max(min(jobs, len(tasks)), 1)
    free: SimpleQueue[Examiner] = SimpleQueue()
    with contextlib.ExitStack() as children:
        for _ in range(jobs):
            free.put(examiner or children.enter_context(Examiner()))

        def examine(task: Task) -> list[Finding]:
            child = free.get()
            try:
                return _examine_one(child, *task)
            finally:
                free.put(child)
                done(1)

        with ThreadPoolExecutor(jobs) as threads:
            yield from threads.map(examine, tasks)


def _examine_one(child: Examiner, path: Path, arguments: dict[str, Any]) -> list[Finding]:
    damaged = arguments.pop("damaged", False)
    found = child.examine(path, **arguments)
    if damaged and not found:
        text = "every record is whole: the damage lies in HDF5's own bytes"
        return [Finding(path.name, "structure", "", text)]
    return [replace(finding, shard=path.name) for finding in found]
