#!/usr/bin/env bash
# datumaro 1.13.12: a photo of KITTI's semantic instances (16 bits, class x 256 + number; 0 where nothing is labelled) with
# one car becomes a COCO file of two annotations: the unlabelled ground as a run-length object of its own, and the car as
# a polygon that covers 81 of its 100 pixels when COCO's tools fill it, because the contour runs through pixel centres.
# Masks of other formats (MOTS, MVTec) come out as run lengths, pixel for pixel.
# Guess before: one annotation, the car, with its pixels.
# Output seen on 2026-11-28:   annotations 2 · unlabeled 4700 px, car 81 of 100 px
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check 'datumaro[cli]==1.13.12'
cd "$work"
env/bin/python - <<'PY'
from pathlib import Path

import numpy as np
from PIL import Image

for name in ("image_2", "instance", "semantic"):
    Path(f"kitti/training/{name}").mkdir(parents=True)
ids = np.zeros((60, 80), np.uint16)
ids[20:30, 10:20] = 26 * 256 + 1  # the first car
Image.new("RGB", (80, 60), (90, 90, 90)).save("kitti/training/image_2/000000_10.png")
Image.fromarray(ids).save("kitti/training/instance/000000_10.png")
Image.fromarray((ids >> 8).astype(np.uint8)).save("kitti/training/semantic/000000_10.png")
PY
env/bin/datum convert -i kitti -if kitti_segmentation -f coco_instances -o coco -- --save-media 2>/dev/null
env/bin/python - <<'PY'
import json
from pathlib import Path

from pycocotools import mask

(file,) = Path("coco/annotations").glob("instances_*.json")
found = json.loads(file.read_text())
names = {each["id"]: each["name"] for each in found["categories"]}
drawn = {}
for each in found["annotations"]:
    runs = mask.frPyObjects(each["segmentation"], 60, 80)
    drawn[names[each["category_id"]]] = int(mask.area(mask.merge(runs) if isinstance(runs, list) else runs))
print(f"annotations {len(found['annotations'])} · unlabeled {drawn.get('unlabeled')} px, car {drawn['car']} of 100 px")
assert drawn == {"unlabeled": 4700, "car": 81}, drawn
PY
