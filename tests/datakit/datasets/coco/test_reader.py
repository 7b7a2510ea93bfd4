"""COCO instances: every way to write an outline, crowds, and files that lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datakit.datasets import ReadOptions
from datakit.errors import UsageError
from datakit.rle import encode_rle
from datakit.samples import Scene
from tests import tiny
from tests.contracts import check_reader

ALL = ReadOptions(min_area=0, crowds=True)


def one_photo(root: Path, *segmentations: Any, options: ReadOptions = ALL, **entry: Any) -> Scene:
    """The scene of a photo with these segmentations, ids from 1."""
    tiny.write_picture(root / "val2017" / "a.jpg", tiny.picture(1))
    image = {"id": 7, "file_name": "a.jpg", "height": 48, "width": 64, **entry}
    annotations = [
        {"id": number, "image_id": 7, "iscrowd": 0, "segmentation": each}
        for number, each in enumerate(segmentations, 1)
    ]
    reader = tiny.opened("c", tiny.coco_file(root, [image], annotations), options=options)
    check_reader(reader)
    return reader[0]


def edit(file: Path, change: Any) -> Path:
    """The instances file after `change` was applied to its document."""
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))
    return file


def test_polygon_and_both_run_lengths_give_one_mask(tmp_path: Path) -> None:
    """The same object as polygon, compressed string and list of runs."""
    mask = np.zeros(tiny.SIZE, np.uint8)
    mask[10:20, 8:24] = 1
    runs = np.diff(np.flatnonzero(np.diff(mask.T.ravel(), prepend=2, append=2))).tolist()
    polygon = [[8, 10, 24, 10, 24, 20, 8, 20]]
    text = {"size": [48, 64], "counts": encode_rle(mask).decode()}
    scene = one_photo(tmp_path, polygon, text, {"size": [48, 64], "counts": runs})
    assert len(scene.samples) == 3 and all(np.array_equal(sample.mask, mask) for sample in scene.samples)
    assert [sample.key for sample in scene.samples] == ["c/a#1", "c/a#2", "c/a#3"]


def test_crowds_and_small_objects_are_left_out_by_default(tmp_path: Path) -> None:
    """Each with its own reason; both come back when asked for."""
    file = tiny.coco(tmp_path)
    scene = tiny.opened("c", file)[0]
    assert [sample.object_id for sample in scene.samples] == [1]
    found = {(problem.key, problem.kind, problem.stage, problem.reason) for problem in scene.problems}
    assert found == {
        ("c/000000000001#7", "left-out", "select", "crowd"),
        ("c/000000000001#2", "left-out", "select", "under minimum area"),
    }
    assert [sample.object_id for sample in tiny.opened("c", file, options=ALL)[0].samples] == [1, 2, 7]


def test_merged_objects_are_one_sample(tmp_path: Path) -> None:
    """The union of the kept objects, under the photo's key."""
    file = tiny.coco(tmp_path)
    each = tiny.opened("c", file, options=ReadOptions(min_area=0))[0].samples
    (merged,) = tiny.opened("c", file, options=ReadOptions(min_area=0, objects="merged"))[0].samples
    assert merged.key == "c/000000000001" and np.array_equal(merged.mask, each[0].mask | each[1].mask)


