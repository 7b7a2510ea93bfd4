"""Supervisely's files give the masks that its own library draws."""

from __future__ import annotations

import base64
import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from datakit.samples import Scene
from tests import tiny
from tests.drawing import picture, write_picture
from tests.tiny_tools import supervisely_file

ROWS, COLUMNS = np.mgrid[:12, :15]
BLOB = (ROWS - 6) ** 2 + (COLUMNS - 7) ** 2 < 30
SQUARE = {"geometryType": "rectangle", "points": {"exterior": [[4, 4], [20, 20]], "interior": []}}


def bitmap(kind: str, left: int, top: int) -> dict[str, Any]:
    """A bitmap figure whose picture is of one of the kinds that are met."""
    held = io.BytesIO()
    if kind == "palette":
        image = PillowImage.fromarray(BLOB.astype(np.uint8))
        image.putpalette([0, 0, 0, 255, 255, 255])
        image.save(held, "PNG", transparency=0)
    elif kind == "alpha":
        planes = [np.full(BLOB.shape, 200, np.uint8)] * 3 + [BLOB.astype(np.uint8) * np.uint8(255)]
        PillowImage.fromarray(np.dstack(planes)).save(held, "PNG")
    else:
        PillowImage.fromarray(BLOB).save(held, "PNG")
    data = held.getvalue() if kind == "unpacked" else zlib.compress(held.getvalue())
    return {"geometryType": "bitmap", "bitmap": {"data": base64.b64encode(data).decode(), "origin": [left, top]}}


def read(root: Path, *figures: Any) -> Scene:
    """The one photo of a set with these figures."""
    write_picture(root / "img" / "a.jpg", picture(1))
    supervisely_file(root / "ann" / "a.jpg.json", list(figures))
    return tiny.opened("set", root, "supervisely")[0]


def test_figures_are_filled_as_supervisely_fills_them(tmp_path: Path) -> None:
    """Checked with supervisely 6.74.51: `deserialize_geometry(…).draw` of each figure on 64x90 gives these pixels."""
    dog = [[3.2, 4.7], [40.5, 6.1], [38.9, 30.3], [20.4, 22.2], [2.6, 31.8]]
    holes = [[[10, 10], [16.8, 10.2], [14, 17]], [[20, 8], [24, 8], [24, 12], [20, 12]]]
    figures = [
        {"geometryType": "polygon", "classTitle": "dog", "points": {"exterior": dog, "interior": holes}},
        {"geometryType": "rectangle", "points": {"exterior": [[70.5, 33.5], [60.25, 50.75]], "interior": []}},
        bitmap("palette", 10, 40),
        bitmap("alpha", 28, 40),
        bitmap("bilevel", 44, 5),
    ]
    write_picture(tmp_path / "ds" / "img" / "a.png", np.full((64, 90, 3), 99, np.uint8))
    supervisely_file(tmp_path / "ds" / "ann" / "a.png.json", figures, (64, 90))
    scene = tiny.opened("set", tmp_path)[0]
    drawn = np.zeros((64, 90), np.uint8)
    for sample in scene.samples:
        drawn[sample.mask != 0] = sample.object_id
    assert np.bincount(drawn.ravel()).tolist() == [4483, 788, 198, 97, 97, 97]
    assert zlib.crc32(drawn.tobytes()) == 3198537981


def test_a_picture_that_was_not_packed_is_read(tmp_path: Path) -> None:
    """Older exports hold the PNG itself."""
    (sample,) = read(tmp_path, bitmap("unpacked", 3, 5)).samples
    assert int(sample.mask.sum()) == int(BLOB.sum()) and sample.mask[5 + 6, 3 + 7]


@pytest.mark.parametrize("kind", ["point", "line", "graph"])
def test_what_has_no_area_is_left_out_by_name(tmp_path: Path, kind: str) -> None:
    """And costs the others nothing."""
    scene = read(tmp_path, {"geometryType": kind, "classTitle": "tip"}, SQUARE)
    (problem,) = scene.problems
    assert (problem.kind, problem.reason) == ("left-out", "no area") and f"object 1 ({kind} 'tip')" in problem.detail
    assert [sample.object_id for sample in scene.samples] == [2]


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        ("text", "is str"),
        ({"geometryType": "polygon"}, "`exterior` and `interior`"),
        ({"geometryType": "polygon", "points": {"exterior": [[1, 1]]}}, "3 or more points"),
        ({"geometryType": "polygon", "points": {"exterior": [[1, 1], [9, 1], [9, 9]], "interior": "x"}}, "is str"),
        ({"geometryType": "cube"}, "of a kind that has no mask"),
        ({"geometryType": "bitmap"}, "`data` and `origin`"),
        ({"geometryType": "bitmap", "bitmap": {"data": "abc", "origin": [0, 0]}}, "not base64 text"),
        ({"geometryType": "bitmap", "bitmap": {"data": "aGVsbG8=", "origin": [0, 0]}}, "no picture"),
        ({"geometryType": "bitmap", "bitmap": {"data": 7, "origin": [0, 0]}}, "is int"),
        ({"geometryType": "bitmap", "bitmap": {"data": "aGVsbG8=", "origin": "top"}}, "1 points"),
    ],
)
def test_a_broken_figure_fails_alone(tmp_path: Path, figure: Any, said: str) -> None:
    """The others of the photo are read, and the message names the figure."""
    scene = read(tmp_path, figure, SQUARE)
    (problem,) = scene.problems
    assert problem.kind == "failed" and "object 1" in problem.detail and said in problem.detail
    assert [sample.object_id for sample in scene.samples] == [2]


def test_a_bitmap_is_not_unpacked_beyond_what_a_mask_can_hold(tmp_path: Path) -> None:
    """A few bytes that unpack to far more than the largest photo are refused before they fill the memory."""
    packed = base64.b64encode(zlib.compress(bytes(50_000_000))).decode()
    root = tmp_path / "set"
    write_picture(root / "img" / "a.jpg", picture(1))
    figure = {"geometryType": "bitmap", "bitmap": {"data": packed, "origin": [0, 0]}}
    supervisely_file(root / "ann" / "a.jpg.json", [figure])
    (problem,) = tiny.opened("set", root, options=tiny.ReadOptions(max_pixels=10_000))[0].problems
    assert "unpacks to more than any mask" in problem.detail
