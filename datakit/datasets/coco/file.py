"""The JSON behind a COCO source: read so that whatever it holds can be judged, other kinds of files named as such."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import UsageError
from ..json_files import Broken, load_json

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
LATER = "give it without a layout, or convert it to COCO instances (polygons or run lengths for every object)"
PANOPTIC_LATER = "read it as such, LABEL:coco-panoptic=FILE"
INSTANCES, PANOPTIC = "COCO instances", "COCO panoptic"


def load_instances(file: Path) -> dict[str, Any]:
    """The parsed file, certain to hold the lists `images` and `annotations`.

    Raises:
        UsageError: it cannot be read, is no JSON, or holds something else, named where it is known.
    """
    document = _load(file, INSTANCES)
    if kind := _other_kind(document):
        way_out = PANOPTIC_LATER if kind == OF_ANNOTATIONS["segments_info"][1] else LATER
        raise UsageError(f"{file}: expected a {INSTANCES} file, this {kind}: {way_out}")
    return _with_lists(document, file, INSTANCES)


def load_panoptic(file: Path) -> dict[str, Any]:
    """The parsed file, certain to hold the lists `images` and `annotations`, of which most have `segments_info`.

    Raises:
        UsageError: it cannot be read, is no JSON, or holds something else.
    """
    document = _with_lists(_load(file, PANOPTIC), file, PANOPTIC)
    annotations = document["annotations"]
    with_segments = sum(isinstance(each, dict) and "segments_info" in each for each in annotations)
    if 2 * with_segments < len(annotations):
        found = f"{with_segments} of {len(annotations)} annotations have `segments_info`"
        raise UsageError(f"{file}: expected a {PANOPTIC} file, {found}; is it one of instances? (LABEL:coco=FILE)")
    return document


def _load(file: Path, kind: str) -> Any:
    try:
        return load_json(file)
    except Broken as error:
        raise UsageError(f"{file}: expected a {kind} file, {error}") from None


def _with_lists(document: Any, file: Path, kind: str) -> dict[str, Any]:
    for name in ("images", "annotations"):
        if not isinstance(document, dict) or not isinstance(document.get(name), list):
            raise UsageError(f"{file}: expected a {kind} file with a list `{name}`, found none")
    return dict(document)


def _other_kind(document: Any) -> str:
    """What the file is, where it is known to be no instances file; else nothing."""
    if isinstance(document, list) and document and isinstance(document[0], dict):
        if {"annotations", "data"} <= document[0].keys():
            return "is Label Studio's own JSON"
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
