"""VIA's files of both versions, filled as scikit-image fills polygons and ellipses."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datakit.samples import Scene
from tests import tiny
from tests.drawing import picture, write_picture
from tests.tiny_tools import via_file

SQUARE = {"name": "rect", "x": 4, "y": 4, "width": 10, "height": 12}


def read(root: Path, *regions: Any) -> Scene:
    """The one photo of a set with these regions."""
    write_picture(root / "a.jpg", picture(1))
    via_file(root / "via.json", {"a.jpg": list(regions)})
    return tiny.opened("set", root, "via")[0]


def test_regions_are_filled_as_scikit_image_fills_them(tmp_path: Path) -> None:
    """Checked with scikit-image 0.26.0: `draw.polygon` and `draw.ellipse` (rotation -0.5) give these pixels."""
    regions = [
        {"name": "polygon", "all_points_x": [3, 40, 38, 20, 2], "all_points_y": [4, 6, 30, 22, 31]},
        {"name": "ellipse", "cx": 60, "cy": 40, "rx": 14, "ry": 9},
        {"name": "circle", "cx": 20, "cy": 30, "r": 9.5},
        {"name": "ellipse", "cx": 30, "cy": 50, "rx": 11, "ry": 6, "theta": 0.5},
    ]
    write_picture(tmp_path / "a.png", np.full((64, 90, 3), 99, np.uint8))
    via_file(tmp_path / "via_region_data.json", {"a.png": regions})
    drawn = np.zeros((64, 90), np.uint8)
    for sample in tiny.opened("set", tmp_path)[0].samples:
        drawn[sample.mask != 0] = sample.object_id
    assert np.bincount(drawn.ravel()).tolist() == [4122, 747, 387, 293, 211]
    assert zlib.crc32(drawn.tobytes()) == 2076714463


def test_a_box_has_its_width_times_its_height(tmp_path: Path) -> None:
    """VIA writes sides, not corners."""
    (sample,) = read(tmp_path, SQUARE).samples
    assert int(sample.mask.sum()) == 120 and sample.mask[4, 4] and not sample.mask[16, 4] and not sample.mask[4, 14]


def test_version_1_numbers_its_regions_in_a_dict(tmp_path: Path) -> None:
    """And a project keeps the photos beside its settings."""
    write_picture(tmp_path / "a.jpg", picture(1))
    regions = {"0": {"shape_attributes": SQUARE}, "1": {"shape_attributes": {**SQUARE, "x": 30}}}
    photos = {"a.jpg123": {"filename": "a.jpg", "size": 123, "regions": regions}}
    project = {"_via_settings": {}, "_via_img_metadata": photos, "_via_attributes": {}}
    for document in (photos, project):
        (tmp_path / "via.json").write_text(json.dumps(document))
        scene = tiny.opened("set", tmp_path)[0]
        assert [(sample.object_id, int(sample.mask.sum())) for sample in scene.samples] == [(1, 120), (2, 120)]


@pytest.mark.parametrize("kind", ["point", "polyline"])
def test_points_and_lines_are_left_out_by_name(tmp_path: Path, kind: str) -> None:
    """And cost the others nothing."""
    scene = read(tmp_path, {"name": kind, "cx": 4, "cy": 4}, SQUARE)
    (problem,) = scene.problems
    assert (problem.kind, problem.reason) == ("left-out", "no area") and f"region 1 ({kind})" in problem.detail
    assert [sample.object_id for sample in scene.samples] == [2]


@pytest.mark.parametrize(
    ("region", "said"),
    [
        (None, "no `shape_attributes`"),
        ({"name": "polygon", "all_points_x": [1, 2, 3], "all_points_y": [1, 2]}, "not two lists of one length"),
        ({"name": "polygon", "all_points_x": [1, 2], "all_points_y": [1, 2]}, "3 or more points"),
        ({"name": "polygon", "all_points_x": [1, None, 3], "all_points_y": [1, 2, 9]}, "not finite"),
        ({"name": "rect", "x": 1, "y": 2, "width": "3"}, "needs the numbers x, y, width, height"),
        ({"name": "rect", "x": 1, "y": 2, "width": 0, "height": 4}, "a box of 0 by 4"),
        ({"name": "circle", "cx": 5, "cy": 5, "r": -1}, "radii of -1"),
        ({"name": "ellipse", "cx": 5, "cy": 5, "rx": 4, "ry": 3, "theta": "x"}, "needs the numbers theta"),
        ({"name": "spiral"}, "of a kind that VIA does not have"),
    ],
)
def test_a_broken_region_fails_alone(tmp_path: Path, region: Any, said: str) -> None:
    """The others of the photo are read, and the message names the region."""
    scene = read(tmp_path, region, SQUARE)
    (problem,) = scene.problems
    assert problem.kind == "failed" and "region 1" in problem.detail and said in problem.detail
    assert [sample.object_id for sample in scene.samples] == [2]
