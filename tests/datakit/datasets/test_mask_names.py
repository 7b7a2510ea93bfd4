"""What a name says: words of masks and of photos, numbers of objects."""

from __future__ import annotations

import pytest

from datakit.datasets.mask_names import Numbered, bases, folder_role, number_readings, object_numbers, path_role


@pytest.mark.parametrize(
    "stem", ["x_mask", "x-Mask", "x.MASK", "x mask", "x(mask)", "xmask", "mask_x", "GT-x", "x_ground_truth", "x_Label"]
)
def test_a_word_for_masks_is_taken_off(stem: str) -> None:
    """In front or behind, in any case; among the readings of the name."""
    assert "x" in bases(stem, "mask")


@pytest.mark.parametrize("stem", ["x", "masked_x", "x_masking", "target_practice", "x_1", "unmask"])
def test_other_words_are_left(stem: str) -> None:
    """A word within a word is none, nor is what merely begins like one and is not told apart."""
    assert "x" not in bases(stem, "mask") and "" not in bases(stem, "mask")


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("x_0", Numbered("x", "0", False)),
        ("x_mask12", Numbered("x", "12", True)),
        ("x (3)", Numbered("x", "3", False)),
        ("obj2_x", Numbered("x", "2", False)),
        ("7", Numbered("", "7", False)),
    ],
)
def test_the_number_of_an_object_is_found(stem: str, expected: Numbered) -> None:
    """Among the readings of a name."""
    assert expected in number_readings(stem)


def test_a_name_without_a_number_has_none() -> None:
    """Nor has one that ends in a word."""
    assert number_readings("x") == number_readings("x_mask") == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("masks", ("mask", "")),
        ("train_masks", ("mask", "train")),
        ("SegmentationClassPNG", ("mask", "")),
        ("segmentation_maps", ("mask", "")),
        ("JPEGImages", ("photo", "")),
        ("SegmentationClassVisualization", ("other", "")),
        ("cats", ("", "cats")),
    ],
)
def test_a_folder_is_known_by_its_name(name: str, expected: tuple[str, str]) -> None:
    """And what is left of it."""
    assert folder_role(name) == expected


def test_the_deepest_folder_counts() -> None:
    """`images/masks` holds masks."""
    assert path_role("data/images/masks/a") == ("mask", "data/a")


def test_objects_keep_their_numbers_where_all_have_one() -> None:
    """Else they are counted in natural order."""
    assert object_numbers(["12", "7"]) == {"7": 7, "12": 12}
    assert object_numbers(["0", "1", "10", "2"]) == {"0": 1, "1": 2, "2": 3, "10": 4}
    assert object_numbers(["01", "1"]) == {"01": 1, "1": 2}
    assert object_numbers(["dog2", "dog10", "cat"]) == {"cat": 1, "dog2": 2, "dog10": 3}
