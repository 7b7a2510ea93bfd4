"""Miniature sets as annotation tools save them, beside those of `tests.tiny`.

Each function writes below the folder it is given and returns the root to open.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.drawing import SIZE, mask, picture, write_picture


def box(number: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom pixel, all inside, of the rectangle in the picture of this number."""
    rows, columns = np.nonzero(mask(number))
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


def corners(number: int) -> list[list[int]]:
    """The corners of the rectangle, around it."""
    left, top, right, bottom = box(number)
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def labelme(root: Path, count: int = 3) -> Path:
    """NAME.jpg beside NAME.json, each a polygon around the rectangle and a circle of its own."""
    for number in range(1, count + 1):
        name = f"{number:04d}"
        write_picture(root / f"{name}.jpg", picture(number))
        shapes = [labelme_shape("dog", corners(number)), labelme_shape("cat", [[50, 40], [53, 43]], "circle")]
        labelme_file(root / f"{name}.json", f"{name}.jpg", shapes)
    return root


def labelme_shape(label: str, points: Any, kind: str = "polygon", group: int | None = None, **more: Any) -> Any:
    """One shape of LabelMe's."""
    return {"label": label, "points": points, "group_id": group, "shape_type": kind, "flags": {}, **more}


def labelme_file(path: Path, photo: str, shapes: list[Any], size: tuple[int, int] = SIZE, **more: Any) -> Path:
    """A LabelMe file."""
    head = {"version": "5.5.0", "flags": {}, "imagePath": photo, "imageData": None}
    document = {**head, "imageHeight": size[0], "imageWidth": size[1], "shapes": shapes, **more}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def supervisely(root: Path, count: int = 3) -> Path:
    """meta.json and ds/img/NAME.jpg beside ds/ann/NAME.jpg.json: a polygon around the rectangle, a box of its own."""
    (root / "ds" / "ann").mkdir(parents=True)
    (root / "meta.json").write_text('{"classes": [], "tags": []}')
    for number in range(1, count + 1):
        name = f"{number:04d}.jpg"
        write_picture(root / "ds" / "img" / name, picture(number))
        figures = [
            {"geometryType": "polygon", "points": {"exterior": corners(number), "interior": []}},
            {"geometryType": "rectangle", "points": {"exterior": [[50, 40], [53, 43]], "interior": []}},
        ]
        supervisely_file(root / "ds" / "ann" / f"{name}.json", figures)
    return root


def supervisely_file(path: Path, figures: list[Any], size: tuple[int, int] = SIZE) -> Path:
    """A Supervisely file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"size": {"height": size[0], "width": size[1]}, "tags": [], "objects": figures}))
    return path


def isat(root: Path, count: int = 3) -> Path:
    """isat.yaml, and NAME.jpg beside NAME.json: a polygon around the rectangle, another of its own."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "isat.yaml").write_text("label: []")
    for number in range(1, count + 1):
        name = f"{number:04d}"
        write_picture(root / f"{name}.jpg", picture(number))
        small = [[50, 40], [53, 40], [53, 43], [50, 43]]
        isat_file(root / f"{name}.json", f"{name}.jpg", [isat_piece(corners(number)), isat_piece(small, 2)])
    return root


def isat_piece(points: Any, group: Any = 1, layer: Any = 1.0, category: str = "dog") -> dict[str, Any]:
    """One polygon of ISAT's."""
    return {"category": category, "group": group, "segmentation": points, "layer": layer, "iscrowd": False}


def isat_file(path: Path, photo: str, pieces: list[Any], size: tuple[int, int] = SIZE) -> Path:
    """An ISAT file."""
    info = {"description": "ISAT", "folder": "", "name": photo, "width": size[1], "height": size[0], "depth": 3}
    path.write_text(json.dumps({"info": info, "objects": pieces}))
    return path


def via(root: Path, count: int = 3) -> Path:
    """via_region_data.json beside the photos: a polygon around the rectangle, a box of its own."""
    photos = {}
    for number in range(1, count + 1):
        name = f"{number:04d}.jpg"
        write_picture(root / name, picture(number))
        columns, rows = (list(side) for side in zip(*corners(number), strict=True))
        polygon = {"name": "polygon", "all_points_x": columns, "all_points_y": rows}
        photos[name] = [polygon, {"name": "rect", "x": 50, "y": 40, "width": 4, "height": 4}]
    via_file(root / "via_region_data.json", photos)
    return root


def via_file(path: Path, photos: dict[str, list[Any]]) -> Path:
    """A VIA 2 export: photo -> its regions' shape_attributes."""
    document = {
        f"{name}123": {"filename": name, "size": 123, "regions": [{"shape_attributes": each} for each in regions]}
        for name, regions in photos.items()
    }
    path.write_text(json.dumps(document))
    return path


LAYOUTS = {"labelme": labelme, "supervisely": supervisely, "isat": isat, "via": via}
