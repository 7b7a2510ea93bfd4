"""`--mask-name`: patterns that find masks, patterns that are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from datakit.datasets import ReadOptions, SourceSpec, open_source
from datakit.datasets.mask_pattern import MaskPattern
from datakit.datasets.pairs import MASK_SUFFIXES
from datakit.datasets.sources import SourceOptions
from datakit.errors import UsageError
from tests import tiny
from tests.datakit.datasets.test_own_tree import found, listed


def opened(root: Path, pattern: str, *names: str, layout: str | None = None, label: str = ""):
    """A set with these files, whose masks are called so."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return open_source(SourceSpec("o", layout, root), SourceOptions(ReadOptions(mask_names={label: pattern})))


FOUND = {
    "{stem}_seg.png": {"x.jpg": "x_seg.png", "sub/y.jpg": "sub/y_seg.png"},
    "{stem}-annotated.png": {"images/x.jpg": "masks/x-annotated.png", "images/s/y.jpg": "masks/s/y-annotated.png"},
    "{name}.png": {"x.jpg": "x.jpg.png"},
    "truth/{stem}.png": {"x.jpg": "truth/x.png", "y.png": "truth/y.png"},
    "truth/{folder}/{stem}_t.bmp": {"a/x.jpg": "truth/a/x_t.bmp", "b/x.jpg": "truth/b/x_t.bmp"},
    "{folder}/../{stem}.png": {},
    "{stem}_v*.png": {"x.jpg": "x_v3.png", "y.jpg": "y_v12.png"},
    "{STEM}.png": {},
    "A_{stem}.*": {"x.jpg": "a_X.png", "y.jpg": "A_y.bmp"},
    "masks/{stem}_old.png": {"images/x.jpg": "masks/x_old.png"},
}


@pytest.mark.parametrize("pattern", [pattern for pattern, names in FOUND.items() if names])
def test_a_pattern_finds_the_mask_of_every_photo(tmp_path: Path, pattern: str) -> None:
    """In the folder of masks, or beside the photo; letters of another case where there are none of the same."""
    names = FOUND[pattern]
    reader = opened(tmp_path, pattern, *names, *names.values())
    assert found(reader) == names and not reader.problems


OBJECTS = {
    "{stem}_*.png": {"x.jpg": ["x_a.png", "x_b.png"], "x_y.jpg": ["x_y_a.png"]},
    "masks/{stem}/*.png": {"p/x.jpg": ["masks/x/2.png", "masks/x/10.png"]},
    "*/{stem}.png": {"x.jpg": ["cat/x.png", "dog/x.png"], "y.jpg": ["dog/y.png"]},
    "*-{stem}.png": {"x.jpg": ["1-x.png", "2-x.png"]},
}


@pytest.mark.parametrize("pattern", OBJECTS)
def test_what_a_star_finds_is_one_object_each(tmp_path: Path, pattern: str) -> None:
    """In natural order; a mask belongs to the photo of the longest name."""
    names = OBJECTS[pattern]
    reader = opened(tmp_path, pattern, *names, *(mask for masks in names.values() for mask in masks))
    assert found(reader) == names and not reader.problems


REFUSED = {
    "mask.png": "every photo would have the same mask",
    "{stam}.png": "{stam} stands for nothing",
    "{stem.png": "a brace has no partner",
    "{stem}": "ends in no suffix of a mask",
    "{stem}.json": "ends in no suffix of a mask",
    "../{stem}.png": "leaves the folder of masks",
    "/data/{stem}.png": "leaves the folder of masks",
    "masks\\{stem}.png": "leaves the folder of masks",
    "*{stem}*.png": "on both sides",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_bad_pattern_is_refused_with_an_example(text: str) -> None:
    """What is wrong, and what a good one looks like."""
    with pytest.raises(UsageError) as caught:
        MaskPattern.parse(text, MASK_SUFFIXES)
    assert REFUSED[text] in str(caught.value) and "e.g. '{stem}_seg.png'" in str(caught.value)


def test_a_mask_that_two_photos_would_have_is_given_to_neither(tmp_path: Path) -> None:
    """Photos of one name in two folders, and no folder in the pattern."""
    reader = opened(tmp_path, "truth/{stem}.png", "a/x.jpg", "b/x.jpg", "truth/x.png", "a/y.jpg", "truth/y.png")
    assert found(reader) == {"a/y.jpg": "truth/y.png"}
    assert {each.key: each.reason for each in reader.problems} == {
        "o/a/x": "mask of two photos",
        "o/b/x": "mask of two photos",
    }
    assert "{folder}" in reader.problems[0].detail


def test_a_mask_without_its_photo_is_no_photo(tmp_path: Path) -> None:
    """Its name fits the pattern; what fits nothing is a photo without mask."""
    reader = opened(tmp_path, "{stem}_t.png", "x.jpg", "x_t.png", "gone_t.png", "y.jpg")
    assert {each.key: each.reason for each in reader.problems} == {"o/gone_t": "missing image", "o/y": "missing mask"}


def test_other_pictures_in_the_folder_of_masks_are_left_out(tmp_path: Path) -> None:
    """Nothing but what the pattern gives is a mask there."""
    reader = opened(tmp_path, "{stem}_t.png", "images/x.jpg", "masks/x_t.png", "masks/x.png")
    assert found(reader) == {"images/x.jpg": "masks/x_t.png"}
    assert [(each.kind, each.reason) for each in reader.problems] == [("left-out", "stray file")]


def test_a_pattern_chooses_between_masks_that_names_do_not_tell_apart(tmp_path: Path) -> None:
    """What `several masks` advises."""
    names = ("x.jpg", "x_mask.png", "x_gt.png")
    listed(tmp_path, "y.jpg", "y_gt.png", *names)
    reader = opened(tmp_path, "{stem}_gt.png")
    assert found(reader)["x.jpg"] == "x_gt.png"


def test_a_pattern_is_for_the_source_of_its_label(tmp_path: Path) -> None:
    """One of another label is not read by it."""
    names = ("x.jpg", "x_mask.png")
    assert found(opened(tmp_path, "{stem}_other.png", *names, label="else")) == {"x.jpg": "x_mask.png"}


def test_a_source_without_mask_files_refuses_a_pattern(tmp_path: Path) -> None:
    """Instead of passing it over."""
    root = tiny.coco(tmp_path)
    with pytest.raises(UsageError, match="read as coco"):
        opened(root, "{stem}.png", layout="coco")


def test_a_pattern_is_kept_with_what_was_built() -> None:
    """Only where it was given: settings of older shards are as they were."""
    assert "mask_names" not in ReadOptions().to_dict()
    assert ReadOptions(mask_names={"": "{stem}.png"}).to_dict()["mask_names"] == {"": "{stem}.png"}
