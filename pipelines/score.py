"""`datakit score`: how much a network gains over the guide masks of a folder of shards."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from datakit.files import check_writable
from datakit.progress import Progress, progress
from datakit.samples import Triple

from .results import ROWS, draw_results

if TYPE_CHECKING:
    from model.dataset import Split
    from model.refine import RefineConfig
    from model.score import IouGains


@dataclass(frozen=True)
class ScoreJob:
    """What to score, and with what.

    Attributes:
        shards: folder of shards.
        weights: a checkpoint, or `bundled`.
        view: what the network sees of a photo.
        limit: score only so many triples, spread evenly; None for all.
        held_back: score only photos that the training of these weights never saw.
        device, precision: see `model.compute.Compute.chosen`.
        threads: of torch; 0 leaves its own choice.
        picture: file for a picture of some triples.
    """

    shards: Path
    weights: str
    view: RefineConfig
    limit: int | None = None
    held_back: bool = False
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0
    picture: Path | None = None


@dataclass(frozen=True)
class ScoreSummary:
    """What was scored, and how it did.

    Attributes:
        shards: the folder.
        weights: the network's weights.
        view: what the network saw of a photo.
        scores: the numbers.
        seconds: for everything.
        picture: that was written.
    """

    shards: Path
    weights: str
    view: RefineConfig
    scores: IouGains
    seconds: float
    picture: Path | None = None


def score_shards(job: ScoreJob) -> ScoreSummary:
    """Refine the guide masks of a folder of shards and compare with their targets.

    Raises:
        UsageError: no triple is left to score.
        DatakitError: weights or shards that cannot be read.
    """
    from model.checkpoint import load_network
    from model.compute import Compute, limited_threads
    from model.dataset import TripleDataset
    from model.refine import resolve_defaults
    from model.score import Stored, score

    began = time.monotonic()
    if job.picture:
        check_writable(job.picture.parent, f"--picture {job.picture}")
    net, about = load_network(job.weights)
    compute = Compute.chosen(net, job.device, job.precision)
    share = about["config"]["validation_share"] if job.held_back else 0.0
    split: Split = "val" if job.held_back else "all"
    triples = Stored(TripleDataset([job.shards], net.coding, split=split, val_share=share), job.limit)
    net, view = compute.place(net), resolve_defaults(job.view, net)
    with limited_threads(job.threads):
        with progress(len(triples), "triples") as shown:
            scores = score(net, _counted(triples, shown), view, compute)
        if job.picture:
            draw_results(net, triples.spread(ROWS), view, compute, job.picture, f"{job.shards}, weights {job.weights}")
    return ScoreSummary(job.shards, job.weights, view, scores, time.monotonic() - began, job.picture)


def _counted(triples: Iterable[Triple], shown: Progress) -> Iterator[Triple]:
    for triple in triples:
        yield triple
        shown.advance(1)
