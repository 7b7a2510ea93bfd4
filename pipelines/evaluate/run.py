"""The run of an evaluation: files matched, frames measured, scores put together, what was asked for written.

What is measured and what counts stands in `datakit`; which files belong together in `match`, the words in `report`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from datakit.evaluation import Convention, FrameResult, score_set
from datakit.files import check_writable

from ..interrupt import terminable
from .match import (
    SequencePair,
    better_convention,
    choose_convention,
    chosen_names,
    matched,
    missing_frames,
    oddities,
    open_both,
    refuse_gaps,
    unjudged,
)
from .measure import measure_clips, score_results
from .report import write_csv
from .result import EvaluateConfig, Evaluation


def evaluate(config: EvaluateConfig) -> Evaluation:
    """Score predictions against ground truth, and write the files that were asked for.

    Args:
        config: folders, convention, outputs.

    Raises:
        UsageError: a folder, a sequence or the convention cannot be used as given.
        Mismatch: a sequence or frame without a prediction, another size, an id that is no object, a picture
            that cannot be read; everything that was found is named.
    """
    for option, path in (("--csv", config.csv), ("--html", config.html)):
        if path:
            check_writable(path.parent, f"{option} {path}")
    with terminable():
        predictions, truth = open_both(config.predictions, config.ground_truth)
        clips = matched(predictions, truth, chosen_names(config.sequences), config.only_predicted)
        convention, why = choose_convention(config.convention, clips, config.read)
        results = _measured(clips, convention, config)
        fitting, because = better_convention(results, convention)
        if config.convention is None and fitting is not convention:
            convention, why = fitting, because
            results = _measured(clips, convention, config)
        scores = score_set(score_results(results, convention), convention)
        over, gaps = unjudged(predictions, truth), None
        if config.only_predicted:
            gaps = {clip.name: (len(missing_frames(clip, convention)), len(convention.scored_frames(list(clip.target))))
                    for clip in clips}  # fmt: skip
        found = Evaluation(predictions.root, truth.root, clips, scores, len(truth.sequences), over, why, gaps,
                           notes=oddities(clips))  # fmt: skip
        return write_files(found, config)


def _measured(
    clips: Sequence[SequencePair], convention: Convention, config: EvaluateConfig
) -> dict[str, list[FrameResult]]:
    if not config.only_predicted:
        refuse_gaps(clips, convention)
    return measure_clips(clips, convention, config.read, config.jobs)


def write_files(found: Evaluation, config: EvaluateConfig) -> Evaluation:
    """Write what was asked for; the evaluation with the names of the files and what is missing in them."""
    for path in filter(None, (config.csv, config.html)):
        path.parent.mkdir(parents=True, exist_ok=True)
    if config.csv:
        write_csv(found, config.csv)
    if config.html:
        from .page import write_page  # drawing takes 0.1 s to import, and most runs have no page

        found = replace(found, notes=[*found.notes, *write_page(found, config.html, config.pictures, config.read)])
    return replace(found, files=[path for path in (config.csv, config.html) if path])
