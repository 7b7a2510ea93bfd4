"""Speed of reading in random order: shards, other containers, and decoding alone.

Raw access gives the encoded bytes of a triple; decoded access gives image and two masks, by the same decoder
for all. The floor decodes the same records out of memory.
Run alone: python -m benchmarks.read [--rounds N]
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from datakit.images import decode_picture
from datakit.rle import decode_rle
from datakit.shards import ShardReader

from . import common
from .peers import PEERS, Read

DATAKIT = Path(sys.executable).with_name("datakit")


def built() -> ShardReader:
    """A folder of shards of the benchmark's photos."""
    out = common.WORK / "read"
    shutil.rmtree(out, ignore_errors=True)
    command = [DATAKIT, "build-shards", common.data_root(), "--out", out, "-j", "2"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return ShardReader(out)


def opened_peers(reader: ShardReader) -> dict[str, Read]:
    """The same records in every peer's container; a peer that is not installed is left out and named."""
    records = [tuple(bytes(part) for part in reader.raw(index)) for index in range(len(reader))]
    peers = {}
    for name, (write, open_) in PEERS.items():
        folder = common.WORK / "peers" / name.replace(" ", "-").replace(",", "")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            write(folder, records)
            peers[name] = open_(folder)
        except ImportError as error:
            print(f"left out: {name} ({error})")
            continue
        for index in (0, len(records) - 1, len(records) // 2):
            assert [bytes(part) for part in peers[name](index)] == list(records[index]), name
    return peers


def sweep(read: Callable[[int], object], order: list[int]) -> Callable[[], None]:
    """Read everything once, in a given order."""

    def run() -> None:
        for index in order:
            read(index)

    return run


def run(rounds: int = 9) -> None:
    """Raw and decoded access of every container by turns, and the floor."""
    reader = built()
    peers = opened_peers(reader)
    cv2.setNumThreads(0)
    order = np.random.default_rng(0).permutation(len(reader)).tolist()
    sizes = [shard.size(shard.triples[row]["image_row"]) for shard, row in map(reader.locate, range(len(reader)))]
    memory = [tuple(bytes(part) for part in reader.raw(index)) for index in range(len(reader))]

    def decoder(read: Read) -> Callable[[int], object]:
        def decode(index: int) -> object:
            image, guide, target = read(index)
            size = sizes[index]
            return decode_picture(image), decode_rle(bytes(guide), size), decode_rle(bytes(target), size)

        return decode

    raw = common.by_turns({n: sweep(read, order) for n, read in {"ours": reader.raw, **peers}.items()}, rounds)
    sides = {"ours": reader.__getitem__, "floor": decoder(memory.__getitem__)}
    sides |= {name: decoder(read) for name, read in peers.items()}
    decoded = common.by_turns({name: sweep(read, order) for name, read in sides.items()}, rounds)
    figures: dict[str, object] = {"triples": len(reader), "rounds": rounds}
    figures["raw: seconds"], figures["decoded: seconds"] = common.medians(raw), common.medians(decoded)
    for name in peers:
        figures[f"raw: our speed / {name}"] = round(common.median_ratio(raw[name], raw["ours"]), 2)
        figures[f"decoded: our speed / {name}"] = round(common.median_ratio(decoded[name], decoded["ours"]), 3)
    figures["decoded: our speed / floor"] = round(common.median_ratio(decoded["floor"], decoded["ours"]), 3)
    common.save("read", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    run(**vars(parser.parse_args()))
