"""Crowds that are none: objects that CVAT, datumaro and others mark with `iscrowd` 1 because they are run lengths.

In COCO `iscrowd` 1 means a group that nobody took apart. Datumaro, which writes CVAT's exports as well, marks so
whatever is a mask and no polygon: every object that was brushed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

MOST = 0.5  # of all annotations: more crowds than this are no crowds; COCO itself has one in a hundred
OWN_CROWDS = range(900_000_000_000, 1_000_000_000_000)  # ids by which COCO tells its crowds: 9, category, photo
DATUMARO_INFO = {"contributor", "date_created", "description", "url", "version", "year"}  # written empty

Reduced = TypeVar("Reduced")


def brushed(
    document: Mapping[str, Any], crowds: Sequence[tuple[Reduced, dict[str, Any]]]
) -> Iterator[tuple[Reduced, dict[str, Any]]]:
    """Those annotations marked as crowds that a tool marks so for being brushed.

    They are run lengths and bear no id of COCO's crowds, and either most annotations of the file are like them,
    or `counts` is a list, and the annotation has `attributes` or the file datumaro's empty `info`.

    Args:
        document: the file.
        crowds: whatever stands for an annotation, with the annotation as the file holds it; all that are crowds.

    Source: datumaro 1.13.12, COCO exporter; the ids are those of instances_train2017.json and instances_val2017.json.
    """
    masks = [(each, written) for each, written in crowds if _is_mask(written)]
    if len(masks) > MOST * len(document["annotations"]):
        yield from masks
        return
    by_datumaro = _has_empty_info(document)
    for each, written in masks:
        if isinstance(written["segmentation"]["counts"], list) and (by_datumaro or "attributes" in written):
            yield each, written


def _is_mask(annotation: Mapping[str, Any]) -> bool:
    segmentation, number = annotation.get("segmentation"), annotation.get("id")
    is_own = type(number) is int and number in OWN_CROWDS
    return isinstance(segmentation, dict) and "counts" in segmentation and not is_own


def _has_empty_info(document: Mapping[str, Any]) -> bool:
    """Whether the file begins as datumaro's do: all that could be said about it is there, and said with nothing."""
    info = document.get("info")
    return isinstance(info, dict) and info.keys() == DATUMARO_INFO and not any(info.values())
