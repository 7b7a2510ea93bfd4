"""What an evaluation is asked for, and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from datakit.datasets import ReadOptions
from datakit.evaluation import SetScores

from .match import SequencePair


@dataclass(frozen=True)
class EvaluateConfig:
    """What to score, how, and where the results go.

    Attributes:
        predictions, ground_truth: folders of sequence folders, or one sequence folder each.
        convention: a name of `CONVENTIONS`; None to take the one that fits the ground truth.
        sequences: names, or a file of them; None for all of the ground truth.
        only_predicted: score the frames that have a prediction, and leave out sequences that have none.
        part: take the frames that have a prediction for a part of each clip, where they follow each other or are every
            so many-th; see `part`.
        jobs: processes.
        csv: file for J and F of every object in every frame.
        html: file for the page.
        pictures: folder of the frames' pictures, for the page; None to look where they lie beside ground truth.
        read: what grey values are, if somebody said so.
    """

    predictions: Path
    ground_truth: Path
    convention: str | None = None
    sequences: str | None = None
    only_predicted: bool = False
    part: bool = False
    jobs: int = 1
    csv: Path | None = None
    html: Path | None = None
    pictures: Path | None = None
    read: ReadOptions = field(default_factory=ReadOptions)


@dataclass(frozen=True)
class Evaluation:
    """Scores, and what was not scored.

    Attributes:
        predictions, ground_truth: the folders that hold the sequences.
        clips: the files of the sequences that were scored.
        scores: of all of them.
        total: number of sequences in the ground truth.
        without_truth: sequence -> predicted frames that have no ground truth.
        why: how the convention was chosen.
        unpredicted: sequence -> (frames that would count but have no prediction, frames that would count); None
            where all were asked for.
        files: what was written.
        notes: what a reader should know beside the scores, a sentence each.
    """

    predictions: Path
    ground_truth: Path
    clips: Sequence[SequencePair]
    scores: SetScores
    total: int
    without_truth: Mapping[str, Sequence[str]]
    why: str
    unpredicted: Mapping[str, tuple[int, int]] | None = None
    files: Sequence[Path] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Comparison:
    """Scores of several methods on the same frames.

    Attributes:
        methods: name -> its scores; all have the same sequences, objects, frames and convention.
        files: what was written.
        notes: what a reader should know beside the scores, a sentence each.
    """

    methods: Mapping[str, Evaluation]
    files: Sequence[Path] = ()
    notes: Sequence[str] = ()

    @property
    def any(self) -> Evaluation:
        """One of them, for what is alike in all: ground truth, convention, sequences, frames."""
        return next(iter(self.methods.values()))
