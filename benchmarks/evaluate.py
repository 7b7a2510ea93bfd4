"""Speed of `datakit evaluate` against the package vos-benchmark: same files, two processes each, equal scores.

Judged twice: as a call in a process that has imported everything, and as a command from its start to its end.
The floor reads and decodes the same files by the same processes, and measures nothing.
With DATAKIT_TEST_DATA the masks are OSVOS's of ten DAVIS sequences, their ids merged; else drawn ones. Needs
pip install --no-deps vos-benchmark scikit-image lazy_loader tqdm.
Run alone: python -m benchmarks.evaluate [--rounds N]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from datakit.images import encode_png
from datakit.video.labels import open_labels, read_labels
from pipelines.evaluate.measure import CHUNK
from pipelines.evaluate.result import EvaluateConfig, Evaluation
from pipelines.evaluate.run import evaluate
from pipelines.pool import map_on_processes

from . import common

DATAKIT = Path(sys.executable).with_name("datakit")
PEER = "from vos_benchmark.benchmark import benchmark; benchmark([{truth!r}], [{predictions!r}], num_processes=2)"
JOBS = 2
DRAWN = (10, 60)  # sequences, frames


def folders() -> tuple[str, Path, Path]:
    """What the masks are, predictions and ground truth: a folder a sequence, grey 0 and 255, one object."""
    predictions = common.WORK / "evaluate" / "predictions"
    shutil.rmtree(predictions.parent, ignore_errors=True)
    if data := os.environ.get("DATAKIT_TEST_DATA"):
        davis = Path(data) / "davis2016"
        for name, frames in open_labels(davis / "osvos_results").sequences.items():
            for frame, file in frames.items():
                write(predictions / name / f"{frame}.png", read_labels(file, str(file)).labels > 0)
        return "OSVOS on DAVIS, ids merged", predictions, davis / "Annotations/480p"
    from .warp import synthetic

    truth = predictions.with_name("truth")
    for number, mask in enumerate(synthetic(DRAWN[0])):
        for frame in range(DRAWN[1]):
            write(truth / f"{number}" / f"{frame:05d}.png", np.roll(mask, frame, 1) > 0)
            write(predictions / f"{number}" / f"{frame:05d}.png", np.roll(mask, frame + 1 + frame // 4, 1) > 0)
    return "drawn", predictions, truth


def write(path: Path, mask: Any) -> None:
    """A grey PNG of 0 and 255."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(mask.astype(np.uint8) * np.uint8(255), compact=True))


def decode(files: list[Path]) -> None:
    """The floor's task."""
    for file in files:
        cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_UNCHANGED)


class Silent:
    """Progress that tells nobody."""

    def advance(self, count: int) -> None:
        """Nothing."""


@contextlib.contextmanager
def silent(_total: int) -> Iterator[Silent]:
    """A progress display for `evaluate`."""
    yield Silent()


def run(rounds: int = 9) -> None:
    """Both sides by turns, called and as commands."""
    try:
        from vos_benchmark.benchmark import benchmark
    except ImportError as error:
        print(f"left out: evaluate ({error})")
        return
    masks, predictions, truth = folders()

    def ours() -> Evaluation:
        return evaluate(EvaluateConfig(predictions, truth, "davis2016", jobs=JOBS), silent)

    def peer() -> Any:
        return benchmark([str(truth)], [str(predictions)], num_processes=JOBS, verbose=False)

    def floor() -> None:
        list(map_on_processes(decode, tasks, JOBS))

    def command(*words: object) -> None:
        subprocess.run([str(word) for word in words], check=True, capture_output=True)

    found = ours().scores.scores
    _, (peer_j,), (peer_f,), _ = peer()
    assert abs(100 * found.J.mean - peer_j) < 1e-9 and abs(100 * found.F.mean - peer_f) < 1e-9
    script = PEER.format(truth=str(truth), predictions=str(predictions))
    pairs = [(clip.predicted[name], file) for clip in ours().clips for name, file in list(clip.target.items())[1:-1]]
    tasks = [[file for pair in pairs[start : start + CHUNK] for file in pair] for start in range(0, len(pairs), CHUNK)]
    sides = {
        "call": {"ours": ours, "vos-benchmark": peer, "floor": floor},
        "command": {
            "ours": lambda: command(DATAKIT, "evaluate", predictions, truth, "-j", JOBS),
            "vos-benchmark": lambda: command(sys.executable, "-c", script),
        },
    }
    figures: dict[str, object] = {"masks": masks, "frames": len(pairs), "processes": JOBS, "rounds": rounds}
    figures |= {"J, both": round(found.J.mean, 9), "F, both": round(found.F.mean, 9)}
    for way, each in sides.items():
        seconds = common.by_turns(each, rounds)
        figures[f"{way}: seconds"] = common.medians(seconds)
        figures[f"{way}: our speed / vos-benchmark"] = round(
            common.median_ratio(seconds["vos-benchmark"], seconds["ours"]), 2
        )
        if "floor" in seconds:
            figures[f"{way}: our speed / floor"] = round(common.median_ratio(seconds["floor"], seconds["ours"]), 2)
    common.save("evaluate", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    run(**vars(parser.parse_args()))
