"""YouTube-VIS JSON: one entry for every object of a video, with a mask, a box and an area for every frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .coco import CATEGORY
from .coding import document_bytes, measured
from .davis import FEWEST, SHORT
from .exporter import Exporter, Sink
from .videos import ExportedVideo

COLUMNS = {"segmentations": "segmentation", "bboxes": "bbox", "areas": "area"}


@dataclass(frozen=True)
class YtvisExporter(Exporter):
    """train/instances.json and train/JPEGImages/VIDEO; where an object is not seen, mask, box and area are null."""

    def write(self, video: ExportedVideo, sink: Sink) -> Any:
        """Frames as stored; the video and its objects, still without ids of their own."""
        if len(video) < FEWEST:
            sink.note(SHORT)
        files, size = [], (0, 0)
        rows: dict[int, dict[str, list[Any]]] = {n: {name: [] for name in COLUMNS} for n in video.objects}
        for frame in video:
            size = frame.size
            files.append(f"{video.name}/{frame.name}{frame.suffix}")
            sink.add(f"train/JPEGImages/{files[-1]}", frame.photo)
            for each in frame.objects:
                found = measured(each.mask) if each.mask.any() else {}
                for name, column in COLUMNS.items():
                    rows[each.number][name].append(found.get(column))
        shape = {"height": size[0], "width": size[1]}
        about = {"category_id": 1, "iscrowd": 0, **shape, "length": len(files)}
        objects = [about | row | {"source_id": video.objects[number]} for number, row in rows.items()]
        return {"video": {"file_names": files, "length": len(files), **shape}, "objects": objects}

    def close(self, entries: Iterable[Any], sink: Sink) -> None:
        """The one JSON file, videos and objects numbered from 1."""
        videos: list[Any] = []
        annotations: list[Any] = []
        for number, entry in enumerate(entries, 1):
            videos.append({"id": number, **entry["video"]})
            for each in entry["objects"]:
                annotations.append({"id": len(annotations) + 1, "video_id": number, **each})
        document = document_bytes(
            info={"description": "exported by masktrack-datakit"},
            videos=videos,
            categories=[CATEGORY],
            licenses=[],
            annotations=annotations,
        )
        sink.add("train/instances.json", document)


YTVIS = YtvisExporter(
    "ytvis", "Mask2Former, MinVIS, CTVIS and others that read YouTube-VIS or OVIS", "categories (each is `object`)"
)
