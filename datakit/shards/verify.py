"""What is wrong with a folder of shards, as a list of findings; an empty list means every byte is as published.

Size and SHA-256 are judged before HDF5 opens a file. A file that fails them is opened in a child
process of its own, only to say where the damage lies: a flipped structure byte can bring HDF5 down.
"""

from __future__ import annotations

import multiprocessing
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import iou
from ..errors import ShardError
from ..files import file_sha256
from ..images import decode_picture, decode_rle
from . import layout
from .manifest import LEDGER, NAME, ShardEntry, read_manifest
from .reader import Shard

CHILD_SECONDS = 600  # a suspect shard that is not read through by then is reported as it is


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        shard: file name within the folder.
        place: `manifest`, `file`, `structure`, a table, or a record such as `deformed[12]`.
        key: of the triple, sample or photo concerned; '' where the damage is not of one.
        text: what was expected and what was found.
    """

    shard: str
    place: str
    key: str
    text: str


def verify(
    folder: Path, jobs: int = 1, quick: bool = False, done: Callable[[int], None] = lambda _: None
) -> list[Finding]:
    """Check a folder of shards from the manifest down to the meaning of every mask.

    Manifest digest, ledger, stray files; per shard size and SHA-256; then, unless `quick`, per record CRC-32,
    decoding, sizes, tables, non-empty targets and the stored IoU against the recomputed one.

    Args:
        folder: a finished folder of shards.
        jobs: processes.
        quick: judge bytes only (manifest, size, SHA-256); contents of damaged shards are examined all the same.
        done: called with 1 after every shard.

    Returns:
        Findings in order of shard and place.
    """
    try:
        manifest = read_manifest(folder)
    except ShardError as error:
        return [Finding(NAME, "manifest", "", str(error))]
    findings = list(_folder_findings(folder, manifest.ledger_sha256, {shard.file for shard in manifest.shards}))
    with ThreadPoolExecutor(jobs) as threads:
        byte_findings = list(threads.map(lambda entry: list(byte_check(folder, entry)), manifest.shards))
    sound = [folder / e.file for e, found in zip(manifest.shards, byte_findings, strict=True) if not found]
    for entry, found in zip(manifest.shards, byte_findings, strict=True):
        if found:
            findings += found + _examine_apart(folder / entry.file)
            done(1)
    for found in _examine_all([] if quick else sound, jobs):
        findings += found
        done(1)
    return findings


def _folder_findings(folder: Path, ledger_sha256: str, named: set[str]) -> Iterator[Finding]:
    ledger = folder / LEDGER
    if not ledger.is_file() or file_sha256(ledger) != ledger_sha256:
        yield Finding(LEDGER, "file", "", "missing or changed: its SHA-256 is not the manifest's")
    for path in sorted(folder.glob("*.h5")):
        if path.name not in named:
            yield Finding(path.name, "file", "", "the manifest does not name it")


def byte_check(folder: Path, entry: ShardEntry) -> Iterator[Finding]:
    """Size and SHA-256 of one shard file against the manifest."""
    path = folder / entry.file
    if not path.is_file():
        yield Finding(entry.file, "file", "", "missing")
    elif (size := path.stat().st_size) != entry.bytes:
        yield Finding(entry.file, "file", "", f"has {size} bytes, the manifest says {entry.bytes}")
    elif (digest := file_sha256(path)) != entry.sha256:
        yield Finding(entry.file, "file", "", f"SHA-256 is {digest[:12]}…, the manifest says {entry.sha256[:12]}…")


def _examine_all(paths: list[Path], jobs: int) -> Iterator[list[Finding]]:
    if jobs == 1 or len(paths) < 2:
        yield from map(examine, paths)
        return
    with ProcessPoolExecutor(min(jobs, len(paths)), multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(examine, paths)


def _examine_apart(path: Path) -> list[Finding]:
    """Examine a suspect shard in a child that may die of it."""
    if not path.is_file():
        return []
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_send_findings, args=(path, sender), daemon=True)
    child.start()
    sender.close()
    try:
        found: list[Finding] = receiver.recv() if receiver.poll(CHILD_SECONDS) else []
    except EOFError:
        found = [Finding(path.name, "structure", "", "HDF5 cannot even open it")]
    finally:
        child.kill()
        child.join()
    return found or [Finding(path.name, "structure", "", "every record is whole: the damage lies in HDF5's own bytes")]


def _send_findings(path: Path, sender: Connection) -> None:
    import faulthandler

    faulthandler.disable()
    sender.send(examine(path))
    sender.close()


def examine(path: Path) -> list[Finding]:
    """Read one shard from end to end: tables, CRC-32, decoding and meaning."""
    try:
        shard = Shard(path)
    except ShardError as error:
        return [Finding(path.name, "structure", "", str(error))]
    findings = list(_table_findings(shard))
    if not findings:
        findings += _record_findings(shard)
    if not findings:
        findings += _meaning_findings(shard)
    return findings


def _table_findings(shard: Shard) -> Iterator[Finding]:
    """Tables of other bytes than were written, rows that point nowhere, offsets that run backwards."""
    name = shard.path.name
    for table, crc32 in shard.table_crc32.items():
        if zlib.crc32(shard.table(table).tobytes()) != crc32:
            yield Finding(name, table, "", "CRC-32 of the table does not fit")
    for kind in layout.KINDS:
        if (np.diff(shard.offsets(kind).astype(np.int64)) < 0).any():
            yield Finding(name, f"{kind}/offsets", "", "run backwards")
    counts = {kind: len(shard.offsets(kind)) - 1 for kind in layout.KINDS}
    wrong = [
        (layout.IMAGE_TABLE, len(shard.images), counts[layout.IMAGES]),
        (layout.TARGET_TABLE, len(shard.targets), counts[layout.TARGETS]),
        (layout.TRIPLE_TABLE, len(shard.triples), counts[layout.DEFORMED]),
    ]
    for table, rows, records in wrong:
        if rows != records:
            yield Finding(name, table, "", f"has {rows} rows for {records} records")
    for table, column, limit in (
        (shard.targets, "image_row", counts[layout.IMAGES]),
        (shard.targets, "ignore_row", counts[layout.IGNORES]),
        (shard.triples, "image_row", counts[layout.IMAGES]),
        (shard.triples, "target_row", counts[layout.TARGETS]),
    ):
        if len(table) and int(table[column].max()) >= limit:
            yield Finding(name, column, "", f"points to row {int(table[column].max())} of {limit}")


def _record_findings(shard: Shard) -> Iterator[Finding]:
    for kind in layout.KINDS:
        for row in range(len(shard.offsets(kind)) - 1):
            try:
                shard.record(kind, row, check=True)
            except ShardError:
                yield Finding(shard.path.name, f"{kind}[{row}]", _key(shard, kind, row), "CRC-32 does not fit")


def _key(shard: Shard, kind: str, row: int) -> str:
    tables: dict[str, Any] = {
        layout.IMAGES: shard.images["key"],
        layout.TARGETS: shard.targets["key"],
        layout.DEFORMED: shard.triples["key"],
        layout.IGNORES: shard.targets["key"][shard.targets["ignore_row"] == row],
    }
    return str(tables[kind][0 if kind == layout.IGNORES else row].decode())


def _meaning_findings(shard: Shard) -> Iterator[Finding]:
    """Every record decodes, sizes agree, no target is empty, every stored IoU is the recomputed one."""
    name = shard.path.name
    for row, image in enumerate(shard.images):
        try:
            shape = decode_picture(shard.record(layout.IMAGES, row)).shape[:2]
        except ValueError as error:
            yield Finding(name, f"images[{row}]", image["key"].decode(), f"does not decode ({error})")
            continue
        if shape != shard.size(row):
            yield Finding(
                name, f"images[{row}]", image["key"].decode(), f"is {shape}, the table says {shard.size(row)}"
            )
    target_row, target = -1, np.zeros((0, 0), np.uint8)
    for row, triple in enumerate(shard.triples):
        size, key = shard.size(triple["image_row"]), triple["key"].decode()
        try:
            if target_row != triple["target_row"]:
                target_row = int(triple["target_row"])
                target = decode_rle(shard.record(layout.TARGETS, target_row), size)
            deformed = decode_rle(shard.record(layout.DEFORMED, row), size)
        except ValueError as error:
            yield Finding(name, f"triples[{row}]", key, f"a mask does not decode to {size} ({error})")
            continue
        area = int(np.count_nonzero(target))
        if not area or area != shard.targets[target_row]["area"]:
            expected = f"the table says {shard.targets[target_row]['area']} (and never 0)"
            yield Finding(name, f"targets[{target_row}]", key, f"target has {area} foreground pixels, {expected}")
        if iou(deformed, target) != triple["iou"]:
            yield Finding(
                name, f"triples[{row}].iou", key, f"is {triple['iou']!r}, recomputed {iou(deformed, target)!r}"
            )
