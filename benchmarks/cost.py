"""What ten million photos cost, extrapolated from a build: python -m benchmarks.cost SOURCE... [--photos N]

Every figure of the build is measured; the column for more photos is that times their number, but for requests that come
a thousand names or a shard at once. What a store adds to the time of a local disk is not in it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from math import ceil
from pathlib import Path

from datakit.datasets import parse_source
from datakit.shards import ShardReader
from datakit.transforms import PRESETS
from pipelines.build_shards import build_shards
from pipelines.cost import LISTED, PART, WORKERS, Cost, worker_hours
from pipelines.plan import make_plan
from pipelines.settings import BuildConfig, BuildSettings

from . import common

RECIPES = ("masktrack", "masktrack-box", "lucid")


def run(sources: list[str], photos: int = 10_000_000, jobs: int = 1) -> None:
    """Build once and extrapolate."""
    specs = tuple(map(parse_source, sources))
    settings = BuildSettings(tuple(PRESETS[name] for name in RECIPES))
    with tempfile.TemporaryDirectory(dir=common.WORK) as folder:
        config = BuildConfig(specs, Path(folder) / "shards", settings, jobs=jobs, max_error_rate=1)
        plan = make_plan(config)
        files = [
            reader.root / path
            for reader in plan.readers.values()
            for record in reader.records
            for path in reader.annotation_files(record)
        ]
        read = sum(shard.bytes for shard in plan.shards) + sum(file.stat().st_size for file in files)
        started, processor = time.perf_counter(), time.process_time()
        summary = build_shards(config)
        wall, work = time.perf_counter() - started, time.process_time() - processor
        written, triples = sum(each.bytes for each in summary.manifest.shards), len(ShardReader(config.out))
    seconds = work if jobs == 1 else wall * jobs
    shards = ceil(photos / plan.photos * sum(shard.bytes for shard in plan.shards) / settings.shard_bytes)
    each = photos / plan.photos
    parts = ceil(written * each / shards / PART)
    many = Cost(
        round(read * each),
        round(written * each),
        round((plan.photos + len(files)) * each),
        shards * (parts + 2 * (parts > 1) + 1),
        ceil((plan.photos + len(files)) * each / LISTED),
    )
    rows = {
        "photos": (plan.photos, photos),
        "triples": (triples, round(triples * each)),
        "GB to read": (round(read / 1e9, 3), round(many.read_bytes / 1e9)),
        "GB to write": (round(written / 1e9, 3), round(many.write_bytes / 1e9)),
        "requests to read": (plan.photos + len(files), many.read_requests),
        "requests to write": (2 * len(plan.shards), many.write_requests),
        "requests to list, once": (ceil((plan.photos + len(files)) / LISTED), many.list_requests),
        "processor hours of one worker": (round(seconds / 3600, 4), round(seconds * each / 3600, 1)),
        f"hours with {WORKERS} workers": (round(worker_hours(seconds), 5), round(worker_hours(seconds * each), 2)),
    }
    figures = {name: {"build": build, "extrapolated": extrapolated} for name, (build, extrapolated) in rows.items()}
    told = "every figure of the build times the photos, shards cut at 64 MB of photos; hours without a store's delays"
    common.save(
        "cost",
        {
            "extrapolated": told,
            "recipes": ", ".join(RECIPES),
            "sources": ", ".join(spec.label for spec in specs),
            **figures,
        },
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--photos", type=int, default=10_000_000)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    run(options.sources, options.photos, options.jobs)
