"""ISAT's files give the masks that ISAT's own exporter draws."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datakit.samples import Scene
from tests import tiny
from tests.drawing import picture, write_picture
from tests.tiny_tools import isat_file, isat_piece

BIG, SMALL = [[4, 4], [30, 4], [30, 30], [4, 30]], [[10, 10], [19, 10], [19, 19], [10, 19]]
FAR = [[40, 4], [50, 4], [50, 14], [40, 14]]


def read(root: Path, *pieces: Any) -> Scene:
    """The one photo of a set with these pieces."""
    write_picture(root / "a.jpg", picture(1))
    isat_file(root / "a.json", "a.jpg", list(pieces))
    return tiny.opened("set", root, "isat")[0]


def areas(scene: Scene) -> dict[int, int]:
    """Object -> its pixels."""
    return {sample.object_id: int(sample.mask.sum()) for sample in scene.samples}


def test_pieces_are_filled_as_isat_fills_them(tmp_path: Path) -> None:
    """Checked with isat-sam 1.5.2: `formats/voc.py` with `is_instance` gives these pixels."""
    pieces = [
        isat_piece([[3.2, 4.7], [40.5, 6.1], [38.9, 30.3], [20.4, 22.2], [2.6, 31.8]], 1, 1.0),
        isat_piece([[30.0, 20.0], [50.5, 20.9], [49.2, 33.5], [33.3, 36.6]], 2, 3.0),
        isat_piece([[60.9, 40.2], [80.0, 44.1], [66.6, 58.5]], 1, 2.0),
        isat_piece([[35.0, 25.0], [70.0, 26.0], [72.0, 50.0]], 3, 1.0),
    ]
    write_picture(tmp_path / "a.png", np.full((64, 90, 3), 99, np.uint8))
    isat_file(tmp_path / "a.json", "a.png", pieces, (64, 90))
    scene = tiny.opened("set", tmp_path)[0]
    drawn = np.zeros((64, 90), np.uint8)
    for sample in scene.samples:
        drawn[sample.mask != 0] = sample.object_id
    assert np.bincount(drawn.ravel()).tolist() == [4286, 896, 275, 303]
    assert zlib.crc32(drawn.tobytes()) == 2305438997


def test_the_higher_layer_lies_on_top(tmp_path: Path) -> None:
    """Whatever the order in the file."""
    assert areas(read(tmp_path, isat_piece(SMALL, 1, 2.0), isat_piece(BIG, 2, 1.0))) == {1: 100, 2: 27 * 27 - 100}


@pytest.mark.parametrize("group", [0, None, "", "0"])
def test_pieces_without_a_group_are_objects_of_their_own(tmp_path: Path, group: Any) -> None:
    """Pieces of one group are one object."""
    assert areas(read(tmp_path, isat_piece(SMALL, group), isat_piece(FAR, group))) == {1: 100, 2: 121}
    assert areas(read(tmp_path, isat_piece(SMALL, 5), isat_piece(FAR, 5))) == {1: 221}


def test_background_cuts_a_hole(tmp_path: Path) -> None:
    """As in ISAT's semantic pictures; it is no object of its own."""
    hole = isat_piece(SMALL, 9, 2.0, "__background__")
    scene = read(tmp_path, isat_piece(BIG, 1), hole)
    assert areas(scene) == {1: 27 * 27 - 100} and not scene.problems and not scene.notes


@pytest.mark.parametrize(
    ("piece", "said"),
    [
        ("text", "is str"),
        (isat_piece([[1, 1], [5, 5]]), "3 or more points"),
        (isat_piece(None), "found NoneType"),
        (isat_piece([[400, 400], [450, 400], [450, 450]]), "leaves the photo"),
    ],
)
def test_a_broken_piece_fails_alone(tmp_path: Path, piece: Any, said: str) -> None:
    """The others of the photo are read, and the message names the piece."""
    scene = read(tmp_path, piece, isat_piece(BIG, 2))
    (problem,) = scene.problems
    assert problem.kind == "failed" and "object 0" in problem.detail and said in problem.detail
    assert areas(scene) == {2: 27 * 27}


def test_photos_may_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    """ISAT names the photo without its folder."""
    write_picture(tmp_path / "images" / "a.jpg", picture(1))
    (tmp_path / "labels").mkdir()
    isat_file(tmp_path / "labels" / "a.json", "a.jpg", [isat_piece(BIG)])
    reader = tiny.opened("set", tmp_path)
    assert [record.image for record in reader.records] == ["images/a.jpg"] and not reader.problems
