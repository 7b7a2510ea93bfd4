"""The run of an evaluation: files matched, frames measured, scores put together, what was asked for written.

What is measured and what counts stands in `datakit`; which files belong together in `match`, the words in `report`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from datakit.errors import UsageError
from datakit.evaluation import Convention, FrameResult, SetScores, score_set
from datakit.files import check_writable, write_text
from datakit.video.labels import LabelFolder

from ..interrupt import terminable
from .compare_report import compared_csv
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
from .measure import ids_outside, measure_clips, score_results
from .methods import for_each, on_common_frames
from .part import cut_as_asked, cut_as_predicted, given_lines
from .report import csv_of, frame_rows
from .result import Comparison, EvaluateConfig, Evaluation


def evaluate(config: EvaluateConfig) -> Evaluation:
    """Score predictions against ground truth, and write the files that were asked for.

    Args:
        config: folders, convention, outputs.

    Raises:
        UsageError: a folder, a sequence or the convention cannot be used as given.
        Mismatch: a sequence or frame without a prediction, another size, an id that is no object, a picture
            that cannot be read; everything that was found is named.
    """
    _check_outputs(config)
    with terminable():
        (found,) = score_methods({config.predictions.name: config.predictions}, config).values()
        return write_files(found, config)


def compare(methods: Mapping[str, Path], config: EvaluateConfig) -> Comparison:
    """Score several methods on the same frames, and write the files that were asked for.

    Args:
        methods: name -> folder of its predictions.
        config: as for `evaluate`; its predictions are not looked at.

    Raises:
        UsageError, Mismatch: as `evaluate`, of any of them.
    """
    _check_outputs(config)
    with terminable():
        found = Comparison(score_methods(methods, config))
        return write_comparison(found, config)


def _check_outputs(config: EvaluateConfig) -> None:
    for option, path in (("--csv", config.csv), ("--html", config.html)):
        if path:
            check_writable(path.parent, f"{option} {path}")
    if config.part and config.only_predicted:
        raise UsageError("--part and --only-predicted: choose one; the first scores clips that were cut, the other "
                         "whatever is there of whole ones")  # fmt: skip


def score_methods(methods: Mapping[str, Path], config: EvaluateConfig) -> dict[str, Evaluation]:
    """The scores of every method, all by one convention; of several on the frames that all of them have.

    Args:
        methods: name -> folder of its predictions.
        config: everything else.

    Raises:
        UsageError, Mismatch: as `evaluate`.
    """
    opened = for_each(methods, lambda name: open_both(methods[name], config.ground_truth))
    clips = for_each(methods, lambda name: _clips_of(*opened[name], config))
    if len(methods) > 1:
        clips = on_common_frames(clips, config.only_predicted)
    first = next(iter(clips.values()))
    convention, why = choose_convention(config.convention, first, config.read)

    def measured(name: str) -> dict[str, list[FrameResult]]:
        return _measured(clips[name], convention, config, name if len(methods) > 1 else "")

    results = for_each(methods, measured)
    fitting, because = better_convention(next(iter(results.values())), convention)
    if config.convention is None and fitting is not convention:
        convention, why = fitting, because
        results = for_each(methods, measured)
    outside = ids_outside(first, config.read, config.jobs)
    scored = for_each(methods, lambda name: score_results(results[name], convention, outside))
    return {
        name: _evaluation(opened[name], clips[name], score_set(sequences, convention), why, config)
        for name, sequences in scored.items()
    }


def _clips_of(predictions: LabelFolder, truth: LabelFolder, config: EvaluateConfig) -> list[SequencePair]:
    """The sequences to score, cut where a run was asked for a part of them."""
    clips = matched(predictions, truth, chosen_names(config.sequences), config.only_predicted)
    if config.only_predicted:
        return clips
    clips = cut_as_asked(clips, predictions)
    return cut_as_predicted(clips) if config.part else clips


def _measured(
    clips: Sequence[SequencePair], convention: Convention, config: EvaluateConfig, method: str
) -> dict[str, list[FrameResult]]:
    if not config.only_predicted:
        refuse_gaps(clips, convention)
    return measure_clips(clips, convention, config.read, config.jobs, method)


def _evaluation(
    opened: tuple[LabelFolder, LabelFolder],
    clips: Sequence[SequencePair],
    scores: SetScores,
    why: str,
    config: EvaluateConfig,
) -> Evaluation:
    predictions, truth = opened
    convention, gaps = scores.convention, None
    if config.only_predicted:
        gaps = {clip.name: (len(missing_frames(clip, convention)), len(convention.scored_frames(list(clip.target))))
                for clip in clips}  # fmt: skip
    over = unjudged(predictions, truth)
    return Evaluation(
        predictions.root,
        truth.root,
        clips,
        scores,
        len(truth.sequences),
        over,
        why,
        gaps,
        notes=[*oddities(predictions, truth, clips), *given_lines(clips, predictions, convention)],
    )


def write_files(found: Evaluation, config: EvaluateConfig) -> Evaluation:
    """Write what was asked for; the evaluation with the names of the files and what is missing in them."""
    if config.csv:
        write_text(config.csv, csv_of(frame_rows(found)))
    if config.html:
        from .page import write_page  # drawing takes 0.1 s to import, and most runs have no page

        found = replace(found, notes=[*found.notes, *write_page(found, config.html, config.pictures, config.read)])
    return replace(found, files=[path for path in (config.csv, config.html) if path])


def write_comparison(found: Comparison, config: EvaluateConfig) -> Comparison:
    """The same for several methods."""
    if config.csv:
        write_text(config.csv, compared_csv(found))
    if config.html:
        from .compare_page import write_compare

        notes = write_compare(found, config.html, config.pictures, config.read, config.jobs)
        found = replace(found, notes=[*found.notes, *notes])
    return replace(found, files=[path for path in (config.csv, config.html) if path])
