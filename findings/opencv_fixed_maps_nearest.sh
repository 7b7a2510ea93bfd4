#!/usr/bin/env bash
# OpenCV 5.0.0 (opencv-python 5.0.0.93; 4.12.0.88 does the same): cv2.remap with INTER_NEAREST and the pair of
# fixed-point maps that cv2.convertMaps makes by default reads the pixel one below and one to the right, for the
# identity map already. INTER_LINEAR with the same pair is right; so are float maps, and maps made with
# nninterpolation=True. Whoever warps a photo linearly and its mask by nearest neighbour with one pair of maps gets a
# mask one pixel off.
# Guess before: both interpolations sample at the same place.
# Output seen on 2026-11-28:   5.0.0.93: nearest 11  linear 0  float 0  nninterpolation 0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check opencv-python==5.0.0.93 numpy==2.4.6
"$work/env/bin/python" - <<'PY'
import cv2
import numpy as np

picture = np.arange(100, dtype=np.uint8).reshape(10, 10)  # a step to the right is 1, a step down 10
x, y = np.meshgrid(np.arange(10, dtype=np.float32), np.arange(10, dtype=np.float32))
fixed = cv2.convertMaps(x, y, cv2.CV_16SC2)
whole = cv2.convertMaps(x, y, cv2.CV_16SC2, nninterpolation=True)
found = {
    "nearest": cv2.remap(picture, *fixed, cv2.INTER_NEAREST),
    "linear": cv2.remap(picture, *fixed, cv2.INTER_LINEAR),
    "float": cv2.remap(picture, x, y, cv2.INTER_NEAREST),
    "nninterpolation": cv2.remap(picture, whole[0], None, cv2.INTER_NEAREST),
}
off = {name: int(result[5, 5]) - int(picture[5, 5]) for name, result in found.items()}
print("5.0.0.93:", "  ".join(f"{name} {value}" for name, value in off.items()))
assert off == {"nearest": 11, "linear": 0, "float": 0, "nninterpolation": 0}, off
PY
