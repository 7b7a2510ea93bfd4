"""YOLO's text files give the masks that ultralytics draws, of the photos they belong to."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from datakit.datasets import ReadOptions, recognise, shapes
from datakit.errors import ItemError, UsageError
from datakit.samples import Scene
from tests import tiny
from tests.contracts import check_reader
from tests.drawing import picture, write_picture
from tests.tiny_tools import yolo, yolo_file, yolo_line

SQUARE = [[4, 4], [19, 4], [19, 19], [4, 19]]  # 256 pixels, its last row and column inside
FAR = [[40, 4], [49, 4], [49, 13], [40, 13]]  # 100


def read(root: Path, *lines: str, options: ReadOptions | None = None) -> Scene:
    """The one photo of a set with these lines."""
    write_picture(root / "images" / "a.jpg", picture(1))
    yolo_file(root / "labels" / "a.txt", *lines)
    return tiny.opened("set", root, "yolo", options=options)[0]


def areas(scene: Scene) -> dict[int, int]:
    """Object -> its pixels."""
    return {sample.object_id: int(sample.mask.sum()) for sample in scene.samples}


def test_outlines_are_filled_as_ultralytics_fills_them(tmp_path: Path) -> None:
    """Checked with ultralytics 8.4.190: `verify_image_label`, then `polygons2masks` in the photo's own size.

    A star of full precision, an outline of four decimals, one that leaves the photo, one that crosses itself.
    """
    write_picture(tmp_path / "images" / "a.jpg", np.full((64, 90, 3), 90, np.uint8))
    star = (
        "2 0.86 0.5 0.6302275553302262 0.6092738936467117 0.5625133439600949 0.8545307910843949"
        " 0.41500000000000004 0.6472243186433546 0.161710656517073 0.6231272515972408 0.34025225446639557"
        " 0.4418565756346363 0.31999999999999984 0.1882308546376022 0.5295201902033781 0.3325826819879246"
        " 0.7757759995228319 0.26859646051284575"
    )
    lines = [
        star,
        "0 0.031 0.0417 0.4512 0.052 0.4329 0.61 0.2213 0.3333 0.0127 0.58",
        "1 0.72 0.7 1.004 0.69 1.0 0.95 0.75 1.0",
        "0 0.2 0.2 0.6 0.6 0.6 0.2 0.2 0.6",
    ]
    yolo_file(tmp_path / "labels" / "a.txt", *lines)
    scene = tiny.opened("set", tmp_path)[0]
    assert [(int(sample.mask.sum()), zlib.crc32(sample.mask.tobytes())) for sample in scene.samples] == [
        (1206, 2903816800),
        (1093, 2797478236),
        (463, 2532583856),
        (531, 1137364315),
    ]


@pytest.mark.parametrize("size", [(48, 64), (300, 400), (267, 381), (1201, 1999)])
def test_whole_pixels_come_back_from_six_decimals(tmp_path: Path, size: tuple[int, int]) -> None:
    """A contour of OpenCV's, written as shares, is filled as if it had never been.

    ultralytics cuts 9.99999 to 9 there, and gives up to a row or column more.
    """
    rows, columns = np.mgrid[: size[0], : size[1]]
    blob = (((rows / size[0] - 0.5) / 0.37) ** 2 + ((columns / size[1] - 0.47) / 0.41) ** 2 < 1).astype(np.uint8)
    (contour,), _ = cv2.findContours(blob, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    write_picture(tmp_path / "images" / "a.png", np.zeros((*size, 3), np.uint8))
    yolo_file(tmp_path / "labels" / "a.txt", yolo_line(contour[:, 0], size=size))
    (sample,) = tiny.opened("set", tmp_path)[0].samples
    assert np.array_equal(sample.mask, blob)


def test_boxes_are_left_out_by_name_in_a_mixed_file_too(tmp_path: Path) -> None:
    """ultralytics refuses such a file as a whole (8.4.190: "labels mix segment and detection rows")."""
    scene = read(tmp_path, "1 0.5 0.5 0.2 0.2", yolo_line(SQUARE))
    (problem,) = scene.problems
    assert (problem.key, problem.kind, problem.reason) == ("set/images/a#1", "left-out", "box only")
    assert "line 1 (class 1) has a box and no outline" in problem.detail
    assert areas(scene) == {2: 256}


def test_every_line_is_an_object_and_keeps_what_others_cover(tmp_path: Path) -> None:
    """Numbered by its line, empty lines counted; merged on request."""
    scene = read(tmp_path, yolo_line(SQUARE), "", yolo_line(SQUARE, 1), yolo_line(FAR))
    assert areas(scene) == {1: 256, 3: 256, 4: 100}
    merged = read(tmp_path, yolo_line(SQUARE), yolo_line(FAR), options=ReadOptions(objects="merged"))
    assert areas(merged) == {1: 356}


def test_a_line_that_is_there_twice_is_one_object(tmp_path: Path) -> None:
    """As ultralytics takes it."""
    scene = read(tmp_path, yolo_line(SQUARE), yolo_line(SQUARE))
    assert areas(scene) == {1: 256}
    assert [(each.kind, each.reason) for each in scene.problems] == [("left-out", "same outline twice")]


@pytest.mark.parametrize(
    ("line", "reason", "said"),
    [
        ("0 0.1 0.1 0.5 0.5 x 0.5", "broken shape", "not numbers"),
        ("0 0.1 0.1 0.5 0.5 0.5", "broken shape", "holds 5 numbers after the class"),
        ("0 0.1 0.1 0.5 0.5 0.5 0.1 0.9", "broken shape", "is the last one a confidence?"),
        ("0 0.1", "broken shape", "holds 1 numbers"),
        ("0", "broken shape", "holds 0 numbers"),
        ("0 nan 0.1 0.5 0.5 0.5 0.1", "broken shape", "not finite"),
        ("0 4 4 20 4 20 20", "outline in pixels, not shares", "up to 20, expected shares"),
        ("0 1.1 0.1 1.5 0.1 1.5 0.5", "outline outside the photo", "lies outside"),
        ("\0\x01", "broken shape", "holds 0 numbers"),
    ],
)
def test_a_broken_line_fails_alone(tmp_path: Path, line: str, reason: str, said: str) -> None:
    """The others of the file are read, and the message names the line."""
    scene = read(tmp_path, line, yolo_line(SQUARE))
    (problem,) = scene.problems
    assert (problem.key, problem.kind, problem.reason) == ("set/images/a#1", "failed", reason)
    assert "labels/a.txt: line 1" in problem.detail and said in problem.detail
    assert areas(scene) == {2: 256}


def test_an_outline_that_would_take_too_long_to_fill_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound is lowered here, so that a small square is too much."""
    monkeypatch.setattr(shapes, "MOST_WORK", 10)
    (problem,) = read(tmp_path, yolo_line(SQUARE)).problems
    assert (problem.kind, problem.reason) == ("failed", "tangled outline")
    assert "crosses the photo's rows" in problem.detail


