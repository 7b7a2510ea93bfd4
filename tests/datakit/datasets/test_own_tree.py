"""Photos and masks as people keep them: found by the words in names of files and folders, or not guessed at."""

from __future__ import annotations

from pathlib import Path

import pytest

from datakit.datasets import Reader
from datakit.errors import UsageError
from tests import tiny
from tests.contracts import check_reader


def listed(root: Path, *names: str) -> Reader:
    """A bare folder with these files, which listing does not open."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return tiny.opened("o", root)


def found(reader: Reader) -> dict[str, str | list[str]]:
    """Photo -> its mask, or those of its objects by number."""
    pairs: dict[str, str | list[str]] = {}
    for record in reader.records:
        held = record.annotation
        pairs[record.image] = [path for _, path, _ in held["objects"]] if isinstance(held, dict) else held[0]
    return pairs


ONE_MASK = {
    "a word behind": {"x.jpg": "x_mask.png", "y.jpg": "y_mask.png"},
    "upper case": {"X.JPG": "X_Mask.PNG", "y.JPEG": "y.MASK.png"},
    "a hyphen": {"x.jpg": "x-mask.png"},
    "gt": {"x.jpg": "x_gt.png"},
    "seg": {"x.jpg": "x_seg.png"},
    "label": {"x.jpg": "x_label.png"},
    "no separator": {"photo1.jpg": "photo1Mask.png"},
    "brackets": {"My Photo (1).jpg": "My Photo (1)_mask.png", "My Photo (2).jpg": "My Photo (2) mask.png"},
    "photos are PNG, too": {"x.png": "x_mask.png", "y.png": "y_mask.png"},
    "masks are JPEG": {"x.jpg": "x_mask.jpg"},
    "a word in front": {"x.jpg": "mask_x.png"},
    "a word of their own for photos": {"img_001.jpg": "mask_001.png", "img_002.jpg": "mask_002.png"},
    "a word behind photos": {"12_sat.jpg": "12_mask.png"},
    "two suffixes": {"x.jpg": "x.jpg.png", "y.jpg": "y.jpg.png"},
    "two suffixes and a word": {"x.jpg": "x.jpg___fuse.png"},
    "two folders": {"images/x.jpg": "labels/x.png"},
    "two folders and a word": {"PNGImages/F1.png": "PedMasks/F1_mask.png"},
    "annotations": {"images/x.jpg": "annotations/x.png"},
    "ground truth": {"original/x.jpg": "ground_truth/x.png"},
    "input and target": {"input/x.png": "target/x.png"},
    "classes of VOC": {"JPEGImages/x.jpg": "SegmentationClass/x.png"},
    "masks below the photos": {"x.jpg": "masks/x.png", "y.jpg": "masks/y.png"},
    "splits outside": {"train/images/a.jpg": "train/masks/a.png", "val/images/b.jpg": "val/masks/b.png"},
    "splits inside": {"images/train/a.jpg": "labels/train/a.png"},
    "splits in names": {"train_images/a.jpg": "train_masks/a.png"},
    "masks of a split as GIF": {"train/a_01.jpg": "train_masks/a_01_mask.gif"},
    "folders of classes": {"cat/a.jpg": "cat/a_mask.png", "dog/a.jpg": "dog/a_mask.png"},
    "a folder for each photo": {"s1/image.png": "s1/mask.png", "s2/image.png": "s2/mask.png"},
    "names that go on alike": {
        "1.jpg": "1_mask.png", "1_2.jpg": "1_2_mask.png", "10.jpg": "10_mask.png",
    },
    "both ways": {"a.jpg": "a.png", "b.jpg": "b_mask.png"},
    "two folders down": {"data/images/a.jpg": "data/gt/a.png"},
    "a folder of a longer name": {"images/x.jpg": "segmentation_maps/x.png", "images/y.jpg": "segmentation_maps/y.png"},
    "a folder of another version": {"images/x.jpg": "masks_v12b/x.png", "images/y.jpg": "masks_v12b/y.png"},
    "a folder of one class": {"images/x.jpg": "masks/cat/x.png", "images/y.jpg": "masks/cat/y.png"},
    "cut-outs": {"x.jpg": "x_cutout.png", "y.jpg": "y-removebg-preview.png"},
    "a folder of cut-outs": {"photos/x.jpg": "cutouts/x.png"},
    "two trees": {"Task1-2_Input/ISIC_1.jpg": "Task1_GroundTruth/ISIC_1_segmentation.png"},
    "two trees of numbers": {"slide_1/a.png": "gt_1/a.png", "slide_2/b.png": "gt_2/b.png"},
    "as labelme's old exporter": {"x_json/img.png": "x_json/label.png", "y_json/img.png": "y_json/label.png"},
}  # fmt: skip


@pytest.mark.parametrize("case", ONE_MASK)
def test_a_mask_is_found_by_its_name(tmp_path: Path, case: str) -> None:
    """Every photo has its own, and every file is one or the other."""
    reader = listed(tmp_path, *ONE_MASK[case], *ONE_MASK[case].values())
    assert found(reader) == ONE_MASK[case] and not reader.problems


OBJECTS = {
    "a number behind": {"x.jpg": ["x_0.png", "x_1.png"], "y.jpg": ["y_0.png"]},
    "two folders": {"images/x.jpg": ["masks/x_0.png", "masks/x_1.png"]},
    "a word and a number": {"images/x.jpg": ["masks/x_mask_1.png", "masks/x_mask_2.png"]},
    "a word with a number": {"x.jpg": ["x_mask1.png", "x_mask2.png"]},
    "a number and a word": {"x.jpg": ["x_1_mask.png", "x_2_mask.png"]},
    "a number in front": {"images/17.jpg": ["masks/obj1_17.png", "masks/obj2_17.png"]},
    "a number in brackets": {"images/17.jpg": ["masks/17 (1).png", "masks/17 (2).png"]},
    "a number behind a hash": {"images/17.jpg": ["masks/17#1.png", "masks/17#2.png"]},
    "a folder for each photo": {"images/x.jpg": ["masks/x/0.png", "masks/x/1.png"], "images/y.jpg": ["masks/y/0.png"]},
    "a folder beside the photo": {"x.jpg": ["x/0.png", "x/1.png"]},
    "a folder for each object": {"images/x.jpg": ["masks/0/x.png", "masks/1/x.png"], "images/y.jpg": ["masks/0/y.png"]},
    "a folder of objects": {"images/x.jpg": ["objects/x_1.png", "objects/x_2.png"]},
    "numbers beside an image": {"s1/image.png": ["s1/0.png", "s1/1.png"], "s2/image.png": ["s2/0.png"]},
    "folders of one photo": {"a/images/a.png": ["a/masks/f0.png", "a/masks/f1.png"]},
    "one folder for all of a photo": {"s1/image.png": ["s1/mask_0.png", "s1/mask_1.png"]},
    "names": {"images/x.jpg": ["masks/x/dog.png", "masks/x/person.png"]},
    "names behind": {"images/x.jpg": ["masks/x_dog.png", "masks/x_person.png"], "images/y.jpg": ["masks/y_dog.png"]},
    "ten and more": {"x.jpg": [f"x_{number}.png" for number in range(1, 13)]},
}


@pytest.mark.parametrize("case", OBJECTS)
def test_masks_of_one_object_each_are_found_by_their_names(tmp_path: Path, case: str) -> None:
    """In order of object."""
    names = OBJECTS[case]
    reader = listed(tmp_path, *names, *(mask for masks in names.values() for mask in masks))
    assert found(reader) == names and not reader.problems
    assert [reader.listed_samples(record) for record in reader.records] == [len(masks) for masks in names.values()]


def test_file_names_alone_tell_nothing_where_a_path_does(tmp_path: Path) -> None:
    """A test photo is not given the mask of a missing one."""
    reader = listed(tmp_path, "train/images/a.jpg", "train/masks/a.png", "train/masks/b.png", "test/images/b.jpg")
    assert found(reader) == {"train/images/a.jpg": "train/masks/a.png"}


def test_file_names_alone_tell_nothing_where_two_are_alike(tmp_path: Path) -> None:
    """Which of the two trees is meant is not guessed at."""
    with pytest.raises(UsageError, match="no known layout"):
        listed(tmp_path, "first_input/a.jpg", "second_input/a.jpg", "third_gt/a.png")


def test_a_set_whose_masks_all_go_on_in_one_unknown_word_has_one_mask_a_photo(tmp_path: Path) -> None:
    """`_bitmap` behind every name is how this set calls masks, and no object."""
    names = {"images/x.jpg": "masks/x_bitmap.png", "images/y.jpg": "masks/y_bitmap.png"}
    assert found(listed(tmp_path, *names, *names.values())) == names


def test_a_photo_of_somebody_with_a_mask_is_no_mask(tmp_path: Path) -> None:
    """Without its photo beside it, a word in a name tells nothing."""
    reader = listed(tmp_path, "person_mask.jpg", "person_mask.png", "cat.jpg", "cat.png")
    assert found(reader) == {"person_mask.jpg": "person_mask.png", "cat.jpg": "cat.png"}


def test_pictures_that_are_neither_are_left_out(tmp_path: Path) -> None:
    """Edges and overlays beside masks, and what VOC's tools draw for people."""
    others = ("x_edge.png", "x_overlay.jpg", "SegmentationClassVisualization/x.jpg")
    reader = listed(tmp_path, "x.jpg", "x_mask.png", *others)
    assert found(reader) == {"x.jpg": "x_mask.png"}
    assert {(each.kind, each.reason) for each in reader.problems} == {("left-out", "stray file")}
    assert len(reader.problems) == len(others)


