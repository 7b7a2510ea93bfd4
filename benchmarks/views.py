"""Views of finished folders: equal triples by key, bytes on disk, seconds. Run: python -m benchmarks.views A B …

Merges the folders, selects from that and splits it, and compares every byte of image, guide mask and target with the
folder behind. Then a random half of ten million simulated triples, as a view: size and seconds.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from datakit.shards import Manifest, ShardEntry, ShardReader, read_contents, write_manifest
from datakit.shards.combine import gather, view_of
from datakit.shards.manifest import NAME
from datakit.shards.verify import verify
from datakit.shards.view import write_view
from pipelines.make_view import merge, select, split

from . import common

WHERE = "iou > 0.6 and kind == 'mask'"
SHARDS, TRIPLES = 5000, 2000  # simulated


def run(folders: Sequence[Path]) -> None:
    """Views of real folders, each against what it is a view of."""
    out = common.WORK / "views"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    readers = [ShardReader(folder) for folder in folders]
    behind = {key: (reader, index) for reader in readers for index, key in enumerate(reader.keys)}
    held = sum(path.stat().st_size for folder in folders for path in folder.glob("*.h5"))
    print(f"{len(behind)} triples in {len(folders)} folders, {held} bytes of shards")
    timed("merge", lambda: merge(folders, out / "all"))
    timed("select", lambda: select(out / "all", WHERE, out / "some"))
    timed("split", lambda: split(out / "some", 0.1, out / "parts"))
    for view in (out / "all", out / "some", out / "parts" / "train", out / "parts" / "val"):
        found = ShardReader(view)
        same = sum(found.raw(n) == behind[key][0].raw(behind[key][1]) for n, key in enumerate(found.keys))
        sizes = {path.name: path.stat().st_size for path in view.iterdir() if path.is_file()}
        print(
            f"  {view.name}: {same} of {len(found)} triples equal in every byte, {len(verify(view))} findings, {sizes}"
        )


def run_simulated() -> None:
    """A random half of ten million triples."""
    folder, out = common.WORK / "views" / "simulated", common.WORK / "views" / "half"
    folder.mkdir(parents=True)
    out.mkdir()
    entries = tuple(ShardEntry(f"made-{n:05d}.h5", "made", "", 1, "0" * 64, TRIPLES, TRIPLES, TRIPLES, TRIPLES)
                    for n in range(SHARDS))  # fmt: skip
    write_manifest(folder, Manifest({"recipes": []}, {}, {}, entries, {}, ""))
    reader = ShardReader(folder)
    half = reader.pick(np.random.default_rng(0).random(len(reader)) < 0.5)
    timed("write", lambda: write_view(out, view_of(gather([half]), out, "select", [folder], {})))
    timed("read its folder", lambda: read_contents(folder))
    timed("read", lambda: read_contents(out))
    print(f"{len(half)} of {len(reader)} triples at random: {(out / NAME).stat().st_size} bytes")


def timed(name: str, work: Callable[[], object]) -> None:
    """Do something and print how long it took."""
    started = time.perf_counter()
    work()
    print(f"{name}: {time.perf_counter() - started:.2f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    run(parser.parse_args().folders)
    run_simulated()
