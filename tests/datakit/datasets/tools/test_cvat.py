"""CVAT's files give the masks that CVAT's own export draws, of the photos they name."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from datakit.datasets import ReadOptions, recognise, shape_reader
from datakit.errors import ItemError, UsageError
from datakit.samples import Scene
from tests import tiny
from tests.contracts import check_reader
from tests.drawing import picture, write_picture
from tests.tiny_tools import cvat_file, cvat_shape, cvat_xml

SQUARE = cvat_shape("box", xtl="4.00", ytl="4.00", xbr="20.00", ybr="20.00")

# One of each kind, and two groups whose largest shapes lie at another height than their others.
EACH = [
    cvat_shape("polygon", points="3.20,4.70;40.50,6.10;38.90,30.30;20.40,22.20;2.60,31.80"),
    cvat_shape("box", z_order=1, xtl="30.50", ytl="8.25", xbr="52.10", ybr="20.70"),
    cvat_shape("box", xtl="36.04", ytl="17.34", xbr="50.20", ybr="30.23", rotation="77.53"),
    cvat_shape("ellipse", cx="20.50", cy="30.40", rx="9.50", ry="6.20"),
    cvat_shape("ellipse", z_order=2, cx="48.30", cy="34.70", rx="12.60", ry="4.40", rotation="27.50"),
    cvat_shape("mask", rle="2, 3, 4, 6, 1, 5, 3", left="5", top="36", width="6", height="4"),
]
GROUPS = [
    cvat_shape("box", z_order=2, group=1, xtl="10.00", ytl="10.00", xbr="30.00", ybr="30.00"),
    cvat_shape("polygon", group=1, points="5.00,5.00;50.00,5.00;50.00,40.00;5.00,40.00"),
    cvat_shape("box", z_order=1, group=2, xtl="20.00", ytl="20.00", xbr="45.00", ybr="35.00"),
    cvat_shape("ellipse", group=2, cx="40.00", cy="12.00", rx="6.00", ry="6.00"),
    cvat_shape("box", z_order=1, xtl="0.00", ytl="0.00", xbr="12.00", ybr="9.00"),
    cvat_shape("box", xtl="6.00", ytl="3.00", xbr="18.00", ybr="13.00", rotation="45.00"),
    cvat_shape("box", xtl="8.00", ytl="6.00", xbr="22.00", ybr="16.00"),
]


def read(root: Path, *shapes: str, options: ReadOptions | None = None) -> Scene:
    """The one photo of a set with these shapes."""
    write_picture(root / "images" / "a.jpg", picture(1))
    cvat_file(root / "annotations.xml", {"a.jpg": list(shapes)})
    return tiny.opened("set", root, "cvat", options=options)[0]


def areas(scene: Scene) -> dict[int, int]:
    """Object -> its pixels."""
    return {sample.object_id: int(sample.mask.sum()) for sample in scene.samples}


def figures(scene: Scene) -> dict[int, tuple[int, int]]:
    """Object -> its pixels, and the CRC-32 of its mask."""
    return {each.object_id: (int(each.mask.sum()), zlib.crc32(each.mask.tobytes())) for each in scene.samples}


@pytest.mark.parametrize(
    ("shape", "expected"),
    list(
        zip(
            EACH,
            [
                (777, 2340540595),
                (273, 959022816),
                (184, 183400124),
                (217, 1647352659),
                (180, 2423698539),
                (14, 2611380678),
            ],
            strict=True,
        )
    ),
)
def test_each_shape_is_filled_as_cvat_fills_it(tmp_path: Path, shape: str, expected: tuple[int, int]) -> None:
    """Checked with CVAT's export "Segmentation mask 1.1": its `transformations.py` and its datumaro 0.3 (8970bb7).

    It rounds the corners of a turned box to two decimals, and radii of ellipses to whole pixels.
    """
    assert figures(read(tmp_path, shape)) == {1: expected}


def test_shapes_are_stacked_as_cvat_stacks_them(tmp_path: Path) -> None:
    """Checked as above, with the six shapes on one photo; 600 drawn photos were equal, too, when this was written."""
    assert figures(read(tmp_path, *EACH)) == {
        1: (639, 3181945196),
        2: (273, 959022816),
        3: (104, 526699912),
        4: (217, 1647352659),
        5: (180, 2423698539),
        6: (14, 2611380678),
    }


def test_a_group_is_one_object_at_the_height_of_its_largest_shape(tmp_path: Path) -> None:
    """Checked as above; a turned box lies over others of its height, and the last shape is covered wholly."""
    scene = read(tmp_path, *GROUPS)
    assert figures(scene) == {
        1: (1051, 2034649915),
        3: (496, 711248088),
        5: (108, 1297122296),
        6: (10, 1599081608),
    }
    assert [(problem.key, problem.reason) for problem in scene.problems] == [("set/images/a#7", "hidden")]


@pytest.mark.parametrize("tag", ["points", "polyline", "skeleton", "cuboid"])
def test_what_has_no_area_is_left_out_by_name(tmp_path: Path, tag: str) -> None:
    """As CVAT's export does; the others of the photo are read."""
    scene = read(tmp_path, cvat_shape(tag, points="1.00,1.00;9.00,9.00;1.00,9.00"), SQUARE)
    (problem,) = scene.problems
    assert (problem.kind, problem.reason) == ("left-out", "no area") and f"{tag} 'dog'" in problem.detail
    assert areas(scene) == {2: 256}


