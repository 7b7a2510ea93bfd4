"""COCO instances as they lie on disk: Roboflow's splits, Label Studio's exports, LVIS, several files in one root.

Pixels are those of pycocotools 2.0.11, run on what label-studio-sdk 2.1.2 and Roboflow export.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from datakit.datasets import AnyReader, ReadOptions, recognise
from datakit.datasets.coco.doubts import REASON
from datakit.datasets.coco.layouts import COCO
from datakit.errors import UsageError
from tests import tiny
from tests.contracts import check_reader

SMALL = ReadOptions(min_area=0)
HASH = "68cb444f62494b5756c4708d119a66da"
OUTLINE = [[8, 10, 24, 10, 24, 20, 8, 20]]


def keys(reader: AnyReader) -> list[str]:
    """Of all samples."""
    return [sample.key for scene in reader for sample in scene.samples]


def written(file: Path, *photos: str, **more: Any) -> Path:
    """An instances file that gives each photo one object; ids from 0."""
    images = [{"id": n, "file_name": name, "height": 48, "width": 64} for n, name in enumerate(photos)]
    annotations = [
        {"id": n, "image_id": n, "segmentation": OUTLINE, "category_id": 0, **more} for n in range(len(photos))
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"images": images, "annotations": annotations}))
    return file


def photo(root: Path, name: str) -> None:
    """Some photo."""
    tiny.write_picture(root / name, tiny.picture(len(name)))


def test_splits_are_one_source_whose_keys_begin_with_the_split(tmp_path: Path) -> None:
    """Ids begin anew in each split, with 0."""
    reader = tiny.opened("r", tiny.roboflow(tmp_path), options=SMALL)
    assert reader.layout == "roboflow"
    assert keys(reader) == [
        f"r/{split}/photo{number}_jpg.rf.{number % 2:032x}#{number % 2}"
        for split, number in (("train", 0), ("train", 1), ("valid", 2), ("valid", 3))
    ]


def test_one_split_is_a_source_too(tmp_path: Path) -> None:
    """The file beside the photos, without the split in the keys."""
    reader = tiny.opened("r", tiny.roboflow(tmp_path) / "valid", options=SMALL)
    assert reader.layout == "coco" and keys(reader)[0] == f"r/photo2_jpg.rf.{0:032x}#0"


def test_what_is_wrong_in_a_split_names_the_split(tmp_path: Path) -> None:
    """A missing photo, a photo that is not listed, a broken entry, and a box that contradicts its outline."""
    root = tmp_path
    for split in ("train", "test"):
        photo(root / split, "a.jpg")
        photo(root / split, "b.jpg")
        file = written(root / split / "_annotations.coco.json", "a.jpg", "gone.jpg", bbox=[30, 30, 9, 9])
        document = json.loads(file.read_text())
        document["annotations"].append(5)
        file.write_text(json.dumps(document))
    reader = tiny.opened("r", root, options=SMALL)
    check_reader(reader)
    assert [(problem.key, problem.reason) for problem in reader.problems] == [
        (f"r/{split}/{name}", reason)
        for split in ("test", "train")
        for name, reason in (
            ("annotation-2", "broken annotation"),
            ("b.jpg", "not listed"),
            ("gone#1", "missing image"),
        )
    ]
    assert all("_annotations.coco.json" in problem.detail for problem in reader.problems)
    notes = [note for scene in pickle.loads(pickle.dumps(reader[1:])) for note in scene.notes]
    assert [(note.key, note.reason) for note in notes] == [("r/train/a#0", REASON)]


def test_photos_of_splits_may_lie_elsewhere(tmp_path: Path) -> None:
    """--images names the folder of the splits."""
    root = tiny.roboflow(tmp_path / "set")
    for split in ("train", "valid"):
        (root / split).rename(tmp_path / split)
        (root / split).mkdir()
        (tmp_path / split / "_annotations.coco.json").rename(root / split / "_annotations.coco.json")
    assert len(keys(tiny.opened("r", root, images=tmp_path, options=SMALL))) == 4


def test_a_split_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    """Nothing outside of the root is opened."""
    root = tiny.roboflow(tmp_path / "set")
    tiny.roboflow(tmp_path / "outside")
    (root / "test").symlink_to(tmp_path / "outside" / "train")
    assert {key.split("/")[1] for key in keys(tiny.opened("r", root, options=SMALL))} == {"train", "valid"}


def test_a_root_without_splits_is_none_of_roboflow(tmp_path: Path) -> None:
    """Named as such, with what was expected."""
    with pytest.raises(UsageError, match="folders such as train"):
        tiny.opened("r", tmp_path, "roboflow")


def test_several_files_in_one_root_are_named_with_what_to_write(tmp_path: Path) -> None:
    """Validation photos are not to slip into training, so nobody guesses."""
    for split in ("train2017", "val2017"):
        photo(tmp_path / split, "a.jpg")
        written(tmp_path / f"annotations/instances_{split}.json", "a.jpg")
    with pytest.raises(UsageError) as caught:
        recognise(tmp_path)
    way_out = f"train2017={tmp_path}/annotations/instances_train2017.json"
    assert "instances_val2017.json" in str(caught.value) and way_out in str(caught.value)
    label, _, file = way_out.partition("=")
    assert keys(tiny.opened(label, Path(file), options=SMALL)) == ["train2017/a#0"]


LABEL_STUDIO = {
    "COCO": ("result.json", "/data/upload/1/0f1e-a.jpg", [[8.0, 12.0, 32.0, 12.0, 32.0, 36.0, 8.0, 36.0]], 576),
    "COCO with images": ("result.json", "images/0f1e-a.jpg", [[8.0, 12.0, 32.0, 12.0, 32.0, 36.0, 8.0, 36.0]], 576),
    "COCO with images, Windows": ("result.json", "images\\0f1e-a.jpg", [[8, 12, 32, 12, 32, 36, 8, 36]], 576),
    "brushes to COCO": ("result_coco.json", "0f1e-a.jpg", [
        [24, 8, 23, 9, 20, 9, 19, 10, 18, 10, 14, 14, 14, 15, 13, 16, 13, 19, 12, 20, 13, 21, 13, 24, 14, 25, 14, 26,
         18, 30, 19, 30, 20, 31, 23, 31, 24, 32, 25, 31, 28, 31, 29, 30, 30, 30, 34, 26, 34, 25, 35, 24, 35, 21, 36, 20,
         35, 19, 35, 16, 34, 15, 34, 14, 30, 10, 29, 10, 28, 9, 25, 9]], 408),
}  # fmt: skip


@pytest.mark.parametrize("name", LABEL_STUDIO)
def test_exports_of_label_studio_are_read(tmp_path: Path, name: str) -> None:
    """A polygon or the contour of a brush, and a box, which has no outline; ids from 0, `ignore` beside `iscrowd`."""
    file, path, segmentation, pixels = LABEL_STUDIO[name]
    photo(tmp_path / "images", "0f1e-a.jpg")
    more = {"image_id": 0, "category_id": 1, "iscrowd": 0, "ignore": 0}
    annotations = [
        {"id": 0, "segmentation": segmentation, "bbox": [8.0, 12.0, 24.0, 24.0], **more},
        {"id": 1, "segmentation": [], "bbox": [6.4, 4.8, 12.8, 9.6], "area": 122.88, **more},
    ]
    images = [{"width": 64, "height": 48, "id": 0, "file_name": path}]
    (tmp_path / file).write_text(json.dumps({"images": images, "annotations": annotations}))
    assert recognise(tmp_path)[0] == "coco"
    reader = tiny.opened("c", tmp_path, options=SMALL)
    (scene,) = reader
    assert [(sample.object_id, int(sample.mask.sum())) for sample in scene.samples] == [(0, pixels)]
    assert [problem.reason for problem in scene.problems] == ["box only"] and not reader.problems


def test_an_export_of_label_studio_alone_takes_photos_from_elsewhere(tmp_path: Path) -> None:
    """Its plain export holds no photos: --images says where they are, and the root is not taken for masks."""
    photo(tmp_path / "up", "0f1e-a.jpg")
    written(tmp_path / "export" / "result.json", "/data/upload/1/0f1e-a.jpg")
    assert keys(tiny.opened("c", tmp_path / "export", images=tmp_path / "up", options=SMALL)) == ["c/0f1e-a#0"]


@pytest.mark.parametrize("place", ["", "annotations/"])
def test_lvis_is_read_from_both_folders_of_coco(tmp_path: Path, place: str) -> None:
    """Its validation photos lie in train2017 and in val2017; it has neither `file_name` nor `iscrowd`."""
    photo(tmp_path / "train2017", "000000391895.jpg")
    photo(tmp_path / "val2017", "000000000139.jpg")
    file = written(tmp_path / f"{place}lvis_v1_val.json", "train2017/000000391895.jpg", "val2017/000000000139.jpg")
    document = json.loads(file.read_text())
    for each in document["images"]:
        each["coco_url"] = f"http://images.cocodataset.org/{each.pop('file_name')}"
    file.write_text(json.dumps(document))
    (file.parent / "lvis_v1_image_info_test_dev.json").write_text("{}")
    reader = tiny.opened("c", tmp_path, options=SMALL)
    assert reader.layout == "coco" and not reader.problems
    assert keys(reader) == ["c/train2017/000000391895#0", "c/val2017/000000000139#1"]


@pytest.mark.parametrize("photos", ["images/", "", "imgs/", "data/"])
@pytest.mark.parametrize(
    "name",
    ["annotations.json", "instances_default.json", "train.json", "coco.json", "result.json", "labels/coco.json"]
    + [f"annotations/{each}.json" for each in ("instances_default", "train", "x")],
)
def test_a_folder_is_recognised_by_what_its_file_holds(tmp_path: Path, name: str, photos: str) -> None:
    """Whatever the file and the folder of photos are called."""
    photo(tmp_path / photos, "a.jpg")
    photo(tmp_path / photos, "b.jpg")
    written(tmp_path / name, "a.jpg", "b.jpg")
    assert recognise(tmp_path)[0] == "coco"
    assert keys(tiny.opened("c", tmp_path, options=SMALL)) == ["c/a#0", "c/b#1"]
    assert keys(tiny.opened("c", tmp_path, "coco", options=SMALL)) == ["c/a#0", "c/b#1"]


@pytest.mark.parametrize("order", [("images", "annotations"), ("annotations", "images")])
def test_a_long_file_is_recognised_whatever_its_order(tmp_path: Path, order: tuple[str, str]) -> None:
    """Its second list begins far behind what is read of it."""
    photo(tmp_path, "a.jpg")
    file = written(tmp_path / "all.json", "a.jpg", *(f"{n}.jpg" for n in range(2000)))
    document = json.loads(file.read_text())
    file.write_text(json.dumps({name: document[name] for name in order}))
    assert recognise(tmp_path) == ("coco", f"{tmp_path.name}: taken for coco, for what all.json holds")


@pytest.mark.parametrize(
    "more", [{"segments_info": [], "segmentation": 1}, {"video_id": 1}, {"segmentation": 0, "shapes": []}]
)
def test_files_of_other_kinds_are_not_taken_for_coco(tmp_path: Path, more: dict[str, Any]) -> None:
    """Though they have its words."""
    photo(tmp_path, "a.jpg")
    assert COCO.match(tmp_path) is None
    written(tmp_path / "all.json", "a.jpg", **more)
    assert COCO.match(tmp_path) is None


def test_several_files_by_content_are_named_with_what_to_write(tmp_path: Path) -> None:
    """Each is a source of its own, whose label is its name; of equal names they are counted."""
    photo(tmp_path / "images", "a.jpg")
    for name in ("train", "val"):
        written(tmp_path / f"annotations/{name}.json", "a.jpg")
    with pytest.raises(UsageError) as caught:
        tiny.opened("c", tmp_path)
    folder = tmp_path / "annotations"
    assert str(caught.value).endswith(f"of its own: train={folder}/train.json val={folder}/val.json")
    written(tmp_path / "more/val.json", "a.jpg")
    with pytest.raises(UsageError, match=r"train=\S+ val2=\S+ val3=\S+"):
        tiny.opened("c", tmp_path)


def test_masks_go_before_a_file_told_by_its_contents(tmp_path: Path) -> None:
    """What was read as pairs stays so."""
    tiny.ecssd(tmp_path)
    written(tmp_path / "coco.json", "0001.jpg")
    assert recognise(tmp_path)[0] != "coco"


def test_a_link_is_no_folder_of_photos_that_is_found_by_itself(tmp_path: Path) -> None:
    """Nothing outside of the root is opened."""
    photo(tmp_path / "outside", "a.jpg")
    file = written(tmp_path / "set" / "coco.json", "a.jpg")
    (file.parent / "pics").symlink_to(tmp_path / "outside")
    with pytest.raises(UsageError, match="its photos are in none of"):
        tiny.opened("c", file.parent, options=SMALL)
