"""COCO instances: one JSON file of objects, the photos beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..arrays import Mask
from ..config import setting, validate
from .coding import document_bytes, measured, outlines
from .exporter import Exporter, Sink
from .videos import ExportedVideo

CATEGORY = {"id": 1, "name": "object", "supercategory": "object"}
FLAT = "objects written as outlines of polygons, which fill their holes and move their rims"


@dataclass(frozen=True)
class CocoExporter(Exporter):
    """`annotations/instances_train.json` and `train/`; a mask for each object, so that overlaps survive.

    Attributes:
        masks: how masks are written; `rle` keeps each pixel, `polygons` are outlines without holes.
    """

    masks: str = setting("rle", choices=("rle", "polygons"))

    def __post_init__(self) -> None:
        validate(self, self.name)

    def write(self, video: ExportedVideo, sink: Sink) -> Any:
        """Photos as stored; the JSON of their images and annotations, still without ids of their own."""
        images, annotations = [], []
        for frame in video:
            name = frame.stem + frame.suffix
            sink.add(f"train/{name}", frame.photo)
            height, width = frame.size
            images.append({"id": frame.row + 1, "file_name": name, "height": height, "width": width})
            if self.masks == "polygons" and frame.seen:
                sink.note(FLAT)
            for each in frame.seen:
                about = {"image_id": frame.row + 1, "category_id": 1, "iscrowd": 0, **measured(each.mask)}
                if self.masks == "polygons":
                    about["segmentation"] = list(polygons(each.mask))
                about["source_id"] = video.objects[each.number]
                annotations.append(about | ({"track_id": each.number} if video.is_video else {}))
        return {"images": images, "annotations": annotations}

    def close(self, entries: Iterable[Any], sink: Sink) -> None:
        """The one JSON file, annotations numbered from 1 in order of the photos and of their objects."""
        images: list[Any] = []
        annotations: list[Any] = []
        for entry in entries:
            images += entry["images"]
            annotations += entry["annotations"]
        numbered = [{"id": number, **each} for number, each in enumerate(annotations, 1)]
        document = document_bytes(
            info={"description": "exported by masktrack-datakit"},
            images=images,
            categories=[CATEGORY],
            licenses=[],
            annotations=numbered,
        )
        sink.add("annotations/instances_train.json", document)


def polygons(mask: Mask) -> Iterator[list[float]]:
    """The parts of a mask as COCO polygons; a part of fewer than three points becomes the square around them."""
    for outline in outlines(mask):
        if len(outline) < 3:
            (left, top), (right, bottom) = outline.min(axis=0) - 0.5, outline.max(axis=0) + 0.5
            yield [float(side) for side in (left, top, right, top, right, bottom, left, bottom)]
        else:
            yield [float(side) for side in outline.ravel()]


COCO = CocoExporter(
    "coco",
    "pycocotools, Detectron2, MMDetection, SAM 3, FiftyOne, CVAT and most others",
    "categories (each is `object`)",
)
