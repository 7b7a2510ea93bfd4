#!/usr/bin/env bash
# Pillow 13.0.0: a mode P picture whose palette is shorter than its highest index is saved as PNG with as few bits as
# the palette needs, and indices lose their high bits without a word: with two colours, ids 3 and 5 become 1. With four
# colours, id 5 becomes 1 and id 3 stays. A label picture therefore needs a palette as long as its highest id, better
# of 256 colours. GIF numbers the indices anew (1, 5, 3 become 1, 3, 2); TIFF keeps them.
# Guess before: indices are kept, whatever colours the palette has for them, or saving is refused.
# Output seen on 2026-11-28:
#   13.0.0: ids 1, 5, 3 become PNG 2 colours 1, 1, 1 · PNG 4 colours 1, 1, 3 · TIFF 1, 5, 3 · GIF 1, 3, 2
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0 numpy==2.4.6
"$work/env/bin/python" - "$work" <<'PY'
import sys

import numpy as np
import PIL
from PIL import Image

labels = np.zeros((4, 4), np.uint8)
labels[0], labels[1], labels[2] = 1, 5, 3


def saved(colours: int, suffix: str) -> list[int]:
    picture = Image.fromarray(labels)
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255][: 3 * colours])
    picture.save(f"{sys.argv[1]}/a{suffix}")
    return np.asarray(Image.open(f"{sys.argv[1]}/a{suffix}"))[:3, 0].tolist()


found = {"PNG 2 colours": saved(2, ".png"), "PNG 4 colours": saved(4, ".png"), "TIFF": saved(2, ".tif"),
         "GIF": saved(2, ".gif")}
print(f"{PIL.__version__}: ids 1, 5, 3 become", " · ".join(f"{k} {', '.join(map(str, v))}" for k, v in found.items()))
assert found == {"PNG 2 colours": [1, 1, 1], "PNG 4 colours": [1, 1, 3], "TIFF": [1, 5, 3], "GIF": [1, 3, 2]}, found
PY