@pytest.mark.parametrize(
    ("segmentation", "reason"),
    [
        ([[1, 2, 30, 40]], "broken polygon"),
        ([[1, 2, 3, 4, 5]], "broken polygon"),
        ([], "broken polygon"),
        ([[1, 2, 3, 4, 5, "x"]], "broken polygon"),
        ([[0, 0, 1e9, 0, 1e9, 1e9]], "broken polygon"),
        ([[0, 0, float("nan"), 0, 9, 9]], "broken polygon"),
        ([3, 4, 5], "broken polygon"),
        ({"counts": [10, 20], "size": [48, 64]}, "broken run lengths"),
        ({"counts": [-5, 48 * 64 + 5], "size": [48, 64]}, "broken run lengths"),
        ({"counts": [10**30], "size": [48, 64]}, "broken run lengths"),
        ({"counts": [1.5, 3070.5], "size": [48, 64]}, "broken run lengths"),
        ({"counts": "zz0z", "size": [48, 64]}, "broken run lengths"),
        ({"counts": "é", "size": [48, 64]}, "broken run lengths"),
        ({"counts": [48 * 64], "size": [64, 48]}, "broken run lengths"),
        ({"counts": [48 * 64], "size": 5}, "broken run lengths"),
        ({}, "broken run lengths"),
        (None, "no segmentation"),
        ("text", "no segmentation"),
    ],
)
def test_broken_outline_costs_its_object_only(tmp_path: Path, segmentation: Any, reason: str) -> None:
    """A broken annotation is failed with its reason; its neighbour is read."""
    scene = one_photo(tmp_path, segmentation, [[8, 10, 24, 10, 24, 20, 8, 20]])
    assert [sample.object_id for sample in scene.samples] == [2]
    assert [(p.key, p.kind, p.stage, p.reason) for p in scene.problems] == [("c/a#1", "failed", "mask", reason)]


def test_outline_without_a_pixel_is_an_empty_mask(tmp_path: Path) -> None:
    """A polygon too thin for a pixel, one a pixel beside the picture, and run lengths of ground only."""
    beside = [[64, 1, 65, 1, 65, 9, 64, 9]]
    scene = one_photo(tmp_path, [[9, 1, 9.01, 1, 9.01, 9]], beside, {"counts": [48 * 64], "size": [48, 64]})
    assert [(p.kind, p.reason) for p in scene.problems] == [("left-out", "empty mask")] * 3


def test_size_mismatch_fails_every_object(tmp_path: Path) -> None:
    """The file was annotated at another size than the photo has: both sizes are named."""
    scene = one_photo(tmp_path, [[1, 1, 9, 1, 9, 9]], [[2, 2, 9, 2, 9, 9]], height=96, width=128)
    assert [(p.key, p.reason) for p in scene.problems] == [("c/a#1", "size mismatch"), ("c/a#2", "size mismatch")]
    assert "(96, 128)" in scene.problems[0].detail and "(48, 64)" in scene.problems[0].detail


def test_truncated_photo_fails_every_object(tmp_path: Path) -> None:
    """Annotations can be counted although the photo is damaged."""
    file = tiny.coco(tmp_path)
    photo = tmp_path / "val2017" / "000000000002.jpg"
    photo.write_bytes(photo.read_bytes()[:-30])
    scene = tiny.opened("c", file)[1]
    assert [(p.key, p.reason) for p in scene.problems] == [
        ("c/000000000002#3", "truncated image"),
        ("c/000000000002#4", "truncated image"),
    ]


def test_rotated_photo_turns_its_objects(tmp_path: Path) -> None:
    """Annotations on the stored pixels follow the photo."""
    file = tiny.coco(tmp_path, 1)
    tiny.write_rotated_jpeg(tmp_path / "val2017" / "000000000001.jpg", tiny.picture(1), 6)
    sample = tiny.opened("c", file)[0].samples[0]
    red = (sample.image[..., 0] > 200) & (sample.image[..., 2] < 90)
    assert sample.mask.shape == (64, 48) and red[sample.mask > 0].mean() > 0.95


def test_missing_size_is_taken_from_the_photo(tmp_path: Path) -> None:
    """height and width are left out by some exporters."""
    assert len(one_photo(tmp_path, [[1, 1, 9, 1, 9, 9]], height=None).samples) == 1


def listing_problems(root: Path, change: Any) -> list[tuple[str, str, str]]:
    """(key, kind, reason) after a change to a sound file of three photos."""
    reader = tiny.opened("c", edit(tiny.coco(root), change))
    check_reader(reader)
    return [(problem.key, problem.kind, problem.reason) for problem in reader.problems]


