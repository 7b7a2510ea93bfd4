"""What is wrong inside one shard: tables, CRC-32, decoding and meaning, as a list of findings.

Opens the file with HDF5 in this process; `sandbox` does so in a child process, which may crash.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Mask, area, iou
from ..errors import ShardError
from ..files import digest_json
from ..formats import MAX_PIXELS
from ..rle import decode_rle
from . import layout
from .shard import Shard, check_image

MAX_FINDINGS = 1000  # of one shard
MAX_CHARACTERS = 500  # of a finding's text and key
OPEN = "open"  # place of a finding that is no damage: the file is open for writing elsewhere


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        shard: file name within the folder.
        place: `manifest`, `file`, `open`, `structure`, a table, or a record such as `deformed[12]`.
        key: of the triple, sample or photo concerned; '' where the damage is not of one.
        text: what was expected and what was found.
    """

    shard: str
    place: str
    key: str
    text: str


def examine(
    path: Path, max_pixels: int = MAX_PIXELS, expected: Mapping[str, Any] | None = None, deep: bool = True
) -> list[Finding]:
    """Read one shard from end to end: structure, tables, and every record's CRC-32, decoding and meaning.

    Args:
        path: the file.
        max_pixels: most pixels of a photo.
        expected: what the manifest says of it, any of `source`, `photos`, `samples`, `triples`, `settings_digest`.
        deep: read the records too, not structure and tables alone.

    Returns:
        Findings, at most `MAX_FINDINGS`.
    """
    try:
        shard = Shard(path, max_pixels)
    except ShardError as error:
        if error.__cause__ is None:
            return [_finding(path, "structure", "", str(error).removeprefix(f"{path}: "))]
        place = getattr(error.__cause__, "place", "structure")
        return [_finding(path, place, "", f"not a readable shard: {error.__cause__}")]
    findings = list(_table_findings(shard, expected or {}))
    for check in (_record_findings, _target_findings, _triple_findings) if deep else ():
        if not findings:  # what lies behind the first kind of damage only repeats it
            findings = list(itertools.islice(check(shard), MAX_FINDINGS))
    shard.close()
    return [_finding(path, *found) for found in findings]


Found = tuple[str, str, str]  # place, key, text


def _finding(path: Path, place: str, key: str, text: str) -> Finding:
    """A finding whose texts cannot steer a terminal, whoever wrote them into the shard."""
    return Finding(path.name, *(_plain(part) for part in (place, key, text)))


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:MAX_CHARACTERS])


def _table_findings(shard: Shard, expected: Mapping[str, Any]) -> Iterator[Found]:
    """Tables of other bytes than were written, settings of another digest, other counts than the manifest's."""
    for table, crc32 in shard.table_crc32.items():
        if zlib.crc32(shard.table(table).tobytes()) != crc32:
            yield table, "", "CRC-32 of the table does not fit"
    if digest_json(shard.settings) != shard.settings_digest:
        yield "settings_json", "", "does not have the digest that settings_digest says"
    found = {
        "source": shard.source,
        "photos": len(shard.images),
        "samples": len(shard.targets),
        "triples": len(shard.triples),
        "settings_digest": shard.settings_digest,
    }
    for name, value in expected.items():
        if found[name] != value:
            yield name, "", f"is {found[name]!r}, the manifest says {value!r}"


def _record_findings(shard: Shard) -> Iterator[Found]:
    for kind in layout.KINDS:
        for row in range(len(shard.offsets(kind)) - 1):
            try:
                shard.record(kind, row, check=True)
            except ShardError:
                yield f"{kind}[{row}]", _key(shard, kind, row), "CRC-32 does not fit"


def _key(shard: Shard, kind: str, row: int) -> str:
    tables: dict[str, Any] = {
        layout.IMAGES: shard.images["key"],
        layout.TARGETS: shard.targets["key"],
        layout.DEFORMED: shard.triples["key"],
        layout.IGNORES: shard.targets["key"][shard.targets["ignore_row"] == row],
    }
    keys, row = tables[kind], 0 if kind == layout.IGNORES else row
    return str(keys[row].decode()) if row < len(keys) else ""


def _target_findings(shard: Shard) -> Iterator[Found]:
    """Every photo decodes to its size, every true mask to its area, every ignore region decodes."""
    for row, image in enumerate(shard.images):
        try:
            check_image(shard, row)
        except ValueError as error:
            yield f"images[{row}]", image["key"].decode(), str(error)
    for row, target in enumerate(shard.targets):
        size, key = shard.size(target["image_row"]), target["key"].decode()
        try:
            found = area(decode_rle(shard.record(layout.TARGETS, row), size))
            if target["ignore_row"] >= 0:
                decode_rle(shard.record(layout.IGNORES, int(target["ignore_row"])), size)
        except ValueError as error:
            yield f"targets[{row}]", key, f"a mask does not decode to {size} ({error})"
            continue
        if not found or found != target["area"]:
            text = f"has {found} foreground pixels, the table says {target['area']} (and never 0)"
            yield f"targets[{row}]", key, text


def _triple_findings(shard: Shard) -> Iterator[Found]:
    """Every guide mask decodes, every stored IoU and area ratio is the recomputed one."""
    target_row, target = -1, np.zeros((0, 0), np.uint8)
    for row, triple in enumerate(shard.triples):
        size, key = shard.size(triple["image_row"]), triple["key"].decode()
        if target_row != triple["target_row"]:
            target_row = int(triple["target_row"])
            target = decode_rle(shard.record(layout.TARGETS, target_row), size)
        try:
            guide = decode_rle(shard.record(layout.DEFORMED, row), size)
        except ValueError as error:
            yield f"deformed[{row}]", key, f"does not decode to {size} ({error})"
            continue
        for name, value in _measured(guide, target).items():
            if value != triple[name]:
                yield f"triples[{row}].{name}", key, f"is {float(triple[name])!r}, recomputed {value!r}"


def _measured(guide: Mask, target: Mask) -> dict[str, float]:
    return {"iou": iou(guide, target), "area_ratio": area(guide) / area(target)}
