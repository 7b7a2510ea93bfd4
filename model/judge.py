"""The judge of the online stage: whether a fitted network is used at all, and how much of it.

Only the given masks are known to be true. So a network is judged by short clips made of the annotated frame, whose
truth is known; and by the video itself: masks are carried over the frames that follow and back again, and compared
with the given one.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np

from datakit.arrays import Image, Labels, iou
from datakit.clips import ClipMaker, Still, Stills, configure_clip_recipe, load_clip_recipe
from datakit.config import setting, validate
from datakit.images import encode_png, halved
from datakit.masks import plain_labels

from .compute import Compute
from .objects import mask_of, object_ids
from .optimize import interpolate_weights
from .propagate import PropagateConfig, Propagator
from .segmenter import Segmenter

PARTS = (0.5, 1.0)  # of the fitted network's way from the given one
LEAST = 1e-6  # that masks differ by: those that do not prove nothing
LONGEST = 1280  # pixels: longer frames are judged at half their size, or less
CLIP = ("size=384", "more_stills_high=0", "motion.moves=1", "motion.leave=0", "motion.speed_low=0.02")


@dataclass(frozen=True)
class JudgeConfig:
    """What is looked at before a fitted network is used.

    Attributes:
        asked: judge; else the fitted network is used as it is.
        frames: of the video that follow the annotated one, at most; masks are carried over them.
        every: of these, each so many is looked at on the way back.
        clips: made of the annotated frame.
        clip_frames: of each.
        clip_loss: mean IoU that it may lose on these clips.
        proof: what it must gain on the clips and on the way back, as a share of how far its masks on the way there
            depart from those of the given network.
        common: of several objects, mean IoU with the given network's masks on the way there that none may fall below:
            one that is found elsewhere may have taken another's place, and comes back from there as well.
        surer: by how much a fitted network that is used must be surer of an object for it to count as found: it has
            learnt what is there, and finds something also where nothing is (`PropagateConfig.doubtful`).
    """

    asked: bool = setting(True)
    frames: int = setting(120, 1, 1000)
    every: int = setting(3, 1, 100)
    clips: int = setting(3, 0, 100)
    clip_frames: int = setting(12, 2, 256)
    clip_loss: float = setting(0.03, 0, 1)
    proof: float = setting(1 / 3, 0, 10)
    common: float = setting(0.5, 0, 1)
    surer: float = setting(0.1, 0, 1)

    def __post_init__(self) -> None:
        validate(self, "judge")


@dataclass(frozen=True)
class Trial:
    """What is found out about one candidate.

    Attributes:
        part: of the fitted network's way from the given one; 0 is that itself.
        clips: mean IoU on clips made of the annotated frame.
        returned: mean IoU with the given masks after the way there and back.
        met: mean IoU of the masks on the way back with those on the way there.
        agreement: mean IoU with the given network's masks on the way there.
        least: the same of the object that agrees least of several; 1 where there is one.
    """

    part: float
    clips: float
    returned: float
    met: float
    agreement: float
    least: float


@dataclass(frozen=True)
class Verdict:
    """Which candidate is used.

    Attributes:
        part: its part of the way; 0 where the fitted network was declined.
        trials: of all candidates, the given network first.
        seconds: that it took.
    """

    part: float
    trials: tuple[Trial, ...]
    seconds: float

    @property
    def declined(self) -> bool:
        """Whether the given network is used as it is."""
        return self.part == 0

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for a report."""
        trials = [{name: round(value, 4) for name, value in asdict(each).items()} for each in self.trials]
        return {"declined": self.declined, "part": self.part, "trials": trials, "seconds": round(self.seconds, 1)}


def judge(
    net: Segmenter,
    fitted: Segmenter,
    frames: Sequence[Image],
    labels: Labels,
    carried_by: PropagateConfig,
    config: JudgeConfig,
    compute: Compute,
    seed: int = 0,
) -> Verdict:
    """Choose between a network, one that was fitted to a frame of a video, and one between them.

    A candidate is used if it loses no more than `clip_loss` on the clips, if each of several objects agrees with the
    given network by `common` at least, and if it gains more than `proof` of what its masks on the way there differ from
    the given network's: what it gains on the clips, and on the way back, where its masks are to meet the given ones,
    and those of the way there (the mean of both). Of several it is the one that gains most for what it differs; without
    one, the given network as it is. So who departs far must prove much.

    Args:
        net: the given network, in eval mode, placed by `compute`.
        fitted: the other, likewise.
        frames: (H, W, 3) uint8 RGB: an annotated frame of the video, and those that are next to it one after the other;
            each is asked for once, and long ones are kept small.
        labels: (H, W) uint8 ids of that frame, one object at least.
        carried_by: how masks will be carried on.
        config: what is looked at.
        compute: where it runs.
        seed: of the clips.
    """
    began = time.perf_counter()
    frames, labels = _shrunk(frames, plain_labels(labels), config.frames + 1)
    clips = annotated_clips(frames[0], labels, config, seed)
    shown = replace(carried_by, show_lost=True)  # a remnant is evidence
    trials: list[Trial] = []
    usual = None
    for part in (0.0, *PARTS):
        propagator = Propagator(mixed_network(net, fitted, part), compute, shown)
        there = carry(propagator, frames, labels)
        usual = usual or there
        found = [likeness(carry(propagator, seen, truth[0])[1:], truth[1:]) for seen, truth in clips]
        back = way_back(propagator, frames, there, config.every)
        agreed = likenesses(there, usual).values()
        least = min(agreed) if len(agreed) > 1 else 1.0
        trials.append(Trial(part, fmean(found) if found else 1.0, *back, fmean(agreed), least))
    part = chosen(trials, config).part
    return Verdict(part, tuple(trials), time.perf_counter() - began)


