"""The JSON behind a COCO source: read so that whatever it holds can be judged, other kinds of files named as such."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UsageError

# What tells files of other tools and tasks: a key of the document, of an image or of an annotation -> what it is.
OTHERS = {
    "videos": "is a YouTube-VIS file, instances of videos",
    "shapes": "is a LabelMe file, the outlines of one photo",
    "_via_img_metadata": "is a VIA project",
    "_via_settings": "is a VIA project",
}
OF_ANNOTATIONS = {
    "segments_info": ("panoptic", "is a COCO panoptic file, segments drawn in a PNG beside each photo"),
    "caption": ("captions", "is a COCO captions file, which has no masks"),
    "segmentations": ("video instances", "is a YouTube-VIS file, instances of videos"),
}
LATER = "such files cannot be read yet; convert it to COCO instances (polygons or run lengths for every object)"


def load_instances(file: Path) -> dict[str, Any]:
    """The parsed file, certain to hold the lists `images` and `annotations`.

    Raises:
        UsageError: it cannot be read, is no JSON, or holds something else, named where it is known.
    """
    try:
        if not file.is_file():
            raise OSError("not a regular file")  # a pipe would be waited for
        document = _parsed(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{file}: expected a COCO instances file, cannot be read as JSON: {error}") from None
    kind = _other_kind(document)
    if kind:
        raise UsageError(f"{file}: expected a COCO instances file, this {kind}: {LATER}")
    for name in ("images", "annotations"):
        if not isinstance(document, dict) or not isinstance(document.get(name), list):
            raise UsageError(f"{file}: expected a COCO instances file with a list `{name}`, found none")
    return dict(document)


def _other_kind(document: Any) -> str:
    """What the file is, where it is known to be no instances file; else nothing."""
    if isinstance(document, list) and document and isinstance(document[0], dict):
        if {"annotations", "data"} <= document[0].keys():
            return "is Label Studio's own JSON; export the project as COCO"
        return "is a list, as COCO's files of results are"
    if not isinstance(document, dict):
        return ""
    annotations = document.get("annotations")
    for key, kind in OTHERS.items():
        if key in document and "images" not in document:
            return kind
    if isinstance(annotations, list) and annotations:
        for key, (_, kind) in OF_ANNOTATIONS.items():
            if all(isinstance(each, dict) and key in each and "segmentation" not in each for each in annotations):
                return kind
    return ""


def _parsed(data: bytes) -> Any:
    """The JSON, so that it can be hashed: numbers that are not finite as their names, half characters as '?'."""
    huge = re.search(rb"[eE]\+?\d{3}|\d{309}", data)  # only these overflow, and the hook below is slow
    document = json.loads(data, parse_constant=str, parse_float=_finite if huge else None)
    if re.search(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]", data):  # may be halves of surrogate pairs
        document = json.loads(json.dumps(document, ensure_ascii=False).encode(errors="replace"))
    return document


def _finite(text: str) -> float | str:
    number = float(text)
    return number if np.isfinite(number) else text