def test_an_outline_over_the_edge_is_cut_and_told(tmp_path: Path) -> None:
    """Floats are written without being clipped."""
    scene = read(tmp_path, "0 0.8 0.2 1.15 0.2 1.15 0.6 0.8 0.6")
    assert areas(scene) == {1: 260}
    assert [note.reason for note in scene.notes] == ["outlines cut off by the edge of the photo"]


@pytest.mark.parametrize(
    ("photo", "text"),
    [
        ("images/a.jpg", "labels/a.txt"),
        ("images/train/a.jpg", "labels/train/a.txt"),
        ("train/images/a.jpg", "train/labels/a.txt"),
        ("images/images/a.jpg", "images/labels/a.txt"),
        ("Images/a.JPG", "Labels/a.txt"),
        ("a.jpg", "a.txt"),
        ("obj_train_data/a.png", "obj_train_data/a.txt"),
        ("photos/a.jpg", "labels/a.txt"),
        ("photos/train/a.jpg", "labels/train/a.txt"),
    ],
)
def test_text_files_are_found_where_exporters_put_them(tmp_path: Path, photo: str, text: str) -> None:
    """`labels` for the last `images` of the path, else beside the photo, else by the end of the path."""
    write_picture(tmp_path / photo, picture(1))
    yolo_file(tmp_path / text, yolo_line(SQUARE))
    reader = tiny.opened("set", tmp_path)
    check_reader(reader)
    assert reader.layout == "yolo" and not reader.problems
    assert [(record.image, record.annotation["place"]) for record in reader.records] == [(photo, text)]


def test_photos_may_lie_elsewhere(tmp_path: Path) -> None:
    """As `--images` says."""
    write_picture(tmp_path / "p" / "train" / "a.jpg", picture(1))
    yolo_file(tmp_path / "s" / "labels" / "train" / "a.txt", yolo_line(SQUARE))
    reader = tiny.opened("set", tmp_path / "s", "yolo", images=tmp_path / "p")
    check_reader(reader)
    assert [record.image for record in reader.records] == ["train/a.jpg"]


def test_every_file_and_photo_is_accounted_for(tmp_path: Path) -> None:
    """Photos without outlines or text, texts without a photo, other files: each with its reason."""
    for name in ("a", "b", "c"):
        write_picture(tmp_path / "images" / f"{name}.jpg", picture(1))
    write_picture(tmp_path / "images" / "a.png", picture(1))
    yolo_file(tmp_path / "labels" / "a.txt", yolo_line(SQUARE))
    yolo_file(tmp_path / "labels" / "b.txt")
    yolo_file(tmp_path / "labels" / "gone.txt", yolo_line(SQUARE), yolo_line(FAR))
    (tmp_path / "labels" / "readme.txt").write_text("how these were made\n")
    for companion in ("labels/classes.txt", "train.txt", "data.yaml", "labels/train.cache"):
        (tmp_path / companion).write_text("./images/a.jpg\n")
    reader = tiny.opened("set", tmp_path)
    check_reader(reader)
    assert {(problem.key, problem.kind, problem.reason) for problem in reader.problems} == {
        ("set/images/a.png", "left-out", "no annotation"),
        ("set/images/b", "left-out", "no object"),
        ("set/images/c.jpg", "left-out", "no annotation"),
        ("set/images/gone#1", "failed", "missing image"),
        ("set/images/gone#2", "failed", "missing image"),
        ("set/labels/readme.txt", "left-out", "stray file"),
    }


