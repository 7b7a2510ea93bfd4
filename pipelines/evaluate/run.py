"""The run of an evaluation: files matched, frames measured, scores put together, what was asked for written.

What is measured and what counts stands in `datakit`; which files belong together in `match`, the words in `report`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from datakit.datasets import ReadOptions
from datakit.evaluation import Convention, FrameResult, SetScores, score_set
from datakit.tracking import Track

from ..interrupt import terminable
from ..process import keep_freed_memory
from .match import (
    Clip,
    better_convention,
    choose_convention,
    chosen_names,
    matched,
    missing_frames,
    open_both,
    refuse,
    unjudged,
)
from .measure import measure_clips, score_results


@dataclass(frozen=True)
class EvaluateConfig:
    """What to score, how, and where the results go.

    Attributes:
        predictions, ground_truth: folders of sequence folders, or one sequence folder each.
        convention: a name of `CONVENTIONS`; None to take the DAVIS one that fits the ground truth.
        sequences: names, or a file of them; None for all of the ground truth.
        jobs: processes.
        csv: file for J and F of every object in every frame.
        html: file for the page.
        photos: folder of the frames themselves, for the page; None to look where they lie beside ground truth.
        read: what grey values are, if somebody said so.
    """

    predictions: Path
    ground_truth: Path
    convention: str | None = None
    sequences: str | None = None
    jobs: int = 1
    csv: Path | None = None
    html: Path | None = None
    photos: Path | None = None
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
        files: what was written.
        notes: what could not be shown in them.
    """

    predictions: Path
    ground_truth: Path
    clips: Sequence[Clip]
    scores: SetScores
    total: int
    without_truth: Mapping[str, Sequence[str]]
    why: str
    files: Sequence[Path] = ()
    notes: Sequence[str] = ()


def evaluate(config: EvaluateConfig, track: Track) -> Evaluation:
    """Score predictions against ground truth, and write the files that were asked for.

    Args:
        config: folders, convention, outputs.
        track: given the number of frames, gives a context manager of a `Progress`.

    Raises:
        UsageError: a folder, a sequence or the convention cannot be used as given.
        Mismatch: a sequence or frame without a prediction, another size, an id that is no object, a picture
            that cannot be read; everything that was found is named.
    """
    keep_freed_memory()
    with terminable():
        predictions, truth = open_both(config.predictions, config.ground_truth)
        clips = matched(predictions, truth, chosen_names(config.sequences))
        convention, why = choose_convention(config.convention, clips, config.read)
        results = _measured(clips, convention, config, track)
        fitting, because = better_convention(results, convention)
        if config.convention is None and fitting is not convention:
            convention, why = fitting, because
            results = _measured(clips, convention, config, track)
        scores = score_set(score_results(results, convention), convention)
        over = unjudged(predictions, truth)
        found = Evaluation(predictions.root, truth.root, clips, scores, len(truth.sequences), over, why)
        return write_files(found, config)


def _measured(
    clips: Sequence[Clip], convention: Convention, config: EvaluateConfig, track: Track
) -> dict[str, list[FrameResult]]:
    refuse([line for clip in clips for line in missing_frames(clip, convention)])
    return measure_clips(clips, convention, config.read, config.jobs, track)


def write_files(found: Evaluation, config: EvaluateConfig) -> Evaluation:
    """Write what was asked for; the evaluation with the names of the files and what is missing in them."""
    notes: list[str] = []
    if config.csv:
        from .report import write_csv

        write_csv(found, config.csv)
    if config.html:
        from .page import write_page

        notes = write_page(found, config.html, config.photos, config.read)
    return replace(found, files=[path for path in (config.csv, config.html) if path], notes=notes)
