"""Speed of `verify` against SHA-256 of the same files. Run alone: python -m benchmarks.verify [--rounds N]"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from datakit.files import file_sha256
from datakit.shards.verify import verify

from . import common

COPIES = 12  # of ECSSD: 0.5 GB of shards, so that starting a child is not what is measured
DATAKIT = Path(sys.executable).with_name("datakit")


def run(rounds: int = 7) -> None:
    """`verify`, `verify --deep`, and the digests alone, one after the other."""
    root = common.data_root().absolute()
    out = common.WORK / "verify"
    sources = [f"copy{number}={root}" for number in range(COPIES)]
    command = [DATAKIT, "build-shards", *sources, "--out", out, "-j", "2"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    files = sorted(out.glob("*.h5"))

    def digests() -> None:
        for path in files:
            file_sha256(path)

    sides = {"verify": lambda: verify(out), "deep": lambda: verify(out, deep=True), "sha256": digests}
    seconds = common.by_turns(sides, rounds)
    figures: dict[str, object] = {"MB": round(sum(path.stat().st_size for path in files) / 1e6), "rounds": rounds}
    figures["seconds"] = common.medians(seconds)
    for side in ("verify", "deep"):
        figures[f"{side}: speed / SHA-256 alone"] = round(common.median_ratio(seconds["sha256"], seconds[side]), 3)
    common.save("verify", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    run(**vars(parser.parse_args()))
