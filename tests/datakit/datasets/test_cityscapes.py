"""Cityscapes: objects are ids of 1000 and more; a class without a number is a group."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datakit.datasets import ReadOptions
from datakit.errors import ItemError
from tests import tiny, tiny_videos
from tests.drawing import SIZE, mask

NAME = "train/aachen/aachen_000001_000019"


def test_objects_are_read_and_groups_left_out_by_name(tmp_path: Path) -> None:
    """A road is neither."""
    reader = tiny.opened("set", tiny_videos.cityscapes(tmp_path), options=ReadOptions(min_area=0))
    scene = reader[0]
    assert scene.key == f"set/{NAME}" and [sample.object_id for sample in scene.samples] == [26000, 26001]
    assert (scene.samples[0].mask == mask(1)).sum() >= SIZE[0] * SIZE[1] - 24
    (problem,) = scene.problems
    assert (problem.key, problem.kind, problem.reason) == (f"set/{NAME}#26", "left-out", "group of objects")


def test_specks_are_left_out_unless_asked(tmp_path: Path) -> None:
    """Objects below 20x20 pixels."""
    scene = tiny.opened("set", tiny_videos.cityscapes(tmp_path))[0]
    assert [sample.object_id for sample in scene.samples] == [26000]


def test_merged_objects_are_one(tmp_path: Path) -> None:
    """Groups and surfaces are no part of it."""
    options = ReadOptions(objects="merged", min_area=0)
    (sample,) = tiny.opened("set", tiny_videos.cityscapes(tmp_path), options=options)[0].samples
    assert sample.key == f"set/{NAME}" and not sample.mask[40:, 50:].any() and sample.mask[:4, :6].all()


def test_a_street_without_objects_is_left_out(tmp_path: Path) -> None:
    """By name."""
    root = tiny_videos.cityscapes(tmp_path)
    tiny_videos.write_ids(root / "gtFine" / f"{NAME}_gtFine_instanceIds.png", np.full(SIZE, 7, np.uint16))
    (problem,) = tiny.opened("set", root)[0].problems
    assert (problem.kind, problem.reason) == ("left-out", "no object")


def test_what_has_no_partner_is_named(tmp_path: Path) -> None:
    """Photos without ids are those of the test part; ids without a photo are damage."""
    root = tiny_videos.cityscapes(tmp_path)
    (root / "leftImg8bit" / f"{NAME}_leftImg8bit.png").unlink()
    (root / "gtFine" / f"{NAME.replace('000001', '000002')}_gtFine_instanceIds.png").unlink()
    (root / "gtFine" / "notes.txt").write_text("x")
    found = [(problem.kind, problem.reason) for problem in tiny.opened("set", root).problems]
    assert sorted(found) == [("failed", "missing image"), ("left-out", "no mask"), ("left-out", "stray file")]


def test_ids_of_another_size_fail(tmp_path: Path) -> None:
    """With both sizes."""
    root = tiny_videos.cityscapes(tmp_path)
    tiny_videos.write_ids(root / "gtFine" / f"{NAME}_gtFine_instanceIds.png", np.full((8, 8), 26001, np.uint16))
    with pytest.raises(ItemError, match="expected equal"):
        tiny.opened("set", root)[0]
