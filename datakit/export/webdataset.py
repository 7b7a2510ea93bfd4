"""WebDataset: tar files in which the members of one name are one sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..config import setting, validate
from .coding import json_bytes, label_png, measured
from .exporter import Exporter, Sink
from .videos import ExportedVideo


@dataclass(frozen=True)
class WebDatasetExporter(Exporter):
    """shard-000000.tar …: X.jpg or X.png, X.labels.png (a palette picture) and X.json (every object whole).

    Attributes:
        clips_per_shard: photos, or videos, in a tar file.
    """

    clips_per_shard: int = setting(500, 1, 1_000_000)

    def __post_init__(self) -> None:
        validate(self, self.name)

    @property
    def videos_per_tar(self) -> int:
        """As set."""
        return self.clips_per_shard

    def write(self, video: ExportedVideo, sink: Sink) -> Any:
        """Three members for each frame."""
        for frame in video:
            for remark in frame.remarks_on_labels():
                sink.note(f"{remark} (the JSON has each object whole)")
            objects = [
                {"number": each.number, "source_id": video.objects[each.number], **measured(each.mask)}
                for each in frame.seen
            ]
            about = {"key": frame.key, "size": list(frame.size), "clip": video.name, "frame": frame.name}
            sink.add(frame.stem + frame.suffix, frame.photo)
            sink.add(f"{frame.stem}.labels.png", label_png(frame))
            sink.add(f"{frame.stem}.json", json_bytes({**about, "objects": objects}))


WEBDATASET = WebDatasetExporter("webdataset", "webdataset and what reads its tar files", "")
