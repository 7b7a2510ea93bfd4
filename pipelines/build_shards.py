"""`datakit build-shards`: sources in, a verified folder of shards out.

Plan, keep what an earlier run finished, make the rest, publish the manifest last.
Only this file knows the order of these steps; each step lives elsewhere.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from datakit.errors import DatakitError, ItemError, Problem, SettingsDiffer, ShardError, TooManyFailed, UsageError
from datakit.files import PART_PREFIX, canonical_json, digest_json, file_sha256, write_json, write_text
from datakit.progress import progress
from datakit.samples import Note
from datakit.shards.build_state import settings_body
from datakit.shards.manifest import ERROR_LOG, NAME, RECORDS, SETTINGS, SOURCES, Manifest, read_manifest, write_manifest
from datakit.tools import tool_versions
from datakit.wording import size_text

from .cluster import run_tasks
from .interrupt import terminable
from .lock import HOLDER, LOCK, run_lock
from .min_iou import Below, count_below
from .plan import Plan, PlannedShard, largest_first, make_plan
from .reasons import withheld
from .settings import BuildConfig, differences
from .shard_parts import MergeTask, PartCollector, PartTask, Task, remove_parts, run_task, split_for_workers
from .shard_task import SCRATCH, ShardRecord, ShardTask, read_record, record_path

logger = logging.getLogger(__name__)
DISK_RESERVE = 1.1  # triples and index take a few percent on top of the image bytes; leave room beyond


@dataclass(frozen=True)
class BuildSummary:
    """What a run did.

    Attributes:
        out: folder of shards.
        manifest: as published.
        kept: shards an earlier run had finished.
        built: shards this run made.
        seconds: of this run.
        below: triples below their recipe's `min_iou`.
    """

    out: Path
    manifest: Manifest
    kept: int
    built: int
    seconds: float
    below: Below


def build_shards(config: BuildConfig) -> BuildSummary:
    """Build or finish the folder of shards that `config` describes.

    Args:
        config: what to build and how.

    Raises:
        UsageError, SettingsDiffer, Locked, TooManyFailed, DatakitError: see docs/cli.md for the exit codes.
        KeyboardInterrupt: stopped; run the same command again to go on.
    """
    started = time.monotonic()
    with terminable():
        plan = make_plan(config)
        check_output(config)
        config.out.mkdir(parents=True, exist_ok=True)
        with run_lock(config.out):
            claim(config)
            kept = kept_records(config, plan)
            todo = [shard for shard in plan.shards if shard.file not in kept]
            dropped = [path.name for path in stale(config.out, {s.file for s in plan.shards}) if path.suffix == ".h5"]
            if dropped:
                logger.info(f"{len(dropped)} shards of former sources will be removed: {dropped[0]} …")
            if kept:
                logger.info(f"{len(kept)} of {len(plan.shards)} shards complete and verified, {len(todo)} to do")
            preflight(config, todo)
            retire(config, plan, todo)
            records = kept | make_shards(config, plan, todo)
            manifest = publish(config, plan, records)
            below = count_below(config.out, manifest)
    return BuildSummary(config.out, manifest, len(kept), len(todo), time.monotonic() - started, below)


def settings_digest(config: BuildConfig) -> str:
    """SHA-256 over everything but the source that shapes a shard: settings and tool versions."""
    return digest_json(current_settings(config))


def check_output(config: BuildConfig) -> None:
    """Refuse an output folder that holds something else or was made with other settings; touch nothing.

    Raises:
        UsageError: `out` is a file, or a folder of other things.
        SettingsDiffer: made with other settings or tool versions; the message lists key: old -> new. Not where that
            build published nothing, see `may_be_replaced`.
    """
    out = config.out
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file, expected a folder")
    stored = read_settings(out)
    if stored is None:
        foreign = sorted(path.name for path in out.iterdir() if not begun(path)) if out.exists() else []
        if foreign:
            raise UsageError(
                f"--out {out}: holds {foreign[0]!r} but no {SETTINGS}, so it is no folder of ours; name another"
            )
        return
    found = list(differences(stored, current_settings(config)))
    if found and not config.overwrite and not may_be_replaced(out):
        raise SettingsDiffer(
            f"{out}: made with other settings; nothing was touched\n  "
            + "\n  ".join(found)
            + "\ngive the settings it was made with, use another --out, or --overwrite to replace it"
        )


def may_be_replaced(out: Path) -> bool:
    """Whether a build of other settings ended in this folder of ours without publishing, or left no sample there.

    What ended without a manifest has told its failures in `errors.jsonl`; a build that was stopped has not, and its
    shards are kept for it to go on.
    """
    if (out / ERROR_LOG).is_file() and not (out / NAME).exists():
        return True
    records = [read_record(out, f"{path.stem}.h5") for path in (out / RECORDS).glob("*.json")]
    return not (out / NAME).exists() and not any(record is None or record.entry.samples for record in records)


def begun(path: Path) -> bool:
    """Whether a name in a folder without settings is what a run killed in its first moments leaves there."""
    return path.name in (LOCK, HOLDER, SCRATCH, RECORDS) or path.name.startswith(PART_PREFIX)


def current_settings(config: BuildConfig) -> dict[str, Any]:
    """What `settings.json` holds for this run."""
    return settings_body(config.settings.to_dict(), tool_versions())


def read_settings(out: Path) -> dict[str, Any] | None:
    """What `settings.json` of an output folder holds; None where there is none."""
    path = out / SETTINGS
    if not path.is_file():
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return settings_body(stored["settings"], stored["tools"])
    except (ValueError, KeyError, TypeError) as error:
        raise DatakitError(
            f"{path}: damaged ({error!r}); mend it with `datakit verify {out} --repair`, or name another --out"
        ) from error


def claim(config: BuildConfig) -> None:
    """Make the locked folder ready: clear what a killed run left half done, note settings and roots."""
    out = config.out
    check_output(config)  # again, now that nobody else can change it
    stored = read_settings(out)
    differs = stored is not None and any(differences(stored, current_settings(config)))
    if differs and not config.overwrite:
        logger.info(f"{out}: an earlier build with other settings published nothing here; its folder is taken over")
    if stored is not None and (differs or config.overwrite):
        clear(out)
    sweep(out)
    write_json(out / SETTINGS, current_settings(config))  # first: it says that the folder is ours
    for folder in (out / SCRATCH, out / RECORDS):
        folder.mkdir(exist_ok=True)
    roots = {
        spec.label: {
            "root": str(Path(spec.root).absolute()),
            "layout": spec.layout,
            "images": str(config.images[spec.label].absolute()) if spec.label in config.images else None,
        }
        for spec in config.sources
    }
    write_json(out / SOURCES, roots)


def sweep(out: Path) -> None:
    """Remove what a killed run left half written; nothing of it ever had a final name."""
    for half in (out / SCRATCH, *out.glob(f"{PART_PREFIX}*"), *(out / RECORDS).glob(f"{PART_PREFIX}*")):
        shutil.rmtree(half, ignore_errors=True)


def clear(out: Path) -> None:
    """Remove everything of ours from an output folder: the manifest first, what says that it is ours last."""
    (out / NAME).unlink(missing_ok=True)
    for path in ours(out):
        path.unlink(missing_ok=True)
    for folder in (RECORDS, SCRATCH):
        shutil.rmtree(out / folder, ignore_errors=True)
    for name in (SOURCES, ERROR_LOG, SETTINGS):
        (out / name).unlink(missing_ok=True)


def ours(out: Path) -> list[Path]:
    """Shards of an output folder that a record speaks of; another file of that ending is somebody else's."""
    records = (out / RECORDS).glob("*.json")
    return sorted(path for record in records if (path := out / f"{record.stem}.h5").is_file())


