"""Clips of the presets against the published loaders' chain of operations, at the same drawn numbers, without colours.

    python -m benchmarks.clip_fidelity SHARDS [--sets 500]

The chain is that of `tests/clip_peers.py`, which was compared with the loaders themselves pixel by pixel. It rounds to
whole pixels up to three times, so the chain is also run on everything four times as large: what that gives is what
the loader means. Landscape and portrait photos are those of the shards; square ones are cut from landscape ones.
Floors: of masks, IoU with the fine chain 0.98 or more in 95 %; share of fill within 1 % in 95 %.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datakit.clips import CLIP_PRESETS, ClipMaker, ClipPlan, ClipRecipe, Colour, ShardStills, Still, Stills
from datakit.clips.render import render
from datakit.images import encode_png
from tests.clip_peers import Chained, aot_chain, aot_numbers, stm_chain, stm_numbers

from . import common

NAMES = ("stcn", "deva", "cutie", "aot")  # xmem draws as stcn, deaot as aot but for colours
FINER = 4


class OneStill(Stills):
    """A single picture."""

    def __init__(self, still: Still):
        self.still, self.keys = still, [still.key]

    def __getitem__(self, position: int) -> Still:
        return self.still


def run(shards: Path, sets: int = 500) -> dict[str, Any]:
    """Figures of every preset on every shape of photo."""
    cv2.setNumThreads(1)
    shapes = by_shape(ShardStills(shards))
    figures = {
        f"{name}, {shape}": compared(name, stills, max(1, sets // (3 * CLIP_PRESETS[name].frames)))
        for name in NAMES
        for shape, stills in shapes.items()
        if stills
    }
    common.save("clip_fidelity", figures)
    return figures


def by_shape(stills: Stills) -> dict[str, list[Still]]:
    """Landscape and portrait pictures, and squares cut from the former."""
    every = [stills[n] for n in range(len(stills))]
    landscape = [still for still in every if still.size[1] > still.size[0]]
    portrait = [still for still in every if still.size[1] < still.size[0]]
    return {"landscape": landscape, "portrait": portrait, "square": [squared(still) for still in landscape[:60]]}


def squared(still: Still) -> Still:
    """The left square of a landscape picture."""
    side = still.size[0]
    picture = encode_png(np.ascontiguousarray(still.image()[:, :side]))
    mask = np.ascontiguousarray((still.labels[:, :side] > 0).astype(np.uint8))
    return Still(still.key, (side, side), lambda: picture, lambda: [mask], [1])


def plain(name: str) -> ClipRecipe:
    """A preset without colours and further pictures, all objects kept."""
    return replace(CLIP_PRESETS[name], colour=Colour(), more_stills_low=0, more_stills_high=0, least_pixels=1)


def compared(name: str, stills: list[Still], clips: int) -> dict[str, float]:
    """Frames of some clips against the chain, and both against the fine chain."""
    rows = [row for seed in range(clips) for row in frames_of(name, stills[seed % len(stills)], seed)]
    table = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    return {
        "frames": len(rows),
        "IoU ≥ .98 with the fine chain": share(table["fine"] >= 0.98),
        "IoU ≥ .98 with the chain": share(table["chain"] >= 0.98),
        "IoU ≥ .98 of chain and fine chain": share(table["between"] >= 0.98),
        "fill within 1 %": share(table["fill"] <= 0.01),
        "nearer to the fine picture": share(table["ours off"] < table["chain off"]),
        "mean error": round(float(table["ours off"].mean()), 2),
        "chain's mean error": round(float(table["chain off"].mean()), 2),
    }


def share(values: NDArray[np.bool_]) -> float:
    """Of those that are true."""
    return round(float(np.mean(values)), 3)


def frames_of(name: str, still: Still, seed: int) -> Iterator[Mapping[str, float]]:
    """What is measured of each frame of one clip."""
    plan = ClipMaker(OneStill(still), plain(name), seed).plan(0)
    chain, fine = chains(name, still, plan)
    made, shown = render(plan, [still]), render(replace(plan, fill=(0, 0, 0)), [white(still)]).frames[..., 0] > 127
    limit, side = 0 if "aot" in name else 127, plan.size
    for t, labels in enumerate(made.labels):
        ours, theirs = labels > 0, chain.masks[t] > limit
        exact = (fine.masks[t] > limit).reshape(side, FINER, side, FINER).mean((1, 3)) > 0.5
        inside = cv2.erode((shown[t] & chain.inside[t]).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        if not (exact.any() and inside.any()):
            continue
        picture = cv2.resize(fine.images[t], (side, side), interpolation=cv2.INTER_AREA).astype(int)
        yield {
            "fine": iou(ours, exact),
            "chain": iou(ours, theirs),
            "between": iou(theirs, exact),
            "fill": abs(float(shown[t].mean() - chain.inside[t].mean())),
            "ours off": float(np.abs(made.frames[t] - picture)[inside].mean()),
            "chain off": float(np.abs(chain.images[t] - picture)[inside].mean()),
        }


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Intersection over union."""
    return float((a & b).sum() / max((a | b).sum(), 1))


def white(still: Still) -> Still:
    """A white photo of the same size and objects."""
    picture, labels = encode_png(np.full((*still.size, 3), 255, np.uint8)), still.labels
    return Still(still.key, still.size, lambda: picture, lambda: [(labels > 0).astype(np.uint8)], [1])


def chains(name: str, still: Still, plan: ClipPlan) -> tuple[Chained, Chained]:
    """The published chain at the numbers of a plan, and the same with everything four times as large."""
    chain: Callable[..., Chained] = aot_chain if "aot" in name else stm_chain
    drawn = plan.drawn["stills"][0]
    numbers = aot_numbers(drawn, still.size) if "aot" in name else stm_numbers(drawn)
    image, labels = still.image(), still.labels
    bigger = (cv2.resize(image, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_LINEAR), enlarged(labels))
    return (
        chain(image, labels, numbers, name, plan.size),
        chain(*bigger, larger(numbers), name, plan.size * FINER),
    )


def enlarged(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Every pixel as 4 x 4."""
    return np.repeat(np.repeat(labels, FINER, 0), FINER, 1)


def larger(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """The same numbers where all pixels are a quarter of the size."""
    frames = []
    for frame in numbers["frames"]:
        pixels = {name: tuple(FINER * each for each in frame[name]) for name in ("crop", "box") if name in frame}
        frames.append({**frame, **pixels})
    return {**numbers, "frames": frames}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shards", type=Path)
    parser.add_argument("--sets", type=int, default=500, help="frames of each preset")
    given = parser.parse_args()
    for figure, value in run(given.shards, given.sets).items():
        print(figure, value)
