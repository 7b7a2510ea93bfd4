"""SA-1B: sa_N.jpg and sa_N.json, the masks of all objects of a photo as run lengths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..config import setting, validate
from .coding import json_bytes, measured
from .exporter import Exporter, Sink, jpeg_of
from .videos import ExportedVideo


@dataclass(frozen=True)
class Sa1bExporter(Exporter):
    """In train/; photos and objects are numbered from 1; a mask for each object, so that overlaps survive.

    Attributes:
        jpeg_quality: of photos that are stored as PNG.
    """

    jpeg_quality: int = setting(95, 1, 100)

    def __post_init__(self) -> None:
        validate(self, self.name)

    def write(self, video: ExportedVideo, sink: Sink) -> Any:
        """A photo and its JSON for each frame."""
        for frame in video:
            name, (height, width) = f"sa_{frame.row + 1}", frame.size
            image = {
                "image_id": frame.row + 1,
                "file_name": f"{name}.jpg",
                "height": height,
                "width": width,
                "key": frame.key,
            }
            annotations = []
            for each in frame.seen:
                about = measured(each.mask)
                # marks of the machine that made SA-1B; these masks are given, so they are as sure as can be
                sureness = {"predicted_iou": 1.0, "stability_score": 1.0}
                where = {"crop_box": [0, 0, width, height], "point_coords": []}
                annotations.append({"id": each.number, **about, **sureness, **where})
            sink.add(f"train/{name}.jpg", jpeg_of(frame, self.jpeg_quality, sink))
            sink.add(f"train/{name}.json", json_bytes({"image": image, "annotations": annotations}))


SA1B = Sa1bExporter("sa1b", "SAM and SAM 2: their training on SA-1B", "names of photos, but in the JSON of each")
