#!/usr/bin/env bash
# s3fs 2026.9.0 gives the whole object where an empty part of it is asked for: `cat_file(path, start=10, end=10)` sends
# "Range: bytes=10-9", which is no valid range, and RFC 9110 lets a server answer that with everything. fsspec's own
# stores (memory, local) give b"" there. Reading records by their offsets, an empty record becomes a copy of the file,
# with no error; so does `cat_ranges`, several at once.
# Guess before: b"", as from any other store of fsspec and as from a Python slice.
# Output seen on 2026-11-29 (moto 5.2.5 as the server):
#   memory: 0 bytes
#   local: 0 bytes
#   s3, one byte: 1 bytes
#   s3, none: 1000 bytes
#   s3, none, cat_ranges: 1000 bytes
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check \
    s3fs==2026.9.0 fsspec==2026.9.0 aiobotocore==3.10.0 boto3==1.43.117 botocore==1.43.117 'moto[server]==5.2.5'
cd "$work"
AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION=us-east-1 "$work/env/bin/python" - <<'PY'
import logging

import fsspec
import s3fs
from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
host, port = server.get_host_and_port()
store = s3fs.S3FileSystem(endpoint_url=f"http://{host}:{port}")
store.mkdir("photos")
data = bytes(range(250)) * 4
found = {}
for name, where, path in (("memory", fsspec.filesystem("memory"), "/photo"), ("local", fsspec.filesystem("file"), "photo"),
                          ("s3", store, "photos/photo")):
    where.pipe_file(path, data)
    if name != "s3":
        found[name] = where.cat_file(path, start=10, end=10)
found["s3, one byte"] = store.cat_file("photos/photo", start=10, end=11)
found["s3, none"] = store.cat_file("photos/photo", start=10, end=10)
found["s3, none, cat_ranges"] = store.cat_ranges(["photos/photo"], [10], [10])[0]
for name, got in found.items():
    print(f"{name}: {len(got)} bytes")
assert found["memory"] == found["local"] == b""
assert found["s3, one byte"] == data[10:11]
assert found["s3, none"] == found["s3, none, cat_ranges"] == data
server.stop()
PY
