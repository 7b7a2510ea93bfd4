"""A mask file for each object: what overlaps stays, one damaged file costs one object."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datakit.datasets import AnyReader, ReadOptions
from datakit.errors import ItemError
from tests import tiny
from tests.contracts import check_reader

H, W = tiny.SIZE


def block(*columns: int) -> np.ndarray:
    """(48, 64) 0/255: rows 10 to 30 from one column to another."""
    plane = np.zeros(tiny.SIZE, np.uint8)
    plane[10:30, columns[0] : columns[1]] = 255
    return plane


def opened(root: Path, *planes: np.ndarray, **options: object) -> AnyReader:
    """A photo with these masks, `x_0.png` and on."""
    tiny.write_picture(root / "images/x.jpg", tiny.picture(1))
    for number, plane in enumerate(planes):
        tiny.write_grey(root / f"masks/x_{number}.png", plane)
    return tiny.opened("o", root, options=ReadOptions(**options))


def test_objects_that_overlap_keep_all_of_their_own(tmp_path: Path) -> None:
    """Pixels of both are in both."""
    samples = opened(tmp_path, block(5, 40), block(20, 60))[0].samples
    assert [sample.key for sample in samples] == ["o/x#1", "o/x#2"]
    assert np.array_equal(samples[0].mask, block(5, 40) // 255)
    assert np.array_equal(samples[1].mask, block(20, 60) // 255)


def test_objects_are_numbered_as_their_files_are(tmp_path: Path) -> None:
    """7 and 12 stay 7 and 12."""
    tiny.write_picture(tmp_path / "images/x.jpg", tiny.picture(1))
    for number in (12, 7):
        tiny.write_grey(tmp_path / f"masks/x/{number}.png", block(number, 40))
    samples = tiny.opened("o", tmp_path)[0].samples
    assert [(sample.object_id, int(sample.mask.sum())) for sample in samples] == [(7, 20 * 33), (12, 20 * 28)]


@pytest.mark.parametrize("value", [1, 37, 254, 255])
def test_the_value_in_a_file_of_one_object_is_of_no_matter(tmp_path: Path, value: int) -> None:
    """Each file is its object, whatever the tool painted it in."""
    (first, second) = opened(tmp_path, block(5, 40) // 255 * value, block(20, 60))[0].samples
    assert (first.object_id, second.object_id) == (1, 2) and first.mask.sum() == 20 * 35


def test_merged_they_are_one(tmp_path: Path) -> None:
    """All pixels of either."""
    (sample,) = opened(tmp_path, block(5, 40), block(20, 60), objects="merged")[0].samples
    assert (sample.key, int(sample.mask.sum())) == ("o/x", 20 * 55)


def test_void_of_one_object_is_no_void_where_another_lies(tmp_path: Path) -> None:
    """Merged, what is object of one file is no void of the other."""
    first = block(5, 20) // 255
    first[10:30, 20:40] = 255
    (sample,) = opened(tmp_path, first, block(30, 50), objects="merged")[0].samples
    assert sample.ignore is not None and int(sample.ignore.sum()) == 20 * 10
    assert not (sample.ignore & sample.mask).any() and int(sample.mask.sum()) == 20 * 35


def test_a_damaged_file_costs_its_own_object(tmp_path: Path) -> None:
    """The other is there, and the counts add up."""
    reader = opened(tmp_path, block(5, 40), block(20, 60))
    (tmp_path / "masks/x_0.png").write_bytes(b"x")
    scene = reader[0]
    assert [sample.key for sample in scene.samples] == ["o/x#2"]
    assert [(each.key, each.kind, each.reason) for each in scene.problems] == [("o/x#1", "failed", "not an image")]


def test_a_damaged_file_costs_the_photo_where_objects_are_merged(tmp_path: Path) -> None:
    """Half of what is meant is not what is meant."""
    reader = opened(tmp_path, block(5, 40), block(20, 60), objects="merged")
    (tmp_path / "masks/x_0.png").write_bytes(b"x")
    with pytest.raises(ItemError) as caught:
        reader[0]
    assert caught.value.problem.key == "o/x"


def test_an_empty_file_is_left_out(tmp_path: Path) -> None:
    """By its own key."""
    scene = opened(tmp_path, block(5, 40), np.zeros(tiny.SIZE, np.uint8))[0]
    assert [(each.key, each.kind, each.reason) for each in scene.problems] == [("o/x#2", "left-out", "empty mask")]


@pytest.mark.parametrize("objects", ["each", "merged"])
def test_a_photo_whose_files_are_all_empty_is_left_out(tmp_path: Path, objects: str) -> None:
    """No sample, and a reason."""
    scene = opened(tmp_path, *[np.zeros(tiny.SIZE, np.uint8)] * 2, objects=objects)[0]
    assert not scene.samples and {each.reason for each in scene.problems} == {"empty mask"}


def test_several_objects_in_a_file_of_one_are_not_guessed_at(tmp_path: Path) -> None:
    """Ids in `x_0.png` contradict its name."""
    two = block(5, 20) // 255
    two[10:30, 30:40] = 2
    scene = opened(tmp_path, two, block(20, 60))[0]
    assert [(each.key, each.reason) for each in scene.problems] == [("o/x#1", "several objects")]
    assert "--objects merged" in scene.problems[0].detail


def test_a_mask_of_another_size_costs_its_own_object(tmp_path: Path) -> None:
    """Both sizes are named."""
    scene = opened(tmp_path, np.full((H, W + 1), 255, np.uint8), block(20, 60))[0]
    assert [(each.key, each.reason) for each in scene.problems] == [("o/x#1", "size mismatch")]


def test_a_soft_mask_among_them_is_told(tmp_path: Path) -> None:
    """By its file."""
    soft = np.zeros(tiny.SIZE, np.uint8)
    soft[10:30, 10:30], soft[15:25, 15:25] = 100, 200
    reader = opened(tmp_path, block(5, 40), soft, threshold=150)
    found = reader.soft_mask(reader.records[0])
    assert found is not None and found.path == "masks/x_1.png"


def test_photos_with_a_mask_file_per_object_keep_the_contract(tmp_path: Path) -> None:
    """Sorted, sliced, travelled, read twice; small objects are left out by their own keys."""
    tiny.write_picture(tmp_path / "images/y.jpg", tiny.picture(2))
    tiny.write_grey(tmp_path / "masks/y_0.png", block(1, 2))
    reader = opened(tmp_path, block(5, 40), block(20, 60))
    check_reader(reader)
    small = opened(tmp_path, min_area=100)
    assert [each.key for scene in small for each in scene.problems] == ["o/y#1"]
