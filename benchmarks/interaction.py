"""What interaction buys: J of ten sequences against the number of frames that were drawn, by which frames they are.

A simulated user draws the first frame, has the masks carried, then draws the truth of one more frame, has the gaps
beside it made anew, and so on up to a share of the frames. Which one is next: `offered` by the page, which knows no
truth; the `worst` one, as somebody who looks through all of the film would find it; or as many frames evenly spaced.
What an earlier run has done is kept.
J is the mean over all frames of a sequence, those drawn among them, and over those that were not drawn.
Run alone: python -m benchmarks.interaction DAVIS [--sequences A,B] [--weights W] [--share 0.1]
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datakit.arrays import Labels, iou
from datakit.video.labels import open_labels, read_labels
from pipelines.annotate.gaps import Carrier
from pipelines.annotate.masker import NetworkMasker
from pipelines.annotate.media import open_media
from pipelines.annotate.offer import offered
from pipelines.annotate.project import Project
from pipelines.propagate.masks import Spacing

from . import common

OUT = common.WORK / "interaction"
Choose = Callable[[Project, Sequence[Labels]], int | None]


def scores(project: Project, truth: Sequence[Labels]) -> list[float]:
    """J of every frame."""
    return [iou((project.labels(place) > 0).view(np.uint8), mask) for place, mask in enumerate(truth)]


def worst(project: Project, truth: Sequence[Labels]) -> int | None:
    """The frame with the least J."""
    return int(np.argmin(scores(project, truth)))


def by_offer(project: Project, _truth: Sequence[Labels]) -> int | None:
    """The frame that the page offers."""
    return offered(project)


class Film:
    """One sequence with its truth, and a network to annotate it with."""

    def __init__(self, root: Path, name: str, masker: NetworkMasker):
        self.frames = root / "JPEGImages/480p" / name
        files = open_labels(root).sequences[name]
        self.truth = [(read_labels(path, path.name).labels > 0).astype(np.uint8) for path in files.values()]
        self._masker = masker

    def most(self, share: float) -> int:
        """Frames that are drawn in the end."""
        return math.ceil(share * len(self.truth))

    def begun(self, folder: str, drawn: Sequence[int]) -> Project:
        """A project with some frames drawn, and the others made of them."""
        project = Project(Path(folder) / "project", open_media(self.frames, stills=False))
        project.add_object()
        for place in drawn:
            project.draw(place, self.truth[place])
        self.carry(project, 0)
        return project

    def carry(self, project: Project, at: int, compares: bool = False) -> None:
        """Make what is not up to date; both runs are compared only where that is asked for, since it takes time."""
        for _ in Carrier(project, self._masker.fresh, self._masker.remembers, compares=compares).run("both", at):
            pass

    def figures(self, project: Project) -> tuple[float, float]:
        """J of all frames, and of those that were not drawn."""
        found, drawn = scores(project, self.truth), set(project.drawn)
        return statistics.mean(found), statistics.mean(j for place, j in enumerate(found) if place not in drawn)

    def curve(self, choose: Choose, share: float) -> list[tuple[float, float]]:
        """Figures with one drawing, with two, and so on."""
        with tempfile.TemporaryDirectory() as folder:
            project = self.begun(folder, [0])
            found = [self.figures(project)]
            while len(found) < self.most(share):
                place = choose(project, self.truth)
                if place is not None and place not in project.drawn:
                    project.draw(place, self.truth[place])
                    self.carry(project, place, choose is by_offer)
                found.append(self.figures(project))
        return found

    def evenly(self, share: float) -> list[tuple[float, float]]:
        """Figures with as many drawings, evenly spaced."""
        found = []
        for count in range(1, self.most(share) + 1):
            with tempfile.TemporaryDirectory() as folder:
                places = Spacing(share=count / len(self.truth)).places(len(self.truth))
                found.append(self.figures(self.begun(folder, list(places))))
        return found


def at_share(curve: Sequence[tuple[float, float]], frames: int, share: float) -> tuple[float, float]:
    """The point of a curve at a share of the frames, at least one drawing."""
    return curve[max(1, math.floor(share * frames + 0.5)) - 1]


def run(root: Path, sequences: str = "", weights: str = "lite-memory", share: float = 0.1, name: str = "") -> None:
    """All sequences by all ways; the mean at one drawing, and at shares of the frames."""
    names = sequences.split(",") if sequences else sorted(open_labels(root).sequences)
    names = [each for each in names if (root / "JPEGImages/480p" / each).is_dir()]
    masker: NetworkMasker | None = None
    curves: dict[str, dict[str, list[tuple[float, float]]]] = {"evenly": {}, "offered": {}, "worst": {}}
    lengths = {}
    OUT.mkdir(parents=True, exist_ok=True)
    for each in names:
        began, kept = time.monotonic(), OUT / f"{each}-{Path(weights).stem}-{share}.json"
        lengths[each] = len(open_labels(root).sequences[each])
        if not kept.is_file():
            masker = masker or NetworkMasker(weights, threads=1)
            film = Film(root, each, masker)
            ways = {"offered": film.curve(by_offer, share), "worst": film.curve(worst, share)}
            kept.write_text(json.dumps({**ways, "evenly": film.evenly(share)}))
        for way, curve in json.loads(kept.read_text()).items():
            curves[way][each] = curve
        told = {way: [round(j, 3) for j, _ in found[each]] for way, found in curves.items()}
        print(f"{each}: {time.monotonic() - began:.0f} s, {told}", flush=True)
    figures: dict[str, Any] = {"sequences": len(names), "weights": weights}
    shares = [0.0, *(s for s in (0.02, 0.04, 0.06, 0.08, 0.1) if s <= share)]
    for way, found in curves.items():
        for which, number in (("all frames", 0), ("frames not drawn", 1)):
            figures[f"{way}, {which}"] = {
                "one frame" if not s else f"{s:.0%}": round(
                    statistics.mean(at_share(found[each], lengths[each], s)[number] for each in names), 3
                )
                for s in shares
            }
    for way, found in curves.items():
        figures[f"{way}, last, each"] = {each: round(curve[-1][0], 3) for each, curve in found.items()}
    common.save(name or "interaction", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--sequences", default="")
    parser.add_argument("--weights", default="lite-memory")
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--name", default="", help="of the file of results")
    run(**vars(parser.parse_args()))