@pytest.mark.parametrize("name", ["/etc/passwd", "../a.jpg", "sub/../../a.jpg", "..\\a.jpg"])
def test_path_outside_the_source_is_refused(tmp_path: Path, name: str) -> None:
    """A file_name may not leave the folder of photos, whatever the slashes."""

    def change(document: Any) -> None:
        document["images"][2]["file_name"] = name
        document["annotations"] = document["annotations"][:4]

    assert listing_problems(tmp_path, change) == [
        ("c/000000000003.jpg", "left-out", "not listed"),
        ("c/photo-2", "failed", "path outside the source"),
    ]


def test_photo_without_annotation_is_left_out(tmp_path: Path) -> None:
    """`no object` is a choice of the annotators."""

    def change(document: Any) -> None:
        document["annotations"] = [each for each in document["annotations"] if each["image_id"] != 2]

    assert listing_problems(tmp_path, change) == [("c/000000000002", "left-out", "no object")]


def test_annotations_of_an_unknown_photo_are_failed(tmp_path: Path) -> None:
    """One line for every such annotation."""

    def change(document: Any) -> None:
        del document["images"][2]

    assert listing_problems(tmp_path, change) == [
        ("c/000000000003.jpg", "left-out", "not listed"),
        ("c/image-3#5", "failed", "unknown image"),
        ("c/image-3#6", "failed", "unknown image"),
    ]


def test_missing_photo_fails_all_its_annotations(tmp_path: Path) -> None:
    """The file is listed in the JSON but not on disk."""
    file = tiny.coco(tmp_path)
    (tmp_path / "val2017" / "000000000003.jpg").unlink()
    reader = tiny.opened("c", file)
    assert [(p.key, p.reason) for p in reader.problems] == [
        ("c/000000000003#5", "missing image"),
        ("c/000000000003#6", "missing image"),
    ]


def test_broken_entries_are_counted_one_by_one(tmp_path: Path) -> None:
    """Doubled ids, entries without ids, entries that are no objects."""

    def change(document: Any) -> None:
        document["annotations"] += [{"id": 1, "image_id": 2}, {"id": "x", "image_id": 2}, 5, {"id": 99}]
        document["images"] += [{"id": 9}, "x", {"id": 10, "file_name": "000000000001.jpg", "height": 9, "width": 9}]

    reasons = [reason for _, _, reason in listing_problems(tmp_path, change)]
    assert sorted(reasons) == [
        *["broken annotation"] * 3,
        *["broken image entry"] * 2,
        "duplicate annotation id",
        "duplicate name",
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"images": [], "annotations": 5}', "[" * 100_000, "\x00"])
def test_other_json_is_a_usage_error(tmp_path: Path, text: str) -> None:
    """What is no instances file is named before anything is read."""
    file = tiny.coco(tmp_path)
    file.write_text(text)
    with pytest.raises(UsageError, match="instances file"):
        tiny.opened("c", file)


def test_photos_are_found_beside_or_as_told(tmp_path: Path) -> None:
    """images/val2017 is a standard place too; outside of the set they are given."""
    root = tmp_path / "set"
    file = tiny.coco(root)
    (root / "images").mkdir()
    (root / "val2017").rename(root / "images" / "val2017")
    assert len(tiny.opened("c", file)) == 3
    (root / "images").rename(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="--images"):
        tiny.opened("c", file)
    assert len(tiny.opened("c", file, images=tmp_path / "elsewhere" / "val2017")) == 3


def test_photos_in_subfolders_keep_them_in_their_keys(tmp_path: Path) -> None:
    """file_name with a folder."""
    file = tiny.coco(tmp_path, 1)
    (tmp_path / "val2017" / "sub").mkdir()
    (tmp_path / "val2017" / "000000000001.jpg").rename(tmp_path / "val2017" / "sub" / "x.jpg")
    edit(file, lambda document: document["images"][0].update(file_name="./sub/x.jpg"))
    assert tiny.opened("c", file)[0].key == "c/sub/x"
