"""A folder that `datasets.load_dataset` reads as an image folder: photos, label pictures and metadata.jsonl."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .coding import json_bytes, label_png, measured
from .exporter import Exporter, Sink
from .videos import ExportedVideo


@dataclass(frozen=True)
class HuggingFaceExporter(Exporter):
    """train/images, train/labels and train/metadata.jsonl: columns `image`, `labels`, `key`, `clip`, `objects`.

    Each object is there whole, as run lengths, so that overlaps survive; `labels` is a palette picture.
    """

    def write(self, video: ExportedVideo, sink: Sink) -> Any:
        """A photo as stored and its label picture for each frame; their lines of metadata."""
        lines = []
        for frame in video:
            for remark in frame.remarks_on_labels():
                sink.note(f"{remark} (`objects` has each object whole)")
            photo, labels = f"images/{frame.stem}{frame.suffix}", f"labels/{frame.stem}.png"
            sink.add(f"train/{photo}", frame.photo)
            sink.add(f"train/{labels}", label_png(frame))
            objects = []
            for each in frame.seen:
                found = measured(each.mask)
                found["counts"] = found.pop("segmentation")["counts"]
                objects.append({"number": each.number, "source_id": video.objects[each.number], **found})
            about = {"key": frame.key, "clip": video.name, "frame": frame.name}
            size = {"height": frame.size[0], "width": frame.size[1]}
            lines.append({"file_name": photo, "labels_file_name": labels, **about, **size, "objects": objects})
        return lines

    def close(self, entries: Iterable[Any], sink: Sink) -> None:
        """`metadata.jsonl`."""
        sink.add("train/metadata.jsonl", b"".join(json_bytes(line) + b"\n" for entry in entries for line in entry))


HUGGINGFACE = HuggingFaceExporter("huggingface", "datasets: load_dataset('imagefolder', data_dir=…)", "")
