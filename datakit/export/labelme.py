"""LabelMe JSON beside each photo: a mask shape for every object, in order, so that overlaps survive."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from ..arrays import bounding_box
from ..files import json_text
from ..images import encode_png
from .exporter import Exporter, Sink
from .videos import ExportedVideo, ExportObject

VERSION = "5.5.0"  # of LabelMe's files that a mask shape has been in for long


@dataclass(frozen=True)
class LabelMeExporter(Exporter):
    """train/X.jpg and train/X.json; the label is `object`, group_id the number of the object in its video."""

    def write(self, video: ExportedVideo, sink: Sink) -> Any:
        """A photo as stored and its JSON for each frame."""
        for frame in video:
            name = frame.stem + frame.suffix
            document: dict[str, Any] = {
                "version": VERSION,
                "flags": {},
                "shapes": [shape_of(each) for each in frame.seen],
                "imagePath": name,
                "imageData": None,
                "imageHeight": frame.size[0],
                "imageWidth": frame.size[1],
            }
            sink.add(f"train/{name}", frame.photo)
            sink.add(f"train/{frame.stem}.json", json_text(document).encode())


def shape_of(each: ExportObject) -> dict[str, Any]:
    """A LabelMe shape: the mask within its box, whose whole corners lie on its first and last pixel."""
    box = bounding_box(each.mask)
    assert box is not None
    x0, y0, x1, y1 = box
    picture = encode_png(each.mask[y0:y1, x0:x1], compact=True)
    return {
        "label": "object",
        "points": [[float(x0), float(y0)], [float(x1 - 1), float(y1 - 1)]],
        "group_id": each.number,
        "description": "",
        "shape_type": "mask",
        "flags": {},
        "mask": base64.b64encode(picture).decode(),
    }


LABELME = LabelMeExporter("labelme", "LabelMe 5 and later, X-AnyLabeling", "categories (each is `object`)")
