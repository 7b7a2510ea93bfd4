"""The bookkeeping of instances files as tools write them: ids, crowds, boxes, names, and other kinds of files."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datakit.datasets import ReadOptions
from datakit.datasets.coco.entries import whole
from datakit.datasets.coco.reader import LISTED
from datakit.errors import UsageError
from datakit.files import canonical_json
from tests import tiny
from tests.contracts import check_reader

OPTIONS = ReadOptions(min_area=0)
OUTLINE = [[8, 10, 24, 10, 24, 20, 8, 20]]


def opened(root: Path, annotations: list[Any], *ids: Any, options: ReadOptions = OPTIONS) -> Any:
    """Photos 0.jpg, 1.jpg … of these ids (7 where none is given) with these annotations."""
    images = []
    for position, number in enumerate(ids or (7,)):
        tiny.write_picture(root / "val2017" / f"{position}.jpg", tiny.picture(position))
        images.append({"id": number, "file_name": f"{position}.jpg", "height": 48, "width": 64})
    return tiny.opened("c", tiny.coco_file(root, images, annotations), options=options)


def told(reader: Any) -> list[tuple[str, str, str]]:
    """(key, kind, reason) of all problems."""
    scenes = [reader[index] for index in range(len(reader))]
    problems = [*reader.problems, *(problem for scene in scenes for problem in scene.problems)]
    return sorted((problem.key, problem.kind, problem.reason) for problem in problems)


def samples(reader: Any) -> list[str]:
    return sorted(sample.key for index in range(len(reader)) for sample in reader[index].samples)


WAYS = [7, 7.0, "7", "7.0"]


@pytest.mark.parametrize(("image", "meant"), list(itertools.product([7, 7.0, "7"], WAYS)))
def test_ids_match_however_they_are_written(tmp_path: Path, image: Any, meant: Any) -> None:
    """Numbers, text and numbers with a point; beside a photo of another id."""
    reader = opened(tmp_path, [{"id": 1, "image_id": meant, "segmentation": OUTLINE}], image, 8)
    check_reader(reader)
    assert samples(reader) == ["c/0#1"] and told(reader) == [("c/1", "left-out", "no object")]


def test_text_and_number_of_two_photos_stay_apart(tmp_path: Path) -> None:
    """7 and "7" may be two photos; then each is meant by its own way, and 7.0 is the number."""
    annotations = [{"id": n, "image_id": way, "segmentation": OUTLINE} for n, way in enumerate(WAYS, 1)]
    reader = opened(tmp_path, annotations, 7, "7")
    assert samples(reader) == ["c/0#1", "c/0#2", "c/1#3"]
    assert told(reader) == [("c/image-7.0#4", "failed", "unknown image")]


@pytest.mark.parametrize("number", [5, 5.0, "5", "5.0"])
def test_annotation_ids_may_be_text(tmp_path: Path, number: Any) -> None:
    """The object's number is 5, and the record that of a plain 5."""
    reader = opened(tmp_path, [{"id": number, "image_id": 7, "segmentation": OUTLINE}])
    assert samples(reader) == ["c/0#5"] and reader.records[0].annotation["objects"][0]["id"] == 5


def test_ids_that_are_one_number_twice_are_named(tmp_path: Path) -> None:
    """5 and "5" cannot both be the object 5."""
    annotations = [{"id": number, "image_id": 7, "segmentation": OUTLINE} for number in (5, "5")]
    reader = opened(tmp_path, annotations)
    assert samples(reader) == ["c/0#5"] and told(reader) == [("c/annotation-1", "failed", "duplicate annotation id")]


def listed_twice(root: Path, second: dict[str, Any], *annotations: dict[str, Any]) -> Any:
    """Photo a.jpg of the id 7, named again by another entry."""
    tiny.write_picture(root / "val2017" / "a.jpg", tiny.picture(1))
    images = [{"id": 7, "file_name": "a.jpg", "height": 48, "width": 64}, {"file_name": "a.jpg", **second}]
    return tiny.opened("c", tiny.coco_file(root, images, list(annotations)), options=OPTIONS)


