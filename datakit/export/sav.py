"""SA-V as its validation set lies on disk: a folder of masks for every object, so that overlaps survive."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..config import setting, validate
from .coding import grey_png
from .davis import FEWEST, SHORT
from .exporter import Exporter, Sink, jpeg_of
from .videos import ExportedVideo


@dataclass(frozen=True)
class SavExporter(Exporter):
    """JPEGImages_24fps/VIDEO/00000.jpg and Annotations_6fps/VIDEO/000/00000.png, 255 inside; every frame has both.

    Attributes:
        jpeg_quality: of frames that are stored as PNG.
    """

    jpeg_quality: int = setting(95, 1, 100)

    def __post_init__(self) -> None:
        validate(self, self.name)

    def write(self, video: ExportedVideo, sink: Sink) -> Any:
        """Frames, and a mask of each object in each frame, empty where it is not seen."""
        if len(video) < FEWEST:
            sink.note(SHORT)
        for frame in video:
            sink.add(f"JPEGImages_24fps/{video.name}/{frame.name}.jpg", jpeg_of(frame, self.jpeg_quality, sink))
            for each in frame.objects:
                folder = f"Annotations_6fps/{video.name}/{each.number - 1:03d}"
                sink.add(f"{folder}/{frame.name}.png", grey_png(each.mask))
        return video.name

    def close(self, entries: Iterable[Any], sink: Sink) -> None:
        """The list of the videos."""
        sink.add("sav_val.txt", "".join(f"{name}\n" for name in entries).encode())


SAV = SavExporter("sav", "SAM 2: its training on PNG folders, and the SA-V evaluator", "")
