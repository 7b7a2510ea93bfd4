"""How far the doubt of `datakit annotate` can be trusted: clips whose truth is exact, with one drawing and with two.

The first frame of a clip is drawn, or the first and the last, and all others are made. What a mask lost is 1 − IoU with
its truth, the mean of its objects. Told are the rank correlations of that with doubt as it is and as it was (1 −
agreement, or 1 − confidence where there was one run), and the two tables that `pipelines/annotate/offer.py` has: what
was lost in the mean where the network was so sure, and where two runs agreed so far. What was measured is kept.
SHARDS must give every source the label that it had in the training of the network, as for `benchmarks.validation`.
Run alone: python -m benchmarks.doubt SHARDS... [--clips N] [--weights W]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datakit.arrays import Labels, iou
from datakit.datasets import ReadOptions
from datakit.files import digest_json, file_sha256, write_json
from datakit.video.labels import open_labels, read_labels
from model.checkpoint import checkpoint_path
from model.propagate import PropagateConfig
from pipelines.annotate.files import ids_in
from pipelines.annotate.gaps import Carrier
from pipelines.annotate.masker import NetworkMasker
from pipelines.annotate.media import open_media
from pipelines.annotate.offer import doubt
from pipelines.annotate.project import Project

from . import common
from .confidence import spearman
from .validation import HERE as VALIDATION
from .validation_clips import clip_tree
from .validation_sets import ANNOTATIONS, PHOTOS

OUT = common.WORK / "doubt"
CLIPS = 48
SURE = (0, 1e-6, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 1.001)  # bounds of the lines of a table
AGREED = (0, 0.2, 0.5, 0.8, 0.9, 0.95, 1.001)
Row = Mapping[str, Any]  # of a made mask: `confidence`, `agreement` where there were two runs, `lost`


def lost(labels: Labels, truth: Labels, ids: Sequence[int]) -> float:
    """1 − IoU, the mean of the objects; one that is not there, and not shown, has lost nothing."""
    return 1 - statistics.mean(iou((labels == n).view(np.uint8), (truth == n).view(np.uint8)) for n in ids)


def made(frames: Path, truth: Sequence[Labels], drawn: Sequence[int], masker: NetworkMasker) -> Iterator[Row]:
    """The masks that are made of some drawings of a clip."""
    ids = sorted(set().union(*map(ids_in, truth)))
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "project", open_media(frames, stills=False))
        for _ in range(max(ids)):
            project.add_object()
        for place in drawn:  # of all objects, as somebody who sees that one is gone
            project.draw(place, truth[place], settled=ids)
        for _ in Carrier(project, masker.fresh, masker.remembers).run("both", 0):
            pass
        for place in set(range(len(truth))) - set(drawn):
            row = project.row(place) or {}
            about = {name: row[name] for name in ("confidence", "agreement") if row.get(name) is not None}
            yield {**about, "lost": lost(project.labels(place), truth[place], ids)}


def measured(root: Path, names: Sequence[str], weights: str) -> list[Row]:
    """All masks of all clips, those of one drawing and those of two."""
    settings = digest_json(asdict(PropagateConfig()))[:8]
    key, masker = f"{file_sha256(checkpoint_path(weights))[:8]}-{settings}", NetworkMasker(weights, threads=1)
    files, found = open_labels(root / ANNOTATIONS).sequences, []
    for name in names:
        path = OUT / f"{name}-{key}.json"
        if not path.is_file():
            paths = files[name].values()
            truth = [read_labels(each, each.name, ReadOptions(values="ids")).labels.astype(np.uint8) for each in paths]
            last = len(truth) - 1
            rows = [row for drawn in ([0], [0, last]) for row in made(root / PHOTOS / name, truth, drawn, masker)]
            write_json(path, rows)
            print(f"{name}: lost {statistics.mean(row['lost'] for row in rows):.3f}", flush=True)
        found += json.loads(path.read_text(encoding="utf-8"))
    return found


def table(rows: Sequence[Row], by: str, bounds: Sequence[float]) -> list[tuple[float, float]]:
    """What was lost in the mean where a figure had so much in the mean."""
    given = np.array([[row[by], row["lost"]] for row in rows if by in row])
    inside = [given[(low <= given[:, 0]) & (given[:, 0] < high)] for low, high in pairwise(bounds)]
    return [(round(float(at), 2), round(float(loss), 2)) for at, loss in (each.mean(0) for each in inside if len(each))]


def column(rows: Sequence[Row], name: str) -> NDArray[np.float64]:
    """(N,) a figure of all masks; NaN where one has none."""
    return np.array([row.get(name, np.nan) for row in rows])


def now(rows: Sequence[Row]) -> NDArray[np.float64]:
    """(N,) doubt as the page has it."""
    return doubt(column(rows, "confidence"), column(rows, "agreement"))


def before(rows: Sequence[Row]) -> NDArray[np.float64]:
    """(N,) doubt as it was: by agreement alone, or where there was one run by confidence."""
    agreement = column(rows, "agreement")
    return 1 - np.where(np.isnan(agreement), column(rows, "confidence"), agreement)


def run(shards: Sequence[Path], clips: int = CLIPS, weights: str = "lite-memory") -> None:
    """Measure what is not there yet, and tell."""
    OUT.mkdir(parents=True, exist_ok=True)
    tree = clip_tree(shards, clips, VALIDATION)
    rows = measured(tree.root, tree.sequences, weights)
    two, one = ([row for row in rows if ("agreement" in row) == both] for both in (True, False))

    def told(of: Sequence[Row], score: Callable[[Sequence[Row]], NDArray[np.float64]]) -> float:
        return round(spearman(np.stack([score(of), column(of, "lost")], 1)), 3)

    common.save("doubt", {
        "clips": clips, "weights": weights, "masks": len(rows),
        **{
            f"rank correlation, {name}{when}": told(of, score)
            for name, of in (("all", rows), ("one run", one), ("two runs", two))
            for when, score in (("", now), (", as it was", before))
        },
        "lost by confidence, one run": table(one, "confidence", SURE),
        "lost by agreement, two runs": table(two, "agreement", AGREED),
    })  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shards", type=Path, nargs="+")
    parser.add_argument("--clips", type=int, default=CLIPS)
    parser.add_argument("--weights", default="lite-memory")
    run(**vars(parser.parse_args()))
