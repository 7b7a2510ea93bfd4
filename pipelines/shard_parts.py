"""A shard made in parts: its photos are shared out to several tasks, and one more merges what they made.

So a small set keeps all workers busy, and none is idle at the end while another makes a whole shard. Which
shards are cut, and where, is no part of their bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from heapq import heapreplace
from itertools import pairwise
from pathlib import Path

from datakit.shards import merge_shards
from datakit.tools import tool_versions

from .shard_task import SCRATCH, ShardRecord, ShardTask, build_shard, fill_shard, shard_record, write_record

PARTS = 2  # of a shard for each worker
LEAST = 8_000_000  # bytes of the photos of a part, half a second's work: less is not worth a file, or a worker's start
IDLE = 0.05  # share of the time for which workers may have nothing to do


@dataclass(frozen=True)
class PartTask:
    """Some photos of a shard.

    Attributes:
        shard: the task of all its photos, with a reader of these alone.
        number: of the part, from 0.
        of: number of parts.
    """

    shard: ShardTask
    number: int
    of: int

    def name(self) -> str:
        """For messages."""
        return f"{self.shard.file}, part {self.number + 1} of {self.of}"

    def photos(self) -> int:
        """How many it is about."""
        return self.shard.photos()


@dataclass(frozen=True)
class MergeTask:
    """The parts of a shard, made.

    Attributes:
        shard: the task of all its photos, with a reader of none.
        records: of the parts, in order.
    """

    shard: ShardTask
    records: tuple[ShardRecord, ...]

    def name(self) -> str:
        """For messages."""
        return self.shard.file


Task = ShardTask | PartTask | MergeTask


def run_task(task: Task) -> ShardRecord:
    """Do the work of any task; the record of the shard, or of the part.

    Raises: as `build_shard`.
    """
    match task:
        case PartTask():
            return fill_shard(task.shard, part_path(task.shard, task.number))
        case MergeTask():
            return merge_parts(task)
        case _:
            return build_shard(task)


def part_path(shard: ShardTask, number: int) -> Path:
    """Where a part of a shard lies until it is merged."""
    return shard.folder / SCRATCH / f"{shard.file}.{number:03d}"


def merge_parts(task: MergeTask) -> ShardRecord:
    """Publish the shard that the parts make up, then write its record.

    Raises:
        OSError: the folder cannot be written, or a part is gone.
    """
    shard = task.shard
    paths = [part_path(shard, number) for number in range(len(task.records))]
    stats = merge_shards(
        paths, shard.folder / shard.file, replace(shard.header, tools=tool_versions()), shard.folder / SCRATCH
    )
    problems = [problem for record in task.records for problem in record.problems]
    notes = [note for record in task.records for note in record.notes]
    record = shard_record(shard, stats, sum(record.entry.items for record in task.records), problems, notes)
    write_record(shard.folder, record)
    return record


def remove_parts(task: MergeTask) -> None:
    """Remove the parts of a shard that is known to be merged; not by the task itself, which may be run again."""
    for number in range(len(task.records)):
        part_path(task.shard, number).unlink(missing_ok=True)


def split_for_workers(tasks: Sequence[tuple[ShardTask, int]], jobs: int) -> list[Task]:
    """Tasks for `jobs` workers: shards as they are, and where some would wait for others at the end, the last in parts.

    Args:
        tasks: with the size of each, in bytes, in the order of work.
        jobs: workers; one makes whole shards only.
    """
    sizes = [size for _, size in tasks]
    rest = sum(sizes)
    if jobs == 1 or longest_load(sizes, jobs) <= (1 + IDLE) * rest / jobs:
        return [task for task, _ in tasks]
    shared: list[Task] = []
    for task, size in tasks:
        rest -= size
        is_late = rest < size * jobs  # the others may have nothing left to do before it is made
        shared += in_parts(task, min(PARTS * jobs, size // LEAST)) if is_late else [task]
    return shared


def longest_load(sizes: Sequence[int], jobs: int) -> int:
    """What the busiest worker gets when each takes the next task as soon as it is free."""
    loads = [0] * jobs
    for size in sizes:
        heapreplace(loads, loads[0] + size)
    return max(loads)


def in_parts(task: ShardTask, parts: int) -> list[Task]:
    """A shard's task cut into so many of about equally many photos each; the task itself where that makes but one."""
    photos = task.photos()
    parts = min(parts, photos)
    if parts < 2:
        return [task]
    cuts = [photos * number // parts for number in range(parts + 1)]
    readers = [task.reader[start:stop] for start, stop in pairwise(cuts)]
    return [PartTask(replace(task, reader=reader), number, parts) for number, reader in enumerate(readers)]


class PartCollector:
    """Finished parts that wait for the others of their shard."""

    def __init__(self) -> None:
        self._made: dict[str, dict[int, ShardRecord]] = {}

    def add(self, part: PartTask, record: ShardRecord) -> Iterable[MergeTask]:
        """Note a part that was made; the task that merges its shard when it was the last."""
        made = self._made.setdefault(part.shard.file, {})
        made[part.number] = record
        if len(made) < part.of:
            return []
        shard = replace(part.shard, reader=part.shard.reader[:0])
        return [MergeTask(shard, tuple(made[number] for number in range(part.of)))]
