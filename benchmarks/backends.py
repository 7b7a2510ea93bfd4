"""Propagation on torch and on OpenVINO, and as another tree does it: frames a second and J, sequence by sequence.

The sides take turns on each sequence. A frame's time is what `datakit propagate` reports of it, without the first two,
for which the network is compiled; all objects of a sequence are one here, as in DAVIS-2016.
Run alone: python -m benchmarks.backends DAVIS [--against TREE] [--weights bundled] [--precision fp32]
    [--sequences A,B]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np

from datakit.images import encode_palette_png
from datakit.video.labels import read_labels
from datakit.video.palette import palette

from . import common

HERE = Path(__file__).parent.parent
OUT = common.WORK / "backends"
COMPILED = 2  # frames


def first_mask(davis: Path, sequence: str, objects: int, folder: Path) -> Path:
    """The first annotation; for several objects cut into so many strips of like area."""
    given = min((davis / "Annotations/480p" / sequence).iterdir())
    if objects == 1:
        return given
    mask = read_labels(given, str(given)).labels > 0
    before = np.cumsum(mask.sum(1))
    strips = np.minimum(before * objects // max(int(before[-1]), 1), objects - 1) + 1
    path = folder / f"{sequence}.png"
    path.write_bytes(encode_palette_png((mask * strips[:, None]).astype(np.uint8), palette()))
    return path


def propagate(tree: Path, davis: Path, sequence: str, first: Path, out: Path, words: list[str]) -> list[float]:
    """Milliseconds of the frames of one sequence."""
    command = [
        sys.executable, "-P", "-m", "pipelines", "-q", "propagate", str(davis / "JPEGImages/480p" / sequence),
        "--mask", str(first), "--out", str(out), "--overwrite", "--no-overlay", *words,
    ]  # fmt: skip
    paths = os.pathsep.join([str(tree), os.environ.get("PYTHONPATH", "")])
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.DEVNULL)
    report = json.loads((out / "_report" / sequence / "report.json").read_text())
    return [float(frame["ms"]) for frame in report["frames"][COMPILED:]]


def mean_j(davis: Path, out: Path) -> float:
    """J of all sequences that a side has made."""
    path = out / "scores.json"
    command = [
        sys.executable, "-P", "-m", "pipelines", "-q", "evaluate", str(out), str(davis / "Annotations/480p"),
        "--convention", "davis2016", "--only-predicted", "--json",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    found = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    path.write_text(found.stdout)
    return float(json.loads(found.stdout)["J"]["mean"])


def measure(
    davis: Path, against: Path | None, weights: str, precision: str, sequences: list[str], objects: int = 1
) -> None:
    """Print and save the table; J only where there is one object, as the truth has one."""
    how = ["--weights", weights, "--precision", precision]
    OUT.mkdir(parents=True, exist_ok=True)
    sides = {"torch": (HERE, how), "openvino": (HERE, [*how, "--backend", "openvino"])}
    if against:
        sides = {"the other tree": (against.resolve(), how), **sides}
    base = next(iter(sides))
    ratios: dict[str, list[float]] = {name: [] for name in sides}
    for number, sequence in enumerate(sequences):
        medians, first = {}, first_mask(davis, sequence, objects, OUT)
        for name in list(sides) if number % 2 else list(sides)[::-1]:
            tree, words = sides[name]
            out = OUT / weights.replace("/", "_") / name.replace(" ", "-")
            medians[name] = statistics.median(propagate(tree, davis, sequence, first, out, words))
        for name, value in medians.items():
            ratios[name].append(medians[base] / value)
        print(sequence, {name: round(value, 1) for name, value in medians.items()}, flush=True)
    figures: dict[str, dict[str, float]] = {}
    for name, found in ratios.items():
        figures[f"{name}, frames a second of {base}"] = {
            "median": round(statistics.median(found), 2), "least": round(min(found), 2), "most": round(max(found), 2),
        }  # fmt: skip
        if objects == 1:
            J = mean_j(davis, OUT / weights.replace("/", "_") / name.replace(" ", "-"))
            figures[f"{name}, frames a second of {base}"]["J"] = round(J, 4)
    common.save(f"backends-{Path(weights).stem}-{objects}", figures)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("davis", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--weights", default="bundled")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--sequences")
    parser.add_argument("--objects", type=int, default=1, help="the object is cut into so many")
    given = parser.parse_args()
    names = given.sequences.split(",") if given.sequences else None
    found = names or sorted(path.name for path in (given.davis / "JPEGImages/480p").iterdir())
    measure(given.davis, given.against, given.weights, given.precision, found, given.objects)


if __name__ == "__main__":
    main()
