"""Planning millions of simulated photos: time and peak memory. Run alone: python -m benchmarks.plan [--photos N]"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from datakit.datasets import Reader, ReadOptions
from datakit.datasets.records import Record
from datakit.samples import Scene
from datakit.transforms import PRESETS
from pipelines.plan import cut
from pipelines.settings import BuildSettings

from . import common


class Simulated(Reader):
    """A source that lists photos and has none."""

    layout = "pairs"

    def read(self, record: Record) -> Scene:
        """Nothing to read."""
        raise LookupError(record.key)


def records(count: int) -> Iterator[Record]:
    """Records as a set of photos in folders of a thousand gives them."""
    for number in range(count):
        name = f"class{number // 1000:05d}/photo_{number:08d}"
        yield Record(f"big/{name}", f"images/{name}.jpg", [f"masks/{name}.png", 1500], 80_000 + number % 5000)


def plan(count: int, sender: Connection) -> None:
    """List and cut in a process of its own, so that its peak memory is its own."""
    started = time.perf_counter()
    reader = Simulated("big", Path(), Path(), records(count), (), ReadOptions())
    shards = sum(1 for _ in cut(reader, BuildSettings((PRESETS["masktrack"],))))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    sender.send((shards, time.perf_counter() - started, peak))


def run(photos: int = 5_000_000) -> None:
    """Plan once."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=plan, args=(photos, sender))
    process.start()
    shards, seconds, peak = receiver.recv()
    process.join()
    common.save("plan", {"photos": photos, "shards": shards, "seconds": round(seconds, 1), "peak GB": round(peak, 2)})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=5_000_000)
    run(**vars(parser.parse_args()))
