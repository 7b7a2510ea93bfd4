#!/usr/bin/env bash
# OpenCV 5.0.0 (opencv-python 5.0.0.93) and pycocotools 2.0.11: an annotation of several polygons is their union to
# pycocotools. cv2.fillPoly with the same list fills by even and odd: where two parts overlap there is a hole, without a
# word. Parts of one COCO object may overlap, as annotators draw them. One call for each part gives the union.
# Guess before: fillPoly of a list is fillPoly of each.
# Output seen on 2026-11-28:   two squares of 441 pixels, 169 of them shared: fillPoly of both 592, one after the other 713
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check opencv-python==5.0.0.93 pycocotools==2.0.11 numpy==2.4.6
"$work/env/bin/python" - <<'PY'
import cv2
import numpy as np
from pycocotools import mask as coco

first = np.array([[5, 5], [25, 5], [25, 25], [5, 25]])
parts = [first, first + 8]
one, each = np.zeros((40, 40), np.uint8), np.zeros((40, 40), np.uint8)
cv2.fillPoly(one, parts, 1)
for part in parts:
    cv2.fillPoly(each, [part], 1)
union = coco.decode(coco.merge(coco.frPyObjects([part.ravel().astype(float).tolist() for part in parts], 40, 40)))
print(f"two squares of 441 pixels, 169 of them shared: fillPoly of both {one.sum()}, one after the other {each.sum()}")
assert (int(one.sum()), int(each.sum())) == (592, 713), (one.sum(), each.sum())
assert one[18, 18] == 0 and each[18, 18] == 1 and union[18, 18] == 1
PY
