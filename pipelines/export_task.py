"""The work of one task of an export: some videos become files, in this process or on any worker.

Idempotent, since Dask may run a task twice. A worker opens the source by itself, once, and keeps it open: a list of a
hundred thousand photos does not travel with every task.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datakit.clips import ClipRecipe
from datakit.errors import DatakitError
from datakit.export import ClipVideos, Exporter, LabelVideos, ShardVideos, VideoSource
from datakit.files import digest_json

from .export_folder import FILES, Chunk, write_origins
from .process import single_threaded_opencv


class SourceFolders(ABC):
    """Where the videos of an export lie, few words that open them on any machine."""

    @abstractmethod
    def open(self) -> VideoSource:
        """The videos.

        Raises:
            UsageError, ShardError: they cannot be opened.
        """

    @abstractmethod
    def absolute(self) -> SourceFolders:
        """The same, for processes that run elsewhere."""


@dataclass(frozen=True)
class ShardFolder(SourceFolders):
    """The photos of a folder of shards."""

    path: Path

    def open(self) -> VideoSource:
        """As `ShardVideos`."""
        return ShardVideos(self.path)

    def absolute(self) -> ShardFolder:
        """The same, for processes that run elsewhere."""
        return replace(self, path=self.path.absolute())


@dataclass(frozen=True)
class LabelFolder(SourceFolders):
    """The label pictures of videos, and their frames."""

    path: Path
    video: Path

    def open(self) -> VideoSource:
        """As `LabelVideos`."""
        return LabelVideos(self.path, self.video)

    def absolute(self) -> LabelFolder:
        """The same, for processes that run elsewhere."""
        return replace(self, path=self.path.absolute(), video=self.video.absolute())


@dataclass(frozen=True)
class ClipFolders(SourceFolders):
    """Clips of the stills of folders of shards; as `ClipVideos` takes them."""

    paths: tuple[Path, ...]
    recipe: ClipRecipe
    clips: int
    seed: int
    codec: str

    def open(self) -> VideoSource:
        """As `ClipVideos`."""
        return ClipVideos(self.paths, self.recipe, self.clips, self.seed, self.codec)

    def absolute(self) -> ClipFolders:
        """The same, for processes that run elsewhere."""
        return replace(self, paths=tuple(path.absolute() for path in self.paths))


@dataclass(frozen=True)
class ExportChunk:
    """Videos that are written together.

    Attributes:
        number: from 0 over all chunks of the export.
        videos: their positions.
        tar: file that holds them all; '' for files of their own.
    """

    number: int
    videos: range
    tar: str


@dataclass(frozen=True)
class ExportTask:
    """All a worker needs to write some videos.

    Attributes:
        folders: of the source.
        identity: of the source, as the export has it.
        exporter: that writes them.
        work: folder of the export under way (reachable from the worker).
        chunks: what to write.
    """

    folders: SourceFolders
    identity: Mapping[str, Any]
    exporter: Exporter
    work: Path
    chunks: Sequence[ExportChunk]

    def name(self) -> str:
        """For messages."""
        first, last = self.chunks[0].videos[0], self.chunks[-1].videos[-1]
        return f"video {first}" if first == last else f"videos {first} to {last}"


_opened: dict[str, VideoSource] = {}


def keep_open(source: VideoSource) -> None:
    """Let this process write videos of a source that it has opened already."""
    _opened.clear()
    _opened[digest_json(source.identity())] = source


def write_chunks(task: ExportTask) -> list[dict[str, Any]]:
    """Write the files of some chunks; a line of the journal for each.

    Raises:
        DatakitError: the source is another one here, or damaged, or the format cannot hold it.
        OSError: the folder cannot be written (disk full, read-only).
    """
    source = _source_of(task)
    with single_threaded_opencv():
        return [_written(task, source, chunk) for chunk in task.chunks]


def _source_of(task: ExportTask) -> VideoSource:
    digest = digest_json(task.identity)
    if digest not in _opened:
        source = task.folders.open()
        if digest_json(source.identity()) != digest:
            raise DatakitError(f"{source.place}: a worker finds other data there than this process did; was it changed "
                               "meanwhile, or is another folder mounted there?")  # fmt: skip
        keep_open(source)
    return _opened[digest]


def _written(task: ExportTask, source: VideoSource, chunk: ExportChunk) -> dict[str, Any]:
    sink, entries, origins, objects, photos = Chunk(task.work / FILES, chunk.tar), [], [], 0, 0
    for position in chunk.videos:
        video = source[position]
        entries.append(task.exporter.write(video, sink))
        for remark in video.remarks:
            sink.note(remark)
        if video.origin is not None:
            origins.append(video.origin)
        objects += len(video.objects)
        photos += len(video)
    sink.end()
    line = {"chunk": chunk.number, "files": sink.files, "notes": dict(sink.notes), "entries": entries}
    if origins:
        line["origins"] = write_origins(task.work, chunk.number, origins)
    return {**line, "clips": len(chunk.videos), "objects": objects, "photos": photos}
