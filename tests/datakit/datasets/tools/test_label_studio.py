"""Label Studio's export gives the masks of its regions, of the photos that its tasks mean."""

from __future__ import annotations

import base64
import io
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from datakit.datasets import ReadOptions, recognise
from datakit.errors import ItemError, UsageError
from datakit.samples import Scene
from tests import tiny
from tests.contracts import check_reader
from tests.datakit.datasets.tools.test_label_studio_brush import stream
from tests.drawing import SIZE, mask, picture, write_picture
from tests.tiny_tools import studio_region, studio_task

BOX = {"x": 12.5, "y": 12.5, "width": 25, "height": 25, "rotation": 0}  # 16x12 pixels at (8, 6)


def read(root: Path, *regions: Any, options: ReadOptions | None = None, **more: Any) -> Scene:
    """The one photo of a set with these regions."""
    write_picture(root / "a.jpg", picture(1))
    (root / "project.json").write_text(
        json.dumps([studio_task("/data/upload/1/0a1b2c3d-a.jpg", list(regions), **more)])
    )
    return tiny.opened("set", root, "label-studio", options=options)[0]


def areas(scene: Scene) -> dict[int, int]:
    """Object -> its pixels."""
    return {sample.object_id: int(sample.mask.sum()) for sample in scene.samples}


def figures(scene: Scene) -> list[tuple[int, int]]:
    """Pixels of each object, and the CRC-32 of its mask."""
    return [(int(sample.mask.sum()), zlib.crc32(sample.mask.tobytes())) for sample in scene.samples]


def png(pixels: NDArray[np.uint8]) -> str:
    """A picture as a data URL."""
    held = io.BytesIO()
    PillowImage.fromarray(pixels).save(held, "PNG")
    return "data:image/png;base64," + base64.b64encode(held.getvalue()).decode()


def test_polygons_and_boxes_are_those_of_its_exporters(tmp_path: Path) -> None:
    """Checked with label-studio-sdk 2.1.2, filled by pycocotools 2.0.11.

    The polygon of `Converter.convert_to_coco`, the corners of `convert_annotation_to_yolo_obb`.
    """
    scene = read(
        tmp_path,
        studio_region("a", points=[[10.9375, 14.583], [53.125, 20.8333], [48.44, 77.1], [23.3, 56.25]], closed=True),
        studio_region("b", x=62.5, y=20.0, width=25.0, height=41.6667, rotation=0),
        studio_region("c", x=70.3, y=55.2, width=21.0, height=18.0, rotation=33.5),
    )
    assert figures(scene) == [(489, 816832697), (320, 2384981007), (119, 1195264652)]


@pytest.mark.parametrize(
    ("disc", "shown", "differing"),
    [
        ({"x": 30.0, "y": 40.0, "radiusX": 12.0, "radiusY": 22.0, "rotation": 0}, 249, 5),
        ({"x": 66.1, "y": 62.3, "radiusX": 17.0, "radiusY": 9.5, "rotation": 27.0}, 154, 4),
    ],
)
def test_an_ellipse_is_what_lies_in_it(tmp_path: Path, disc: dict[str, float], shown: int, differing: int) -> None:
    """No exporter of Label Studio's fills one. Checked with the canvas it is drawn on, in Chromium 156.

    `CanvasRenderingContext2D.ellipse` gave so many pixels of at least half their alpha; the rim differs by a few.
    """
    (sample,) = read(tmp_path, studio_region("a", **disc)).samples
    assert abs(int(sample.mask.sum()) - shown) <= differing
    x, y, across, down = (disc[key] / 100 for key in ("x", "y", "radiusX", "radiusY"))
    assert abs(sample.mask.sum() / (np.pi * across * down * SIZE[0] * SIZE[1]) - 1) < 0.02
    rows, columns = np.nonzero(sample.mask)
    assert abs(columns.mean() + 0.5 - x * SIZE[1]) < 0.2 and abs(rows.mean() + 0.5 - y * SIZE[0]) < 0.2


