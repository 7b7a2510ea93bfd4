#!/usr/bin/env bash
# h5py 3.16.0 (HDF5 2.0.0): what libver="latest" writes is opened by h5py 3.14.0 (HDF5 1.14.6), the release before, and
# plain numbers, chunked ones too, are read; but tables (compound types) and booleans are refused: "bad version number for
# datatype message". A test that writes one array of numbers and reads it elsewhere sees nothing of it.
# libver=("earliest", "v114") or ("earliest", "v110") is read whole.
# Guess before: a reader either opens a file of a newer library or refuses it.
# Output seen on 2026-11-28:
#   latest: numbers read, chunked read, table refused, booleans refused · v114: all read
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for version in 3.16.0 3.14.0; do
    python3 -m venv "$work/$version"
    "$work/$version/bin/pip" install --quiet --disable-pip-version-check "h5py==$version" numpy==2.4.6
done
cd "$work"
"$work/3.16.0/bin/python" - <<'PY'
import h5py
import numpy as np

assert h5py.version.hdf5_version == "2.0.0"
for name, libver in (("latest", "latest"), ("v114", ("earliest", "v114"))):
    with h5py.File(f"{name}.h5", "w", libver=libver) as file:
        file["numbers"] = [1, 2, 3]
        file.create_dataset("chunked", data=np.arange(100), chunks=(10,))
        file["table"] = np.zeros(3, [("id", "i4"), ("name", "S5")])
        file["booleans"] = np.array([True, False])
PY
"$work/3.14.0/bin/python" - <<'PY'
import h5py

assert h5py.version.hdf5_version == "1.14.6"
found, reasons = {}, set()
for name in ("latest", "v114"):
    with h5py.File(f"{name}.h5") as file:
        for item in ("numbers", "chunked", "table", "booleans"):
            try:
                file[item][()]
                found[name, item] = "read"
            except Exception as error:
                found[name, item] = "refused"
                reasons.add(str(error))
print("latest:", ", ".join(f"{item} {told}" for (name, item), told in found.items() if name == "latest"),
      "· v114:", "all read" if all(told == "read" for (name, _), told in found.items() if name == "v114") else found)
assert [told for told in found.values()] == ["read", "read", "refused", "refused"] + ["read"] * 4, found
assert all("bad version number for datatype message" in reason for reason in reasons), reasons
PY
