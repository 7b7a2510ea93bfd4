#!/usr/bin/env bash
# OpenCV 5.0.0 (opencv-python 5.0.0.93): of an MP4 that was trimmed without coding it anew (an edit list), VideoCapture
# decodes the frames that the list shows, as players do, but CAP_PROP_FRAME_COUNT counts all that are stored. Whoever
# compares the two to find a damaged film calls every film trimmed by a phone or by `ffmpeg -c copy` damaged.
# Guess before: the count is of the frames that can be decoded, or decoding ignores edit lists.
# Output seen on 2026-11-28:   told 75, decoded 62 (a key frame every 25 frames, trimmed from second 1.5 on)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check opencv-python==5.0.0.93 numpy==2.4.6 imageio-ffmpeg==0.6.0
ffmpeg=$("$work/env/bin/python" -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
"$ffmpeg" -v error -f lavfi -i testsrc=size=160x120:rate=25:duration=4 -c:v libx264 -g 25 -pix_fmt yuv420p "$work/whole.mp4"
"$ffmpeg" -v error -ss 1.5 -i "$work/whole.mp4" -c copy "$work/trimmed.mp4"
"$work/env/bin/python" - "$work/trimmed.mp4" <<'PY'
import sys

import cv2

film = cv2.VideoCapture(sys.argv[1])
told, decoded = int(film.get(cv2.CAP_PROP_FRAME_COUNT)), 0
while film.grab():
    decoded += 1
print(f"told {told}, decoded {decoded}")
assert told > decoded + 5, (told, decoded)
PY
