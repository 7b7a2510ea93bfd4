"""Listing a COCO file of a million annotations against parsing its bytes alone. Floor: 1.5 times, and linear.

Run alone: python -m benchmarks.listing [--annotations N]
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from pathlib import Path

from datakit.datasets import open_source

from . import common

PER_PHOTO = 7  # as in COCO
ROUNDS = 5


def write_coco(root: Path, count: int) -> Path:
    """annotations/instances_val2017.json of so many polygons of 6 to 29 points, and empty files for photos."""
    rng = random.Random(0)
    (root / "annotations").mkdir(parents=True)
    (root / "val2017").mkdir()
    images, annotations = [], []
    for number in range(1, count + 1):
        photo = 1 + (number - 1) // PER_PHOTO
        if photo > len(images):
            name = f"{photo:012d}.jpg"
            (root / "val2017" / name).touch()
            images.append({"license": 1, "file_name": name, "height": 480, "width": 640, "id": photo})
        left, top = rng.uniform(0, 400), rng.uniform(0, 280)
        ring = [round(side + rng.uniform(0, 200), 2) for _ in range(rng.randrange(6, 30)) for side in (left, top)]
        x, y = min(ring[::2]), min(ring[1::2])
        width, height = round(max(ring[::2]) - x, 2), round(max(ring[1::2]) - y, 2)
        annotations.append(
            {"segmentation": [ring], "area": round(width * height / 2, 4), "iscrowd": 0, "image_id": photo,
             "bbox": [x, y, width, height], "category_id": 1, "id": number}
        )  # fmt: skip
    file = root / "annotations" / "instances_val2017.json"
    file.write_text(json.dumps({"images": images, "annotations": annotations}))
    return file


def compare(count: int) -> tuple[dict[str, object], float]:
    """The figures of a file of so many annotations, and the seconds of listing it."""
    root = common.WORK / f"coco{count}"
    shutil.rmtree(root, ignore_errors=True)
    file = write_coco(root, count)
    sides = {"listing": lambda: len(open_source(f"c={file}")), "parsing": lambda: len(json.loads(file.read_bytes()))}
    seconds = common.by_turns(sides, ROUNDS)
    figures: dict[str, object] = {
        "MB": round(file.stat().st_size / 1e6),
        "listing over parsing": round(common.median_ratio(seconds["listing"], seconds["parsing"]), 2),
        **common.medians(seconds),
    }
    shutil.rmtree(root)
    return figures, float(str(figures["listing"]))


def run(annotations: int = 1_000_000) -> None:
    """A quarter of the annotations, then all: four times the work is to take four times as long."""
    quarter, few = compare(annotations // 4)
    whole, many = compare(annotations)
    figures = {f"{annotations // 4} annotations": quarter, f"{annotations} annotations": whole}
    common.save("listing", {**figures, "seconds for four times as many": round(many / few, 2)})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--annotations", type=int, default=1_000_000)
    run(**vars(parser.parse_args()))
