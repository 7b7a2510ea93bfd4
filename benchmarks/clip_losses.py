"""How often a clip begins without an object, loses one, or is drawn anew: every preset on the same photos.

Run alone: python -m benchmarks.clip_losses SHARDS [SHARDS …] [--clips 1000]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from datakit.clips import CLIP_PRESETS, Clip, ClipMaker, Colour, ShardStills

from . import common

NAMES = ("stcn", "cutie", "aot", "smooth")  # xmem is stcn; deva is cutie; deaot is aot in other colours


def run(folders: list[Path], clips: int = 1000) -> dict[str, Any]:
    """Shares of every preset on every folder of shards."""
    cv2.setNumThreads(1)
    figures = {
        f"{name}, {folder.name}": shares(ClipMaker(ShardStills(folder), small(name)), clips)
        for folder in folders
        for name in NAMES
    }
    common.save("clip_losses", figures)
    return figures


def small(name: str) -> Any:
    """A preset whose colours stay: they move nothing."""
    return replace(CLIP_PRESETS[name], colour=Colour())


def shares(maker: ClipMaker, clips: int) -> dict[str, float]:
    """Of clips with an empty frame 0, of objects that frame 0 lacks, and of those that a later frame lacks."""
    empty = absent = candidates = kept = redraws = 0
    for number in range(clips):
        epoch, position = divmod(number, len(maker))
        clip = maker.clip(position, epoch)
        empty += not clip.objects
        candidates += len(clip.plan.candidates)
        kept += len(clip.objects)
        absent += gone(clip)
        redraws += clip.plan.redraws
    return {
        "first frame empty": round(empty / clips, 4),
        "not in frame 0": round(1 - kept / max(candidates, 1), 4),
        "absent from a later frame": round(absent / max(kept, 1), 4),
        "redraws a clip": round(redraws / clips, 3),
    }


def gone(clip: Clip) -> int:
    """Objects that some frame does not show."""
    seen = [set(np.unique(labels).tolist()) for labels in clip.labels]
    return sum(any(each.number not in frame for frame in seen) for each in clip.objects)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shards", type=Path, nargs="+")
    parser.add_argument("--clips", type=int, default=1000)
    given = parser.parse_args()
    run(given.shards, given.clips)
