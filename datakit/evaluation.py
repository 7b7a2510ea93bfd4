"""From what was measured in single frames to scores of objects, sequences and sets, by the field's conventions.

A convention says which frames and which ids count. What is measured in a frame is left to `metrics`, which
files those are to `labels`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .arrays import Mask
from .errors import Mismatch
from .masks import LabelMap
from .metrics import Measures, Statistics, measure, statistics
from .metrics_mosev2 import (
    NOWHERE_MOSEV2,
    Mosev2Measures,
    Mosev2Scores,
    mean_mosev2,
    measure_mosev2,
    scores_of_frames,
)
from .wording import shorten

MEASURES = ("J", "F", "J&F")
MERGED_ID = 1
NOWHERE = Measures(1.0, 1.0)  # of an object that neither ground truth nor prediction holds


@dataclass(frozen=True)
class Convention:
    """How a data set is scored.

    Attributes:
        name: as on the command line.
        words: the rules in a sentence.
        merged: all ids are one object, number 1.
        last_left_out: the last frame of the ground truth does not count.
        objects_enter: objects may appear after the first frame; each counts from the frame after its first one.
            Else the objects are those of the first frame.
        mosev2: measured as MOSEv2 is; every object of the ground truth counts in every frame, before it enters as well.
        mean_over: what a set's score is the mean of.
    """

    name: str
    words: str
    merged: bool = False
    last_left_out: bool = False
    objects_enter: bool = False
    mosev2: bool = False
    mean_over: Literal["objects", "sequences"] = "objects"

    def scored_frames(self, frames: Sequence[str]) -> Sequence[str]:
        """Those frames, of all a sequence has ground truth for, that a prediction is needed for."""
        return frames[1:-1] if self.last_left_out else frames[1:]


_ENTER = "objects of all ground truth, each from the frame after its first one"
_SPARSE = f"{_ENTER}; mean over sequences"
CONVENTIONS = {
    convention.name: convention
    for convention in (
        # Perazzi et al., CVPR 2016
        Convention(
            "davis2016", "all ids are one object; first and last frame left out", merged=True, last_left_out=True
        ),
        # Pont-Tuset et al., arXiv 1704.00675, semi-supervised
        Convention(
            "davis2017",
            "objects of the first frame; first and last frame left out; mean over objects",
            last_left_out=True,
        ),
        # Xu et al., arXiv 1809.03327: an object is given in the frame where it enters; here without classes
        Convention("youtube-vos", f"{_ENTER}; mean over objects", objects_enter=True),
        # Khoreva, Perazzi et al., CVPR 2017, on Jain & Grauman's masks and on SegTrack v2
        Convention("youtube-objects", _SPARSE, objects_enter=True, mean_over="sequences"),
        Convention("segtrack", _SPARSE, objects_enter=True, mean_over="sequences"),
        # Ding et al., arXiv 2508.05630, and its scorer: see `metrics_mosev2`
        Convention(
            "mosev2",
            "objects of all ground truth, in all frames; first and last frame left out; mean over objects; J is "
            "(I + 1) / (U + 1), F is that of MOSEv2's published scorer, whose radius is not always rounded up",
            last_left_out=True,
            mosev2=True,
        ),
    )
}


@dataclass(frozen=True)
class FrameResult:
    """What was found in one frame.

    Attributes:
        frame: its name.
        ids: objects of the ground truth.
        predicted: ids of the prediction; none where it was not needed.
        measures: id -> J and F of every id in one of them; none where the frame does not count.
        numbered: whether the prediction says which object is which; a mask of 0 and 255 does not.
    """

    frame: str
    ids: tuple[int, ...]
    predicted: tuple[int, ...] = ()
    measures: Mapping[int, Measures | Mosev2Measures] | None = None
    numbered: bool = True


@dataclass(frozen=True)
class Scores:
    """Mean, recall and decay of J and F."""

    J: Statistics
    F: Statistics

    def of(self, name: str) -> Statistics:
        """Statistics of `J`, `F` or `J&F`; the last is the mean of the two, for recall and decay as well."""
        if name == "J&F":
            return mean_of([self.J, self.F])
        return self.J if name == "J" else self.F


@dataclass(frozen=True)
class ObjectScores:
    """One object of one sequence.

    Attributes:
        id: in the ground truth; 1 where all ids are merged.
        frames: names of the frames that count.
        J, F: (T,) float64, in these frames.
        scores: over these frames.
        mosev2, mosev2_frames: by the convention mosev2 also its own scores, and (T, 5) float64, a `Mosev2Measures` each
            frame.
    """

    id: int
    frames: tuple[str, ...]
    J: NDArray[np.float64]
    F: NDArray[np.float64]
    scores: Scores
    mosev2: Mosev2Scores | None = None
    mosev2_frames: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class SequenceScores:
    """One sequence.

    Attributes:
        name: its folder's.
        objects: those that count, by id.
        scores: means over the objects.
        left_out: ids of the ground truth that do not count, as they enter too late.
        merged: ids of the ground truth that count as one object.
    """

    name: str
    objects: tuple[ObjectScores, ...]
    scores: Scores
    left_out: tuple[int, ...] = ()
    merged: tuple[int, ...] = ()

    @property
    def mosev2(self) -> Mosev2Scores | None:
        """Means over the objects by the convention mosev2; None by any other."""
        return _mean_if_measured(self.objects)


@dataclass(frozen=True)
class SetScores:
    """All sequences that were scored, by which convention, and their mean."""

    convention: Convention
    sequences: tuple[SequenceScores, ...]
    scores: Scores

    @property
    def mosev2(self) -> Mosev2Scores | None:
        """Means over all objects by the convention mosev2; None by any other."""
        return _mean_if_measured([each for sequence in self.sequences for each in sequence.objects])


def _mean_if_measured(objects: Sequence[ObjectScores]) -> Mosev2Scores | None:
    found = [each.mosev2 for each in objects if each.mosev2 is not None]
    return mean_mosev2(found) if found else None


def score_frame(frame: str, target: LabelMap, prediction: LabelMap, merged: bool, mosev2: bool = False) -> FrameResult:
    """Measure every id of one frame.

    Args:
        frame: its name.
        target: ground truth; its void is not judged.
        prediction: of the same size.
        merged: take all ids for one object.
        mosev2: measure as MOSEv2 is.
    """
    if merged:
        merge = measure(_as_one(prediction), _as_one(target), target.ignore)
        return FrameResult(frame, target.ids, prediction.ids, {MERGED_ID: merge}, prediction.numbered)
    measures: dict[int, Measures | Mosev2Measures] = {}
    for number in sorted({*target.ids, *prediction.ids}):
        found, true = prediction.labels == number, target.labels == number
        measures[number] = (measure_mosev2 if mosev2 else measure)(
            found.view(np.uint8), true.view(np.uint8), target.ignore
        )
    return FrameResult(frame, target.ids, prediction.ids, measures, prediction.numbered)


def _as_one(labels: LabelMap) -> Mask:
    """All objects as one (H, W) 0/1 mask."""
    return labels.labels if labels.ids == (MERGED_ID,) else (labels.labels > 0).view(np.uint8)


def score_sequence(
    name: str, results: Sequence[FrameResult], convention: Convention, outside: Collection[int] = ()
) -> SequenceScores:
    """Put the frames of one sequence together.

    Args:
        name: of the sequence.
        results: of all frames that were looked at, in order; the first is that which gives the objects.
        convention: which ids and frames count.
        outside: ids that its ground truth holds in other frames than these; predicted, they are no fault.

    Raises:
        Mismatch: no object or no frame counts, or a prediction holds ids that the convention does not allow.
    """
    begins = _beginnings(results, convention)
    present = sorted({number for result in results for number in result.ids})
    if not convention.merged:
        _refuse_unnumbered(name, results, present)
        _refuse_foreign_ids(name, results, sorted({*begins, *outside}), present)
    objects = []
    for number, begin in begins.items():
        counted = [result for result in results[begin:] if result.measures is not None]
        if counted:
            objects.append(_score_object(number, counted, convention))
    if not objects:
        why = "no frame is left to score" if begins else "its ground truth holds no object"
        raise Mismatch(f"{name}: {why} by the convention {convention.name} ({convention.words})")
    scores, counted_ids = mean_scores([each.scores for each in objects]), {each.id for each in objects}
    if convention.merged:
        return SequenceScores(name, tuple(objects), scores, merged=tuple(present) if len(present) > 1 else ())
    return SequenceScores(name, tuple(objects), scores, tuple(n for n in present if n not in counted_ids))


def _score_object(number: int, counted: Sequence[FrameResult], convention: Convention) -> ObjectScores:
    """One object over the frames that count for it."""
    nowhere = NOWHERE_MOSEV2 if convention.mosev2 else NOWHERE
    values = np.array([(result.measures or {}).get(number, nowhere) for result in counted], np.float64)
    J, F = values.T[:2]
    frames, scores = tuple(result.frame for result in counted), Scores(statistics(J), statistics(F))
    if not convention.mosev2:
        return ObjectScores(number, frames, J, F, scores)
    absent = [number not in result.ids for result in counted]
    return ObjectScores(number, frames, J, F, scores, scores_of_frames(values, absent), values)


def _beginnings(results: Sequence[FrameResult], convention: Convention) -> dict[int, int]:
    """Every object of a sequence, and the place of the first frame that may count for it."""
    if convention.merged:
        return {MERGED_ID: 0} if any(result.ids for result in results) else {}
    if convention.mosev2:
        return dict.fromkeys(sorted({number for result in results for number in result.ids}), 0)
    if not convention.objects_enter:
        return dict.fromkeys(results[0].ids, 0)
    first: dict[int, int] = {}
    for place, result in enumerate(results):
        for number in result.ids:
            first.setdefault(number, place + 1)
    return dict(sorted(first.items()))


def _refuse_unnumbered(name: str, results: Sequence[FrameResult], present: Sequence[int]) -> None:
    """Raise Mismatch where a prediction shows one object without a number, and ground truth holds several."""
    frames = [result.frame for result in results if result.predicted and not result.numbered]
    if frames and len(present) > 1:
        objects = ", ".join(map(str, present))
        way_out = "write ids as a palette PNG; the convention davis2016 takes all ids for one object"
        raise Mismatch(
            f"{name}: predictions of {shorten(frames)} are masks of 0 and 255, which do not say which object they "
            f"show; objects of its ground truth: {objects}; {way_out}"
        )


def _refuse_foreign_ids(
    name: str, results: Sequence[FrameResult], known: Sequence[int], present: Sequence[int]
) -> None:
    """Raise Mismatch where a prediction holds ids beside the `known` ones, naming ids and frames."""
    frames: dict[int, list[str]] = {}
    for result in results:
        for number in set(result.predicted) - set(known):
            frames.setdefault(number, []).append(result.frame)
    if frames:
        found = "; ".join(f"id {number} in {shorten(names)}" for number, names in sorted(frames.items()))
        objects = ", ".join(map(str, known)) or "none"
        way_out = "the convention davis2016 takes all ids for one object"
        if set(frames) <= set(present):
            way_out = "these enter its ground truth after the first frame, which the convention youtube-vos counts"
        raise Mismatch(f"{name}: predictions hold {found}; objects of its ground truth: {objects}; {way_out}")


def score_set(sequences: Sequence[SequenceScores], convention: Convention) -> SetScores:
    """The scores of a set; at least one sequence."""
    each = [sequence.scores for sequence in sequences]
    if convention.mean_over == "objects":
        each = [found.scores for sequence in sequences for found in sequence.objects]
    return SetScores(convention, tuple(sequences), mean_scores(each))


def mean_scores(scores: Sequence[Scores]) -> Scores:
    """Mean of each number over several scores."""
    return Scores(mean_of([each.J for each in scores]), mean_of([each.F for each in scores]))


def mean_of(several: Sequence[Statistics]) -> Statistics:
    """Mean of mean, recall and decay."""
    return Statistics(*(float(value) for value in np.mean(np.array(several, np.float64), axis=0)))