def test_a_tag_of_the_whole_photo_is_no_object(tmp_path: Path) -> None:
    """It says something of the photo, and has no place in it."""
    scene = read(tmp_path, '<tag label="night" source="manual"></tag>', SQUARE)
    assert areas(scene) == {1: 256} and not scene.problems


@pytest.mark.parametrize(
    ("shape", "reason", "said"),
    [
        (cvat_shape("mask", rle="2, 3", left="5", top="5", width="6", height="4"), "broken run lengths", "5 pixels"),
        (cvat_shape("mask", rle="-1, 25", left="5", top="5", width="6", height="4"), "broken run lengths", "24 of a"),
        (cvat_shape("mask", rle="a, 3", left="5", top="5", width="6", height="4"), "broken run lengths", "commas"),
        (cvat_shape("mask", rle="", left="5", top="5", width="6", height="4"), "broken run lengths", "commas"),
        (cvat_shape("mask", rle="9" * 30, left="5", top="5", width="6", height="4"), "broken run lengths", "commas"),
        (cvat_shape("mask", rle="6", left="5", top="5", width="99999", height="99999"), "broken run lengths", "box"),
        (cvat_shape("mask", rle="6", left="5", top="5", width="3"), "broken shape", "lacks numbers for left"),
        (cvat_shape("polygon", points="1.00,1.00;2.00,2.00"), "broken shape", "3 or more points"),
        (cvat_shape("polygon", points="1.00;2.00"), "broken shape", "3 or more points"),
        (cvat_shape("polygon"), "broken shape", "3 or more points"),
        (cvat_shape("polygon", points="nan,1;5,5;1,5"), "broken shape", "not finite"),
        (cvat_shape("polygon", points="900,900;990,900;990,990"), "outline outside the photo", "leaves the photo"),
        (cvat_shape("polygon", points="50,4;90,4;90,20;50,20"), "outline outside the photo", "lies outside"),
        (cvat_shape("box", xtl="1", ytl="1", xbr="x", ybr="9"), "broken shape", "lacks numbers for xtl"),
        (cvat_shape("ellipse", cx="9", cy="9", rx="-3", ry="4"), "broken shape", "none below 0"),
        (cvat_shape("ellipse", cx="9", cy="9", rx="1e300", ry="4"), "outline outside the photo", "leaves the photo"),
        (cvat_shape("blob", points="1,1;9,1;9,9"), "broken shape", "kind that CVAT's files do not have"),
    ],
)
def test_a_broken_shape_fails_alone(tmp_path: Path, shape: str, reason: str, said: str) -> None:
    """The others of the photo are read, and the message names the shape."""
    scene = read(tmp_path, shape, SQUARE)
    (problem,) = scene.problems
    assert (problem.kind, problem.reason, problem.key) == ("failed", reason, "set/images/a#1")
    assert said in problem.detail and "of object 1" in problem.detail
    assert areas(scene) == {2: 256}


def test_an_outline_that_is_too_long_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is lowered here, so that a small one is too much."""
    monkeypatch.setattr(shape_reader, "MOST_LENGTH", 70)
    long = cvat_shape("polygon", points="1,1;60,1;60,40;1,40")
    scene = read(tmp_path, long, SQUARE)
    (problem,) = scene.problems
    assert (problem.kind, problem.reason) == ("failed", "tangled outline") and "longer than 70" in problem.detail


def test_a_mask_that_sticks_out_is_cut_and_told(tmp_path: Path) -> None:
    """Runs row by row in their box, which begins left of the photo."""
    shape = cvat_shape("mask", rle="0, 40", left="-4", top="3", width="10", height="4")
    scene = read(tmp_path, shape)
    assert areas(scene) == {1: 24} and [note.reason for note in scene.notes] == [
        "outlines cut off by the edge of the photo"
    ]


def test_a_photo_of_another_size_fails(tmp_path: Path) -> None:
    """The file says what it was drawn on."""
    write_picture(tmp_path / "images" / "a.jpg", picture(1))
    cvat_file(tmp_path / "annotations.xml", {"a.jpg": [SQUARE]}, (96, 128))
    (problem,) = tiny.opened("set", tmp_path)[0].problems
    assert (problem.kind, problem.reason) == ("failed", "size mismatch")


def test_merged_objects_are_one_sample(tmp_path: Path) -> None:
    """Hidden shapes included, whose pixels count all the same."""
    scene = read(tmp_path, *GROUPS, options=ReadOptions(objects="merged"))
    assert areas(scene) == {1: 1051 + 496 + 108 + 10} and not scene.problems


@pytest.mark.parametrize("place", ["images/a.jpg", "images/train/a.jpg", "a.jpg", "elsewhere/a.jpg"])
def test_photos_are_found_where_exports_put_them(tmp_path: Path, place: str) -> None:
    """In images/, in images/SUBSET/, beside the file, or anywhere if only one can be meant."""
    write_picture(tmp_path / place, picture(1))
    head = '<image id="0" name="a.jpg" subset="train" width="64" height="48">'
    cvat_xml(tmp_path / "annotations.xml", f"{head}{SQUARE}</image>")
    reader = tiny.opened("set", tmp_path)
    check_reader(reader)
    assert [record.image for record in reader.records] == [place]


def test_subsets_keep_photos_of_one_name_apart(tmp_path: Path) -> None:
    """A project's export has a folder for each subset."""
    for subset, number in (("Train", 1), ("Val", 2)):
        write_picture(tmp_path / "images" / subset / "a.jpg", picture(number))
    images = "".join(
        f'<image id="{at}" name="a.jpg" subset="{subset}" width="64" height="48">{SQUARE}</image>'
        for at, subset in enumerate(("Val", "Train"))
    )
    cvat_xml(tmp_path / "annotations.xml", images)
    reader = tiny.opened("set", tmp_path)
    assert [(record.image, record.annotation["place"]) for record in reader.records] == [
        ("images/Train/a.jpg", "annotations.xml: image 1"),
        ("images/Val/a.jpg", "annotations.xml: image 0"),
    ]


