"""`datakit build-shards`: sources in, a verified folder of shards out.

Plan, keep what an earlier run finished, make the rest, publish the manifest last.
Only this file knows the order of these steps; each step lives elsewhere.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from datakit.errors import DatakitError, ItemError
from datakit.places import Place, absolute, is_stored, make_folder, sha256_at, size_at
from datakit.progress import progress
from datakit.shards.cache import Cache
from datakit.shards.manifest import Manifest, ShardEntry
from datakit.stores import known_sha256
from datakit.wording import counted, shorten

from .cluster import run_tasks
from .drop_duplicates import plan_without_duplicates
from .interrupt import terminable
from .inverted import look_inverted
from .lock import Hold
from .min_iou import Below, count_below
from .output_folder import check_output, check_space, invalidate_manifest, prepare_output, settings_digest, stale_files
from .plan import Plan, PlannedShard, largest_first
from .publish import publish
from .settings import BuildConfig
from .shard_parts import MergeTask, PartCollector, PartTask, Task, remove_parts, run_task, split_for_workers
from .shard_task import SCRATCH, ShardRecord, ShardTask, read_record, shard_header
from .splits import splits_notice
from .store_lock import hold_folder
from .this_machine import local_scratch

logger = logging.getLogger(__name__)
REQUESTS = 16  # to a store at a time
LOOKED_INTO = 32  # shards of a store: two gigabytes, a tenth of which is fetched


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
        inverted: label -> masks that touch all borders, of how many; of sources whose masks look inverted.
    """

    out: Place
    manifest: Manifest
    kept: int
    built: int
    seconds: float
    below: Below
    inverted: Mapping[str, tuple[int, int]]


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
        check_output(config)
        plan = plan_without_duplicates(config)
        make_folder(config.out)
        with hold_folder(config.out) as hold:
            prepare_output(config)
            kept = kept_records(config, plan)
            todo = [shard for shard in plan.shards if shard.file not in kept]
            log_plan(config, plan, todo)
            check_space(config, todo)
            invalidate_manifest(config, todo)
            records = kept | make_shards(config, plan, todo, hold)
            check_uploaded(config.out, records)
            manifest = publish(config, plan, records, hold)
            below, inverted = looked_at(config.out, manifest)
    return BuildSummary(config.out, manifest, len(kept), len(todo), time.monotonic() - started, below, inverted)


def kept_records(config: BuildConfig, plan: Plan) -> dict[str, ShardRecord]:
    """Records of planned shards that are already there, whole and made with these settings from these photos."""
    digest = settings_digest(config)

    def kept(shard: PlannedShard) -> ShardRecord | None:
        record = read_record(config.out, shard.file)
        if record is None or (record.settings_digest, record.entry.plan_digest) != (digest, shard.digest):
            return None
        if any(problem.kind == "failed" and problem.stage == "read" for problem in record.problems):
            return None  # a file that could not be read then may be readable now
        return record if is_whole(config.out / shard.file, record.entry) else None

    with ThreadPoolExecutor(REQUESTS if is_stored(config.out) else config.jobs) as pool:
        found = pool.map(kept, plan.shards)
        return {shard.file: record for shard, record in zip(plan.shards, found, strict=True) if record}


def is_whole(path: Place, entry: ShardEntry) -> bool:
    """Whether a shard is there with the bytes of its entry; a store is asked for the digest that it keeps."""
    if size_at(path) != entry.bytes:
        return False
    kept = known_sha256(path) if is_stored(path) else None
    return (kept or sha256_at(path)) == entry.sha256


