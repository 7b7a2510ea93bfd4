#!/usr/bin/env bash
# OpenCV 5.0.0 (opencv-python 5.0.0.93) and pycocotools 2.0.11: cv2.findContours runs through the centres of an object's
# outermost pixels, pycocotools takes a polygon's corners for corners of the area. A mask written as COCO polygons by the
# usual way (findContours, points into `segmentation`) is therefore a pixel narrower and lower when it is read back: a
# square of 10x10 has 81 pixels, a disc of radius 5 keeps three quarters, a line one pixel wide is gone. cv2.fillPoly gives
# every pixel back, so a check with OpenCV alone finds nothing. Adding half a pixel does not mend it; COCO's own run-length
# code does, or an outline along the pixels' edges.
# Guess before: a contour without approximation gives the mask back, whoever fills it.
# Output seen on 2026-11-28:
#   square 100: fillPoly 100, pycocotools 81 · disc 81: fillPoly 81, pycocotools 66, IoU 0.75 · line 20: fillPoly 20, pycocotools 0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check opencv-python==5.0.0.93 pycocotools==2.0.11 numpy==2.4.6
"$work/env/bin/python" - <<'PY'
import cv2
import numpy as np
from pycocotools import mask as coco

rows, columns = np.mgrid[:40, :40]
masks = {
    "square": (rows >= 10) & (rows < 20) & (columns >= 10) & (columns < 20),
    "disc": (rows - 20) ** 2 + (columns - 20) ** 2 <= 5**2,
    "line": (rows == 10) & (columns >= 10) & (columns < 30),
}
found, parts = {}, []
for name, mask in masks.items():
    mask = mask.astype(np.uint8)
    (contour,), _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.fillPoly(np.zeros_like(mask), [contour], 1)
    read = coco.decode(coco.merge(coco.frPyObjects([contour.ravel().astype(float).tolist()], 40, 40)))
    iou = (read & mask).sum() / (read | mask).sum()
    found[name] = (int(mask.sum()), int(filled.sum()), int(read.sum()), round(float(iou), 2))
    parts.append(f"{name} {mask.sum()}: fillPoly {filled.sum()}, pycocotools {read.sum()}"
                 + (f", IoU {iou:.2f}" if name == "disc" else ""))
print(" · ".join(parts))
assert found["square"] == (100, 100, 81, 0.81), found
assert found["disc"] == (81, 81, 66, 0.75), found
assert found["line"] == (20, 20, 0, 0.0), found
PY
