"""YOLO segmentation: a line of outline points for every object, in parts of the photo's size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from ..arrays import Mask
from .coding import bridged, outlines
from .exporter import Exporter, Sink
from .videos import ExportedVideo

HOLES = "photos with objects that have holes, which are filled"
BRIDGES = "photos with objects of several parts, which are joined by lines"
DIGITS = 6  # of a coordinate; a thousandth of a pixel in a photo 1000 wide


@dataclass(frozen=True)
class YoloExporter(Exporter):
    """images/train, labels/train and data.yaml."""

    def write(self, video: ExportedVideo, sink: Sink) -> Any:
        """A photo as stored, and a text file of its objects, which is empty where there is none."""
        for frame in video:
            lines = [line_of(each.mask) for each in frame.seen]
            for reason, fits in ((HOLES, has_holes), (BRIDGES, has_parts)):
                if any(fits(each.mask) for each in frame.seen):
                    sink.note(reason)
            sink.add(f"images/train/{frame.stem}{frame.suffix}", frame.photo)
            sink.add(f"labels/train/{frame.stem}.txt", "".join(lines).encode())

    def close(self, entries: Iterable[Any], sink: Sink) -> None:
        """`data.yaml`; the photos for training stand in for those of validation, which it must name."""
        del entries
        sink.add("data.yaml", b"train: images/train\nval: images/train\nnames:\n  0: object\n")


def line_of(mask: Mask) -> str:
    """Class 0 and the outline of an (H, W) 0/1 mask, at least three points."""
    points = bridged(outlines(mask))
    points = np.resize(points, (max(len(points), 3), 2))
    shares = points / (mask.shape[1], mask.shape[0])
    return " ".join(["0", *(f"{share:.{DIGITS}f}" for share in shares.ravel())]) + "\n"


def has_parts(mask: Mask) -> bool:
    """Whether an (H, W) 0/1 mask has several parts, of pixels that touch by sides or corners."""
    return bool(cv2.connectedComponents(mask, connectivity=8)[0] > 2)


def has_holes(mask: Mask) -> bool:
    """Whether an (H, W) 0/1 mask has ground that no way by sides of pixels leads out of."""
    ground = np.pad(1 - mask, 1, constant_values=1)
    return bool(cv2.connectedComponents(ground, connectivity=4)[0] > 2)


YOLO = YoloExporter(
    "yolo",
    "Ultralytics YOLO, YOLOv5 and v7 segmentation, supervision",
    "holes (filled), gaps between parts of an object (joined by lines), rims to less than a pixel",
)
