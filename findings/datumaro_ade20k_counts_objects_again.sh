#!/usr/bin/env bash
# datumaro 1.13.12: a photo of ADE20K (the full set of 2020) with two cars becomes a COCO file of four annotations of one
# category: the first car twice, as the mask of its own file and as its polygon, the second once, and the class as one
# mask of both, read from the colours of NAME_seg.png. Nothing in the file tells which are objects. The exporter joins
# what has one group; an object's group is its `id`, and that of the first is 0, which means "no group".
# So a set converted this way trains on "objects" that are all cars of a street at once.
# Guess before: one annotation an object, from the instance masks.
# Output seen on 2026-11-28:   objects 2 · annotations 4, areas 200 220 220 400
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check 'datumaro[cli]==1.13.12'
cd "$work"
env/bin/python - <<'PY'
import json
from pathlib import Path

import numpy as np
from PIL import Image

folder = Path("ade/training/street")
(folder / "a").mkdir(parents=True)
segments, objects = np.zeros((60, 80, 3), np.uint8), []
for number, left in enumerate((10, 40)):
    mask = np.zeros((60, 80), np.uint8)
    mask[20:30, left : left + 20] = 255
    segments[mask > 0] = (10, 144, number + 1)  # class 400: R / 10 * 256 + G; B counts objects
    Image.fromarray(mask).save(folder / f"a/instance_{number:03d}_a.png")
    corners = {"x": [left, left + 20, left + 20, left], "y": [20, 20, 31, 31], "click_date": []}
    objects.append(
        {"id": number, "name": "car", "name_ndx": 400, "hypernym": [], "raw_name": "car", "attributes": [],
         "depth_ordering_rank": number + 1, "occluded": "no", "crop": 0, "polygon": corners, "saved_date": "",
         "parts": {"is_part_of": [], "part_level": 0, "has_parts": []}, "instance_mask": f"a/instance_{number:03d}_a.png"}
    )
Image.new("RGB", (80, 60), (90, 90, 90)).save(folder / "a.jpg")
Image.fromarray(segments).save(folder / "a_seg.png")
head = {"filename": "a.jpg", "folder": "ade/training/street", "imsize": [60, 80, 3], "scene": ["street"], "source": {}}
(folder / "a.json").write_text(json.dumps({"annotation": {**head, "object": objects}}))
PY
env/bin/datum convert -i ade -if ade20k2020 -f coco_instances -o coco -- --save-media 2>/dev/null
env/bin/python - <<'PY'
import json
from pathlib import Path

found = json.loads(Path("coco/annotations/instances_training.json").read_text())["annotations"]
areas = sorted(int(each["area"]) for each in found)
print(f"objects 2 · annotations {len(found)}, areas {' '.join(map(str, areas))}")
assert areas == [200, 220, 220, 400] and len({each["category_id"] for each in found}) == 1, found
PY
