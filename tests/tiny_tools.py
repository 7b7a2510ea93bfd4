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


def cvat(root: Path, count: int = 3) -> Path:
    """annotations.xml beside images/: a polygon around the rectangle, an ellipse of its own."""
    photos = {}
    for number in range(1, count + 1):
        name = f"{number:04d}.jpg"
        write_picture(root / "images" / name, picture(number))
        points = ";".join(f"{x:.2f},{y:.2f}" for x, y in corners(number))
        disc = cvat_shape("ellipse", cx="52.00", cy="42.00", rx="4.00", ry="3.00")
        photos[name] = [cvat_shape("polygon", points=points), disc]
    cvat_file(root / "annotations.xml", photos)
    return root


def cvat_shape(tag: str, label: str = "dog", z_order: int = 0, group: int = 0, **attributes: Any) -> str:
    """One element of a shape of CVAT's."""
    more = {"group_id": group} if group else {}
    named = {"label": label, "source": "manual", "occluded": 0, **attributes, "z_order": z_order, **more}
    text = " ".join(f'{key}="{value}"' for key, value in named.items())
    return f"<{tag} {text}></{tag}>"


def cvat_file(path: Path, photos: dict[str, list[str]], size: tuple[int, int] = SIZE) -> Path:
    """A file of `CVAT for images 1.1`: photo -> its elements."""
    images = "".join(
        f'<image id="{at}" name="{name}" width="{size[1]}" height="{size[0]}">{"".join(shapes)}</image>'
        for at, (name, shapes) in enumerate(photos.items())
    )
    return cvat_xml(path, images)


def cvat_xml(path: Path, inside: str, meta: str = "") -> Path:
    """A file of CVAT's with these elements."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = f"<version>1.1</version><meta><task>{meta}</task></meta>"
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>{head}{inside}</annotations>\n')
    return path


def label_studio(root: Path, count: int = 3) -> Path:
    """A JSON export beside the photos: a polygon around the rectangle, an ellipse of its own."""
    tasks = []
    for number in range(1, count + 1):
        write_picture(root / "photos" / f"{number:04d}.jpg", picture(number))
        points = [[100 * x / SIZE[1], 100 * y / SIZE[0]] for x, y in corners(number)]
        disc = {"x": 82.0, "y": 88.0, "radiusX": 6.0, "radiusY": 7.0, "rotation": 0}
        regions = [studio_region("a", points=points), studio_region("b", **disc)]
        tasks.append(studio_task(f"/data/upload/7/0a1b2c3d-{number:04d}.jpg", regions, id=number))
    (root / "project-7.json").write_text(json.dumps(tasks))
    return root


def studio_region(own: str, size: tuple[int, int] = SIZE, **value: Any) -> dict[str, Any]:
    """One region of Label Studio's."""
    head = {"id": own, "from_name": "tag", "to_name": "image", "type": "labels", "image_rotation": 0}
    return {**head, "original_width": size[1], "original_height": size[0], "value": {**value, "labels": ["dog"]}}


def studio_task(photo: str, regions: list[Any], **more: Any) -> dict[str, Any]:
    """One task of Label Studio's with one annotation."""
    annotation = {"id": 1, "completed_by": 1, "was_cancelled": False, "ground_truth": False, "result": regions}
    return {"id": 1, "annotations": [annotation], "predictions": [], "data": {"image": photo}, **more}


def yolo(root: Path, count: int = 3) -> Path:
    """images/ beside labels/, and a data.yaml: an outline along the rectangle's rim, and a line of a box."""
    for number in range(1, count + 1):
        write_picture(root / "images" / f"{number:04d}.jpg", picture(number))
        left, top, right, bottom = box(number)
        rim = [[left, top], [right, top], [right, bottom], [left, bottom]]
        yolo_file(root / "labels" / f"{number:04d}.txt", yolo_line(rim), "1 0.9 0.9 0.05 0.05")
    (root / "data.yaml").write_text("path: .\ntrain: images\nnames:\n  0: dog\n  1: cat\n")
    return root


def yolo_line(points: Any, label: int = 0, size: tuple[int, int] = SIZE) -> str:
    """An outline in pixels as a line of shares."""
    return f"{label} " + " ".join(f"{x / size[1]:.6f} {y / size[0]:.6f}" for x, y in points)


def yolo_file(path: Path, *lines: str) -> Path:
    """A text file of outlines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


LAYOUTS = {
    "labelme": labelme,
    "supervisely": supervisely,
    "isat": isat,
    "via": via,
    "cvat": cvat,
    "label-studio": label_studio,
    "yolo": yolo,
}