def test_a_split_without_masks_is_left_out(tmp_path: Path) -> None:
    """A photo that has none beside others that have is damage; a folder of photos without any is a test split."""
    reader = listed(tmp_path, "train/images/a.jpg", "train/masks/a.png", "train/images/b.jpg", "test/images/c.jpg")
    assert {each.key: (each.kind, each.reason) for each in reader.problems} == {
        "o/train/b": ("failed", "missing mask"),
        "o/test/c": ("left-out", "no mask"),
    }


def test_of_two_folders_of_masks_that_of_objects_is_read(tmp_path: Path) -> None:
    """The classes of VOC are told to be left out."""
    reader = listed(tmp_path, "photos/x.jpg", "SegmentationObject/x.png", "SegmentationClass/x.png")
    assert found(reader) == {"photos/x.jpg": "SegmentationObject/x.png"}
    assert "has a mask of instances in SegmentationObject" in reader.problems[0].detail


def test_masks_by_people_and_by_machine_are_no_two_objects(tmp_path: Path) -> None:
    """Two folders of masks of all objects: which is meant is not guessed at."""
    names = ("img/x.jpg", "masks_human/x.png", "masks_machine/x.png", "img/y.jpg", "masks_human/y.png")
    reader = listed(tmp_path, *names)
    assert found(reader) == {"img/y.jpg": "masks_human/y.png"}
    assert [each.reason for each in reader.problems] == ["several masks"]


