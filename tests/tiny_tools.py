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


LAYOUTS = {"labelme": labelme}