@pytest.mark.parametrize("second", [{"id": 8}, {"id": 8, "height": 48, "width": 64}, {"id": 7}, {"id": "7"}])
def test_a_photo_listed_twice_is_one_with_all_objects(tmp_path: Path, second: dict[str, Any]) -> None:
    """By another id or by the same; it is told, and a slice tells it, too."""
    annotations = [{"id": 2, "image_id": 7, "segmentation": OUTLINE}, {"id": 1, "image_id": 8, "segmentation": OUTLINE}]
    annotations[1]["image_id"] = second["id"]
    reader = listed_twice(tmp_path, second, *annotations)
    check_reader(reader)
    assert samples(reader) == ["c/a#1", "c/a#2"] and not told(reader)
    (note,) = reader[0:][0].notes
    assert (note.key, note.reason) == ("c/a", LISTED) and "2 entries" in note.detail


def test_a_photo_listed_twice_and_annotated_once_is_no_photo_without_object(tmp_path: Path) -> None:
    """Whichever of both entries the objects belong to."""
    for number in (7, 8):
        annotation = {"id": 1, "image_id": number, "segmentation": OUTLINE}
        reader = listed_twice(tmp_path / str(number), {"id": 8}, annotation)
        assert samples(reader) == ["c/a#1"] and not told(reader)


def test_a_photo_listed_twice_with_two_sizes_keeps_the_first(tmp_path: Path) -> None:
    """The objects of the other were drawn on another picture."""
    annotations = [{"id": n, "image_id": n, "segmentation": OUTLINE} for n in (7, 8)]
    reader = listed_twice(tmp_path, {"id": 8, "height": 96, "width": 128}, *annotations)
    assert samples(reader) == ["c/a#7"] and told(reader) == [("c/a#8", "failed", "duplicate name")]
    assert "[48, 64]" in reader.problems[0].detail and "[96, 128]" in reader.problems[0].detail


@pytest.mark.parametrize("lacking", ["area", "iscrowd", "id", "bbox", "category_id"])
@pytest.mark.parametrize("null", [False, True])
def test_an_annotation_needs_its_photo_and_its_outline_alone(tmp_path: Path, lacking: str, null: bool) -> None:
    """Everything else may be missing, or null; ids may be 0."""
    whole = {"id": 0, "area": 160, "iscrowd": 0, "bbox": [8, 10, 16, 10], "category_id": 0}
    left = {key: value for key, value in whole.items() if key != lacking} | ({lacking: None} if null else {})
    reader = opened(tmp_path, [{**left, "image_id": 0, "segmentation": OUTLINE}], 0)
    assert samples(reader) == [f"c/0#{0 if 'id' in left and left['id'] == 0 else 1}"] and not told(reader)


@pytest.mark.parametrize(
    "segmentation",
    [
        [[8, 10, 24, 10, 24, 20, 1e999, 20]],
        [[[8, 10], [24, 10], [1e999, 20]]],
        {"size": [48, 64], "counts": [1e999, 5]},
        {"all_points_x": [8, 24, -1e999], "all_points_y": [10, 10, 20]},
    ],
)
def test_numbers_that_no_float_holds_are_kept_as_their_names(tmp_path: Path, segmentation: Any) -> None:
    """So that a record can be hashed; drawing then says what is wrong."""
    file = tmp_path / "annotations/instances_val2017.json"
    opened(tmp_path, [{"id": 1, "image_id": 7, "segmentation": segmentation, "bbox": [8, 10, 16, 10], "area": 160}])
    file.write_text(file.read_text().replace("Infinity", "1e999"))
    reader = tiny.opened("c", file, options=OPTIONS)
    assert "inf" in canonical_json(reader.records[0])
    assert told(reader) in ([("c/0#1", "failed", "broken polygon")], [("c/0#1", "failed", "broken run lengths")])


