"""`datakit export`: shards, or the label pictures of videos, as the files of another program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit.config import Key, assign, help_text, keys_of, split_assignment
from datakit.errors import UsageError
from datakit.export import EXPORTERS, Exporter
from datakit.files import json_text
from datakit.places import is_file, is_stored
from datakit.shards import read_contents
from datakit.shards.manifest import NAME
from datakit.wording import counted, size_text

from .export_run import ExportRun, ExportSummary, closing_lines, run_export
from .export_task import LabelFolder, ShardFolder, SourceFolders
from .scaling import WorkerRange


@dataclass(frozen=True)
class ExportJob:
    """What to export, and where to.

    Attributes:
        source: folder of shards, or of label pictures as `datakit propagate` writes them.
        to: name of the exporter.
        out: folder to make.
        changes: settings of the exporter as KEY=VALUE.
        video: for label pictures, the frames they belong to.
        overwrite: replace an export of other data or settings.
        jobs: worker processes on this machine; 1 runs without a cluster.
        scheduler: address of a running Dask scheduler to use instead, or the name of a queueing system.
        adaptive: how many workers there may be, by the work left.
    """

    source: Path
    to: str
    out: Path
    changes: Sequence[str] = ()
    video: Path | None = None
    overwrite: bool = False
    jobs: int = 1
    scheduler: str | None = None
    adaptive: WorkerRange | None = None


def export(job: ExportJob) -> ExportSummary:
    """Write an export, or finish what an earlier run of the same job has begun.

    Raises:
        UsageError: an exporter, a setting or a folder cannot be used as given.
        ShardError, DatakitError: the source is damaged, or the format cannot hold it.
        Locked: another run writes there.
        KeyboardInterrupt: stopped; run the same command again to go on.
    """
    exporter = configured(job.to, job.changes)
    return run_export(
        lambda: source_folders(job.source, job.video),
        exporter,
        ExportRun(job.out, job.overwrite, job.jobs, job.scheduler, job.adaptive),
    )


def configured(name: str, changes: Sequence[str]) -> Exporter:
    """The exporter of a name, with settings changed.

    Raises:
        UsageError: there is no such exporter or setting, or a value does not fit.
    """
    exporter = EXPORTERS.find(name, "--to")
    for text in changes:
        key, value = split_assignment(text)
        keys: dict[str, Key[Exporter]] = keys_of(exporter)
        if not keys:
            raise UsageError(f"--set {text}: the exporter {name!r} has no settings")
        exporter = assign(keys, key, value, f"--set {text}")
    return exporter


def describe_settings(name: str) -> str:
    """A line for every setting of an exporter."""
    return help_text(keys_of(EXPORTERS.find(name, "--to"))) or f"the exporter {name!r} has no settings"


def describe_exporters() -> str:
    """Every exporter: who reads what it writes, and what is lost."""
    lines = []
    for name in sorted(EXPORTERS):
        each = EXPORTERS[name]
        lines += [name, f"    read by {each.readers}", f"    lost: {each.lost or 'nothing'}"]
    return "\n".join(lines)


def source_folders(path: Path, video: Path | None) -> SourceFolders:
    """The videos of a folder of shards, or of label pictures where their video is named.

    Raises:
        UsageError: it is neither, or the video is of no use.
        ShardError: shards that are not finished.
    """
    if video is not None:
        if is_file(path / NAME):
            raise UsageError(f"--video {video}: {path} holds shards, which have their photos; leave it out")
        return LabelFolder(path, video)
    if not is_stored(path) and path.is_dir() and not (path / NAME).is_file() and _holds_pictures(path):
        raise UsageError(
            f"{path}: holds pictures, no shards; of photos and masks build shards first: `datakit build-shards {path} "
            f"--out shards`, and export these; of label pictures of a video name the frames by --video"
        )
    read_contents(path)  # says what is wrong with it
    return ShardFolder(path)


def _holds_pictures(path: Path) -> bool:
    return any(next(path.glob(pattern), None) is not None for pattern in ("*.png", "*/*.png"))


def export_report(summary: ExportSummary, as_json: bool) -> str:
    """What the command says of an export."""
    found, exporter = summary.manifest, summary.exporter
    size = sum(size for _, size, _ in found["files"])
    if as_json:
        counts = {name: found[name] for name in ("clips", "photos", "objects", "notes")}
        about = {"out": str(summary.out), "to": exporter.name, "files": len(found["files"]), "bytes": size}
        return json_text({**about, **counts, "kept": summary.kept, "lost": exporter.lost}).rstrip("\n")
    lines = [
        f"{summary.out}: {counted(found['photos'], 'photo')}, {counted(found['objects'], 'object')}, "
        f"{counted(len(found['files']), 'file')}, {size_text(size)} as {exporter.name}"
    ]
    if summary.kept:
        lines.append(f"  {summary.kept} of the photos were there from an earlier run")
    return "\n".join([*lines, *closing_lines(summary)])
