"""Objects that a tool calls crowds for being brushed are objects; true crowds stay crowds.

The figures are those of datumaro 1.13.12, which writes CVAT's exports as well: two masks and a polygon, exported as
`coco_instances`; pixels as its `Mask.image` and pycocotools 2.0.11 give them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from datakit.datasets import AnyReader, ReadOptions
from datakit.datasets.coco.crowds import brushed
from datakit.datasets.coco.reader import BRUSHED
from tests import tiny
from tests.contracts import check_reader

SMALL = ReadOptions(min_area=0)
INFO = dict.fromkeys(("contributor", "date_created", "description", "url", "version", "year"), "")
RING = [596, 1, 43, 9, 37, 13, 34, 15, 32, 17, 30, 19, 28, 21, 27, 21, 26, 9, 5, 9, 25, 8, 7, 8, 25, 7, 9, 7, 25, 7, 9,
        7, 24, 8, 9, 8, 24, 7, 9, 7, 25, 7, 9, 7, 25, 8, 7, 8, 25, 9, 5, 9, 26, 21, 27, 21, 28, 19, 30, 17, 32, 15, 34,
        13, 37, 9, 43, 1, 1323]  # fmt: skip
PARTS = [1999, *[9, 39] * 8, 9, 62, *[6, 42] * 8, 6, 228]
POLYGON = [[4.0, 30.0, 20.0, 30.0, 20.0, 44.0, 4.0, 44.0]]
PIXELS = {"c/a#1": 372, "c/a#2": 135, "c/a#3": 224, "c/b#4": 135}
CROWD_OF_COCO = 900_100_000_001


def mask(number: int, image: int, counts: Any, **more: Any) -> dict[str, Any]:
    """An annotation of run lengths that calls itself a crowd."""
    segmentation = {"counts": counts, "size": [48, 64]}
    return {"id": number, "image_id": image, "category_id": 1, "segmentation": segmentation, "iscrowd": 1, **more}


def polygon(number: int, image: int, **more: Any) -> dict[str, Any]:
    """An annotation of one polygon."""
    return {"id": number, "image_id": image, "category_id": 1, "segmentation": POLYGON, "iscrowd": 0, **more}


def exported(root: Path, annotations: list[Any], info: Any = None, options: ReadOptions = SMALL) -> AnyReader:
    """Photos a and b with these annotations, as datumaro lays them out."""
    images = []
    for number, name in enumerate("ab", 1):
        tiny.write_picture(root / "images/train" / f"{name}.jpg", tiny.picture(number))
        images.append({"id": number, "file_name": f"{name}.jpg", "height": 48, "width": 64})
    file = root / "annotations/instances_train.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"info": info, "images": images, "annotations": annotations}))
    return tiny.opened("c", root, options=options)


def found(reader: AnyReader) -> dict[str, int]:
    """Pixels of every sample."""
    return {sample.key: int(sample.mask.sum()) for scene in reader for sample in scene.samples}


def told(reader: AnyReader) -> list[str]:
    """Keys of all objects that are told to be called crowds."""
    return [note.key for scene in reader for note in scene.notes if note.reason == BRUSHED]


ATTRIBUTES = {"attributes": {"occluded": False, "rotation": 0.0}}
EXPORT = [mask(1, 1, RING), mask(2, 1, PARTS), polygon(3, 1), mask(4, 2, PARTS)]


@pytest.mark.parametrize("more", [{}, ATTRIBUTES])
def test_an_export_of_datumaro_gives_every_brushed_object(tmp_path: Path, more: dict[str, Any]) -> None:
    """With the pixels that datumaro holds itself, and a word for each."""
    reader = exported(tmp_path, [{**each, **more} for each in EXPORT], INFO)
    check_reader(reader)
    assert found(reader) == PIXELS and told(reader) == ["c/a#1", "c/a#2", "c/b#4"]
    assert not [problem for scene in reader for problem in scene.problems]


@pytest.mark.parametrize("more", [{"info": INFO}, {"attributes": ATTRIBUTES}])
def test_few_brushed_objects_are_known_by_what_the_tool_writes_beside(tmp_path: Path, more: dict[str, Any]) -> None:
    """One brushed object among polygons: the file's empty `info`, or the annotation's `attributes`."""
    annotations = [mask(1, 1, RING, **more.get("attributes", {})), *(polygon(number, 1) for number in range(2, 9))]
    reader = exported(tmp_path, annotations, more.get("info"))
    assert len(found(reader)) == 8 and told(reader) == ["c/a#1"]


def test_without_such_a_sign_few_crowds_are_crowds(tmp_path: Path) -> None:
    """As in COCO itself."""
    reader = exported(tmp_path, [mask(1, 1, RING), *(polygon(number, 1) for number in range(2, 9))])
    assert len(found(reader)) == 7 and not told(reader)
    assert [problem.reason for scene in reader for problem in scene.problems] == ["crowd"]


def test_a_crowd_that_coco_numbered_stays_one_among_the_tools_own(tmp_path: Path) -> None:
    """COCO taken through CVAT and back: its own crowds keep their ids."""
    reader = exported(tmp_path, [mask(1, 1, RING, **ATTRIBUTES), mask(CROWD_OF_COCO, 1, PARTS, **ATTRIBUTES)], INFO)
    assert found(reader) == {"c/a#1": 372} and told(reader) == ["c/a#1"]
    assert [problem.key for scene in reader for problem in scene.problems] == [f"c/a#{CROWD_OF_COCO}"]


def test_crowds_that_are_asked_for_are_not_told(tmp_path: Path) -> None:
    """--crowds keeps all of them, and then nothing is a surprise."""
    reader = exported(tmp_path, EXPORT, INFO, ReadOptions(min_area=0, crowds=True))
    assert found(reader) == PIXELS and not told(reader)


def test_strings_of_run_lengths_are_objects_where_most_are_crowds() -> None:
    """As scripts write them that take run lengths for a sign of a crowd; polygons never are."""
    crowds = [("a", mask(1, 1, "text")), ("b", mask(2, 1, "text")), ("c", {**polygon(3, 1), "iscrowd": 1})]
    annotations = [each for _, each in crowds]
    assert [name for name, _ in brushed({"annotations": annotations}, crowds)] == ["a", "b"]
    many = {"annotations": [*annotations, *(polygon(number, 1) for number in range(4, 9))], "info": INFO}
    assert list(brushed(many, crowds)) == []
