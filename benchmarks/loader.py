"""Speed of `TripleDataset` against that of another tree, such as an older commit, and whether both draw alike.

    python -m benchmarks.loader --against OTHER [--shards FOLDER] [--rounds N]

Each tree has one process of one thread that reads the same shards; they take turns every few items, so that a busy
machine slows both. What counts is processor time. The items of both are then compared by what was drawn: the scale of
the cut in pixels of the photo, the IoU of guide mask and target in it, and the shares that object and photo have of it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

SIZES = (224, 352)
ITEMS = 40  # of one turn
DRAWS = 2000


class Loader:
    """A tree's dataset, made when it is first asked for. Imports nothing of its own tree before."""

    def __init__(self) -> None:
        self._datasets: dict[tuple[str, int, bool], Any] = {}
        self._windows: list[Any] = []

    def items(self, folder: str, size: int, redraw: bool, epoch: int, count: int) -> float:
        """Processor seconds of some items, drawn anew in every epoch."""
        from model.dataset import Draw

        dataset, order = self._dataset(folder, size, redraw)
        before = time.process_time()
        for n in range(count):
            dataset[Draw(order[(epoch * count + n) % len(order)], epoch)]
        return time.process_time() - before

    def drawn(self, folder: str, size: int, redraw: bool, count: int) -> dict[str, list[float]]:
        """What was drawn for some items."""
        from model.dataset import Draw

        dataset, order = self._dataset(folder, size, redraw)
        found: dict[str, list[float]] = {name: [] for name in ("scale", "iou", "object", "photo")}
        for n in range(count):
            item = dataset[Draw(order[n % len(order)], 1000 + n // len(order))]
            guide, target = item["input"][3].numpy() > 0, item["target"].numpy() > 0
            either = (guide | target).sum()
            (x0, _, x1, _), (_, w) = self._windows[-1].box, self._windows[-1].size
            found["scale"].append((x1 - x0) / w)
            found["iou"].append(float((guide & target).sum() / either) if either else 1.0)
            found["object"].append(float(target.mean()))
            found["photo"].append(float(item["valid"].numpy().mean()))
            self._windows.clear()
        return found

    def _dataset(self, folder: str, size: int, redraw: bool) -> Any:
        key = folder, size, redraw
        if key not in self._datasets:
            import cv2
            import numpy as np
            import torch

            from model import dataset as module
            from model.networks import build_network

            try:
                from datakit.transforms.views import ViewConfig
            except ImportError:  # as older trees have it
                from model.views import ViewConfig
            cv2.setNumThreads(0)
            torch.set_num_threads(1)
            if not self._datasets:
                self._note_windows(module)
            coding = build_network("lite").coding
            made = module.TripleDataset(folder, coding, ViewConfig(size=size), redraw=redraw)
            self._datasets[key] = made, np.random.default_rng(0).permutation(len(made)).tolist()
        return self._datasets[key]

    def _note_windows(self, module: Any) -> None:
        """Keep every window that is drawn, by whichever name a tree draws them."""
        name = "sample_window" if hasattr(module, "sample_window") else "draw_window"
        draw = getattr(module, name)

        def noted(*given: Any) -> Any:
            self._windows[:] = [draw(*given)]
            return self._windows[0]

        setattr(module, name, noted)


def worker() -> None:
    """Does what each line on standard input names, and answers with a line of JSON."""
    answer = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    loader = Loader()
    for line in sys.stdin:
        name, *given = json.loads(line)
        print(json.dumps(getattr(loader, name)(*given)), file=answer)


def compared(one: list[float], other: list[float]) -> dict[str, float]:
    """Means and spreads of both, and how far they lie apart in percent."""
    means, spreads = ([f(each) for each in (one, other)] for f in (statistics.mean, statistics.stdev))
    return {
        "mean, this": round(means[0], 4),
        "mean, other": round(means[1], 4),
        "mean apart, %": round(100 * (means[0] / means[1] - 1), 2),
        "spread, this": round(spreads[0], 4),
        "spread, other": round(spreads[1], 4),
        "spread apart, %": round(100 * (spreads[0] / spreads[1] - 1), 2),
    }


def run(against: Path, shards: Path | None = None, rounds: int = 40, draws: int = DRAWS) -> None:
    """Ratios of speed, medians of samples/s, and what was drawn."""
    from . import common  # not in a worker, which has no package around it
    from .against import HERE, Tree
    from .read import built

    folder = str((shards or Path(built().folder)).resolve())
    sides = {"this": Tree(HERE, Path(__file__)), "other": Tree(against, Path(__file__))}
    figures: dict[str, object] = {}
    for size in SIZES:
        for redraw in (False, True):
            seconds: dict[str, list[float]] = {side: [] for side in sides}
            for number in range(rounds + 1):  # the first warms up
                for side in list(sides)[:: 1 if number % 2 else -1]:
                    seconds[side].append(sides[side].ask("items", folder, size, redraw, number, ITEMS))
            kept = {side: values[1:] for side, values in seconds.items()}
            masks = "redrawn" if redraw else "stored"
            figures[f"{size}x{size}, {masks} masks"] = {
                "speed, this / other": round(common.median_ratio(kept["other"], kept["this"]), 2),
                **{f"{side}: samples/s": round(ITEMS / value, 1) for side, value in common.medians(kept).items()},
            }
    for redraw in (False, True):
        found = {side: tree.ask("drawn", folder, SIZES[0], redraw, draws) for side, tree in sides.items()}
        masks = "redrawn" if redraw else "stored"
        for name, values in found["this"].items():
            figures[f"{masks} masks, {draws} draws: {name}"] = compared(values, found["other"][name])
    common.save("loader", figures)


if __name__ == "__main__":
    if sys.argv[1:] == ["--worker"]:
        worker()
        sys.exit()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, required=True)
    parser.add_argument("--shards", type=Path)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--draws", type=int, default=DRAWS)
    run(**vars(parser.parse_args()))