def test_a_brush_and_a_bitmask_are_their_pixels(tmp_path: Path) -> None:
    """Whatever has any alpha; the stream's own tests stand beside its module."""
    alpha = np.zeros(SIZE, np.uint8)
    alpha[5:20, 7:30], alpha[5, 7:30], alpha[9:12, 12:15] = 255, 40, 0
    black = np.dstack([np.zeros((*SIZE, 3), np.uint8), alpha])
    scene = read(
        tmp_path,
        studio_region("a", format="rle", rle=list(stream(alpha))),
        studio_region("b", imageDataURL=png(black)),
    )
    assert [np.array_equal(sample.mask, alpha > 0) for sample in scene.samples] == [True, True]


def test_objects_keep_what_others_cover(tmp_path: Path) -> None:
    """Its exports write each region apart; merged they are one."""
    regions = studio_region("a", **BOX), studio_region("b", **BOX)
    assert areas(read(tmp_path, *regions)) == {1: 192, 2: 192}
    assert areas(read(tmp_path, *regions, options=ReadOptions(objects="merged"))) == {1: 192}


def test_a_box_is_turned_about_its_first_corner(tmp_path: Path) -> None:
    """Clockwise, by degrees of the picture's pixels, not of percent."""
    (sample,) = read(tmp_path, studio_region("a", **{**BOX, "x": 50, "rotation": 90})).samples
    rows, columns = np.nonzero(sample.mask)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (32 - 12, 31, 6, 6 + 16 - 1)


def test_the_rotation_of_the_view_changes_nothing(tmp_path: Path) -> None:
    """`image_rotation` says how the annotator looked at the photo; shares are of the photo all the same."""
    plain, turned = (read(tmp_path, {**studio_region("a", **BOX), "image_rotation": angle}) for angle in (0, 90))
    assert figures(plain) == figures(turned)


def test_a_region_that_is_told_twice_is_one_object(tmp_path: Path) -> None:
    """Where labels are a tag of their own, and for text or choices of a region."""
    again = {**studio_region("a", **BOX), "type": "rectangle"}
    choice = {"id": "a", "type": "choices", "value": {"choices": ["old"]}}
    scene = read(tmp_path, studio_region("a", **BOX), again, choice, {"type": "choices", "value": {"choices": ["x"]}})
    assert areas(scene) == {1: 192} and not scene.problems


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"x": 5, "y": 5, "width": 0.5}, "key point"),
        ({"vertices": [{"x": 1, "y": 2}], "closed": False}, "vector"),
        ({"sequence": [{"frame": 1, "x": 1, "y": 1, "width": 9, "height": 9}]}, "video region"),
    ],
)
def test_what_has_no_area_is_left_out_by_name(tmp_path: Path, value: dict[str, Any], kind: str) -> None:
    """The others of the photo are read."""
    scene = read(tmp_path, studio_region("a", **value), studio_region("b", **BOX))
    (problem,) = scene.problems
    assert (problem.kind, problem.reason) == ("left-out", "no area") and f"region 1 ({kind} 'dog')" in problem.detail
    assert areas(scene) == {2: 192}


