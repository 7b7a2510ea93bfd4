"""What is wrong with a folder of shards, or with one shard, as a list of findings; an empty list means sound.

Bytes are compared with the manifest here. What needs HDF5 is done in child processes: a manifest from an
untrusted source proves nothing, and a flipped byte of HDF5's structure can crash the process.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from ..errors import ShardError
from ..files import digest_json, file_sha256, json_text
from ..places import files_in, is_stored, local_copy, place_of
from ..progress import progress
from .build_state import build_state_findings, text_findings
from .contents import Build, build_behind, portions_of
from .examine import OPEN, Finding
from .manifest import NAME, Manifest, ShardEntry, is_view_body, manifest_of, read_body
from .open_files import differs_by_mark_only, who_writes
from .sandbox import SandboxedVerifier
from .view import View, view_of_body

__all__ = ["Finding", "verify", "verify_file"]

T = TypeVar("T")


def verify(
    folder: str | os.PathLike[str],
    jobs: int = 1,
    deep: bool = False,
    sandbox: SandboxedVerifier | None = None,
) -> list[Finding]:
    """Check a folder of shards against its manifest; of a view, the folders behind it and which rows it names.

    Manifest digest, error log, settings, records, stray files; per shard size, SHA-256, structure, tables and counts.
    If `deep`, and of every damaged shard, per record CRC-32, decoding, sizes, non-empty targets and the stored IoU
    against the recomputed one. Bytes that are as published mean what they meant to their builder: `deep` is for
    a folder whose builder is not trusted (measured: SHA-256 alone times 1.1, deep times 20).

    Args:
        folder: a finished folder of shards.
        jobs: processes.
        deep: examine the records of sound shards as well.
        sandbox: a child to use instead of new ones, for many calls in a row.

    Returns:
        Findings in order of shard and place. Without a manifest that is one, and all that every shard says by itself.
    """
    root = place_of(folder)
    try:
        body = read_body(root)
        if is_view_body(body):
            return _verify_view(root, view_of_body(root, body), jobs, deep, sandbox)
        manifest = manifest_of(root, body)
    except ShardError as error:
        found = [Finding(NAME, "manifest", "", str(error))]
        return found + _by_themselves(files_in(root, ".h5"), jobs, sandbox)

    def check(child: SandboxedVerifier, item: tuple[ShardEntry, Future[list[Finding]]]) -> list[Finding]:
        entry, found = item[0], item[1].result()
        if not (root / entry.file).is_file():
            return found
        return found + _contents(
            child, root / entry.file, manifest, entry, deep, damaged=any(finding.place == "file" for finding in found)
        )

    def check_stored(child: SandboxedVerifier, entry: ShardEntry) -> list[Finding]:
        return _stored_findings(child, root / entry.file, manifest, entry, deep)

    found = list(build_state_findings(root, manifest))
    if is_stored(root):
        return found + _in_turns(check_stored, manifest.shards, jobs, sandbox)
    with ThreadPoolExecutor(jobs) as hashing:  # goes on while children start, which takes as long as hashing 300 MB
        items = [(entry, hashing.submit(_byte_findings, root, entry)) for entry in manifest.shards]
        try:
            return found + _in_turns(check, items, jobs, sandbox)
        finally:
            hashing.shutdown(cancel_futures=True)  # an interrupted one does not read on for minutes


def _verify_view(root: Path, view: View, jobs: int, deep: bool, sandbox: SandboxedVerifier | None) -> list[Finding]:
    """The view's own manifest, whether the folders behind it are those that it was made of, and each of these once."""
    found = list(text_findings(root, NAME, json_text(view.to_dict())))
    builds: dict[Path, Build] = {}
    for behind in view.folders:
        try:
            build = build_behind(root, view, behind)
            builds[build.folder] = build
            list(portions_of(root, build, behind))
        except ShardError as error:
            found.append(Finding(behind.path, "view", "", str(error)))
    for place in builds:
        mine = verify(place, jobs, deep, sandbox)
        found += [replace(finding, shard=str(place / finding.shard)) for finding in mine]
    return found


