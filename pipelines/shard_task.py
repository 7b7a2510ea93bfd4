"""The work of one task: a slice of a source becomes one shard file and its record.

Runs in this process or on any Dask worker; idempotent, since Dask may run a task twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from datakit.errors import ItemError
from datakit.files import digest_json, write_json
from datakit.samples import Problem, Scene
from datakit.shards import ShardEntry, ShardHeader, ShardWriter
from datakit.shards.bookkeeping import record_name
from datakit.tools import tool_versions
from datakit.triples import expand

from .process import single_threaded_opencv
from .settings import BuildSettings

SCRATCH = ".tmp"


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
        fail_fast: stop at the first failed item.
    """

    folder: Path
    file: str
    source: str
    plan_digest: str
    settings_digest: str
    reader: Any
    settings: BuildSettings
    fail_fast: bool = False


@dataclass(frozen=True)
class ShardRecord:
    """The mark that a shard is complete: its manifest entry and its problems, kept beside it until the end."""

    entry: ShardEntry
    settings_digest: str
    problems: tuple[Problem, ...]


def build_shard(task: ShardTask) -> ShardRecord:
    """Make one shard, publish it under its name, then write its record.

    Raises:
        ItemError: an item failed and the task is `fail_fast`.
        OSError: the folder cannot be written (disk full, read-only).
    """
    problems: list[Problem] = []
    samples = 0
    with single_threaded_opencv(), ShardWriter(task.folder / task.file, _header(task), task.folder / SCRATCH) as writer:
        for scene in scenes(task.reader, task.fail_fast):
            problems.extend(scene.problems)
            samples += len(scene.samples)
            for sample in scene.samples:
                for view, triples in expand(sample, task.settings.recipes, task.settings.seed):
                    writer.add(view, triples)
        stats = writer.publish()
    items = samples + len(problems)
    entry = ShardEntry(task.file, task.source, task.plan_digest, items=items, **asdict(stats))
    record = ShardRecord(entry, task.settings_digest, tuple(problems))
    write_record(task.folder, record)
    return record


def _header(task: ShardTask) -> ShardHeader:
    names = {recipe.name: recipe.parameter_names for recipe in task.settings.recipes}
    return ShardHeader(task.source, task.settings.to_dict(), tool_versions(), names)


def scenes(reader: Any, fail_fast: bool) -> Iterator[Scene]:
    """Every scene of a reader; a photo that cannot be used at all is a scene of one problem."""
    for index, record in enumerate(reader.records):
        try:
            scene = reader[index]
        except ItemError as error:
            scene = Scene(record.key, (), (error.problem,))
        if fail_fast:
            for problem in scene.problems:
                if problem.kind == "failed":
                    raise ItemError(problem)
        yield scene


def record_path(folder: Path, file: str) -> Path:
    """Where the record of shard `file` lies."""
    return folder / record_name(file)


def write_record(folder: Path, record: ShardRecord) -> None:
    """Put the record of a published shard in place."""
    body = asdict(record)
    write_json(record_path(folder, record.entry.file), {**body, "digest": digest_json(body)})


def read_record(folder: Path, file: str) -> ShardRecord | None:
    """The record of a shard; None where there is none or it is damaged (then the shard is built again)."""
    try:
        body = json.loads(record_path(folder, file).read_text(encoding="utf-8"))
        digest = body.pop("digest")
        if digest_json(body) != digest:
            return None
        problems = tuple(Problem(**problem) for problem in body["problems"])
        return ShardRecord(ShardEntry(**body["entry"]), body["settings_digest"], problems)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
