"""What the paper's §5.4 measures beside mean IoU: a quantile of the frames, and annotations copied to neighbours."""

from __future__ import annotations

import csv
import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datakit.arrays import Mask, iou
from datakit.evaluation import CONVENTIONS
from datakit.video.labels import open_labels, read_labels
from pipelines.propagate.masks import Spacing

from .variants import CONVENTION


def quantile(table: Path, share: float) -> float:
    """The IoU that this share of all frames lies below.

    Args:
        table: of `datakit evaluate --csv`.
        share: 0..1.
    """
    with table.open(encoding="utf-8", newline="") as file:
        values = [float(row["J"]) for row in csv.DictReader(file)]
    return float(np.quantile(values, share))


def copied(davis: Path, sequences: Sequence[str], every: int) -> float:
    """Mean IoU over the sequences where each frame gets the nearest of the annotations that are given."""
    truth = open_labels(davis).sequences
    found = []
    for name in sequences:
        frames = list(truth[name])
        masks = {frame: _object(path) for frame, path in truth[name].items()}
        given = list(Spacing(every).places(len(frames)))
        counted = [frames.index(frame) for frame in CONVENTIONS[CONVENTION].scored_frames(frames)]
        nearest = {place: min(given, key=lambda other: (abs(other - place), other)) for place in counted}
        scores = [iou(masks[frames[near]], masks[frames[place]]) for place, near in nearest.items()]
        found.append(statistics.mean(scores))
    return statistics.mean(found)


def _object(path: Path) -> Mask:
    return (read_labels(path, path.name).labels > 0).astype(np.uint8)