def test_missing_ids_are_numbered_by_position(tmp_path: Path) -> None:
    """From 1 where there is none at all, else behind the largest; null is missing, too."""
    bare = {"image_id": 7, "segmentation": OUTLINE}
    assert samples(opened(tmp_path / "a", [bare, {**bare, "id": None}, bare])) == ["c/0#1", "c/0#2", "c/0#3"]
    assert samples(opened(tmp_path / "b", [{**bare, "id": 40}, bare, bare])) == ["c/0#40", "c/0#42", "c/0#43"]


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"id": 1, "segmentation": OUTLINE}, "lacks `image_id`"),
        ({"segmentation": OUTLINE}, "lacks `image_id`"),
        ({"id": 1, "image_id": [7]}, "`image_id` [7], expected"),
        ({"id": "a-b", "image_id": 7}, "`id` 'a-b', expected a whole number"),
        ({"id": 1.5, "image_id": 7}, "`id` 1.5, expected"),
        ({"id": 1 << 70, "image_id": 7}, "expected a whole number of at most 64 bits"),
        ({"id": 1, "image_id": 7, "iscrowd": "perhaps"}, "`iscrowd` 'perhaps', expected 0 or 1"),
        (5, "is int, expected an object"),
    ],
)
def test_broken_annotation_says_which_key(tmp_path: Path, entry: Any, text: str) -> None:
    """The one key that is missing or wrong, and what stands there."""
    reader = opened(tmp_path, [{"id": 9, "image_id": 7, "segmentation": OUTLINE}, entry])
    (problem,) = reader.problems
    assert problem.reason == "broken annotation" and text in problem.detail and samples(reader) == ["c/0#9"]


@pytest.mark.parametrize(
    ("entry", "text"),
    [({"file_name": "x.jpg"}, "`id`"), ({"id": 3}, "`file_name`"), ({}, "`id` and `file_name`")],
)
def test_broken_image_entry_says_which_key(tmp_path: Path, entry: Any, text: str) -> None:
    """`id`, `file_name`, or both."""
    file = tiny.coco(tmp_path, 1)
    document = json.loads(file.read_text())
    file.write_text(json.dumps({**document, "images": [*document["images"], entry]}))
    (problem,) = tiny.opened("c", file).problems
    assert problem.reason == "broken image entry" and f"lacks {text}" in problem.detail


@pytest.mark.parametrize("value", [0, "0", False, 0.0, "false", "", None, "missing", 1, "1", True, "true", 1.0])
def test_iscrowd_in_all_its_ways(tmp_path: Path, value: Any) -> None:
    """Text, truth values, null and missing."""
    crowd = value in (1, "1", "true")
    given = {} if value == "missing" else {"iscrowd": value}
    reader = opened(tmp_path, [{"id": 1, "image_id": 7, "segmentation": OUTLINE, **given}])
    assert reader.records[0].annotation["objects"][0]["iscrowd"] == int(crowd)
    assert told(reader) == ([("c/0#1", "left-out", "crowd")] if crowd else [])


@pytest.mark.parametrize("empty", [[], [[]], {}, None, "missing"])
def test_box_without_outline_is_left_out(tmp_path: Path, empty: Any) -> None:
    """By choice, not as damage; without a box it is damage."""
    box = {"id": 1, "image_id": 7, "bbox": [1, 2, 3.5, 4]} | ({} if empty == "missing" else {"segmentation": empty})
    sound = {"id": 2, "image_id": 7, "segmentation": OUTLINE, "bbox": [8, 10, 16, 10]}
    reader = opened(tmp_path / "a", [box, sound])
    check_reader(reader)
    assert samples(reader) == ["c/0#2"] and told(reader) == [("c/0#1", "left-out", "box only")]
    (problem,) = told(opened(tmp_path / "b", [{**box, "bbox": None}]))
    assert problem[1] == "failed"


def write(root: Path, name: str, *photos: str, named: Any = None, **more: Any) -> Path:
    """An instances file at `name` with an object on each photo; the photos lie where their paths say."""
    for number, photo in enumerate(photos):
        tiny.write_picture(root / photo, tiny.picture(number))
    names = named or photos
    images = [{"id": n, "file_name": name, "height": 48, "width": 64} for n, name in enumerate(names)]
    annotations = [{"id": n, "image_id": n, "segmentation": OUTLINE} for n in range(len(names))]
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"images": images, "annotations": annotations, **more}))
    return file


