"""How an export is run: the source opened, its chunks written by this process or by workers, the folder published.

The bytes of a folder are the same for any number of workers, and after any kill.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from datakit.config import settings_of
from datakit.errors import DatakitError, UsageError
from datakit.export import Exporter, VideoSource
from datakit.files import check_writable
from datakit.progress import progress
from datakit.tools import tool_versions
from datakit.wording import counted, size_text

from .cluster import run_tasks
from .export_folder import Chunk, ExportFolder
from .export_task import ExportChunk, ExportTask, SourceFolders, keep_open, write_chunks
from .interrupt import terminable
from .lock import run_lock
from .scaling import WorkerRange

logger = logging.getLogger(__name__)
FRAMES_A_TASK = 32  # some tenths of a second of work, beside which handing in a task is nothing
SCRATCH = ".tmp"  # of Dask, in the work folder
TOOLS = ("datakit", "opencv", "pillow", "pycocotools")  # that the bytes of an export depend on


@dataclass(frozen=True)
class ExportRun:
    """Where an export goes and how it is run; nothing its bytes depend on.

    Attributes:
        out: folder to make.
        overwrite: replace an export of other data or settings.
        jobs: worker processes on this machine; 1 runs without a cluster.
        scheduler: address of a running Dask scheduler to use instead, or the name of a queueing system.
        adaptive: how many workers there may be, by the work left.
    """

    out: Path
    overwrite: bool = False
    jobs: int = 1
    scheduler: str | None = None
    adaptive: WorkerRange | None = None


@dataclass(frozen=True)
class ExportSummary:
    """What an export made.

    Attributes:
        out: the folder.
        exporter: that wrote it.
        manifest: what `export.json` holds.
        seconds: of this run.
        kept: photos that an earlier run had written.
    """

    out: Path
    exporter: Exporter
    manifest: Mapping[str, Any]
    seconds: float
    kept: int


def run_export(find: Callable[[], SourceFolders], exporter: Exporter, run: ExportRun) -> ExportSummary:
    """Write an export, or finish what an earlier run of the same has begun.

    Args:
        find: gives the source, once the folder has been looked at.
        exporter: that writes it.
        run: where to, and how.

    Raises:
        UsageError: the folder or the source cannot be used as given.
        ShardError, DatakitError: the source is damaged, or the format cannot hold it.
        Locked: another run writes there.
        KeyboardInterrupt: stopped; run the same command again to go on.
    """
    began = time.monotonic()
    with terminable(), _naming(run.out):
        if not run.out.absolute().name:
            raise UsageError(f"--out {run.out}: name a folder to be made")
        if not run.out.is_file():  # of which the folder says more
            check_writable(run.out, f"--out {run.out}")
        folders = find()
        source = folders.open()
        asked = _asked(exporter, source)
        folder = ExportFolder(run.out)
        done = folder.check(asked, run.overwrite)
        if done is not None:
            return ExportSummary(run.out, exporter, done, time.monotonic() - began, done["photos"])
        folder.work.mkdir(parents=True, exist_ok=True)
        with run_lock(folder.work):
            kept = folder.prepare(asked, run.jobs)
            photos = sum(line["photos"] for line in kept.values())
            if photos:
                logger.info(
                    f"{folder.out}: going on behind {counted(photos, source.unit.removesuffix('s'))} of an earlier run"
                )
            _check_space(source, folder, len(source) - sum(line["clips"] for line in kept.values()))
            lines = _write(exporter, folders, source, folder, kept, run)
            manifest = _finish(exporter, folder, lines, source, asked)
            folder.publish(manifest)
    return ExportSummary(run.out, exporter, manifest, time.monotonic() - began, photos)


@contextlib.contextmanager
def _naming(out: Path) -> Iterator[None]:
    """Name the folder where a full disk ended a write, of which the system says no more."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT) and error.filename is None:
            error.filename = str(out)
        raise


def _asked(exporter: Exporter, source: VideoSource) -> dict[str, Any]:
    """What the bytes of an export depend on."""
    settings = {name: getattr(exporter, name) for name in settings_of(exporter)}
    tools = {name: tool_versions()[name] for name in TOOLS}
    return {"to": exporter.name, "settings": settings, "source": source.identity(), "tools": tools}