def verify_file(path: Path, sandbox: SandboxedVerifier | None = None) -> list[Finding]:
    """Check one shard by itself, in a child process, as one would a shard from an untrusted source.

    Args:
        path: the file; no manifest is looked for.
        sandbox: a child to use instead of a new one.
    """
    return _by_themselves([path], 1, sandbox)


def _by_themselves(paths: Sequence[Path], jobs: int, sandbox: SandboxedVerifier | None) -> list[Finding]:
    def check(child: SandboxedVerifier, place: Path) -> list[Finding]:
        with local_copy(place) as path:
            return child.examine(path)

    return _in_turns(check, paths, jobs, sandbox)


def _byte_findings(folder: Path, entry: ShardEntry) -> list[Finding]:
    """Size and SHA-256 of one shard file against the manifest; whether it is only open for writing somewhere."""
    path = folder / entry.file
    is_marked = False
    try:
        if not path.is_file():
            text = "missing"
        elif (size := path.stat().st_size) != entry.bytes:
            text = f"has {size} bytes, the manifest says {entry.bytes}"
        elif (digest := file_sha256(path)) != entry.sha256:
            text = f"SHA-256 is {digest[:12]}…, the manifest says {entry.sha256[:12]}…"
            is_marked = differs_by_mark_only(path, entry.sha256)
        else:
            return []
        if who := who_writes(path) if path.is_file() else "":
            rest = "all but HDF5's own mark of that is as published" if is_marked else f"it {text}"
            return [
                Finding(entry.file, OPEN, "", f"is open for writing {who}; {rest}; close it there and verify again")
            ]
        if is_marked:
            text = "marked by HDF5 as open for writing, and nobody has it open: a program ended without closing it"
    except OSError as error:
        text = f"cannot be read: {error.strerror}"
    return [Finding(entry.file, "file", "", text)]


def _stored_findings(
    child: SandboxedVerifier, place: Path, manifest: Manifest, entry: ShardEntry, deep: bool
) -> list[Finding]:
    """What is wrong with a shard of a store, of a copy of it."""
    try:
        with local_copy(place) as path:
            found = _byte_findings(path.parent, entry)
            return found + _contents(child, path, manifest, entry, deep, damaged=bool(found))
    except FileNotFoundError:
        return [Finding(entry.file, "file", "", "missing")]


def _contents(
    child: SandboxedVerifier, path: Path, manifest: Manifest, entry: ShardEntry, deep: bool, damaged: bool
) -> list[Finding]:
    """What a shard is beside its bytes, held against the manifest; of a damaged one every record is read."""
    counts = {name: getattr(entry, name) for name in ("source", "photos", "samples", "triples")}
    expected = {**counts, "settings_digest": digest_json(manifest.settings)}
    found = child.examine(path, manifest.max_pixels, expected, deep or damaged)
    if damaged and not found:
        text = "every record is whole: the damage lies in HDF5's own bytes"
        return [Finding(path.name, "structure", "", text)]
    return found


def _in_turns(
    check: Callable[[SandboxedVerifier, T], list[Finding]],
    items: Sequence[T],
    jobs: int,
    sandbox: SandboxedVerifier | None,
) -> list[Finding]:
    """Findings of every item in order, each checked with whichever of `jobs` children is free."""
    jobs = 1 if sandbox else max(min(jobs, len(items)), 1)
    if not items:
        return []
    free: SimpleQueue[SandboxedVerifier] = SimpleQueue()
    with contextlib.ExitStack() as children, progress(len(items), "shards") as shown:
        for _ in range(jobs):
            free.put(sandbox or children.enter_context(SandboxedVerifier()))

        def check_next(item: T) -> list[Finding]:
            child = free.get()
            try:
                return check(child, item)
            finally:
                free.put(child)

        found: list[Finding] = []
        with ThreadPoolExecutor(jobs) as threads:
            for one in threads.map(check_next, items):
                found += one
                shown.advance(1)
    return found