def check_uploaded(out: Place, records: Mapping[str, ShardRecord]) -> None:
    """Refuse to vouch for shards of a store that are not those of this run, by the digests that are kept beside them.

    Raises:
        DatakitError: a worker that a killed run had, and that nobody stopped, has replaced one since.
    """
    if not is_stored(out):
        return

    def is_ours(record: ShardRecord) -> bool:
        path, entry = out / record.entry.file, record.entry
        return size_at(path) == entry.bytes and known_sha256(path) in (None, entry.sha256)

    with ThreadPoolExecutor(REQUESTS) as pool:
        ours = pool.map(is_ours, records.values())
        wrong = [file for file, is_same in zip(records, ours, strict=True) if not is_same]
    if wrong:
        raise DatakitError(
            f"{out}: {shorten(wrong)} changed while this run built, perhaps by a worker of a former one; nothing was "
            "published, run the same command again"
        )


def log_plan(config: BuildConfig, plan: Plan, todo: Sequence[PlannedShard]) -> None:
    """Say which sources hold several splits, what is kept of an earlier run, and what of it will be removed."""
    for label, reader in plan.readers.items():
        if notice := splits_notice(label, reader):
            logger.info(notice)
    named = {shard.file for shard in plan.shards}
    dropped = [path.name for path in stale_files(config.out, named) if path.suffix == ".h5"]
    if dropped:
        logger.info(f"{counted(len(dropped), 'shard')} of former sources will be removed: {shorten(dropped)}")
    if len(todo) < len(plan.shards):
        kept = f"{len(plan.shards) - len(todo)} of {counted(len(plan.shards), 'shard')}"
        logger.info(f"{kept} complete and verified, {len(todo)} to do")


def make_shards(config: BuildConfig, plan: Plan, todo: Sequence[PlannedShard], hold: Hold) -> dict[str, ShardRecord]:
    """Run the tasks of all shards to do; the records by file name."""
    if config.on_error == "fail":
        for problem in plan.problems:
            if problem.kind == "failed":
                raise ItemError(problem)
    tasks = [(task_of(config, plan, shard), shard.bytes) for shard in largest_first(todo)]
    jobs = config.jobs if config.scheduler is None else 1  # how many workers it has, and will have, is not known
    if is_stored(config.out):
        jobs = 1  # whole shards only: parts would travel to the store and back before they are merged
    records: dict[str, ShardRecord] = {}
    collector = PartCollector()
    with progress(sum(task.photos() for task, _ in tasks), "photos") as shown, scratch_of(config.out) as scratch:

        def done(task: Task, record: ShardRecord) -> Iterable[Task]:
            hold.check()
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
            adaptive=config.adaptive,
            scratch=scratch,
            report=config.performance_report,
        )
    return records


@contextlib.contextmanager
def scratch_of(out: Place) -> Iterator[Path]:
    """Folder for the files of a cluster on this machine."""
    if not is_stored(out):
        yield out / SCRATCH
        return
    with local_scratch() as folder:
        yield folder


def looked_at(out: Place, manifest: Manifest) -> tuple[Below, dict[str, tuple[int, int]]]:
    """What is told of finished shards: triples below `min_iou`, and sources whose masks look inverted.

    Of a store it takes all masks of the shards that are looked into, so the first is left out where there are many.
    """
    if not is_stored(out):
        return count_below(out, manifest), look_inverted(out, manifest)
    with local_scratch() as folder:
        cache, below = Cache(folder), Below()
        if len(manifest.shards) <= LOOKED_INTO:
            below = count_below(out, manifest, cache)
        else:
            many = counted(len(manifest.shards), "shard")
            logger.info(f"{out}: guide masks below `min_iou` are not counted, as {many} would be fetched for it")
        return below, look_inverted(out, manifest, cache)


def task_of(config: BuildConfig, plan: Plan, shard: PlannedShard) -> ShardTask:
    """The task that makes one planned shard."""
    return ShardTask(
        folder=absolute(config.out),
        file=shard.file,
        source=shard.source,
        plan_digest=shard.digest,
        settings_digest=settings_digest(config),
        reader=plan.readers[shard.source][shard.start : shard.stop],
        settings=config.settings,
        header=shard_header(shard.source, config.settings),
        fail_fast=config.on_error == "fail",
    )