@pytest.mark.parametrize(
    ("value", "reason", "said"),
    [
        ({"points": [[1, 1], [2, 2]]}, "broken shape", "3 or more points"),
        ({"points": [[1, 1], [2, "x"], [3, 3]]}, "broken shape", "3 or more points"),
        ({"points": "M0 0"}, "broken shape", "found str"),
        ({"points": [[101, 10], [140, 10], [140, 50]]}, "outline outside the photo", "lies outside"),
        ({"points": [[1e9, 10], [2e9, 10], [1e9, 50]]}, "outline outside the photo", "by far"),
        ({**BOX, "width": None}, "broken shape", "lacks numbers for x, y, width, height"),
        ({**BOX, "rotation": "x"}, "broken shape", "lacks numbers for rotation"),
        ({**BOX, "x": float("nan")}, "broken shape", "not finite"),
        ({"x": 5, "y": 5, "radiusX": -3, "radiusY": 4}, "broken shape", "none below 0"),
        ({"rle": "text"}, "broken run lengths", "not a list of bytes"),
        ({"rle": [1, 2, 256]}, "broken run lengths", "not a list of bytes"),
        ({"rle": [1, 2, 3]}, "broken run lengths", "ends after 3 bytes"),
        ({"rle": None}, "broken run lengths", "not a list of bytes"),
        ({"imageDataURL": "data:image/png;base64,!!"}, "broken shape", "imageDataURL"),
        ({"imageDataURL": png(np.zeros((*SIZE, 3), np.uint8))}, "broken shape", "expected RGBA"),
        ({"imageDataURL": png(np.zeros((9, 9, 4), np.uint8))}, "size mismatch", "expected (48, 64)"),
    ],
)
def test_a_broken_region_fails_alone(tmp_path: Path, value: dict[str, Any], reason: str, said: str) -> None:
    """The others of the photo are read, and the message names the task and the region."""
    scene = read(tmp_path, studio_region("a", **value), studio_region("b", **BOX))
    (problem,) = scene.problems
    assert (problem.key, problem.kind, problem.reason) == ("set/a#1", "failed", reason)
    assert "project.json: task 1: region 1" in problem.detail and said in problem.detail
    assert areas(scene) == {2: 192}


def test_a_huge_brush_takes_no_memory_it_has_no_photo_for(tmp_path: Path) -> None:
    """What a stream claims is compared with the photo before anything is made of it."""
    scene = read(tmp_path, studio_region("a", rle=[255] * 60))
    assert "holds 4294967295 values" in scene.problems[0].detail


def test_a_brush_on_the_photo_as_stored_needs_to_be_told(tmp_path: Path) -> None:
    """Browsers before 2020 showed it so; the size of the stream tells, and the message names the option."""
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    PillowImage.fromarray(picture(1)).save(tmp_path / "a.jpg", exif=exif)
    task = studio_task("a.jpg", [studio_region("a", rle=list(stream(mask(1) * np.uint8(255))))])
    (tmp_path / "project.json").write_text(json.dumps([task]))
    (problem,) = tiny.opened("set", tmp_path)[0].problems
    assert problem.reason == "size mismatch" and "--annotated stored" in problem.detail
    stored = tiny.opened("set", tmp_path, options=ReadOptions(annotated={"": "stored"}))[0]
    assert np.array_equal(stored.samples[0].mask, np.rot90(mask(1), -1))


def test_shares_are_of_the_photo_as_shown(tmp_path: Path) -> None:
    """Also where the width and height of the photo as stored are written."""
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    PillowImage.fromarray(picture(1)).save(tmp_path / "a.jpg", exif=exif)
    (tmp_path / "project.json").write_text(json.dumps([studio_task("a.jpg", [studio_region("a", **BOX)])]))
    (sample,) = tiny.opened("set", tmp_path)[0].samples
    rows, columns = np.nonzero(sample.mask)
    assert sample.mask.shape == (64, 48)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (6, 17, 8, 23)


def test_a_photo_of_another_size_fails(tmp_path: Path) -> None:
    """Every region says what it was drawn on."""
    (problem,) = read(tmp_path, studio_region("a", (96, 128), **BOX)).problems
    assert (problem.kind, problem.reason) == ("failed", "size mismatch")


def test_other_annotations_and_predictions_are_left_out_by_name(tmp_path: Path) -> None:
    """Each region of theirs, so that none is gone without a word."""
    task = studio_task("a.jpg", [studio_region("a", **BOX)])
    second = {**task["annotations"][0], "id": 2, "created_at": "2026-11-02", "result": [studio_region("b", **BOX)] * 1}
    task["annotations"].append(second)
    task["predictions"] = [{"result": [studio_region("p", **BOX), studio_region("q", **BOX)]}]
    write_picture(tmp_path / "a.jpg", picture(1))
    (tmp_path / "project.json").write_text(json.dumps([task]))
    reader = tiny.opened("set", tmp_path)
    check_reader(reader)
    scene = reader[0]
    assert areas(scene) == {1: 192}
    assert [(each.kind, each.reason) for each in scene.problems] == [("left-out", "not the annotation that counts")] * 3
    assert "another annotation of the photo counts" in scene.problems[0].detail
    assert "is a prediction; accept it in Label Studio" in scene.problems[1].detail


