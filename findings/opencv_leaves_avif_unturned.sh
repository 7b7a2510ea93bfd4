#!/usr/bin/env bash
# OpenCV 5.0.0.93: a JPEG that its EXIF turns by a quarter is decoded upright, an AVIF with the same orientation is not,
# whatever the flag; Pillow 13 tells the turn of both (orientation 6) and turns neither. An AVIF keeps the turn as a property
# of the picture itself (irot), which readers are to follow, so browsers show it upright.
# So photos of a phone that were saved as AVIF lie on their side beside masks that were drawn upright.
# Guess before: what turns a JPEG turns an AVIF.
# Output seen on 2026-11-28:   JPEG 60x40 · AVIF color 40x60, unchanged 40x60 · Pillow 6 and 6
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check opencv-python==5.0.0.93 pillow==13.0.0 numpy==2.4.6
"$work/env/bin/python" - <<'PY'
import io

import cv2
import numpy as np
from PIL import Image

exif = Image.Exif()
exif[0x0112] = 6  # to be turned by a quarter, clockwise
stored = {}
for form in ("JPEG", "AVIF"):
    held = io.BytesIO()
    Image.new("RGB", (60, 40), (90, 90, 90)).save(held, form, exif=exif.tobytes())
    stored[form] = held.getvalue()


def size(form, flag):
    height, width = cv2.imdecode(np.frombuffer(stored[form], np.uint8), flag).shape[:2]
    return f"{height}x{width}"


told = [Image.open(io.BytesIO(data)).getexif()[0x0112] for data in stored.values()]
jpeg, color, unchanged = (
    size("JPEG", cv2.IMREAD_COLOR), size("AVIF", cv2.IMREAD_COLOR), size("AVIF", cv2.IMREAD_UNCHANGED)
)
print(f"JPEG {jpeg} · AVIF color {color}, unchanged {unchanged} · Pillow {told[0]} and {told[1]}")
assert (jpeg, color, unchanged, told) == ("60x40", "40x60", "40x60", [6, 6])
PY
