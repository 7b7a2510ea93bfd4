#!/usr/bin/env bash
# simplejpeg 1.9.0 (TurboJPEG) raises libjpeg's first warning and no other. A header that libjpeg finds odd, such as a
# JFIF revision it does not know, therefore hides that a kilobyte in the middle of the picture is gone: the message of
# the sound file and of the damaged one are the same, and speak of the revision. To judge damage by the text of the
# message, oddities of the header must be put right first.
# Guess before: ValueError names the damage wherever there is some.
# Output seen on 2026-11-28:
#   damaged, revision 1: Corrupt JPEG data: premature end of data segment
#   sound, revision 2: Warning: unknown JFIF revision number 2.01
#   damaged, revision 2: Warning: unknown JFIF revision number 2.01
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check simplejpeg==1.9.0 numpy==2.4.6
"$work/env/bin/python" - <<'PY'
import numpy as np
import simplejpeg

rng = np.random.default_rng(0)
picture = np.kron(rng.integers(0, 256, (40, 40, 3)), np.ones((8, 8, 1))).astype(np.uint8)
sound = bytearray(simplejpeg.encode_jpeg(picture, quality=90))
assert sound[6:11] == b"JFIF\0"
damaged = bytearray(sound)
middle = len(sound) // 2
damaged[middle : middle + 1000] = bytes(1000)


def told(data: bytes) -> str:
    try:
        simplejpeg.decode_jpeg(bytes(data))
    except ValueError as error:
        return str(error)
    return "nothing"


def odd(data: bytearray) -> bytearray:
    changed = bytearray(data)
    changed[11] = 2  # major revision
    return changed


found = {"sound, revision 1": told(sound), "damaged, revision 1": told(damaged),
         "sound, revision 2": told(odd(sound)), "damaged, revision 2": told(odd(damaged))}
for name, text in found.items():
    print(f"{name}: {text}")
assert found["sound, revision 1"] == "nothing"
assert "orrupt" in found["damaged, revision 1"]
assert "revision" in found["sound, revision 2"] and found["damaged, revision 2"] == found["sound, revision 2"]
PY