def kept_records(config: BuildConfig, plan: Plan) -> dict[str, ShardRecord]:
    """Records of planned shards that are already there, whole and made with these settings from these photos."""
    digest = settings_digest(config)

    def kept(shard: PlannedShard) -> ShardRecord | None:
        record = read_record(config.out, shard.file)
        path = config.out / shard.file
        if record is None or (record.settings_digest, record.entry.plan_digest) != (digest, shard.digest):
            return None
        if any(problem.kind == "failed" and problem.stage == "read" for problem in record.problems):
            return None  # a file that could not be read then may be readable now
        if not path.is_file() or path.stat().st_size != record.entry.bytes or file_sha256(path) != record.entry.sha256:
            return None
        return record

    with ThreadPoolExecutor(config.jobs) as pool:
        found = pool.map(kept, plan.shards)
        return {shard.file: record for shard, record in zip(plan.shards, found, strict=True) if record}


def preflight(config: BuildConfig, todo: list[PlannedShard]) -> None:
    """Refuse to start what cannot fit.

    Raises:
        DatakitError: the disk has less room than the shards to do will take.
    """
    needed = int(sum(shard.bytes for shard in todo) * DISK_RESERVE)
    free = shutil.disk_usage(config.out).free
    if needed > free:
        raise DatakitError(
            f"{config.out}: about {size_text(needed)} needed and {size_text(free)} free; "
            "free some space, name another --out, or store smaller images with --image-size"
        )


def retire(config: BuildConfig, plan: Plan, todo: list[PlannedShard]) -> None:
    """Withdraw a manifest one of whose files is about to change: it must never name what is not there."""
    try:
        named = {shard.file for shard in read_manifest(config.out).shards}
    except ShardError:
        named = {shard.file for shard in todo}
    if any(shard.file in named for shard in todo):
        (config.out / NAME).unlink(missing_ok=True)
        (config.out / ERROR_LOG).unlink(missing_ok=True)  # this run has told nothing yet


