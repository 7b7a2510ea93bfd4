"""What an exporter is: how the frames of a video become the files of one format.

`EXPORTERS` is the one table of them. An exporter of another package joins it by `register_exporter`, or by an entry
point of the group `masktrack_datakit.exporters` that names an `Exporter`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import UsageError
from ..registry import Registry
from .videos import REENCODED, ExportedVideo, Frame

GROUP = "masktrack_datakit.exporters"


class Sink(Protocol):
    """Where an exporter puts what it makes."""

    def add(self, path: str, data: bytes) -> None:
        """Write a file.

        Args:
            path: below the folder of the export, '/' between folders; no two files have one path.
            data: all of it.
        """

    def note(self, reason: str) -> None:
        """Count something that the format cannot hold: words that a number follows, once for each photo."""


def jpeg_of(frame: Frame, quality: int, sink: Sink) -> bytes:
    """The photo of a frame as JPEG bytes; one that is stored otherwise is encoded at 1..100, and noted."""
    if not frame.is_jpeg:
        sink.note(REENCODED)
    return frame.jpeg(quality)


@dataclass(frozen=True)
class Exporter(ABC):
    """How one format is written. Fields made by `config.setting` are settings that users change by `--set`.

    An exporter keeps nothing between two calls: what the closing files need is given back by `write`.

    Attributes:
        name: as on the command line: a-z, 0-9, '_' and '-'.
        readers: which programs read the format.
        lost: what of a source the format cannot hold; '' where nothing is lost.
    """

    name: str
    readers: str
    lost: str

    @property
    def videos_per_tar(self) -> int:
        """How many videos go into one tar file, which then holds what `write` adds; 0 where there are no tar files."""
        return 0

    @abstractmethod
    def write(self, video: ExportedVideo, sink: Sink) -> Any:
        """Write the files of one video.

        Returns:
            What `close` needs to know of it, as JSON has it.

        Raises:
            DatakitError: the format cannot hold this video.
        """

    def close(self, entries: Iterable[Any], sink: Sink) -> None:
        """Write the files that speak of all videos; where a format has none, nothing.

        Args:
            entries: what `write` gave for each, in order.
            sink: where they go.
        """
        del entries, sink


def _check(name: str, exporter: Exporter) -> None:
    if not isinstance(exporter, Exporter):
        raise UsageError(f"exporter {name!r}: expected a datakit.export.Exporter, found {type(exporter).__name__}")
    if exporter.name != name:
        raise UsageError(f"exporter {name!r}: calls itself {exporter.name!r}; register it under that name")
    if not exporter.readers:
        raise UsageError(f"exporter {name!r}: needs `readers` that say which programs read the format")


EXPORTERS: Registry[Exporter] = Registry("exporter", GROUP, _check)


def register_exporter(exporter: Exporter) -> Exporter:
    """Make an exporter known to `datakit export`.

    Raises:
        UsageError: its name is taken or no name, or it says too little about itself.
    """
    return EXPORTERS.add(exporter.name, exporter)
