#!/usr/bin/env bash
# PyAV 18.1.0 and OpenCV 5.0.0 (opencv-python 5.0.0.93): a film whose track matrix mirrors it left to right
# is told as turned by 180 degrees by `frame.rotation` and by CAP_PROP_ORIENTATION_META, and
# OpenCV turns it so: a mark in the upper left corner comes out at the lower right instead of the upper right. A film
# mirrored upside down is told as not turned at all, and comes out as stored. Both numbers are FFmpeg's rotation of the
# matrix, which is an angle and has no word for a mirror; the matrix itself has to be read.
# Guess before: a player's picture is the stored one turned by the rotation that the file tells.
# Output seen on 2026-11-28:
#   as stored: rotation 0, OpenCV upper left · left to right: rotation -180, OpenCV lower right · upside down: rotation 0, OpenCV upper left
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 opencv-python==5.0.0.93 numpy==2.4.6
cd "$work"
"$work/env/bin/python" - <<'PY'
import struct

import av
import cv2
import numpy as np

W, H, ONE = 64, 32, 1 << 16
with av.open("film.mp4", "w") as out:
    stream = out.add_stream("mpeg4", rate=10)
    stream.width, stream.height, stream.pix_fmt = W, H, "yuv420p"
    picture = np.zeros((H, W, 3), np.uint8)
    picture[:16, :16] = 255
    for _ in range(4):
        out.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
    out.mux(stream.encode())
stored = bytearray(open("film.mp4", "rb").read())
at = stored.index(b"tkhd") + 44  # of the track header's matrix
matrices = {
    "as stored": (ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30),
    "left to right": (-ONE, 0, 0, 0, ONE, 0, W << 16, 0, 1 << 30),
    "upside down": (ONE, 0, 0, 0, -ONE, 0, 0, H << 16, 1 << 30),
}
assert struct.unpack(">9i", stored[at : at + 36]) == matrices["as stored"]
found = {}
for name, matrix in matrices.items():
    stored[at : at + 36] = struct.pack(">9i", *matrix)
    with open("film.mp4", "wb") as file:
        file.write(stored)
    with av.open("film.mp4") as container:
        rotation = next(container.decode(video=0)).rotation
    _, image = cv2.VideoCapture("film.mp4").read()
    y, x = np.argwhere(image.min(axis=2) > 128).mean(axis=0)
    found[name] = rotation, f"{'upper' if y < H / 2 else 'lower'} {'left' if x < W / 2 else 'right'}"
print(" · ".join(f"{name}: rotation {rotation}, OpenCV {place}" for name, (rotation, place) in found.items()))
assert found == {
    "as stored": (0, "upper left"),
    "left to right": (-180, "lower right"),
    "upside down": (0, "upper left"),
}, found
PY
