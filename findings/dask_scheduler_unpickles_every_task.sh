#!/usr/bin/env bash
# Dask and distributed 2026.8.0: the scheduler unpickles the functions of a graph, so a task whose function lives in a
# module that client and workers have and the scheduler has not fails before any worker sees it ("Error during
# deserialization of the task graph"). A function of the script itself fails as well when it refers to such a module. So a
# bare scheduler cannot serve a package of one's own, although it runs no task. It can when the task is `pickle.loads` of
# bytes: both are found everywhere, and the bytes are opened by the worker alone.
# Guess before: only client and workers need the code; the scheduler passes it on.
# Output seen on 2026-11-28:   function: RuntimeError, Error during deserialization of the task graph · as bytes: 6
set -euo pipefail
work=$(mktemp -d)
stop() { kill "${scheduler:-}" "${worker:-}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"; }
trap stop EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check distributed==2026.8.0 dask==2026.8.0
mkdir "$work/code"
echo 'def double(x): return 2 * x' >"$work/code/mywork.py"
cd "$work"
env/bin/dask scheduler --host 127.0.0.1 --port 0 --no-dashboard --scheduler-file "$work/where.json" >/dev/null 2>&1 &
scheduler=$!
for _ in $(seq 100); do [ -s "$work/where.json" ] && break; sleep 0.2; done
PYTHONPATH="$work/code" env/bin/dask worker --scheduler-file "$work/where.json" --nthreads 1 --no-nanny --no-dashboard >/dev/null 2>&1 &
worker=$!
PYTHONPATH="$work/code" env/bin/python - "$work/where.json" <<'PY'
import operator
import pickle
import sys

import mywork
from distributed import Client

with Client(scheduler_file=sys.argv[1]) as client:
    client.wait_for_workers(1, timeout=30)
    try:
        plain = client.submit(mywork.double, 3).result(timeout=30)
    except RuntimeError as error:
        plain = f"{type(error).__name__}, {str(error).split('.')[0]}"
    function = client.submit(pickle.loads, pickle.dumps(mywork.double))  # stays on the worker
    doubled = client.submit(operator.call, function, 3).result(timeout=30)
print(f"function: {plain} · as bytes: {doubled}")
assert plain == "RuntimeError, Error during deserialization of the task graph" and doubled == 6, plain
PY
