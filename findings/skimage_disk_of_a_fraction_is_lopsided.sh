#!/usr/bin/env bash
# scikit-image 0.26.0: `morphology.disk(r)` of a radius that is no whole number is neither that disc nor centred. Its grid
# begins at -r and goes on by whole steps, so the middle of the disc lies between pixels: disk(2.4) has an even side (6),
# disk(2.6) reaches 2 pixels one way and 3 the other, disk(7.837) covers 191 pixels where disk(8) covers 197.
# It matters for scores of contours: the published scorer of MOSEv2 gives it min(0.008 x diagonal, ceil(0.1 x sqrt(area)))
# as it is, which is a fraction for every object over 4 900 pixels at 480p; DAVIS's code rounds up first.
# Guess before: pixels within r of the centre.
# Output seen on 2026-11-28:   2.4: 6x6, 16 px · 2.6: 7x7, mirrored False · 7.837: 191 px · 8: 197 px
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check scikit-image==0.26.0
"$work/env/bin/python" - <<'PY'
from skimage.morphology import disk

small, odd, large, whole = (disk(radius) for radius in (2.4, 2.6, 7.837, 8))
mirrored = bool((odd == odd[::-1]).all())
height, width = small.shape
print(f"2.4: {height}x{width}, {small.sum()} px · 2.6: {odd.shape[0]}x{odd.shape[1]}, mirrored {mirrored} · "
      f"7.837: {large.sum()} px · 8: {whole.sum()} px")
assert (small.shape, int(small.sum()), mirrored, int(large.sum()), int(whole.sum())) == ((6, 6), 16, False, 191, 197)
PY