def test_the_miniature_set_is_recognised_with_its_addresses(tmp_path: Path) -> None:
    """The file alone and the folder; the photos lie in a folder the addresses do not name."""
    root = tiny.LAYOUTS["label-studio"](tmp_path)
    assert recognise(root / "project-7.json")[0] == recognise(root)[0] == "label-studio"
    for each in (root, root / "project-7.json"):
        reader = tiny.opened("set", each)
        assert [record.image for record in reader.records] == [f"photos/{number:04d}.jpg" for number in (1, 2, 3)]


def test_every_task_file_and_photo_is_accounted_for(tmp_path: Path) -> None:
    """Tasks without regions, without a photo, of a photo that is not there; photos without a task."""
    for name in ("a", "b", "c"):
        write_picture(tmp_path / f"{name}.jpg", picture(1))
    tasks = [
        studio_task("a.jpg", [studio_region("a", **BOX)], id=1),
        studio_task("b.jpg", [], id=2),
        studio_task("gone.jpg", [studio_region("a", **BOX)], id=3),
        {**studio_task("", [studio_region("a", **BOX)], id=4), "data": {"text": "no photo"}},
    ]
    (tmp_path / "project.json").write_text(json.dumps(tasks))
    (tmp_path / "other.json").write_text("[1, 2]")
    (tmp_path / "cut.json").write_text('[{"id": 1, "ann')
    reader = tiny.opened("set", tmp_path)
    check_reader(reader)
    assert {(problem.key, problem.kind, problem.reason) for problem in reader.problems} == {
        ("set/b", "left-out", "no object"),
        ("set/c.jpg", "left-out", "no annotation"),
        ("set/gone#1", "failed", "missing image"),
        ("set/project.json: task 4#1", "failed", "missing image"),
        ("set/other.json", "left-out", "stray file"),
        ("set/cut.json", "failed", "broken annotation file"),
    }


@pytest.mark.parametrize(
    "photo", ["../outside.jpg", "/etc/outside.jpg", "file:///etc/outside.jpg", "/data/local-files/?d=../outside.jpg"]
)
def test_an_address_that_leaves_the_folder_means_no_file_outside(tmp_path: Path, photo: str) -> None:
    """No file outside of the source is looked at."""
    write_picture(tmp_path / "outside.jpg", picture(2))
    write_picture(tmp_path / "set" / "a.jpg", picture(1))
    (tmp_path / "set" / "p.json").write_text(json.dumps([studio_task(photo, [studio_region("a", **BOX)])]))
    reader = tiny.opened("set", tmp_path / "set")
    assert not len(reader) and "missing image" in {problem.reason for problem in reader.problems}


def test_a_task_that_changes_after_listing_fails_its_photo(tmp_path: Path) -> None:
    """It is read again where it stood, and no other task is taken for it."""
    read(tmp_path, studio_region("a", **BOX))
    reader = tiny.opened("set", tmp_path)
    for text in ("[]", "", json.dumps([studio_task("a.jpg", [])]) + " " * 500):
        (tmp_path / "project.json").write_text(text)
        with pytest.raises(ItemError, match=r"project\.json: task 1"):
            reader[0]


def test_a_short_export_is_refused_with_the_way_out(tmp_path: Path) -> None:
    """JSON-MIN has no ids of regions, and no size of the photo for some."""
    (tmp_path / "min.json").write_text(json.dumps([{"image": "a.jpg", "id": 1, "annotation_id": 7, "label": []}]))
    with pytest.raises(UsageError, match=r"JSON-MIN.*export it as JSON"):
        tiny.opened("set", tmp_path, "label-studio")
