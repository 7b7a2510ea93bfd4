"""LabelMe's files give the masks that LabelMe itself draws, of the photos they mean."""

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

from datakit.datasets import ReadOptions
from datakit.errors import ItemError, UsageError
from datakit.images import turn
from datakit.samples import Scene
from tests import tiny
from tests.drawing import SIZE, mask, picture, write_picture
from tests.tiny_tools import corners, labelme_file, labelme_shape

SQUARE = [[4, 4], [20, 4], [20, 20], [4, 20]]


def png(plane: NDArray[np.uint8]) -> str:
    """A mask shape's picture."""
    held = io.BytesIO()
    PillowImage.fromarray(plane).save(held, "PNG")
    return base64.b64encode(held.getvalue()).decode()


def read(root: Path, *shapes: Any, options: ReadOptions | None = None, **more: Any) -> Scene:
    """The one photo of a set with these shapes."""
    write_picture(root / "a.jpg", picture(1))
    labelme_file(root / "a.json", "a.jpg", list(shapes), **more)
    return tiny.opened("set", root, "labelme", options=options)[0]


def areas(scene: Scene) -> dict[int, int]:
    """Object -> its pixels."""
    return {sample.object_id: int(sample.mask.sum()) for sample in scene.samples}


def test_shapes_are_filled_as_labelme_fills_them(tmp_path: Path) -> None:
    """Checked with labelme 7.9.1: `_utils/_mask.py::shapes_to_label` of these shapes on 64x90 gives these pixels."""
    rows, columns = np.mgrid[:12, :15]
    blob = ((rows - 6) ** 2 + (columns - 7) ** 2 < 30).astype(np.uint8)
    shapes = [
        labelme_shape("dog", [[3.2, 4.7], [40.5, 6.1], [38.9, 30.3], [20.4, 22.2], [2.6, 31.8]]),
        labelme_shape("dog", [[30.0, 20.0], [50.5, 33.5]], "rectangle", 4),
        labelme_shape("dog", [[70.5, 33.5], [60.25, 50.75]], "rectangle", 4),
        labelme_shape("cat", [[70.3, 20.2], [77.9, 25.1]], "circle", 4),
        labelme_shape("cat", [[10.0, 40.0], [24.0, 51.0]], "mask", mask=png(blob)),
        labelme_shape("cat", [[28.5, 40.5], [42.4, 51.4]], "mask", mask=png(blob)),
        labelme_shape("cat", [[-4, 50], [10, 61]], "mask", 7, mask=png(blob * np.uint8(255))),
        labelme_shape("box", [[50.5, 2.5], [66.0, 8.1], [60.3, 18.7], [45.2, 13.3]], "oriented_rectangle"),
        labelme_shape("tip", [[80.0, 50.0], [95.0, 70.0], [70.0, 68.0]]),
    ]
    write_picture(tmp_path / "a.png", np.full((64, 90, 3), 99, np.uint8))
    labelme_file(tmp_path / "a.json", "a.png", shapes, (64, 90))
    scene = tiny.opened("set", tmp_path)[0]
    drawn = np.zeros((64, 90), np.uint8)
    for sample in scene.samples:
        drawn[sample.mask != 0] = sample.object_id
    assert np.bincount(drawn.ravel()).tolist() == [3643, 728, 492, 277, 97, 97, 85, 210, 131]
    assert zlib.crc32(drawn.tobytes()) == 2162251315 and not scene.problems


def test_an_object_is_a_label_with_a_group(tmp_path: Path) -> None:
    """One group_id with two labels is two objects; shapes without a group are one each."""
    left, right = [[2, 2], [8, 8]], [[30, 2], [36, 8]]
    scene = read(
        tmp_path,
        labelme_shape("dog", left, "rectangle", 1),
        labelme_shape("cat", [[2, 20], [8, 26]], "rectangle", 1),
        labelme_shape("dog", right, "rectangle", 1),
        labelme_shape("dog", [[30, 20], [36, 26]], "rectangle"),
    )
    assert areas(scene) == {1: 98, 2: 49, 3: 49}


def test_a_later_shape_covers_an_earlier_one(tmp_path: Path) -> None:
    """Also one that is hidden wholly, which is then left out by name."""
    inner, outer = [[6, 6], [9, 9]], [[5, 5], [14, 14]]
    scene = read(tmp_path, labelme_shape("a", outer, "rectangle"), labelme_shape("b", inner, "rectangle"))
    assert areas(scene) == {1: 84, 2: 16}
    scene = read(tmp_path, labelme_shape("b", inner, "rectangle"), labelme_shape("a", outer, "rectangle"))
    assert areas(scene) == {2: 100} and [problem.reason for problem in scene.problems] == ["hidden"]