def test_two_folders_of_masks_are_one_problem(tmp_path: Path) -> None:
    """Neither is guessed at."""
    reader = listed(tmp_path, "photos/x.jpg", "masks/x.png", "labels/x.png", "photos/y.jpg", "masks/y.png")
    assert found(reader) == {"photos/y.jpg": "masks/y.png"}
    (problem,) = reader.problems
    assert (problem.key, problem.kind, problem.reason) == ("o/x", "failed", "several masks")


def test_photos_of_one_name_in_two_folders_are_two(tmp_path: Path) -> None:
    """None is lost: their keys are their whole paths, and neither is given the one mask."""
    reader = listed(tmp_path, "rgb/x.jpg", "photos/x.jpg", "masks/x.png", "photos/y.jpg", "masks/y.png")
    assert found(reader) == {"photos/y.jpg": "masks/y.png"}
    assert {each.key: each.reason for each in reader.problems} == {
        "o/rgb/x": "missing mask",
        "o/photos/x": "missing mask",
        "o/x": "missing image",
    }


@pytest.mark.parametrize("names", [("a.jpg", "b.jpg"), ("a.jpg", "c.png"), ("a.png", "a_1.png"), ("masks/a.png",)])
def test_a_folder_without_a_mask_is_no_set(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Photos, photos of two formats, photos with numbers, masks alone."""
    with pytest.raises(UsageError, match="no known layout"):
        listed(tmp_path, *names)


def test_what_was_recognised_is_said_with_an_example(tmp_path: Path) -> None:
    """One mask and its photo."""
    from datakit.datasets import recognise

    listed(tmp_path, "x.jpg", "x_0.png", "x_1.png")
    assert recognise(tmp_path)[1].endswith("taken for pairs, for x_0.png and 1 more beside x.jpg")


def test_a_folder_of_photos_and_masks_keeps_the_contract(tmp_path: Path) -> None:
    """Sorted, sliced, travelled, read twice."""
    for number in (1, 2, 3):
        tiny.write_picture(tmp_path / f"{number}.jpg", tiny.picture(number))
        tiny.write_grey(tmp_path / f"{number}_mask.png", tiny.mask(number) * 255)
    check_reader(tiny.opened("o", tmp_path))
