"""The end of a build: the error log, what decides whether it may be published, and the manifest.

The manifest is written last and names only what is there.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from datakit.errors import DatakitError, Problem, TooManyFailed
from datakit.files import canonical_json, write_text
from datakit.places import is_file, is_stored, read_text, remove
from datakit.samples import Note
from datakit.shards.manifest import ERROR_LOG, NAME, Manifest, write_manifest
from datakit.tools import tool_versions
from datakit.wording import counted

from .lock import Hold
from .output_folder import clear_uploads, stale_files
from .plan import Plan
from .reasons import withheld
from .settings import BuildConfig
from .shard_task import SCRATCH, ShardRecord


def publish(config: BuildConfig, plan: Plan, records: dict[str, ShardRecord], hold: Hold) -> Manifest:
    """Write the error log, judge it, write the manifest, then remove what it no longer names.

    Raises:
        Locked: another run has taken the folder over.
        TooManyFailed: more items failed than `max_error_rate` allows; the error log is there, the manifest is not.
    """
    ordered = [records[shard.file] for shard in plan.shards]
    problems = plan.problems + [problem for record in ordered for problem in record.problems]
    text, ledger = error_log_text(problems), config.out / ERROR_LOG
    hold.confirm()
    if not is_file(ledger) or read_text(ledger) != text:
        remove(config.out / NAME)  # it vouches for the error log that is about to change
        write_text(ledger, text)
    manifest = Manifest(
        settings=config.settings.to_dict(),
        tools=tool_versions(),
        sources=source_counts(plan, ordered),
        shards=tuple(record.entry for record in ordered),
        problems=dict(sorted(Counter(f"{p.kind}: {p.reason}" for p in problems).items())),
        ledger_sha256=hashlib.sha256(text.encode()).hexdigest(),
    )
    check_outcome(config, manifest, problems)
    hold.confirm()
    write_manifest(config.out, manifest)
    for path in list(stale_files(config.out, {shard.file for shard in manifest.shards})):
        remove(path)
    if is_stored(config.out):
        clear_uploads(config.out)  # of a worker that a killed run had, and that was killed later
    else:
        shutil.rmtree(config.out / SCRATCH, ignore_errors=True)
    return manifest


def error_log_text(problems: list[Problem]) -> str:
    """`errors.jsonl`: a line per item without a triple, in order of key."""
    ordered = sorted(problems, key=lambda problem: (problem.key, problem.stage, problem.reason))
    return "".join(canonical_json(asdict(problem)) + "\n" for problem in ordered)


def check_outcome(config: BuildConfig, manifest: Manifest, problems: list[Problem]) -> None:
    """Withhold the manifest where too much failed or nothing came out."""
    items = sum(source["items"] for source in manifest.sources.values())
    failed = sum(source["failed"] for source in manifest.sources.values())
    ledger = config.out / ERROR_LOG
    samples = sum(source["samples"] for source in manifest.sources.values())
    if not samples:
        remove(config.out / NAME)
        raise withheld(DatakitError, f"none of {items} items gave a sample, so nothing was published", problems, ledger)
    if failed > config.max_error_rate * items:
        remove(config.out / NAME)
        fault = (
            f"{failed} of {items} items failed, more than --max-error-rate {config.max_error_rate:g} allows; "
            "no manifest was published"
        )
        to_blame = [problem for problem in problems if problem.kind == "failed"]
        sound = f"the {counted(samples, 'sample')} that can be read"
        way_out = f"mend the source, or build {sound}: the same command with `--max-error-rate 1`"
        raise withheld(TooManyFailed, fault, to_blame, ledger, way_out)


def source_counts(plan: Plan, records: list[ShardRecord]) -> dict[str, dict[str, Any]]:
    """Per label: layout and how many items became samples, failed or were left out."""
    counts: dict[str, dict[str, Any]] = {}
    for label, reader in plan.readers.items():
        mine = [record for record in records if record.entry.source == label]
        problems = [*reader.problems, *(problem for record in mine for problem in record.problems)]
        failed = sum(problem.kind == "failed" for problem in problems)
        items = len(reader.problems) + sum(record.entry.items for record in mine)
        counts[label] = {
            "layout": reader.layout,
            "photos": len(reader.records),
            "items": items,
            "samples": items - len(problems),
            "failed": failed,
            "left_out": len(problems) - failed,
            "triples": sum(record.entry.triples for record in mine),
        }
        notes = noted([note for record in mine for note in record.notes])
        if notes:  # younger than the manifests of finished builds
            counts[label]["notes"] = notes
    return counts


def noted(notes: Sequence[Note]) -> dict[str, dict[str, Any]]:
    """Reason -> how many there are, and the first of them by key as an example."""
    found: dict[str, dict[str, Any]] = {}
    for note in sorted(notes, key=lambda note: (note.reason, note.key)):
        entry = found.setdefault(note.reason, {"count": 0, "example": f"{note.key}: {note.detail}"})
        entry["count"] += 1
    return found
