"""Tasks a second through a Dask scheduler and two workers, and memory: python -m benchmarks.scheduler [--tasks N]

The tasks do nothing, so what is counted is all that stands around a task: handing in, scheduling, fetching the result.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import operator
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pipelines.cluster import run_tasks

from . import common

MARKS = (0.01, 0.5, 1.0)  # of the tasks, at which memory is looked at
DASK = [sys.executable, "-m", "dask"]


@contextlib.contextmanager
def running_cluster(workers: int) -> Iterator[tuple[str, int]]:
    """A scheduler and workers as processes of their own: address, and the scheduler's process."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "scheduler.json")
        common_options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        environment = {**os.environ, "PYTHONPATH": str(common.HERE.parent)}
        started = []

        def start(*words: object) -> int:
            process = subprocess.Popen([*DASK, *map(str, words)], env=environment, **common_options)  # type: ignore[call-overload]
            started.append(process)
            return int(process.pid)

        try:
            where = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file)
            scheduler = start("scheduler", *where)
            for _ in range(workers):
                start("worker", "--scheduler-file", file, "--no-dashboard", "--nthreads", "1", "--no-nanny")
            while not (file.exists() and file.read_text().strip()):
                time.sleep(0.1)
            address = json.loads(file.read_text())["address"]
            from distributed import Client

            with Client(address) as client:
                client.wait_for_workers(workers, timeout=120)
            yield address, scheduler
        finally:
            for process in started:
                process.kill()
                process.wait()


def memory_mb(process: int) -> float:
    """Memory a process has now, in MB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1e3, 1)


def run(tasks: int = 100_000) -> None:
    """Run the tasks once."""
    marks = {max(round(tasks * share), 1): f"{share:.0%}" for share in MARKS}
    figures: dict[str, object] = {"tasks": tasks, "workers": 2}
    memory: dict[str, dict[str, float]] = {"client, MB": {}, "scheduler, MB": {}}
    with running_cluster(2) as (address, scheduler):
        done, began = 0, time.perf_counter()

        def finish(task: int, result: int) -> None:
            nonlocal done
            done += 1
            if result != -task:
                raise AssertionError(f"task {task} came back as {result}")
            if done in marks:
                memory["client, MB"][marks[done]] = memory_mb(os.getpid())
                memory["scheduler, MB"][marks[done]] = memory_mb(scheduler)

        run_tasks(operator.neg, range(tasks), "shard-{:06d}.h5".format, finish, scheduler=address)
        seconds = time.perf_counter() - began
    figures |= {"seconds": round(seconds, 1), "tasks / s": round(tasks / seconds)} | memory
    common.save("scheduler", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=100_000)
    run(**vars(parser.parse_args()))
