"""`--drop-duplicates`: photos that another photo of the build shows as well are left out, each with its twin's name.

Of photos that are alike the first by key stays, of those that give a sample: a photo whose mask is damaged displaces
none. What is alike is said by `datakit.duplicates`, as `validate-source` reports it.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from datakit.datasets import AnyReader
from datakit.datasets.views import in_turn
from datakit.errors import ItemError, Problem
from datakit.extras import MissingExtra, require
from datakit.progress import progress
from datakit.wording import counted

from .cluster import run_tasks
from .plan import Plan, open_readers, plan_readers
from .process import single_threaded_opencv
from .settings import BuildConfig
from .validate_source import CHUNK, Chunk, Duplicate, PhotoMark, find_duplicates, mark_photo

logger = logging.getLogger(__name__)


def what_is_dropped() -> Literal["equal", "near"]:
    """Which duplicates can be found here: near ones need the extra `dedup`; told where it is missing."""
    try:
        require("dedup", "leaving out near-duplicates")
    except MissingExtra as error:
        logger.warning(f"only equal files are left out: {error}")
        return "equal"
    return "near"


def plan_without_duplicates(config: BuildConfig) -> Plan:
    """The plan of a build, without photos that are there twice where the settings say so.

    Every photo and its masks are read once more for it, by as many processes as the build has.

    Raises:
        UsageError: as `plan.make_plan`.
    """
    readers = open_readers(config)
    how = config.settings.dropped_duplicates
    if how:
        marks = mark_photos(readers, how == "near", config.jobs)
        twins = twins_of(find_duplicates(marks, how == "near")[0])
        logger.info(f"{counted(len(twins), 'duplicate photo')} of {len(marks)} left out")
        readers = {label: without(reader, twins) for label, reader in readers.items()}
    return plan_readers(readers, config.settings)


def mark_photos(readers: Mapping[str, AnyReader], near: bool, jobs: int) -> list[PhotoMark]:
    """What is kept of every photo that gives a sample, in order of key."""
    marks: list[PhotoMark] = []
    chunks = [
        Chunk(label, start, reader[start : start + CHUNK], near)
        for label, reader in readers.items()
        for start in range(0, len(reader), CHUNK)
    ]
    with progress(sum(map(len, readers.values())), "photos compared") as shown, tempfile.TemporaryDirectory() as folder:

        def done(chunk: Chunk, found: list[PhotoMark]) -> None:
            marks.extend(found)
            shown.advance(len(chunk.reader))

        run_tasks(mark_chunk, chunks, Chunk.name, done, jobs=jobs, scratch=Path(folder))
    return sorted(marks, key=lambda mark: mark.key)


def mark_chunk(chunk: Chunk) -> list[PhotoMark]:
    """Read the photos of one chunk; runs on any worker. What cannot be read is left to the build to tell."""
    marks = []
    with single_threaded_opencv():
        for index, record in in_turn(chunk.reader):
            try:
                scene = chunk.reader[index]
            except ItemError:
                continue
            if scene.samples:
                marks.append(mark_photo(chunk, record, scene))
    return marks


def twins_of(pairs: Iterable[Duplicate]) -> dict[str, tuple[str, str]]:
    """Key of a photo to leave out -> key of the one that stays, and how alike it is to the nearest of their kind.

    Pairs link photos to groups; of each group the first by key stays.
    """
    first: dict[str, str] = {}
    how: dict[str, str] = {}

    def root(key: str) -> str:
        while first.get(key, key) != key:
            key = first[key]
        return key

    for pair in pairs:
        ends = sorted((root(pair.first), root(pair.second)))
        first[ends[1]] = ends[0]
        for key in (pair.first, pair.second):
            how.setdefault(key, pair.how if pair.how == "equal file" else f"{pair.how}, {pair.score:.0%} alike")
    return {key: (root(key), how[key]) for key in how if root(key) != key}


def without(reader: AnyReader, twins: Mapping[str, tuple[str, str]]) -> AnyReader:
    """A reader of the photos that stay; each of the others is one of its problems."""
    records = reader.records
    kept = [index for index, record in enumerate(records) if record.key not in twins]
    if len(kept) == len(records):
        return reader
    problems = [*reader.problems]
    for record in records:
        if record.key in twins:
            twin, how = twins[record.key]
            detail = f"{record.image}: the same picture as {twin} ({how}), which stays"
            problems.append(Problem(record.key, "left-out", "list", "duplicate photo", detail))
    part = reader.select(kept)
    part.problems = tuple(sorted(problems, key=lambda problem: problem.key))
    return part