def _write(
    exporter: Exporter,
    folders: SourceFolders,
    source: VideoSource,
    folder: ExportFolder,
    kept: Mapping[int, dict[str, Any]],
    run: ExportRun,
) -> list[dict[str, Any]]:
    """Write what is missing; the lines of the journal in order of the chunks."""
    lines = dict(kept)
    identity, absolute, work = source.identity(), folders.absolute(), folder.work.absolute()
    missing = (chunk for chunk in _chunks(exporter, len(source)) if chunk.number not in kept)
    is_alone = run.jobs == 1 and run.scheduler is None and run.adaptive is None
    tasks = [
        ExportTask(absolute, identity, exporter, work, chunks)
        for chunks in _together(missing, source.lengths, 1 if is_alone else FRAMES_A_TASK)
    ]
    keep_open(source)
    with progress(sum(source.lengths), source.unit) as shown:
        shown.advance(sum(line["photos"] for line in kept.values()))

        def done(task: ExportTask, written: list[dict[str, Any]]) -> None:
            del task
            for line in written:
                folder.record(line)
                lines[line["chunk"]] = line
                shown.advance(line["photos"])

        run_tasks(
            write_chunks,
            tasks,
            ExportTask.name,
            done,
            jobs=run.jobs,
            scheduler=run.scheduler,
            adaptive=run.adaptive,
            scratch=folder.work / SCRATCH,
        )
    return [lines[number] for number in sorted(lines)]


def _chunks(exporter: Exporter, videos: int) -> Iterator[ExportChunk]:
    """The videos that are written together: those of a tar file, else each by itself."""
    step = exporter.videos_per_tar or 1
    for number, start in enumerate(range(0, videos, step)):
        tar = f"shard-{number:06d}.tar" if exporter.videos_per_tar else ""
        yield ExportChunk(number, range(start, min(start + step, videos)), tar)


def _together(chunks: Iterator[ExportChunk], lengths: Sequence[int], frames: int) -> Iterator[tuple[ExportChunk, ...]]:
    """Chunks put together to so many frames or more."""
    while first := next(chunks, None):
        count = sum(lengths[video] for video in first.videos)
        yield (first, *islice(chunks, max(0, frames // max(count, 1) - 1)))


def _check_space(source: VideoSource, folder: ExportFolder, videos: int) -> None:
    """Refuse to start what cannot fit, where the size is known beforehand.

    Raises:
        DatakitError: the disk has less room than the missing videos will take.
    """
    needed = source.expected_bytes * videos // max(len(source), 1)
    free = shutil.disk_usage(folder.work).free
    if needed > free:
        found = f"about {size_text(needed)} needed and {size_text(free)} free in {folder.work.parent}"
        way_out = "free some space there, or name another --out (of an address: another --cache)"
        raise DatakitError(f"{folder.out}: {found}; {way_out}")


def _finish(
    exporter: Exporter,
    folder: ExportFolder,
    lines: Sequence[Mapping[str, Any]],
    source: VideoSource,
    asked: Mapping[str, Any],
) -> dict[str, Any]:
    """Write what speaks of all videos; what the manifest holds."""
    last = Chunk(folder.files)
    exporter.close((entry for line in lines for entry in line["entries"]), last)
    if source.origins:
        last.files.append(folder.join_origins(lines, source.origins))
    notes: Counter[str] = Counter(source.remarks)
    for line in lines:
        notes.update(line["notes"])
    notes.update(last.notes)
    files = sorted([file for line in lines for file in line["files"]] + last.files)
    counts = {name: sum(line[name] for line in lines) for name in ("clips", "photos", "objects")}
    about = {"asked": asked, "place": source.place, **counts, "notes": dict(sorted(notes.items()))}
    return {**about, **source.contents(), "files": files}


def closing_lines(summary: ExportSummary) -> list[str]:
    """What every report ends with: what could not be kept of some photos, who reads the format, what it cannot hold."""
    exporter = summary.exporter
    lines = [f"  {reason}: {count}" for reason, count in summary.manifest["notes"].items()]
    lines.append(f"  read by {exporter.readers}")
    return [*lines, f"  not kept in this format: {exporter.lost}"] if exporter.lost else lines
