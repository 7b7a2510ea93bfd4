"""How well the confidence that `datakit propagate` writes goes with true IoU: rank correlations on a tree of videos.

Spearman's, of every sequence over its frames and of all frames together, and how many of the worst fifth of the
frames, by IoU, are among the fifth that the network was least sure of (a fifth by chance). One object a sequence.
Frames that were given are left out. What an earlier run has propagated is kept.
Run alone: python -m benchmarks.confidence ROOT [--weights NAME] [-j N]
"""

from __future__ import annotations

import argparse
import csv
import statistics
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.propagate.network import WEIGHTS
from pipelines.propagate.output import CONFIDENCE

from . import common
from .ablation import datakit
from .variants import judged

OUT = common.WORK / "confidence"
FIFTH = 0.2


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 up; equal values share the mean of theirs."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts) - 1
    return np.asarray((last - (counts - 1) / 2)[group], float)


def spearman(pairs: NDArray[np.float64]) -> float:
    """Rank correlation of the two columns of (N, 2)."""
    return float(np.corrcoef(ranks(pairs[:, 0]), ranks(pairs[:, 1]))[0, 1])


def worst_found(pairs: NDArray[np.float64], share: float = FIFTH) -> float:
    """Of this share of the frames with the least of the second column, the share that has the least of the first."""
    count = max(1, round(share * len(pairs)))
    least = [set(np.argsort(pairs[:, column], kind="stable")[:count].tolist()) for column in (0, 1)]
    return len(least[0] & least[1]) / count


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def joined(out: Path, frames: Path) -> dict[str, NDArray[np.float64]]:
    """Sequence -> (N, 2): confidence and IoU of every frame that counts and was not given.

    Args:
        out: of `datakit propagate --davis`.
        frames: of `datakit evaluate --csv` on it.
    """
    pairs: dict[str, list[tuple[float, float]]] = {}
    true = {(row["sequence"], row["frame"]): float(row["J"]) for row in table(frames)}
    for sequence in dict.fromkeys(name for name, _ in true):
        rows = table(out / "_report" / sequence / CONFIDENCE)
        first = rows[0]["frame"]
        pairs[sequence] = [
            (float(row["confidence"]), true[sequence, row["frame"]])
            for row in rows
            if row["frame"] != first and (sequence, row["frame"]) in true
        ]
    return {name: np.array(each) for name, each in pairs.items()}


def run(root: Path, weights: str = WEIGHTS, jobs: int = 1) -> None:
    """Propagate, score, and compare."""
    out = OUT / Path(weights).stem
    datakit("propagate", "--davis", root, "--out", out, "--weights", weights, "--no-overlay", "-j", jobs)
    judged(out, root, "--csv", out / "_report" / "frames.csv")
    pairs = joined(out, out / "_report" / "frames.csv")
    together = np.concatenate(list(pairs.values()))
    each = {
        name: {"J": round(float(found[:, 1].mean()), 3), "confidence": round(float(found[:, 0].mean()), 3),
               "rank correlation": round(spearman(found), 2)}
        for name, found in pairs.items()
    }  # fmt: skip
    common.save("confidence", {
        "weights": weights,
        "frames": len(together),
        "rank correlation, all frames": round(spearman(together), 2),
        "rank correlation, mean of the sequences": round(statistics.mean(spearman(x) for x in pairs.values()), 2),
        "worst fifth of frames among the least sure fifth": round(worst_found(together), 2),
        **each,
    })  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--weights", default=WEIGHTS)
    parser.add_argument("-j", "--jobs", type=int, default=1)
    run(**vars(parser.parse_args()))
