"""Video sets with a label picture for each frame: DAVIS 2017 and YouTube-VOS."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..config import setting, validate
from ..files import json_text
from .coding import label_png
from .exporter import Exporter, Sink, jpeg_of
from .videos import ExportedVideo

FEWEST = 8  # Cutie main stage, XMem s1 to s3, SAM 2: how many frames they draw from a video
SHORT = f"videos of fewer than {FEWEST} frames; Cutie, XMem and SAM 2 pass over these"


def write_video(video: ExportedVideo, sink: Sink, photos: str, labels: str, quality: int) -> dict[str, list[str]]:
    """Write frames as JPEG and label pictures as palette PNG, in a folder of the video's name each.

    Args:
        photos, labels: folders.
        quality: of frames that are not stored as JPEG.

    Returns:
        Object number -> names of the frames that show it.
    """
    seen: dict[str, list[str]] = {str(number): [] for number in video.objects}
    if len(video) < FEWEST:
        sink.note(SHORT)
    for frame in video:
        for remark in frame.remarks_on_labels():
            sink.note(remark)
        sink.add(f"{photos}/{video.name}/{frame.name}.jpg", jpeg_of(frame, quality, sink))
        sink.add(f"{labels}/{video.name}/{frame.name}.png", label_png(frame))
        for number in frame.numbers:
            seen[str(number)].append(frame.name)
    return seen


@dataclass(frozen=True)
class DavisExporter(Exporter):
    """JPEGImages/480p, Annotations/480p and ImageSets/2017; sizes stay as they are, whatever the folder is called.

    Attributes:
        split: the list that names all videos.
        jpeg_quality: of frames that are stored as PNG.
    """

    split: str = setting("train", choices=("train", "val"))
    jpeg_quality: int = setting(95, 1, 100)

    def __post_init__(self) -> None:
        validate(self, self.name)

    def write(self, video: ExportedVideo, sink: Sink) -> Any:
        """A folder of frames and one of palette pictures, ids from 1 without gaps."""
        write_video(video, sink, "JPEGImages/480p", "Annotations/480p", self.jpeg_quality)
        return video.name

    def close(self, entries: Iterable[Any], sink: Sink) -> None:
        """The list of the split."""
        sink.add(f"ImageSets/2017/{self.split}.txt", "".join(f"{name}\n" for name in entries).encode())


@dataclass(frozen=True)
class YouTubeVosExporter(Exporter):
    """JPEGImages, Annotations and meta.json of one split.

    Attributes:
        split: the folder of all that is written.
        jpeg_quality: of frames that are stored as PNG.
    """

    split: str = setting("train", choices=("train", "valid"))
    jpeg_quality: int = setting(95, 1, 100)

    def __post_init__(self) -> None:
        validate(self, self.name)

    def write(self, video: ExportedVideo, sink: Sink) -> Any:
        """As for DAVIS, and which frames show which object."""
        seen = write_video(video, sink, f"{self.split}/JPEGImages", f"{self.split}/Annotations", self.jpeg_quality)
        return [video.name, {"objects": {n: {"category": "object", "frames": names} for n, names in seen.items()}}]

    def close(self, entries: Iterable[Any], sink: Sink) -> None:
        """`meta.json`."""
        sink.add(f"{self.split}/meta.json", json_text({"videos": dict(entries)}).encode())


LOST = "what lies under another object"
DAVIS = DavisExporter("davis", "DAVIS, Cutie, XMem, AOT, SAM 2 (palette), DAM4SAM, MOSE and LVOS tools", LOST)
YOUTUBE_VOS = YouTubeVosExporter("youtube-vos", "AOT, STCN, XMem, Cutie: their YouTube-VOS stage", LOST)