@pytest.mark.parametrize(
    ("file", "photos", "names"),
    [
        ("result.json", ["images/x-a.jpg", "images/x-b.jpg"], ["images/x-a.jpg", "images\\x-b.jpg"]),
        ("_annotations.coco.json", ["a.jpg", "b.jpg"], ["a.jpg", "b.jpg"]),
        ("annotations/any.json", ["a.jpg", "photos/b.jpg"], ["a.jpg", "photos/b.jpg"]),
        ("annotations/instances_default.json", ["images/default/a.jpg"], ["a.jpg"]),
        ("labels/coco.json", ["images/a.jpg"], ["a.jpg"]),
        ("result.json", ["images/a.jpg", "images/b.jpg"], ["/home/me/never/images/a.jpg", "C:\\data\\images\\b.jpg"]),
        ("annotations/instances_x.json", ["x/s/a.jpg", "x/b.jpg"], ["/data/x/s/a.jpg", "x/b.jpg"]),
    ],
)
def test_photos_are_where_most_names_are(tmp_path: Path, file: str, photos: list[str], names: list[str]) -> None:
    """Beside the file, in its folder's folders, above; with folders of the machine that wrote the names."""
    reader = tiny.opened("c", write(tmp_path, file, *photos, named=names), options=OPTIONS)
    check_reader(reader)
    assert len(reader) == len(photos) and not [each for each in told(reader) if each[1] == "failed"]
    found = [(reader.images / record.image).resolve() for record in reader.records]
    assert sorted(found) == sorted((tmp_path / photo).resolve() for photo in photos)


def test_most_names_win_over_the_usual_place(tmp_path: Path) -> None:
    """A folder that happens to be called images, with one of three photos."""
    photos = ["images/a.jpg", "a.jpg", "b.jpg", "c.jpg"]
    reader = tiny.opened("c", write(tmp_path, "result.json", *photos, named=photos[1:]), options=OPTIONS)
    assert reader.images == tmp_path and len(reader) == 3


def test_names_that_could_mean_two_photos_mean_none(tmp_path: Path) -> None:
    """Two names of one end, one name of two files; and a name of another folder is not a name without one."""
    photos = ["images/a.jpg", "images/s/c.jpg", "images/t/c.jpg", "images/val/d.jpg", "images/e.jpg"]
    names = ["/x/a.jpg", "/y/a.jpg", "c.jpg", "train/d.jpg", "e.jpg"]
    reader = tiny.opened("c", write(tmp_path, "result.json", *photos, named=names), options=OPTIONS)
    assert samples(reader) == ["c/e#4"]
    assert [each[2] for each in told(reader) if each[1] == "failed"] == ["missing image"] * 4


def test_absolute_name_of_a_photo_in_the_folder_is_that_photo(tmp_path: Path) -> None:
    """And of a file that is there elsewhere it is none of ours, although ours is called so, too."""
    inside, outside = tmp_path / "set/images/a.jpg", tmp_path / "outside/b.jpg"
    tiny.write_picture(outside, tiny.picture(1))
    file = write(tmp_path / "set", "result.json", "images/a.jpg", "images/b.jpg", named=[str(inside), str(outside)])
    reader = tiny.opened("c", file, options=OPTIONS)
    assert [key.rpartition("/")[2] for key in samples(reader)] == ["a#0"]
    assert "path outside the source" in {each[2] for each in told(reader)}


def test_shared_folder_lists_only_where_photos_are(tmp_path: Path) -> None:
    """Beside the instances file anything may lie; what lies beside the photos is told."""
    file = write(
        tmp_path, "result.json", "images/a.jpg", "images/unknown.jpg", "other/deep/x.jpg", named=["images/a.jpg"]
    )
    assert told(tiny.opened("c", file, options=OPTIONS)) == [("c/images/unknown.jpg", "left-out", "not listed")]


def test_exported_folder_is_recognised(tmp_path: Path) -> None:
    """Label Studio's and Roboflow's files, where the folder alone is given; masks beside the photos come first."""
    for number, name in enumerate(("result.json", "_annotations.coco.json")):
        root = tmp_path / str(number)
        write(root, name, "images/a.jpg")
        assert tiny.opened("c", root).layout == "coco" and len(tiny.opened("c", root)) == 1
    tiny.pairs(tmp_path / "0", 1)
    assert tiny.opened("c", tmp_path / "0").layout == "pairs"


