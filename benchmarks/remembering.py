"""What a memory costs: seconds of a frame with and without, what a further object adds, and bytes over a long video.

The same frames of one sequence, by turns: `lite` and `lite-memory` with one object, `lite-memory` with three, each with
its usual settings, on all cores. Objects are halves and quarters of the given mask. The long run repeats the frames
and takes the process's size.
Run alone: python -m benchmarks.remembering DAVIS [--sequence NAME] [--frames N] [--long N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from datakit.arrays import Image, Labels
from datakit.video.annotations import read_annotation
from datakit.video.frames import open_frames
from model.propagate import Propagator

from . import common


def parts(mask: Labels, count: int) -> Labels:
    """A mask cut into `count` objects of about the same number of pixels, from left to right."""
    columns = np.cumsum(np.count_nonzero(mask, axis=0)) / max(np.count_nonzero(mask), 1)
    number = np.minimum((columns * count).astype(np.uint8), count - 1) + 1
    return ((mask > 0) * number).astype(np.uint8)


def carried(weights: str, frames: list[Image], mask: Labels) -> Callable[[], list[float]]:
    """Seconds of each frame after the first."""

    def run() -> list[float]:
        propagator = Propagator.from_pretrained(weights)
        propagator.step(frames[0], mask)
        seconds = []
        for frame in frames[1:]:
            began = time.perf_counter()
            propagator.step(frame)
            seconds.append(time.perf_counter() - began)
        return seconds

    return run


def megabytes() -> float:
    """Of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def growth(frames: list[Image], mask: Labels, count: int) -> dict[str, object]:
    """Size of the process a quarter into a long video, and at its end."""
    propagator = Propagator.from_pretrained("lite-memory")
    propagator.step(frames[0], mask)
    sizes = []
    for number in range(1, count):
        propagator.step(frames[number % len(frames)])
        if number in (count // 4, count - 1):
            sizes.append(round(megabytes(), 1))
    return {"frames of the long video": count, "MB after a quarter, and at its end": sizes}


def run(davis: Path, sequence: str = "dog", frames: int = 20, long: int = 2000, rounds: int = 5) -> None:
    """All of it."""
    video = open_frames(davis / "JPEGImages/480p" / sequence)
    pictures = [video[number] for number in range(min(frames, len(video)))]
    mask = read_annotation(davis / "Annotations/480p" / sequence / "00000.png")
    sides = {"lite, 1 object": ("lite", 1), "lite-memory, 1 object": ("lite-memory", 1),
             "lite-memory, 3 objects": ("lite-memory", 3)}  # fmt: skip
    runs = {name: carried(weights, pictures, parts(mask, count)) for name, (weights, count) in sides.items()}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds):
        for name in list(runs)[:: 1 if number % 2 else -1]:
            seconds[name].append(statistics.median(runs[name]()))
    one, three = seconds["lite-memory, 1 object"], seconds["lite-memory, 3 objects"]
    further = statistics.median((c - a) / 2 / a for a, c in zip(one, three, strict=True))
    figures: dict[str, object] = {f"seconds a frame, {name}": each for name, each in common.medians(seconds).items()}
    figures |= {
        "lite-memory / lite, one object": round(common.median_ratio(one, seconds["lite, 1 object"]), 2),
        "a further object / the first": round(further, 2),
    }
    common.save("remembering", figures | (growth(pictures, mask, long) if long else {}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("davis", type=Path)
    parser.add_argument("--sequence", default="dog")
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--long", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    run(**vars(parser.parse_args()))