@pytest.mark.parametrize("kind", ["point", "points", "line", "linestrip"])
def test_lines_and_points_are_left_out_by_name(tmp_path: Path, kind: str) -> None:
    """As objects of their own; beside an area they cost that object nothing but a word."""
    line = labelme_shape("whisker", [[1, 1], [9, 9]], kind, 2)
    scene = read(tmp_path, line, labelme_shape("cat", SQUARE))
    assert areas(scene) == {2: 17 * 17}
    (problem,) = scene.problems
    assert (problem.key, problem.kind, problem.reason) == ("set/a#1", "left-out", "no area")
    assert f"shape 0 ({kind} 'whisker')" in problem.detail
    scene = read(tmp_path, line, labelme_shape("whisker", SQUARE, group=2))
    assert areas(scene) == {1: 17 * 17} and not scene.problems
    assert [note.reason for note in scene.notes] == ["objects without some of their shapes"]


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ("text", "expected an object"),
        (labelme_shape("a", [[1, 1], [5, 5]]), "expected 3 or more points, each x and y; found 2 of them"),
        (labelme_shape("a", "1,2"), "found str"),
        (labelme_shape("a", [[1, 1], [5, 5], [9, None]]), "not finite"),
        (labelme_shape("a", [[1, 1], ["x", 5], [9, 2]]), "each x and y"),
        (labelme_shape("a", [[1, 1], [5, 5]], "mask", mask="%%%"), "no picture"),
        (labelme_shape("a", [[1, 1], [5, 5]], "mask", mask=base64.b64encode(b"text").decode()), "no picture"),
        (labelme_shape("a", [[1, 1], [5, 5]], "mask"), "is NoneType"),
        (labelme_shape("a", [[1, 1], [5, 5]], "spiral"), "of a kind that LabelMe's files do not have"),
        (labelme_shape("a", [[400, 400], [450, 400], [450, 450]]), "leaves the photo"),
        (labelme_shape("a", [[60, 40], [90, 40], [90, 80], [60, 80]]), "outside the photo"),
    ],
)
def test_a_broken_shape_fails_alone(tmp_path: Path, shape: Any, said: str) -> None:
    """The others of the photo are read, and the message names the shape."""
    scene = read(tmp_path, shape, labelme_shape("b", SQUARE))
    assert areas(scene) == {2: 17 * 17}
    (problem,) = scene.problems
    assert problem.kind == "failed" and "shape 0" in problem.detail and said in problem.detail


@pytest.mark.parametrize(
    ("path", "written", "photo"),
    [
        ("a.json", "a.jpg", "a.jpg"),
        ("labels/a.json", "../images/a.jpg", "images/a.jpg"),
        ("labels/a.json", "..\\images\\a.jpg", "images/a.jpg"),
        ("labels/a.json", "D:\\photos\\of me\\a.jpg", "images/a.jpg"),
        ("labels/a.json", "/home/someone/images/a.jpg", "images/a.jpg"),
        ("labels/a.json", "../../../elsewhere/a.jpg", "images/a.jpg"),
        ("a.json", "old name.jpg", "a.jpg"),
    ],
)
def test_the_photo_is_the_one_that_is_meant(tmp_path: Path, path: str, written: str, photo: str) -> None:
    """Beside the file, relative to it, by its end where it names another machine's folder, else of the file's name."""
    write_picture(tmp_path / photo, picture(1))
    labelme_file(tmp_path / path, written, [labelme_shape("dog", corners(1))])
    reader = tiny.opened("set", tmp_path)
    assert [record.image for record in reader.records] == [photo] and not reader.problems
    assert areas(reader[0]) == {1: int(mask(1).sum())}


def test_a_photo_inside_the_file_stands_in_for_a_missing_one(tmp_path: Path) -> None:
    """`imageData` is the upright photo; one in a file of its own is preferred."""
    held = io.BytesIO()
    PillowImage.fromarray(picture(1)).save(held, "PNG")
    data = base64.b64encode(held.getvalue()).decode()
    labelme_file(tmp_path / "a.json", "a.jpg", [labelme_shape("dog", corners(1))], imageData=data)
    reader = tiny.opened("set", tmp_path)
    assert (reader[0].samples[0].image == picture(1)).all() and reader.records[0].key == "set/a"
    write_picture(tmp_path / "a.jpg", picture(2))
    assert tiny.opened("set", tmp_path).records[0].image == "a.jpg"


