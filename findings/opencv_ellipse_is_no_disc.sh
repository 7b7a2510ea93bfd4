#!/usr/bin/env bash
# OpenCV 5.0.0 (opencv-python 5.0.0.93; 4.12.0.88 does the same): the ellipse that cv2.getStructuringElement makes of a
# square is neither the disc dx² + dy² <= r² nor the same turned by a quarter: of radius 5 it has 89 pixels instead of 81,
# eight too many, all in its outermost columns and none in its outermost rows. Dilating by it a mask and the same mask
# turned gives two results, and a boundary F computed with it differs from one with scikit-image's disk, which DAVIS uses.
# Guess before: MORPH_ELLIPSE of an odd square is a disc, at least symmetric.
# Output seen on 2026-11-28:
#   5.0.0.93: radius 5: 89 pixels, disc 81, too many 8, turned 16 differ · radius 10: 333, 317, 16, 32 · scikit-image's disk as the disc: True
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check opencv-python==5.0.0.93 scikit-image==0.26.0 numpy==2.4.6
"$work/env/bin/python" - <<'PY'
import cv2
import numpy as np
from skimage.morphology import disk

found, same = {}, True
for radius in (5, 10):
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    dy, dx = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = (dx**2 + dy**2 <= radius**2).astype(np.uint8)
    same &= bool(np.array_equal(disk(radius), disc))
    found[radius] = (int(ellipse.sum()), int(disc.sum()), int((ellipse > disc).sum()), int((ellipse != ellipse.T).sum()))
    assert not (ellipse < disc).any()
a, b = found[5], found[10]
print(f"5.0.0.93: radius 5: {a[0]} pixels, disc {a[1]}, too many {a[2]}, turned {a[3]} differ · "
      f"radius 10: {', '.join(map(str, b))} · scikit-image's disk as the disc: {same}")
assert found == {5: (89, 81, 8, 16), 10: (333, 317, 16, 32)} and same, found
PY
