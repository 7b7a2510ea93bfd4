"""What interaction buys: J of ten sequences against the number of frames that were drawn, by which frames they are.

A simulated user draws the first frame, has the masks carried, then draws the truth of one more frame, has the gaps
beside it made anew, and so on up to a share of the frames. Which one is next: `offered` by the page, which knows no
truth; the `worst` one, as somebody who looks through all of the film would find it; or as many frames evenly spaced.
In the end the network learns from all drawings, and everything is made anew: `learned`.
What an earlier run has done is kept: drawings and their curves by the weights, what was learned by the lesson too.
J is the mean over all frames of a sequence, those drawn among them, and over those that were not drawn.
Two halves of the sequences may be run at once, one thread each; a run of all of them then tells the figures.
Run alone: python -m benchmarks.interaction DAVIS [--sequences A,B] [--weights W] [--share 0.1] [--ways WAY...]
                                              [--learn WAY...]
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from datakit.arrays import Labels, iou
from datakit.files import digest_json, file_sha256, write_json
from datakit.video.labels import open_labels, read_labels
from model.checkpoint import checkpoint_path
from model.online import ONLINE
from pipelines.annotate.gaps import Carrier
from pipelines.annotate.masker import PRESET, NetworkMasker
from pipelines.annotate.media import open_media
from pipelines.annotate.offer import offered
from pipelines.annotate.project import Project
from pipelines.annotate.session import LEAST_DRAWINGS, Session
from pipelines.propagate.masks import Spacing

from . import common

OUT = common.WORK / "interaction"
Choose = Callable[[Project, Sequence[Labels]], int | None]
Point = tuple[float, float]  # J of all frames, and of those that were not drawn
Curve = tuple[list[Point], list[int]]  # after each drawing; and which frames were drawn in the end
Ended = tuple[list[Point], Point | None]  # after each drawing, and after learning from all of them
SHARES = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1)


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
        """A project with some frames drawn."""
        project = Project(Path(folder) / "project", open_media(self.frames, stills=False))
        project.add_object()
        for place in drawn:
            project.draw(place, self.truth[place])
        return project

    def carry(self, project: Project, at: int, compares: bool = False) -> None:
        """Make what is not up to date; both runs are compared only where that is asked for, since it takes time."""
        for _ in Carrier(project, self._masker.fresh, self._masker.remembers, compares=compares).run("both", at):
            pass

    def figures(self, project: Project) -> Point:
        """J of all frames, and of those that were not drawn."""
        found, drawn = scores(project, self.truth), set(project.drawn)
        return statistics.mean(found), statistics.mean(j for place, j in enumerate(found) if place not in drawn)

    def curve(self, choose: Choose, share: float) -> Curve:
        """Figures with one drawing, with two, and so on."""
        with tempfile.TemporaryDirectory() as folder:
            project = self.begun(folder, [0])
            self.carry(project, 0)
            found = [self.figures(project)]
            while len(found) < self.most(share):
                place = choose(project, self.truth)
                if place is not None and place not in project.drawn:
                    project.draw(place, self.truth[place])
                    self.carry(project, place, choose is by_offer)
                found.append(self.figures(project))
            return found, list(project.drawn)

    def evenly(self, share: float) -> Curve:
        """Figures with as many drawings, evenly spaced."""
        found, places = [], [0]
        for count in range(1, self.most(share) + 1):
            with tempfile.TemporaryDirectory() as folder:
                places = list(Spacing(share=count / len(self.truth)).places(len(self.truth)))
                project = self.begun(folder, places)
                self.carry(project, 0)
                found.append(self.figures(project))
        return found, places

    def learned(self, drawn: Sequence[int]) -> Point:
        """Figures after the network has learned from these drawings; without it where they are too few."""
        with tempfile.TemporaryDirectory() as folder:
            project = self.begun(folder, drawn)
            if len(drawn) >= LEAST_DRAWINGS:
                session = Session(project, self._masker, lambda event: None)
                session.learn()
                session.jobs.wait()
                assert session.jobs.state["state"] == "done", session.jobs.state
            self.carry(project, 0)
            self._masker.forget()
            return self.figures(project)


def at_share(curve: Sequence[Point], frames: int, share: float) -> Point:
    """The point of a curve at a share of the frames, at least one drawing."""
    return curve[max(1, math.floor(share * frames + 0.5)) - 1]


WAYS: dict[str, Callable[[Film, float], Curve]] = {
    "worst": lambda film, share: film.curve(worst, share),
    "evenly": Film.evenly,
    "offered": lambda film, share: film.curve(by_offer, share),
}


class Kept:
    """What was measured with some weights, sequence by sequence, and what is not there yet is measured now."""

    def __init__(self, root: Path, weights: str, share: float):
        self._root, self._weights, self._share = root, weights, share
        self._key = f"{file_sha256(checkpoint_path(weights))[:8]}-{share}"
        self._lesson = digest_json(ONLINE[PRESET].to_dict())[:8]
        self._masker = cache(partial(NetworkMasker, weights, threads=1))

    def measure(self, name: str, way: str, learns: bool) -> Ended:
        """The curve of a sequence, and its end after learning, which takes minutes."""
        points, drawn = self._once(f"{name}-{way}-{self._key}", lambda film: WAYS[way](film, self._share), name)
        if not learns:
            return points, None
        return points, self._once(f"{name}-{way}-{self._key}-{self._lesson}", lambda film: film.learned(drawn), name)

    def _once(self, key: str, measure: Callable[[Film], Any], name: str) -> Any:
        path = OUT / f"{key}.json"
        if not path.is_file():
            write_json(path, measure(Film(self._root, name, self._masker())))
        return json.loads(path.read_text(encoding="utf-8"))


def run(
    root: Path, sequences: str = "", weights: str = "lite-memory", share: float = 0.1, name: str = "",
    ways: Sequence[str] = (*WAYS,), learn: Sequence[str] = (*WAYS,),
) -> None:  # fmt: skip
    """All sequences by all ways; the mean at one drawing, at shares of the frames, and of some ways after learning."""
    names = sequences.split(",") if sequences else sorted(open_labels(root).sequences)
    names = [each for each in names if (root / "JPEGImages/480p" / each).is_dir()]
    lengths = {each: len(open_labels(root).sequences[each]) for each in names}
    found: dict[str, dict[str, Ended]] = {way: {} for way in ways}
    kept = Kept(root, weights, share)
    OUT.mkdir(parents=True, exist_ok=True)
    for way, each in itertools.product(ways, names):
        began = time.monotonic()
        found[way][each] = curve, learned = kept.measure(each, way, way in learn)
        told = [round(j, 3) for j, _ in (*curve, *([learned] if learned else []))]
        print(f"{each}, {way}: {time.monotonic() - began:.0f} s, {told}", flush=True)
    figures = summary(found, lengths, [s for s in SHARES if s <= share])
    common.save(name or "interaction", {"sequences": len(names), "weights": weights, **figures})


def summary(found: Mapping[str, Mapping[str, Ended]], lengths: Mapping[str, int], shares: Sequence[float]) -> Any:
    """Means over the sequences at some shares of the frames and after learning, and the last of each sequence."""
    figures: dict[str, dict[str, float]] = {}
    for way, each_of in found.items():
        ends = {each: learned for each, (_, learned) in each_of.items() if learned}
        for which, number in (("all frames", 0), ("frames not drawn", 1)):
            means = {
                "one frame" if not s else f"{s:.0%}": statistics.mean(
                    at_share(curve, lengths[each], s)[number] for each, (curve, _) in each_of.items()
                )
                for s in shares
            }
            if ends:
                means["learned"] = statistics.mean(end[number] for end in ends.values())
            figures[f"{way}, {which}"] = {at: round(j, 3) for at, j in means.items()}
        figures[f"{way}, last, each"] = {each: round(curve[-1][0], 3) for each, (curve, _) in each_of.items()}
        if ends:
            figures[f"{way}, learned, each"] = {each: round(end[0], 3) for each, end in ends.items()}
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--sequences", default="")
    parser.add_argument("--weights", default="lite-memory")
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--learn", nargs="*", default=list(WAYS), choices=WAYS, help="ways that learn in the end")
    parser.add_argument("--name", default="", help="of the file of results")
    run(**vars(parser.parse_args()))
