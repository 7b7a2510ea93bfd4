"""Annotations that contradict themselves: told, never changed."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from datakit.datasets import ReadOptions
from datakit.datasets.coco.doubts import REASON, contradiction
from tests import tiny

OUTLINE = [10, 10, 50, 10, 50, 40, 10, 40]  # 40 x 30


def annotation(**more: Any) -> dict[str, Any]:
    return {"id": 1, "image_id": 1, "segmentation": [OUTLINE], **more}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"bbox": [10, 10, 40, 30], "area": 1200},
        {"bbox": [8, 9, 44, 32], "area": 1200.5},
        {"bbox": [0, 0, 0, 0], "area": 0},
        {"bbox": None, "area": None},
        {"bbox": ["a", 1, 2, 3], "area": "large"},
        {"segmentation": None, "bbox": [0, 0, 5, 5]},
        {"segmentation": {"size": [9, 9], "counts": "x"}, "bbox": [0, 0, 5, 5]},
        {"segmentation": [["a"] * 6], "bbox": [0, 0, 5, 5]},
        {"segmentation": [[10, 10, 30, 10, 30, 40, 10, 40], [30, 10, 50, 10, 50, 40, 30, 40]], "bbox": [10, 10, 40, 30],
         "area": 1200},
    ],
)  # fmt: skip
def test_what_tools_write_is_no_contradiction(more: dict[str, Any]) -> None:
    """Rounding, the box's area, zeros for what is not known, forms without polygons."""
    assert contradiction(annotation(**more)) == ""


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"bbox": [20, 20, 80, 60]}, "its `bbox` says x 20 to 100, y 20 to 80, its outline x 10 to 50, y 10 to 40"),
        ({"bbox": [10, 10, 50, 40]}, "its `bbox` says x 10 to 60, y 10 to 50"),
        ({"bbox": [10, 10, 40, 30], "area": 4800}, "its `area` says 4800 pixels, its outline 1200"),
        ({"area": 75}, "its `area` says 75 pixels, its outline 1200"),
    ],
)
def test_a_contradiction_is_told_with_both_numbers(more: dict[str, Any], told: str) -> None:
    """A photo of half the size, x1 and y1 for width and height, an area of another size."""
    assert contradiction(annotation(**more)).startswith(told)


def test_the_object_is_read_and_noted(tmp_path: Path) -> None:
    """Outlines stay what masks are made of; a slice takes its own doubts along."""
    file = tiny.coco(tmp_path, 2)
    document = file.read_text().replace('"id": 1, "image_id": 1,', '"id": 1, "bbox": [0, 0, 9, 9], "image_id": 1,')
    file.write_text(document)
    reader = tiny.opened("c", file, options=ReadOptions(min_area=0))
    plain = tiny.opened("c", tiny.coco(tmp_path / "plain", 2), options=ReadOptions(min_area=0))
    (note,) = reader[0].notes
    assert (note.key, note.reason) == ("c/000000000001#1", REASON) and note.detail.startswith("annotation 1 of ")
    assert [sample.key for sample in reader[0].samples] == [sample.key for sample in plain[0].samples]
    assert list(reader.records) == list(plain.records)
    assert pickle.loads(pickle.dumps(reader[:1]))[0].notes == (note,) and reader[1:][0].notes == ()
