"""PASCAL VOC objects: palette ids, void, photos nobody segmented."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datakit.datasets import ReadOptions
from tests import tiny


def test_void_becomes_the_ignore_mask(tmp_path: Path) -> None:
    """255 is in no object and in every object's ignore mask."""
    reader = tiny.opened("voc", tiny.voc(tmp_path), options=ReadOptions(min_area=0))
    first, second = reader[1].samples
    assert [first.object_id, second.object_id] == [1, 2] and first.key == "voc/2007_000001#1"
    ignore = tiny.labels(1) == 255
    assert np.array_equal(first.ignore, ignore) and np.array_equal(second.ignore, ignore)
    assert np.array_equal(first.mask, tiny.labels(1) == 1)


def test_photo_without_a_mask_is_left_out(tmp_path: Path) -> None:
    """Most of VOC is not segmented: one line per photo, and no failure."""
    reader = tiny.opened("voc", tiny.voc(tmp_path, 2))
    assert [(problem.key, problem.kind, problem.reason) for problem in reader.problems] == [
        ("voc/2007_000002", "left-out", "no mask")
    ]


def test_small_objects_are_left_out_by_default(tmp_path: Path) -> None:
    """Under 400 pixels, unless asked."""
    root = tiny.voc(tmp_path, 1)
    assert [problem.reason for problem in tiny.opened("voc", root)[0].problems] == ["under minimum area"] * 2
    assert len(tiny.opened("voc", root, options=ReadOptions(min_area=0))[0].samples) == 2


def test_devkit_root_is_opened_too(tmp_path: Path) -> None:
    """The folder the archive unpacks into works as well as VOC2012 itself."""
    tiny.voc(tmp_path)
    assert len(tiny.opened("voc", tmp_path)) == 3


def test_only_void_is_an_empty_mask(tmp_path: Path) -> None:
    """A mask of nothing but void holds no object."""
    root = tiny.voc(tmp_path, 1)
    tiny.write_palette(root / "SegmentationObject" / "2007_000000.png", np.full(tiny.SIZE, 255, np.uint8))
    (problem,) = tiny.opened("voc", root)[0].problems
    assert problem.reason == "empty mask" and "only void" in problem.detail
