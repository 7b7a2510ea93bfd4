#!/usr/bin/env bash
# vos-benchmark 0.1.0: every value but 0 that a ground-truth picture holds is an object, 255 too. In annotations that mark
# regions nobody is to be judged by with 255 (PASCAL VOC's, those of DAVIS's unsupervised track), the ignore region becomes
# an object of its own, which no prediction can hold: with one object and an ignore region a perfect prediction scores
# J&F 50. DAVIS's own code takes such pixels out. Set them to 0 in ground truth and prediction before it runs.
# Guess before: 255 is left out, as everywhere in the field.
# Output seen on 2026-11-28:   perfect prediction: J&F 100.0 without, 50.0 with an ignore region (ids 1, 255)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check opencv-python==5.0.0.93 scikit-image==0.26.0 \
    pillow==13.0.0 numpy==2.4.6 tqdm==4.68.1
"$work/env/bin/pip" install --quiet --disable-pip-version-check --no-deps vos-benchmark==0.1.0
cd "$work"
"$work/env/bin/python" - <<'PY'
from pathlib import Path

import numpy as np
from PIL import Image
from vos_benchmark.benchmark import benchmark

truth = np.zeros((60, 80), np.uint8)
truth[10:30, 10:30] = 1
marked = truth.copy()
marked[40:50, 40:60] = 255


def score(name: str, annotation: np.ndarray) -> tuple[float, list[int]]:
    for folder, picture in (("truth", annotation), ("predicted", truth)):
        Path(name, folder, "dog").mkdir(parents=True)
        for frame in range(5):
            Image.fromarray(picture).save(f"{name}/{folder}/dog/{frame:05}.png")
    total, _, _, objects = benchmark([f"{name}/truth"], [f"{name}/predicted"], num_processes=1, verbose=False)
    return float(total[0]), sorted(objects[0]["dog"][0])


plain, ids = score("plain", truth)
ignored, with_ignored = score("marked", marked)
print(f"perfect prediction: J&F {plain:.1f} without, {ignored:.1f} with an ignore region (ids {', '.join(map(str, with_ignored))})")
assert (plain, ids) == (100.0, [1]) and (ignored, with_ignored) == (50.0, [1, 255])
PY
