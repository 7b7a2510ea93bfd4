"""Planning ten million simulated photos from a listing file: time and peak memory. Run alone: python -m benchmarks.plan

The floors: 1.5 GB and five minutes. Names are made up and no picture is on disk; what is timed is all that a build does
before its first task: the file read and checked, photos cut into shards, a digest made of each. parquet needs pyarrow.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path

from datakit.datasets import PairsReader, ReadOptions, SourceSpec, open_source
from datakit.datasets.listing_file import write_listing
from datakit.datasets.records import Record
from datakit.transforms import PRESETS
from pipelines.plan import plan_readers
from pipelines.settings import BuildSettings
from pipelines.splits import splits_notice

from . import common

KINDS = ("csv", "jsonl", "parquet")


def records(count: int) -> Iterator[Record]:
    """Records as a set of photos in folders of a thousand gives them."""
    for number in range(count):
        name = f"class{number // 1000:05d}/photo_{number:08d}"
        yield Record(f"big/{name}", f"images/{name}.jpg", [f"masks/{name}.png", 1500], 80_000 + number % 5000)


def write(file: Path, count: int, sender: Connection) -> None:
    """Write the listing of a source that is not there."""
    started = time.perf_counter()
    reader = PairsReader("big", file.parent, file.parent, records(count), (), ReadOptions())
    reader.layout = "pairs"
    write_listing(file, reader, file.parent, None)
    sender.send({"write: seconds": round(time.perf_counter() - started, 1)} | used("write: "))


def plan(file: Path, count: int, sender: Connection) -> None:
    """Open and cut."""
    before = used("empty: ")
    started = time.perf_counter()
    settings = BuildSettings((PRESETS["masktrack"],))
    spec = SourceSpec("big", "pairs", file.parent, "big", file)
    reader = open_source(spec, settings.source_options())
    opened = time.perf_counter() - started
    found = plan_readers({"big": reader}, settings)
    splits_notice("big", reader)
    assert found.photos == count, found.photos
    seconds = time.perf_counter() - started
    figures = {"shards": len(found.shards), "seconds": round(seconds, 1), "seconds of it to open": round(opened, 1)}
    processor = time.process_time()
    sender.send(before | figures | {"seconds of the processor": round(processor, 1)} | used(""))


def used(name: str) -> dict[str, float]:
    """Peak memory of this process so far."""
    return {f"{name}peak GB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)}


def alone(work: object, *arguments: object) -> dict[str, object]:
    """What a function sends from a process of its own, whose peak memory is its own."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=work, args=(*arguments, sender))
    process.start()
    found: dict[str, object] = receiver.recv()
    process.join()
    return found


def run(photos: int = 10_000_000, kinds: tuple[str, ...] = KINDS) -> None:
    """Plan once from a file of each kind."""
    figures: dict[str, object] = {"photos": photos}
    for kind in kinds:
        if kind == "parquet" and find_spec("pyarrow") is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"big.{kind}"
            written = alone(write, file, photos)
            size = {"file GB": round(file.stat().st_size / 1e9, 2)}
            figures[kind] = alone(plan, file, photos) | written | size
    common.save("plan", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=10_000_000)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    options = parser.parse_args()
    run(options.photos, tuple(options.kinds))