def test_every_file_and_photo_is_accounted_for(tmp_path: Path) -> None:
    """Photos without objects or annotation, missing ones, files of other kinds: each with its reason."""
    for name in ("a", "b", "c"):
        write_picture(tmp_path / "images" / f"{name}.jpg", picture(1))
    cvat_file(tmp_path / "annotations.xml", {"a.jpg": [SQUARE], "b.jpg": [], "gone.jpg": [SQUARE]})
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "voc.xml").write_text("<annotation></annotation>")
    reader = tiny.opened("set", tmp_path)
    check_reader(reader)
    assert {(problem.key, problem.kind, problem.reason) for problem in reader.problems} == {
        ("set/images/b", "left-out", "no object"),
        ("set/images/c.jpg", "left-out", "no annotation"),
        ("set/images/gone#1", "failed", "missing image"),
        ("set/notes.txt", "left-out", "stray file"),
        ("set/voc.xml", "left-out", "stray file"),
    }


@pytest.mark.parametrize("name", ["../outside.jpg", "/etc/outside.jpg", "images/../../outside.jpg", "C:\\outside.jpg"])
def test_a_name_that_leaves_the_folder_means_no_file_outside(tmp_path: Path, name: str) -> None:
    """No file outside of the source is looked at."""
    write_picture(tmp_path / "outside.jpg", picture(2))
    write_picture(tmp_path / "set" / "images" / "a.jpg", picture(1))
    cvat_file(tmp_path / "set" / "annotations.xml", {name: [SQUARE]})
    reader = tiny.opened("set", tmp_path / "set")
    assert not len(reader) and "missing image" in {problem.reason for problem in reader.problems}


def test_the_file_itself_may_be_given(tmp_path: Path) -> None:
    """It is recognised by its content; other files beside it play no part."""
    file = tiny.LAYOUTS["cvat"](tmp_path) / "annotations.xml"
    assert recognise(file)[0] == "cvat" and len(tiny.opened("set", file)) == 3


def test_a_folder_without_a_file_of_cvats_is_refused(tmp_path: Path) -> None:
    """With where such files come from."""
    (tmp_path / "a.xml").write_text("<annotation></annotation>")
    with pytest.raises(UsageError, match="holds no XML file of CVAT's"):
        tiny.opened("set", tmp_path, "cvat")


def test_a_broken_file_beside_a_good_one_is_named(tmp_path: Path) -> None:
    """And the good one is read."""
    tiny.LAYOUTS["cvat"](tmp_path)
    (tmp_path / "more.xml").write_text("<annotations><image id='0'")
    reader = tiny.opened("set", tmp_path)
    assert len(reader) == 3
    assert [(problem.key, problem.reason) for problem in reader.problems] == [
        ("set/more.xml", "broken annotation file")
    ]


def test_too_many_shapes_on_a_photo_are_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any of them is painted, objects before any is looked at; the limit is 100 000."""
    monkeypatch.setattr("datakit.datasets.shape_reader.MOST_SHAPES", 50)
    with pytest.raises(ItemError, match=r"annotations\.xml: image 0: holds 51 objects, at most 50"):
        read(tmp_path, *[SQUARE] * 51)
    grouped = cvat_shape("box", group=3, xtl="4.00", ytl="4.00", xbr="20.00", ybr="20.00")
    scene = read(tmp_path, *[grouped] * 51)
    assert [problem.reason for problem in scene.problems] == ["too many shapes"] and not scene.samples


def test_two_readings_of_one_file_are_equal(tmp_path: Path) -> None:
    """Masks and checksums, so that a build can be compared."""
    first, again = (read(tmp_path, *EACH).samples for _ in range(2))
    assert [(each.source_crc32, each.mask.tobytes()) for each in first] == [
        (each.source_crc32, each.mask.tobytes()) for each in again
    ]
    assert len({np.packbits(each.mask).tobytes() for each in first}) == 6
