"""What each step of the deformation is worth: one short training per recipe, all scored on the same guide masks.

Every run begins with the same ImageNet weights, sees the same photos in the same order through the same views, and
differs in the recipe alone; faults beyond the recipe (`view.partial` and its like, the network's own masks) are off.
Scored are the `masktrack` masks of photos held back from all of them. After the paper's Table 1.
Run alone: python -m benchmarks.ablation SOURCE... [--iterations N] [--size S]
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import common
from .read import DATAKIT

RECIPES = ("masktrack", "no-nonrigid", "no-dilation", "no-deformation", "masktrack-box")
FAULTLESS = (
    "--set", "own_masks=0", "--set", "view.partial=0", "--set", "view.off_centre=0", "--set", "view.blob=0",
)  # fmt: skip


def datakit(*words: object, program: Sequence[str] = (str(DATAKIT),)) -> str:
    """Run the command, or another program that takes its words; its standard output."""
    command = [*program, *map(str, words)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=sys.stderr, text=True).stdout


def row(recipe: str, sources: list[str], test_shards: Path, iterations: int, size: int) -> dict[str, float]:
    """Train with one recipe and score it; IoU of input and output, and minutes of training."""
    shards, run = common.WORK / "ablation" / recipe, common.WORK / "ablation" / f"run-{recipe}"
    datakit("build-shards", *sources, "--recipe", recipe, "--out", shards, "-j", 2, "--overwrite")
    began = time.perf_counter()
    datakit("train", shards, "--out", run, "--iterations", iterations, "--set", f"view.size={size}",
            "--set", f"validation_every={iterations}", "--overwrite", *FAULTLESS)  # fmt: skip
    minutes = (time.perf_counter() - began) / 60
    weights = run / "best.safetensors"  # of the one validation, at the end
    found = json.loads(datakit("score", test_shards, "--weights", weights, "--held-back", "--size", size, "--json"))
    return {name: round(found[name], 3) for name in ("input_iou", "output_iou", "gain")} | {
        "minutes": round(minutes, 1)
    }


def run(sources: list[str], iterations: int = 500, size: int = 160) -> None:
    """All recipes, one after the other."""
    shutil.rmtree(common.WORK / "ablation", ignore_errors=True)
    test_shards = common.WORK / "ablation" / "judged"
    datakit("build-shards", *sources, "--recipe", "masktrack", "--out", test_shards, "-j", 2)
    figures: dict[str, object] = {"iterations": iterations, "cut, pixels": size}
    for recipe in RECIPES:
        figures[recipe] = row(recipe, sources, test_shards, iterations, size)
        print(recipe, figures[recipe], flush=True)
    common.save("ablation", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--iterations", type=int, default=500)
    parser.add_argument("--size", type=int, default=160)
    run(**vars(parser.parse_args()))
