"""What each option of a propagation is worth on a tree of videos: J, F and seconds per frame.

Every row is `datakit propagate --davis ROOT` with other options, scored by `datakit evaluate`; seconds are those of
the whole command on all cores, start and online stage included, over all frames. With an online stage the means over
several seeds, and the scores of each. Scores of other methods come from the benchmark's own file, where it lies in
ROOT/official.
Run alone: python -m benchmarks.variants ROOT [--seeds N] [--only NAME...]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import time
from pathlib import Path
from typing import Any

from . import common
from .ablation import datakit

CONVENTION = "davis2016"
ONLINE = ("--online",)
WEIGHTS = ("--weights", "bundled")  # the network without a memory
VARIANTS: dict[str, tuple[str, ...]] = {
    "mask": (),
    "mask, no dilation": ("--set", "dilation=0"),
    "mask, the paper's dilation": ("--set", "dilation=5"),
    "mask, left in place": ("--set", "motion=0"),
    "mask, one look": ("--set", "mirrored=false"),
    "mask, full frame": ("--full-frame",),
    "mask + flow": ("--flow", "dis"),
    "mask + CRF": ("--crf",),
    "mask + flow + CRF": ("--flow", "dis", "--crf"),
    "box": ("--from-boxes",),
    "mask, online": ONLINE,
    "mask, online + CRF": (*ONLINE, "--crf"),
    "mask, online + flow + CRF": (*ONLINE, "--flow", "dis", "--crf"),
    "box, online": (*ONLINE, "--from-boxes"),
    "mask, online as in the paper": (*ONLINE, "--online-preset", "paper"),
}
SEEDED = ("mask, online", "mask, online + CRF")  # run with every seed; the others with the first
OFFICIAL = "official/davis16_val_official_JFT.json"


def scored(root: Path, options: tuple[str, ...], seed: int) -> dict[str, Any]:
    """One variant: J and F over the set, J of every sequence, and seconds a frame."""
    out = common.WORK / "variants"
    shutil.rmtree(out, ignore_errors=True)
    began = time.perf_counter()
    words = ("--no-overlay", "--seed", seed, "-j", os.cpu_count(), "--json")
    output = json.loads(datakit("propagate", "--davis", root, "--out", out, *WEIGHTS, *options, *words))
    seconds = time.perf_counter() - began
    found = judged(out, root)
    frames = sum(len(each["frames"]) for each in output["sequences"])
    sequences = {name: round(each["J"]["mean"], 3) for name, each in found["sequences"].items()}
    return {"J": found["J"]["mean"], "F": found["F"]["mean"], "s/frame": seconds / frames, "sequences": sequences}


def judged(out: Path, root: Path, *words: object) -> dict[str, Any]:
    """What `datakit evaluate --json` says of results on a tree, by the convention of DAVIS-2016."""
    truth = next(path for path in (root / "Annotations/480p", root / "Annotations") if path.is_dir())
    found: dict[str, Any] = json.loads(datakit("evaluate", out, truth, "--convention", CONVENTION, "--json", *words))
    return found


def row(root: Path, name: str, seeds: int) -> dict[str, Any]:
    """A variant's means over its seeds."""
    runs = [scored(root, VARIANTS[name], seed) for seed in range(seeds if name in SEEDED else 1)]
    means = {key: round(statistics.mean(run[key] for run in runs), 3) for key in ("J", "F", "s/frame")}
    each = {"J of each seed": [round(run["J"], 3) for run in runs]} if len(runs) > 1 else {}
    return means | each | {"sequences": runs[0]["sequences"]}


def official(root: Path, names: list[str]) -> dict[str, Any]:
    """J and F of the published masks of MaskTrack (`msk`) and OSVOS on the same sequences, where they are at hand."""
    path = root / OFFICIAL
    if not path.is_file():
        return {}
    methods = json.loads(path.read_text(encoding="utf-8"))
    return {
        f"published {method}": {
            measure: round(statistics.mean(methods[method][measure][name]["mean"] for name in names), 3)
            for measure in ("J", "F")
        }
        for method in ("msk", "osvos")
    }


def run(root: Path, seeds: int = 3, only: list[str] | None = None) -> None:
    """All variants, or some that replace what an earlier run has found of them."""
    path = common.RESULTS / "variants.json"
    figures: dict[str, Any] = json.loads(path.read_text())["figures"] if only and path.is_file() else {}
    for name in only or VARIANTS:
        figures[name] = row(root, name, seeds)
        print(name, figures[name], flush=True)
        figures |= official(root, list(figures[name]["sequences"]))
        common.save("variants", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(VARIANTS))
    run(**vars(parser.parse_args()))