def test_what_fits_nowhere_is_named(tmp_path: Path) -> None:
    """A photo without a file, a file without its photo, a file of another kind, a cut one, a second for one photo."""
    tiny.LAYOUTS["labelme"](tmp_path)
    write_picture(tmp_path / "alone.jpg", picture(4))
    labelme_file(tmp_path / "gone.json", "nowhere.jpg", [labelme_shape("a", SQUARE), labelme_shape("b", SQUARE)])
    labelme_file(tmp_path / "twice.json", "0001.jpg", [labelme_shape("a", SQUARE)])
    labelme_file(tmp_path / "nothing.json", "0001.jpg", [])
    (tmp_path / "settings.json").write_text('{"a": 1}')
    (tmp_path / "cut.json").write_text('{"shapes": [')
    (tmp_path / "notes.txt").write_text("nothing")
    reader = tiny.opened("set", tmp_path)
    assert len(reader) == 3
    found = sorted((problem.key, problem.kind, problem.reason) for problem in reader.problems)
    assert found == [
        ("set/0001", "left-out", "no object"),
        ("set/0001#1", "failed", "duplicate name"),
        ("set/alone.jpg", "left-out", "no annotation"),
        ("set/cut.json", "failed", "broken annotation file"),
        ("set/notes.txt", "left-out", "stray file"),
        ("set/nowhere#1", "failed", "missing image"),
        ("set/nowhere#2", "failed", "missing image"),
        ("set/settings.json", "left-out", "stray file"),
    ]


def test_a_photo_of_another_size_than_it_was_drawn_on_fails(tmp_path: Path) -> None:
    """Every object of it, with both sizes."""
    scene = read(tmp_path, labelme_shape("a", SQUARE), labelme_shape("b", SQUARE), size=(480, 640))
    assert [problem.reason for problem in scene.problems] == ["size mismatch"] * 2
    assert "(480, 640)" in scene.problems[0].detail and str(SIZE) in scene.problems[0].detail


def test_shapes_lie_on_the_upright_photo(tmp_path: Path) -> None:
    """LabelMe turns a photo by EXIF before it shows it, and writes the upright size."""
    tiny.write_rotated_jpeg(tmp_path / "a.jpg", picture(1), 6)
    shown = turn(mask(1), 6)
    rows, columns = np.nonzero(shown)
    box = [[int(columns.min()), int(rows.min())], [int(columns.max()), int(rows.max())]]
    labelme_file(tmp_path / "a.json", "a.jpg", [labelme_shape("dog", box, "rectangle")], SIZE[::-1])
    (sample,) = tiny.opened("set", tmp_path)[0].samples
    assert (sample.mask == shown).all() and sample.photo.size == SIZE[::-1]


def test_merged_shapes_are_one_object(tmp_path: Path) -> None:
    """With what one of them hides of another."""
    shapes = [
        labelme_shape("a", [[5, 5], [14, 14]], "rectangle"),
        labelme_shape("b", [[10, 10], [19, 19]], "rectangle"),
    ]
    scene = read(tmp_path, *shapes, options=ReadOptions(objects="merged"))
    assert [(sample.key, int(sample.mask.sum())) for sample in scene.samples] == [("set/a", 175)]


def test_a_file_that_is_spoilt_after_listing_fails_by_name(tmp_path: Path) -> None:
    """Nothing of the photo is read then."""
    tiny.LAYOUTS["labelme"](tmp_path)
    reader = tiny.opened("set", tmp_path)
    (tmp_path / "0001.json").write_text("[]")
    with pytest.raises(ItemError, match="holds no list `shapes`"):
        reader[0]


def test_one_file_is_a_source(tmp_path: Path) -> None:
    """The file itself may be given; a JSON of another kind is refused with what was expected."""
    root = tiny.LAYOUTS["labelme"](tmp_path)
    assert [record.key for record in tiny.opened("set", root / "0002.json", "labelme").records] == ["set/0002"]
    (tmp_path / "other.json").write_text(json.dumps({"a": 1}))
    with pytest.raises(UsageError, match="holds no LabelMe file"):
        tiny.opened("set", tmp_path / "other.json", "labelme")