def test_lvis_names_photos_by_their_address(tmp_path: Path) -> None:
    """`coco_url` instead of `file_name`, no `iscrowd`."""
    file = write(tmp_path, "lvis_v1_val.json", "val2017/000000000139.jpg", named=["-"])
    document = json.loads(file.read_text())
    del document["images"][0]["file_name"]
    document["images"][0]["coco_url"] = "http://images.cocodataset.org/val2017/000000000139.jpg"
    file.write_text(json.dumps(document))
    reader = tiny.opened("c", file, images=tmp_path / "val2017", options=OPTIONS)
    assert samples(reader) == ["c/000000000139#0"] and not told(reader)
    assert samples(tiny.opened("c", file, images=tmp_path, options=OPTIONS)) == ["c/val2017/000000000139#0"]


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"images": [], "annotations": [{"image_id": 1, "segments_info": []}]}, "coco-panoptic=FILE"),
        ({"images": [], "annotations": [{"id": 1, "image_id": 1, "caption": "x"}]}, "COCO captions file"),
        ({"videos": [], "annotations": [{"id": 1, "segmentations": []}]}, "YouTube-VIS file"),
        ({"version": "5", "shapes": [], "imagePath": "a.jpg"}, "LabelMe file"),
        ({"_via_img_metadata": {}}, "VIA project"),
        ([{"id": 1, "annotations": [], "data": {}}], "Label Studio's own JSON: give it without a layout"),
        ([{"image_id": 1, "segmentation": {}}], "a list, as COCO's files of results are"),
    ],
)
def test_other_files_are_named_as_what_they_are(tmp_path: Path, document: Any, text: str) -> None:
    """Before anything is read, with what to do."""
    file = tmp_path / "x.json"
    file.write_text(json.dumps(document))
    with pytest.raises(UsageError) as caught:
        tiny.opened("c", file, "coco")
    assert text in str(caught.value)
    assert "convert" in str(caught.value) or "LABEL:coco-panoptic" in str(caught.value)


def test_single_panoptic_annotation_is_named(tmp_path: Path) -> None:
    """Among others it costs itself alone."""
    sound = {"id": 1, "image_id": 7, "segmentation": OUTLINE}
    reader = opened(tmp_path, [sound, {"image_id": 7, "segments_info": [], "file_name": "a.png"}])
    assert samples(reader) == ["c/0#1"]
    assert told(reader) == [("c/annotation-1", "failed", "annotation of panoptic")]


def test_whole() -> None:
    """What is a whole number of 64 bits, however written."""
    assert [whole(value) for value in (7, 7.0, "7", "-7", "7.0", (1 << 63) - 1)] == [7, 7, 7, -7, 7, (1 << 63) - 1]
    assert {whole(value) for value in (True, None, 7.5, "7.5", "x", "", "NaN", 1 << 63, float("inf"), [7])} == {None}


@pytest.mark.parametrize("seed", range(25))
def test_random_files_add_up(tmp_path: Path, seed: int) -> None:
    """Ids, crowds, boxes and outlines in any dialect: every annotation is a sample of the right mask, or a problem."""
    rng = random.Random(seed)
    ids = rng.sample(range(100), 4)
    styles: list[Any] = [int, float, str]
    photo_style, image_style, own_style = (rng.choice(styles) for _ in range(3))
    annotations: list[dict[str, Any]] = []
    expected: dict[str, tuple[int, int]] = {}
    with_ids, beside = rng.random() < 0.7, 0
    for number in range(1, 13):
        photo, corner = rng.randrange(4), rng.randrange(3, 20)
        ring = [corner, 5, corner + 9, 5, corner + 9, 15, corner, 15]
        pairs = [ring[i : i + 2] for i in range(0, 8, 2)]
        annotation: dict[str, Any] = {"image_id": image_style(ids[photo]), "bbox": [corner, 5, 9, 10]}
        annotation |= {"id": own_style(number)} if with_ids else {}
        annotation |= rng.choice([{}, {"iscrowd": rng.choice([0, "0", False, None])}])
        if rng.random() < 0.2:
            annotation["segmentation"], beside = rng.choice([[], None]), beside + 1
        else:
            annotation["segmentation"] = rng.choice([[ring], ring, [pairs], pairs, [ring, [1, 2]]])
            expected[f"c/{photo}#{number}"] = corner, photo
        annotations.append(annotation)
    reader = opened(tmp_path, annotations, *(photo_style(number) for number in ids))
    found = {sample.key: sample.mask for index in range(len(reader)) for sample in reader[index].samples}
    assert found.keys() == expected.keys()
    for key, (corner, _) in expected.items():
        truth = np.zeros(tiny.SIZE, np.uint8)
        truth[5:15, corner : corner + 9] = 1
        assert np.array_equal(found[key], truth)
    assert [each[2] for each in told(reader) if each[2] != "no object"] == ["box only"] * beside