def chosen(trials: Sequence[Trial], config: JudgeConfig) -> Trial:
    """The candidate that is used, by the rule of `judge`; the first of the trials is the given network's."""
    given = trials[0]

    def proof(trial: Trial) -> float:
        back = fmean((trial.returned - given.returned, trial.met - given.met))
        differs = 1 - trial.agreement
        return (trial.clips - given.clips + back) / differs if differs > LEAST else 0.0

    kept = [t for t in trials[1:] if t.clips >= given.clips - config.clip_loss and t.least >= config.common]
    return max((each for each in kept if proof(each) > config.proof), key=proof, default=given)


def mixed_network(net: Segmenter, fitted: Segmenter, part: float) -> Segmenter:
    """The network at a part of the way from one to the other; these stay as they are."""
    if part in (0, 1):
        return fitted if part else net
    mixed = copy.deepcopy(fitted)
    interpolate_weights(mixed, net, part)
    return mixed


def carry(propagator: Propagator, frames: Sequence[Image], labels: Labels) -> list[Labels]:
    """The label map of every frame, carried from that of the first, by the network and settings of a propagator."""
    fresh = propagator.fresh()
    return [fresh.step(frame, None if number else labels) for number, frame in enumerate(frames)]


def way_back(
    propagator: Propagator, frames: Sequence[Image], there: Sequence[Labels], every: int
) -> tuple[float, float]:
    """How well masks that are carried back, from the middle and the end of a way, meet those of the way there.

    Args:
        propagator: has the network and its settings.
        frames: of the way, the first with the given masks.
        there: the label map of each, as they were carried.
        every: each so many is looked at on the way back.

    Returns:
        Mean IoU with the given masks in their frame, and with all masks of the way there.
    """
    last = len(frames) - 1
    step = max(1, min(every, last))
    turns = sorted({last // 2 // step * step, last // step * step} - {0})
    found = []
    for turn in turns:
        if there[turn].any():
            back, met = carry(propagator, frames[turn::-step], there[turn]), there[turn::-step]
            found.append((likeness(back[-1:], met[-1:]), likeness(back, met)))
        else:
            found.append((0.0, 0.0))
    returned, met_all = zip(*found, strict=True) if found else ((1.0,), (1.0,))
    return fmean(returned), fmean(met_all)


def likeness(found: Sequence[Labels], true: Sequence[Labels]) -> float:
    """Mean IoU over label maps, and over the objects of all true ones."""
    return fmean(likenesses(found, true).values())


def likenesses(found: Sequence[Labels], true: Sequence[Labels]) -> dict[int, float]:
    """Mean IoU over label maps of every object of the true ones, by its id."""
    ids = sorted({number for labels in true for number in object_ids(labels)})
    return {n: fmean(iou(mask_of(a, n), mask_of(b, n)) for a, b in zip(found, true, strict=True)) for n in ids}


def annotated_clips(
    frame: Image, labels: Labels, config: JudgeConfig, seed: int
) -> list[tuple[list[Image], list[Labels]]]:
    """Short clips of one frame, with their label maps: its objects move, and its ground behind them."""
    recipe = configure_clip_recipe(load_clip_recipe("smooth"), (f"frames={config.clip_frames}", *CLIP))
    maker = ClipMaker(_OneStill(frame, labels), recipe, seed)
    clips = (maker.clip(0, repeat=number) for number in range(config.clips))
    return [(list(clip.frames), list(clip.labels)) for clip in clips if clip.objects]


class _OneStill(Stills):
    """A frame of a video, to make clips of."""

    keys = ("online/first",)

    def __init__(self, frame: Image, labels: Labels):
        ids, encoded = object_ids(labels), encode_png(frame)
        size = frame.shape[0], frame.shape[1]
        self._still = Still(self.keys[0], size, lambda: encoded, lambda: [mask_of(labels, n) for n in ids], ids)

    def __getitem__(self, position: int) -> Still:
        return self._still


def _shrunk(frames: Sequence[Image], labels: Labels, most: int) -> tuple[list[Image], Labels]:
    """So many frames at most and the label map at 1/2, 1/4 … of a long size, unless an object would be gone."""
    factor = 1
    while max(labels.shape) > LONGEST * factor:
        factor *= 2
    small = np.ascontiguousarray(labels[::factor, ::factor])
    if object_ids(small) != object_ids(labels):
        factor, small = 1, labels
    return [halved(frames[number], factor) for number in range(min(len(frames), most))], small