@pytest.mark.parametrize("names", ["names: [dog, cat]\n", "names:\n  0: dog\n  1: cat\n"])
def test_classes_are_called_by_their_names(tmp_path: Path, names: str) -> None:
    """Where the set has a data.yaml, which is no stray file then."""
    write_picture(tmp_path / "images" / "a.jpg", picture(1))
    yolo_file(tmp_path / "labels" / "a.txt", "1 0.5 0.5 0.2 0.2", "7 0.5 0.5 0.2 0.2")
    (tmp_path / "data.yaml").write_text(f"train: images\n{names}")
    reader = tiny.opened("set", tmp_path)
    assert not reader.problems
    said = [problem.detail for problem in reader[0:1][0].problems]
    assert "line 1 ('cat')" in said[0] and "line 2 (class 7)" in said[1]


def test_a_set_of_key_points_is_refused(tmp_path: Path) -> None:
    """Its lines may have as many numbers as an outline."""
    tiny.LAYOUTS["yolo"](tmp_path)
    (tmp_path / "data.yaml").write_text("kpt_shape: [17, 2]\nnames: [man]\n")
    with pytest.raises(UsageError, match="holds key points"):
        tiny.opened("set", tmp_path)


def test_shares_are_of_the_photo_as_shown(tmp_path: Path) -> None:
    """ultralytics, too, takes width and height as EXIF turns them."""
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    (tmp_path / "images").mkdir()
    PillowImage.fromarray(picture(1)).save(tmp_path / "images" / "a.jpg", exif=exif)
    yolo_file(tmp_path / "labels" / "a.txt", yolo_line(SQUARE, size=(64, 48)))
    (sample,) = tiny.opened("set", tmp_path)[0].samples
    assert sample.mask.shape == (64, 48) and sample.mask[4:20, 4:20].all() and sample.mask.sum() == 256


def test_a_damaged_photo_fails_every_object(tmp_path: Path) -> None:
    """So that the counts add up."""
    read(tmp_path, yolo_line(SQUARE), yolo_line(FAR))
    (tmp_path / "images" / "a.jpg").write_bytes(b"\xff\xd8 no picture")
    scene = tiny.opened("set", tmp_path)[0]
    assert [problem.key for problem in scene.problems] == ["set/images/a#1", "set/images/a#2"]


def test_a_text_file_that_goes_away_fails_its_photo(tmp_path: Path) -> None:
    """Between listing and reading."""
    read(tmp_path, yolo_line(SQUARE))
    reader = tiny.opened("set", tmp_path)
    (tmp_path / "labels" / "a.txt").unlink()
    with pytest.raises(ItemError, match="cannot be read"):
        reader[0]


def test_a_pipe_in_the_place_of_a_text_file_is_named(tmp_path: Path) -> None:
    """And not waited for."""
    tiny.LAYOUTS["yolo"](tmp_path)
    (tmp_path / "labels" / "0002.txt").unlink()
    os.mkfifo(tmp_path / "labels" / "0002.txt")
    reader = tiny.opened("set", tmp_path)
    check_reader(reader)
    assert len(reader) == 2
    assert ("set/labels/0002.txt", "broken annotation file") in {(each.key, each.reason) for each in reader.problems}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "ascii"])
def test_a_byte_order_mark_is_no_part_of_a_class(tmp_path: Path, encoding: str) -> None:
    """Editors on Windows write one."""
    read(tmp_path, yolo_line(SQUARE))
    (tmp_path / "labels" / "a.txt").write_bytes((yolo_line(SQUARE) + "\r\n").encode(encoding))
    assert areas(tiny.opened("set", tmp_path)[0]) == {1: 256}


def test_a_folder_of_other_texts_is_not_taken_for_yolo(tmp_path: Path) -> None:
    """Numbers alone are not enough: they must be shares behind a class."""
    write_picture(tmp_path / "a.jpg", picture(1))
    (tmp_path / "a.txt").write_text("10 200 300 400 500\n")
    (tmp_path / "b.txt").write_text("a photo of a dog\n")
    with pytest.raises(UsageError, match="no known layout"):
        recognise(tmp_path)
    with pytest.raises(UsageError, match="expected the folder of a YOLO set"):
        tiny.opened("set", tmp_path / "a.txt", "yolo")
    with pytest.raises(UsageError, match="no photo has a text file of outlines"):
        (tmp_path / "b.txt").rename(tmp_path / "c.txt")
        tiny.opened("set", tmp_path, "yolo", images=write_picture(tmp_path / "p" / "b.jpg", picture(1)).parent)


def test_a_folder_of_text_files_alone_leads_to_the_folder_above(tmp_path: Path) -> None:
    """Or to --images."""
    with pytest.raises(UsageError, match="found no photo: give the folder above, or --images m=DIR"):
        tiny.opened("m", yolo(tmp_path) / "labels")
