"""Frames read and measured, some of them a task, on as many processes as there may be."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit.datasets import ReadOptions
from datakit.errors import Mismatch
from datakit.evaluation import Convention, FrameResult, SequenceScores, score_frame, score_sequence
from datakit.masks import LabelMap
from datakit.progress import progress

from ..pool import map_on_processes
from .match import Misfit, SequencePair, fault_lines, read_map, refuse

CHUNK = 8  # frames of a task: some hundredths of a second


@dataclass(frozen=True)
class FrameTask:
    """Some frames of one sequence: name, ground truth, and the prediction where the frame counts."""

    sequence: str
    frames: Sequence[tuple[str, Path, Path | None]]
    merged: bool
    mosev2: bool
    read: ReadOptions


def measure_clips(
    clips: Sequence[SequencePair], convention: Convention, read: ReadOptions, jobs: int, method: str = ""
) -> dict[str, list[FrameResult]]:
    """Read and measure all frames that count, `CHUNK` of them a task: sequence -> its frames.

    Progress names the method, where it is one of several.

    Raises:
        Mismatch: naming every frame that does not fit.
    """
    tasks = [task for clip in clips for task in frame_tasks(clip, convention, read)]
    results: dict[str, list[FrameResult]] = {clip.name: [] for clip in clips}
    problems: list[Misfit] = []
    with progress(sum(len(task.frames) for task in tasks), f"frames{method and f' of {method}'}") as shown:
        for task, found in zip(tasks, map_on_processes(score_frames, tasks, jobs), strict=True):
            results[task.sequence] += [entry for entry in found if isinstance(entry, FrameResult)]
            problems += [entry for entry in found if isinstance(entry, Misfit)]
            shown.advance(len(task.frames))
    refuse(fault_lines(problems))
    return results


def ids_outside(clips: Sequence[SequencePair], read: ReadOptions, jobs: int) -> dict[str, set[int]]:
    """Sequence -> ids that its ground truth holds where it is not looked at, as a part of the clip is scored.

    Raises:
        Mismatch: naming every frame that cannot be read.
    """
    tasks = [
        FrameTask(clip.name, [(name, path, None) for name, path in clip.outside.items()], False, False, read)
        for clip in clips
        if clip.outside
    ]
    found: dict[str, set[int]] = {}
    problems: list[Misfit] = []
    for task, results in zip(tasks, map_on_processes(score_frames, tasks, jobs), strict=True):
        problems += [entry for entry in results if isinstance(entry, Misfit)]
        ids = (number for entry in results if isinstance(entry, FrameResult) for number in entry.ids)
        found[task.sequence] = set(ids)
    refuse(fault_lines(problems))
    return found


def score_results(
    results: Mapping[str, Sequence[FrameResult]], convention: Convention, outside: Mapping[str, Collection[int]]
) -> list[SequenceScores]:
    """The scores of every sequence.

    Args:
        results: sequence -> its frames.
        convention: which ids and frames count.
        outside: as `ids_outside` gives them.

    Raises:
        Mismatch: naming every sequence that does not fit.
    """
    sequences, problems = [], []
    for name, frames in results.items():
        try:
            sequences.append(score_sequence(name, frames, convention, outside.get(name, ())))
        except Mismatch as error:
            problems.append(str(error))
    refuse(problems)
    return sequences


def frame_tasks(clip: SequencePair, convention: Convention, read: ReadOptions) -> list[FrameTask]:
    """The frames of a clip that must be read; of the first, and of those without a prediction, their ids only."""
    counted = convention.scored_frames(list(clip.target))
    first, path = next(iter(clip.target.items()))
    frames: list[tuple[str, Path, Path | None]] = [(first, path, None)]
    frames += [(name, clip.target[name], clip.predicted.get(name)) for name in counted]
    starts = range(0, len(frames), CHUNK)
    how = (convention.merged, convention.mosev2, read)
    return [FrameTask(clip.name, frames[start : start + CHUNK], *how) for start in starts]


def score_frames(task: FrameTask) -> list[FrameResult | Misfit]:
    """A result for every frame, or what is wrong with it; runs on any process."""
    return [_score_frame(task, *frame) for frame in task.frames]


def _score_frame(task: FrameTask, frame: str, target_file: Path, file: Path | None) -> FrameResult | Misfit:
    target = _read("ground truth", task, target_file)
    if isinstance(target, Misfit):
        return target
    if file is None:
        return FrameResult(frame, target.ids)
    prediction = _read("prediction", task, file)
    if isinstance(prediction, Misfit):
        return prediction
    if prediction.ignore is not None:
        why = "holds 255 beside ids, which is void; only ground truth may leave pixels unjudged"
        return Misfit("prediction", task.sequence, file.name, why)
    if prediction.labels.shape != target.labels.shape:
        sizes = "{1}x{0}, expected {3}x{2}".format(*prediction.labels.shape, *target.labels.shape)
        why = f"is {sizes} as its ground truth; write masks at that size (nearest neighbour)"
        return Misfit("prediction", task.sequence, file.name, why)
    return score_frame(frame, target, prediction, task.merged, task.mosev2)


def _read(side: str, task: FrameTask, file: Path) -> LabelMap | Misfit:
    place = f"{side} {task.sequence}/{file.name}"
    try:
        return read_map(file, place, task.read)
    except Mismatch as error:
        return Misfit(side, task.sequence, file.name, str(error).removeprefix(f"{place}: "))
