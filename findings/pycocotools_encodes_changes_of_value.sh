#!/usr/bin/env bash
# pycocotools 2.0.11: mask.encode of a uint8 picture writes a run for every change of value down the columns, and calls
# every second run foreground. A label picture with ids 1 and 2 is therefore no error and no mask of everything that is not
# 0: where 1 meets 2 in a column, foreground and background change places until the next change. Two objects one above the
# other lose 8 of their 16 pixels, and 4 of the background are gained. Values 0 and 255 are fine, and so is one id alone.
# Encode `labels == id`, one object at a time.
# Guess before: whatever is not 0 is foreground, or more than two values are refused.
# Output seen on 2026-11-28:
#   16 pixels in, 12 out: 8 of them right, 4 of the background; ids side by side 16 of 16; values 0 and 255 16 of 16
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pycocotools==2.0.11 numpy==2.4.6
"$work/env/bin/python" - <<'PY'
import numpy as np
from pycocotools import mask


def read_back(labels: np.ndarray) -> np.ndarray:
    return mask.decode(mask.encode(np.asfortranarray(labels)))


above = np.zeros((4, 6), np.uint8)
above[:2, 1:5], above[2:, 1:5] = 1, 2
out = read_back(above)
beside = np.zeros((4, 8), np.uint8)
beside[1:3, 0:4], beside[1:3, 4:8] = 1, 2
bright = np.where(above > 0, 255, 0).astype(np.uint8)
right = int(out[above > 0].sum())
print(f"{(above > 0).sum()} pixels in, {out.sum()} out: {right} of them right, {out.sum() - right} of the background; "
      f"ids side by side {read_back(beside).sum()} of {(beside > 0).sum()}; "
      f"values 0 and 255 {read_back(bright).sum()} of {(bright > 0).sum()}")
assert (int(out.sum()), right) == (12, 8), out
assert np.array_equal(read_back(beside), beside > 0) and np.array_equal(read_back(bright), bright > 0)
PY