def make_shards(config: BuildConfig, plan: Plan, todo: list[PlannedShard]) -> dict[str, ShardRecord]:
    """Run the tasks of all shards to do; the records by file name."""
    if config.on_error == "fail":
        for problem in plan.problems:
            if problem.kind == "failed":
                raise ItemError(problem)
    tasks = [(shard_task(config, plan, shard), shard.bytes) for shard in largest_first(todo)]
    jobs = config.jobs if config.scheduler is None else 1  # how many workers it has, and will have, is not known
    records: dict[str, ShardRecord] = {}
    collector = PartCollector()
    with progress(sum(task.photos() for task, _ in tasks), "photos") as shown:

        def done(task: Task, record: ShardRecord) -> Iterable[Task]:
            match task:
                case PartTask():
                    shown.advance(task.photos())
                    return collector.add(task, record)
                case MergeTask():
                    remove_parts(task)
                case ShardTask():
                    shown.advance(task.photos())
            records[record.entry.file] = record
            return []

        run_tasks(
            run_task,
            split_for_workers(tasks, jobs),
            lambda task: task.name(),
            done,
            jobs=config.jobs,
            scheduler=config.scheduler,
            scratch=config.out / SCRATCH,
            report=config.performance_report,
        )
    return records


def shard_task(config: BuildConfig, plan: Plan, shard: PlannedShard) -> ShardTask:
    """The task that makes one planned shard."""
    return ShardTask(
        folder=config.out.absolute(),
        file=shard.file,
        source=shard.source,
        plan_digest=shard.digest,
        settings_digest=settings_digest(config),
        reader=plan.readers[shard.source][shard.start : shard.stop],
        settings=config.settings,
        fail_fast=config.on_error == "fail",
    )


def publish(config: BuildConfig, plan: Plan, records: dict[str, ShardRecord]) -> Manifest:
    """Write the ledger, judge it, write the manifest, then remove what it no longer names.

    Raises:
        TooManyFailed: more items failed than `max_error_rate` allows; the ledger is there, the manifest is not.
    """
    ordered = [records[shard.file] for shard in plan.shards]
    problems = plan.problems + [problem for record in ordered for problem in record.problems]
    text, ledger = error_log_text(problems), config.out / ERROR_LOG
    if not ledger.is_file() or ledger.read_text(encoding="utf-8") != text:
        (config.out / NAME).unlink(missing_ok=True)  # it vouches for the ledger that is about to change
        write_text(ledger, text)
    manifest = Manifest(
        settings=config.settings.to_dict(),
        tools=tool_versions(),
        sources=source_counts(plan, ordered),
        shards=tuple(record.entry for record in ordered),
        problems=dict(sorted(Counter(f"{p.kind}: {p.reason}" for p in problems).items())),
        ledger_sha256=file_sha256(config.out / ERROR_LOG),
    )
    judge(config, manifest, problems)
    write_manifest(config.out, manifest)
    for path in list(stale(config.out, {shard.file for shard in manifest.shards})):
        path.unlink(missing_ok=True)
    shutil.rmtree(config.out / SCRATCH, ignore_errors=True)
    return manifest


def error_log_text(problems: list[Problem]) -> str:
    """`errors.jsonl`: a line per item without a triple, in order of key."""
    ordered = sorted(problems, key=lambda problem: (problem.key, problem.stage, problem.reason))
    return "".join(canonical_json(asdict(problem)) + "\n" for problem in ordered)


def judge(config: BuildConfig, manifest: Manifest, problems: list[Problem]) -> None:
    """Withhold the manifest where too much failed or nothing came out."""
    items = sum(source["items"] for source in manifest.sources.values())
    failed = sum(source["failed"] for source in manifest.sources.values())
    ledger = config.out / ERROR_LOG
    if not any(source["samples"] for source in manifest.sources.values()):
        (config.out / NAME).unlink(missing_ok=True)
        raise withheld(DatakitError, f"none of {items} items gave a sample, so nothing was published", problems, ledger)
    if failed > config.max_error_rate * items:
        (config.out / NAME).unlink(missing_ok=True)
        fault = (
            f"{failed} of {items} items failed, more than --max-error-rate {config.max_error_rate:g} allows; "
            "no manifest was published"
        )
        to_blame = [problem for problem in problems if problem.kind == "failed"]
        raise withheld(TooManyFailed, fault, to_blame, ledger, "mend the source, or allow more")


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


def stale(out: Path, named: set[str]) -> Iterator[Path]:
    """Shards of ours, each followed by its record, that are not among those named."""
    for path in ours(out):
        if path.name not in named:
            yield from (path, record_path(out, path.name))
