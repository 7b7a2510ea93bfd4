"""The checks at the doors and the two measures everybody uses."""

import numpy as np
import pytest

from datakit.arrays import bounding_box, check_image, check_mask, check_same_size, iou, only_ids


def test_a_box_is_half_open():
    """The smallest box: x0, y0, x1, y1."""
    mask = np.zeros((5, 7), np.uint8)
    mask[1:3, 2:6] = 1
    assert bounding_box(mask) == (2, 1, 6, 3)
    assert bounding_box(np.zeros((5, 7), np.uint8)) is None


def test_iou_of_equal_disjoint_and_empty_masks():
    """1, 0, and 1 by convention when both are empty."""
    a, empty = np.eye(4, dtype=np.uint8), np.zeros((4, 4), np.uint8)
    assert iou(a, a) == 1
    assert iou(a, a[::-1]) == 0
    assert iou(a, empty) == 0
    assert iou(empty, empty) == 1


@pytest.mark.parametrize("mask", [np.full((2, 2), 255, np.uint8), np.zeros((2, 2, 1), np.uint8), np.zeros((2, 2))])
def test_what_is_no_mask_is_refused_with_its_place(mask):
    """255, a third axis, and floats."""
    with pytest.raises(ValueError, match="here: mask"):
        check_mask(mask, "here")


def test_what_is_no_image_is_refused_with_its_shape():
    """A grey plane is no image, and sizes must agree."""
    with pytest.raises(ValueError, match=r"here: image is \(2, 2\)"):
        check_image(np.zeros((2, 2), np.uint8), "here")
    with pytest.raises(ValueError, match=r"\(2, 3\).*\(2, 2\)"):
        check_same_size(np.zeros((2, 3, 3), np.uint8), np.zeros((2, 2), np.uint8), "here")


@pytest.mark.parametrize(("ids", "left"), [({2, 3}, [0, 0, 2, 3]), ((), [0, 0, 0, 0]), ([1, 9], [0, 1, 0, 0])])
def test_only_some_objects_of_a_label_map(ids, left):
    """The others are ground; the map itself stays."""
    labels = np.array([[0, 1, 2, 3]], np.uint8)
    found = only_ids(labels, ids)
    assert found.tolist() == [left] and found.dtype == np.uint8
    assert labels.tolist() == [[0, 1, 2, 3]]
