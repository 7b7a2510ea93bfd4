"""Reading against its floor: decoding the very same records out of memory.

Run alone: python -m benchmarks.read [--rounds N]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from datakit.images import decode_rle
from datakit.shards import ShardReader

from . import common

DATAKIT = Path(sys.executable).with_name("datakit")


def run(rounds: int = 9) -> None:
    """Random access over all triples of a folder: raw bytes, decoded triples, and the floor of decoding."""
    out = common.WORK / "read"
    command = [DATAKIT, "build-shards", common.data_root(), "--out", out, "-j", "2"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    cv2.setNumThreads(0)
    reader = ShardReader(out)
    order = np.random.default_rng(0).permutation(len(reader)).tolist()
    memory = [tuple(bytes(record) for record in reader.raw(index)) for index in order]
    sizes = [shard.size(shard.triples[row]["image_row"]) for shard, row in map(reader.locate, order)]

    def raw() -> None:
        for index in order:
            reader.raw(index)

    def decoded() -> None:
        for index in order:
            reader[index]

    def floor() -> None:
        for (image, deformed, target), size in zip(memory, sizes, strict=True):
            cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR)
            decode_rle(deformed, size)
            decode_rle(target, size)

    seconds = common.by_turns({"raw": raw, "decoded": decoded, "floor": floor}, rounds)
    figures: dict[str, object] = {"triples": len(reader), "seconds": common.medians(seconds)}
    figures["decoded speed / floor speed"] = round(common.median_ratio(seconds["floor"], seconds["decoded"]), 3)
    figures["raw records per second"] = round(3 * len(reader) / common.medians(seconds)["raw"])
    common.save("read", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    run(**vars(parser.parse_args()))
