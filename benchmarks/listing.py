"""Listing annotation files beside parsing the same bytes: python -m benchmarks.listing [--files N] [--annotations N]

LabelMe's files, one a photo, and one COCO file; both made here, at a tenth of the size and whole, so that growth shows.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from datakit.datasets import SourceSpec, open_source

from . import common

FOLDER = 1000  # files of one


def labelme_files(root: Path, count: int) -> None:
    """Photos without bytes, each beside a file of three polygons of 40 points."""
    rng = np.random.default_rng(0)
    for number in range(count):
        folder = root / f"{number // FOLDER:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        shapes = [
            {"label": "thing", "points": rng.random((40, 2)).round(3).tolist(), "group_id": group, "flags": {},
             "shape_type": "polygon"} for group in range(3)
        ]  # fmt: skip
        head = {"version": "5.5.0", "flags": {}, "imagePath": f"{number:06d}.jpg", "imageData": None}
        document = {**head, "imageHeight": 480, "imageWidth": 640, "shapes": shapes}
        (folder / f"{number:06d}.json").write_text(json.dumps(document, indent=2))
        (folder / f"{number:06d}.jpg").touch()


def coco_file(root: Path, count: int) -> None:
    """One instances file: seven objects a photo, a polygon of 20 points each, its box, and its box's area."""
    rng = np.random.default_rng(0)
    (root / "annotations").mkdir(parents=True)
    (root / "x").mkdir()
    photos = count // 7
    images = [{"id": number, "file_name": f"{number:07d}.jpg", "height": 480, "width": 640} for number in range(photos)]
    for image in images:
        (root / "x" / str(image["file_name"])).touch()
    points = (480 * rng.random((count, 20, 2))).round(2)
    corners, sides = points.min(axis=1), np.ptp(points, axis=1).round(2)
    annotations = [
        {"id": number + 1, "image_id": number % photos, "category_id": 1, "iscrowd": 0,
         "area": float(sides[number].prod().round(4)), "bbox": [*corners[number].tolist(), *sides[number].tolist()],
         "segmentation": [points[number].ravel().tolist()]}
        for number in range(count)
    ]  # fmt: skip
    document = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "thing"}]}
    (root / "annotations" / "instances_x.json").write_text(json.dumps(document))


def parse(root: Path) -> None:
    """Read and parse every JSON file, and keep nothing."""
    for file in sorted(root.rglob("*.json")):
        json.loads(file.read_bytes())


def compared(make: Callable[[Path, int], None], layout: str, count: int, rounds: int) -> dict[str, object]:
    """Seconds of both sides at a tenth and whole, and what listing takes of parsing."""
    figures: dict[str, object] = {}
    for size in (count // 10, count):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            make(root, size)
            spec = SourceSpec("set", layout, root)
            sides = {"list": lambda spec=spec: open_source(spec), "parse": lambda root=root: parse(root)}
            seconds = common.by_turns(sides, rounds)
        figures[f"{layout} {size}: seconds"] = common.medians(seconds)
        figures[f"{layout} {size}: list / parse"] = round(common.median_ratio(seconds["list"], seconds["parse"]), 2)
    return figures


def run(files: int = 20_000, annotations: int = 1_000_000, rounds: int = 5) -> None:
    """Both kinds."""
    found = compared(labelme_files, "labelme", files, rounds) if files else {}
    found |= compared(coco_file, "coco", annotations, min(rounds, 3)) if annotations else {}
    common.save("listing", found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000, help="LabelMe files; 0 for none")
    parser.add_argument("--annotations", type=int, default=1_000_000, help="of the COCO file; 0 for none")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    run(options.files, options.annotations, options.rounds)
