#!/usr/bin/env bash
# h5py 3.16.0 (HDF5 2.0): opening a file with "r+" changes its bytes at once, although nothing is written: the header
# gets a mark that a writer has it open, which closing takes back. A checksum made meanwhile differs, and a reader that
# looks at checksums calls a sound file damaged because a notebook has it open.
# Guess before: what is only opened has the bytes it had.
# Output seen on 2026-11-28:
#   superblock version 0: reading changes 0 files, bytes [20] while open with r+, 0 files afterwards
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check h5py==3.16.0 numpy==2.4.6
"$work/env/bin/python" - "$work/a.h5" <<'PY'
import sys
from pathlib import Path

import h5py

path = Path(sys.argv[1])
with h5py.File(path, "w", libver=("earliest", "v110")) as file:
    file["a"] = [1, 2, 3]
before = path.read_bytes()
with h5py.File(path, "r"):
    reading = path.read_bytes()
with h5py.File(path, "r+"):
    during = path.read_bytes()
after = path.read_bytes()
changed = [at for at, (a, b) in enumerate(zip(before, during)) if a != b]
print(f"superblock version {before[8]}: reading changes {int(reading != before)} files, bytes {changed} "
      f"while open with r+, {int(after != before)} files afterwards")
assert reading == before and changed == [20] and after == before
PY
