"""The work of one task: a slice of a source becomes one shard file and its record.

Runs in this process or on any Dask worker; idempotent, since Dask may run a task twice. Shards that several
tasks work on are left to `shard_parts`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

from datakit.datasets import AnyReader
from datakit.datasets.views import in_turn
from datakit.errors import ItemError, Problem
from datakit.files import digest_json, write_json
from datakit.places import Place, is_stored, read_text
from datakit.samples import Note, Scene
from datakit.shards import ShardEntry, ShardHeader, ShardStats, ShardWriter
from datakit.shards.build_state import record_name
from datakit.stores import upload
from datakit.tools import tool_versions
from datakit.triples import make_all, view_jobs

from .process import single_threaded_opencv
from .settings import BuildSettings
from .this_machine import local_scratch

SCRATCH = ".tmp"
# Photos are read, their masks deformed and the records stored by turns of some 35 photos of 400x300: code and
# tables of each stage then stay in the processor's caches, which one photo after the other empties every time.
BATCH_PIXELS = 4_000_000

Item = TypeVar("Item")


@dataclass(frozen=True)
class ShardTask:
    """All a worker needs to make one shard.

    Attributes:
        folder: folder of shards (reachable from the worker).
        file: name of the shard.
        source: label.
        plan_digest: of the records in `reader`.
        settings_digest: of settings and tool versions.
        reader: slice of the source's reader.
        settings: what shapes the bytes.
        header: what the shard says about itself, but for the tools of the worker that makes it.
        fail_fast: stop at the first failed item.
    """

    folder: Place
    file: str
    source: str
    plan_digest: str
    settings_digest: str
    reader: AnyReader
    settings: BuildSettings
    header: ShardHeader
    fail_fast: bool = False

    def name(self) -> str:
        """For messages."""
        return self.file

    def photos(self) -> int:
        """How many it is about."""
        return len(self.reader)


@dataclass(frozen=True)
class ShardRecord:
    """The mark that a shard is complete: its manifest entry, problems and notes, kept beside it until the end."""

    entry: ShardEntry
    settings_digest: str
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...] = ()


def shard_header(source: str, settings: BuildSettings) -> ShardHeader:
    """What every shard of a source says about itself; the tools are those of the worker that makes it."""
    names = {recipe.name: recipe.parameter_names for recipe in settings.recipes}
    return ShardHeader(source, settings.to_dict(), {}, names)


def build_shard(task: ShardTask) -> ShardRecord:
    """Make one shard, publish it under its name, then write its record.

    Raises:
        ItemError: an item failed and the task is `fail_fast`.
        OSError: the folder cannot be written (disk full, read-only, a store that stays away).
    """
    record = make_and_upload(task) if is_stored(task.folder) else fill_shard(task, task.folder / task.file)
    write_record(task.folder, record)
    return record


def make_and_upload(task: ShardTask) -> ShardRecord:
    """Make a shard on a disk of this machine, where HDF5 can, and put it in the store; its record, not yet written.

    Raises: as `build_shard`.
    """
    with local_scratch() as folder:
        made = folder / task.file
        (made.parent / SCRATCH).mkdir()
        record = fill_shard(replace(task, folder=made.parent), made)
        upload(made, task.folder / task.file, record.entry.sha256)
    return record


def fill_shard(task: ShardTask, path: Path) -> ShardRecord:
    """Read the photos of a task, make their triples and publish them at `path`; the record of that, not yet written.

    Raises: as `build_shard`.
    """
    problems: list[Problem] = []
    notes: list[Note] = []
    samples = 0
    header = replace(task.header, tools=tool_versions())
    with single_threaded_opencv(), ShardWriter(path, header, task.folder / SCRATCH) as writer:
        found = scenes(task.reader, task.fail_fast)
        for read in batches((scene, sum(sample.mask.size for sample in scene.samples)) for scene in found):
            problems.extend(problem for scene in read for problem in scene.problems)
            notes.extend(note for scene in read for note in scene.notes)
            samples += sum(len(scene.samples) for scene in read)
            samples_read = (sample for scene in read for sample in scene.samples)
            jobs = (job for sample in samples_read for job in view_jobs(sample, task.settings.recipes))
            variants = ((job, sum(recipe.variants for recipe in job.recipes)) for job in jobs)
            for shown in batches((job, job.sample.mask.size * count) for job, count in variants):
                for job, triples in zip(shown, make_all(shown, task.settings.seed), strict=True):
                    writer.add(job.sample, triples)
        stats = writer.publish()
    return shard_record(task, stats, samples + len(problems), problems, notes)


def shard_record(
    task: ShardTask, stats: ShardStats, items: int, problems: Sequence[Problem], notes: Sequence[Note] = ()
) -> ShardRecord:
    """The record of a shard that was published."""
    entry = ShardEntry(task.file, task.source, task.plan_digest, items=items, **asdict(stats))
    return ShardRecord(entry, task.settings_digest, tuple(problems), tuple(notes))


def scenes(reader: AnyReader, fail_fast: bool) -> Iterator[Scene]:
    """Every scene of a reader; a photo that cannot be used at all is a scene of one problem."""
    for index, record in in_turn(reader):
        try:
            scene = reader[index]
        except ItemError as error:
            scene = Scene(record.key, (), (error.problem,))
        if fail_fast:
            for problem in scene.problems:
                if problem.kind == "failed":
                    raise ItemError(problem)
        yield scene


def batches(items: Iterable[tuple[Item, int]]) -> Iterator[list[Item]]:
    """Items, each with its pixels, in lists of about `BATCH_PIXELS` of them; what is larger by itself ends its list."""
    batch: list[Item] = []
    full = 0
    for item, pixels in items:
        batch.append(item)
        full += pixels
        if full >= BATCH_PIXELS:
            yield batch
            batch, full = [], 0
    if batch:
        yield batch


def record_path(folder: Place, file: str) -> Place:
    """Where the record of shard `file` lies."""
    return folder / record_name(file)


def write_record(folder: Place, record: ShardRecord) -> None:
    """Put the record of a published shard in place."""
    body = asdict(record)
    if not record.notes:
        del body["notes"]  # younger than the records of finished builds
    write_json(record_path(folder, record.entry.file), {**body, "digest": digest_json(body)})


def read_record(folder: Place, file: str) -> ShardRecord | None:
    """The record of a shard; None where there is none or it is damaged (then the shard is built again).

    Raises:
        OSError: a store does not give it, though it may be there.
    """
    path = record_path(folder, file)
    try:
        text = read_text(path)
    except OSError as error:
        if is_stored(path) and not isinstance(error, FileNotFoundError):
            raise
        return None
    except UnicodeDecodeError:
        return None
    try:
        body = json.loads(text)
        digest = body.pop("digest")
        if digest_json(body) != digest:
            return None
        problems = tuple(Problem(**problem) for problem in body["problems"])
        notes = tuple(Note(**note) for note in body.get("notes", ()))
        return ShardRecord(ShardEntry(**body["entry"]), body["settings_digest"], problems, notes)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
