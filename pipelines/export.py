"""`datakit export`: shards, or the label pictures of videos, as the files of another program."""

from __future__ import annotations

import logging
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datakit.config import Key, assign, help_text, keys_of, settings_of, split_assignment
from datakit.errors import DatakitError, UsageError
from datakit.export import EXPORTERS, Exporter, LabelVideos, ShardVideos, VideoSource
from datakit.files import check_writable, json_text
from datakit.progress import progress
from datakit.shards.manifest import NAME, read_manifest
from datakit.tools import tool_versions
from datakit.wording import counted, size_text

from .export_folder import Chunk, ExportFolder
from .interrupt import terminable
from .lock import run_lock

logger = logging.getLogger(__name__)
LABEL_SHARE = 1.1  # label pictures, JSON and file system blocks on top of the photos


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
    """

    source: Path
    to: str
    out: Path
    changes: Sequence[str] = ()
    video: Path | None = None
    overwrite: bool = False


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


def export(job: ExportJob) -> ExportSummary:
    """Write an export, or finish what an earlier run of the same job has begun.

    Raises:
        UsageError: an exporter, a setting or a folder cannot be used as given.
        ShardError, DatakitError: the source is damaged, or the format cannot hold it.
        Locked: another run writes there.
        KeyboardInterrupt: stopped; run the same command again to go on.
    """
    began = time.monotonic()
    with terminable():
        exporter = configured(job.to, job.changes)
        if not job.out.absolute().name:
            raise UsageError(f"--out {job.out}: name a folder to be made")
        if not job.out.is_file():  # of which the folder says more
            check_writable(job.out, f"--out {job.out}")
        source = open_source(job.source, job.video)
        asked = _asked(exporter, source)
        folder = ExportFolder(job.out)
        done = folder.check(asked, job.overwrite)
        if done is not None:
            return ExportSummary(job.out, exporter, done, time.monotonic() - began, done["photos"])
        folder.work.mkdir(parents=True, exist_ok=True)
        with run_lock(folder.work):
            kept, manifest = _write(exporter, source, folder, asked, job.source)
    return ExportSummary(job.out, exporter, manifest, time.monotonic() - began, kept)


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


def open_source(path: Path, video: Path | None) -> VideoSource:
    """The videos of a folder of shards, or of label pictures where their video is named.

    Raises:
        UsageError: it is neither, or the video is missing or of no use.
        ShardError: shards that are not finished or damaged.
    """
    if video is not None:
        if (path / NAME).is_file():
            raise UsageError(f"--video {video}: {path} holds shards, which have their photos; leave it out")
        return LabelVideos(path, video)
    if path.is_dir() and not (path / NAME).is_file() and _holds_pictures(path):
        raise UsageError(
            f"{path}: holds pictures, no shards; of photos and masks build shards first: `datakit build-shards {path} "
            f"--out shards`, and export these; of label pictures of a video name the frames by --video"
        )
    read_manifest(path)  # says what is wrong with it
    return ShardVideos(path)


def _holds_pictures(path: Path) -> bool:
    return any(next(path.glob(pattern), None) is not None for pattern in ("*.png", "*/*.png"))


def _asked(exporter: Exporter, source: VideoSource) -> dict[str, Any]:
    """What the bytes of an export depend on."""
    settings = {name: getattr(exporter, name) for name in settings_of(exporter)}
    tools = {name: tool_versions()[name] for name in ("datakit", "opencv", "pillow", "pycocotools")}
    return {"to": exporter.name, "settings": settings, "source": source.identity(), "tools": tools}


def _write(
    exporter: Exporter, source: VideoSource, folder: ExportFolder, asked: Mapping[str, Any], place: Path
) -> tuple[int, dict[str, Any]]:
    """Write what is missing and publish; photos that were there already, and the manifest."""
    lines = folder.prepare(asked)
    kept = sum(line["photos"] for line in lines)
    begun = sum(line["clips"] for line in lines)
    if kept:
        logger.info(f"{folder.out}: going on behind {counted(kept, 'photo')} of an earlier run")
    else:
        _check_space(place, folder)
    with progress(sum(source.lengths), "photos") as shown:
        shown.advance(kept)
        for number, videos in enumerate(_chunks(exporter, len(source), begun), len(lines)):
            tar = f"shard-{number:06d}.tar" if exporter.videos_per_tar else ""
            chunk, entries, objects, photos = Chunk(folder.files, tar), [], 0, 0
            for position in videos:
                video = source[position]
                entries.append(exporter.write(video, chunk))
                objects += len(video.objects)
                photos += len(video)
                shown.advance(len(video))
            lines.append(folder.record(chunk, entries, {"clips": len(videos), "objects": objects, "photos": photos}))
    manifest = _finish(exporter, folder, lines, source, asked)
    folder.publish(manifest)
    return kept, manifest


def _chunks(exporter: Exporter, videos: int, begun: int) -> Iterator[range]:
    """Positions of the videos that are written together, from the first that is missing."""
    step = exporter.videos_per_tar or 1
    return (range(start, min(start + step, videos)) for start in range(begun, videos, step))


def _check_space(place: Path, folder: ExportFolder) -> None:
    """Refuse to start what cannot fit, where the size is known beforehand.

    Raises:
        DatakitError: the disk has less room than the photos will take.
    """
    if not (place / NAME).is_file():
        return
    needed = int(sum(shard.bytes for shard in read_manifest(place).shards) * LABEL_SHARE)
    free = shutil.disk_usage(folder.work).free
    if needed > free:
        found = f"about {size_text(needed)} needed and {size_text(free)} free"
        raise DatakitError(f"{folder.out}: {found}; free some space, or name another --out")


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
    notes: Counter[str] = Counter(source.remarks)
    for line in lines:
        notes.update(line["notes"])
    notes.update(last.notes)
    files = sorted([file for line in lines for file in line["files"]] + last.files)
    counts = {name: sum(line[name] for line in lines) for name in ("clips", "photos", "objects")}
    return {"asked": asked, "place": source.place, **counts, "notes": dict(sorted(notes.items())), "files": files}


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
    lines += [f"  {reason}: {count}" for reason, count in found["notes"].items()]
    lines.append(f"  read by {exporter.readers}")
    if exporter.lost:
        lines.append(f"  not kept in this format: {exporter.lost}")
    return "\n".join(lines)
