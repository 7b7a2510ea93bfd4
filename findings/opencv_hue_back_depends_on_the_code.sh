#!/usr/bin/env bash
# OpenCV 5.0.0 (opencv-python 5.0.0.93, x86-64): of the 8-bit operations that change a photo in training, only the way
# back from hue, saturation and value gives other bytes with and without vector code: `COLOR_HSV2RGB_FULL` differs by a
# level in most pixels. The way there, `remap` by fixed-point maps, `transform` by quantised matrices and
# `GaussianBlur` of bytes are equal. Whoever stores pictures that must be equal on another processor turns hue himself.
# Guess before: 8-bit colour conversions are integer arithmetic, the same in every build and on every processor.
# Output seen on 2026-11-28:   RGB2HSV_FULL 0.000  HSV2RGB_FULL 0.727  GaussianBlur 0.000
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/env/bin/python" - <<'PY'
import cv2
import numpy as np

noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
photo = np.clip(128 + (cv2.GaussianBlur(noise, (0, 0), 2).astype(int) - 128) * 8, 0, 255).astype(np.uint8)
hsv = cv2.cvtColor(photo, cv2.COLOR_RGB2HSV_FULL)
made = {
    "RGB2HSV_FULL": lambda: cv2.cvtColor(photo, cv2.COLOR_RGB2HSV_FULL),
    "HSV2RGB_FULL": lambda: cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL),
    "GaussianBlur": lambda: cv2.GaussianBlur(photo, (0, 0), 1.3),
}
first = {name: make() for name, make in made.items()}
cv2.setUseOptimized(False)
differ = {name: float((make() != first[name]).any(-1).mean()) for name, make in made.items()}
print("  ".join(f"{name} {share:.3f}" for name, share in differ.items()))
assert differ["RGB2HSV_FULL"] == differ["GaussianBlur"] == 0, differ
assert differ["HSV2RGB_FULL"] > 0.05, differ
PY
