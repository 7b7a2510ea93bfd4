"""`datakit evaluate`: two folders of label pictures in, J and F out, or every reason why they do not fit.

What is measured and what counts stands in `datakit`; the words for it in `evaluate_report`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datakit.errors import ItemError, Mismatch, UsageError
from datakit.evaluation import (
    CONVENTIONS,
    Convention,
    FrameResult,
    SequenceScores,
    SetScores,
    score_frame,
    score_sequence,
    score_set,
    told,
)
from datakit.video.labels import Frames, LabelFolder, LabelMap, open_labels, read_labels

from .interrupt import terminable
from .pool import map_on_processes
from .process import keep_freed_memory

CHUNK = 8  # frames of a task: some hundredths of a second
MOST_NAMED = 20  # mismatches in one message

Track = Callable[[int], AbstractContextManager[Any]]


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
    """

    predictions: Path
    ground_truth: Path
    convention: str | None = None
    sequences: str | None = None
    jobs: int = 1
    csv: Path | None = None
    html: Path | None = None
    photos: Path | None = None


@dataclass(frozen=True)
class Clip:
    """One sequence on both sides: frame name -> file, in order of the frames."""

    name: str
    target: Frames
    predicted: Frames


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


@dataclass(frozen=True)
class FrameTask:
    """Some frames of one sequence: name, ground truth, and the prediction where the frame counts."""

    sequence: str
    frames: Sequence[tuple[str, Path, Path | None]]
    merged: bool


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
        predictions, truth = open_labels(config.predictions), open_labels(config.ground_truth)
        clips = matched(predictions, truth, chosen_names(config.sequences))
        convention, why = choose_convention(config.convention, clips)
        refuse([line for clip in clips for line in missing_frames(clip, convention)])
        sequences = score_clips(clips, convention, config.jobs, track)
        scores = score_set(sequences, convention)
        over = unjudged(predictions, truth)
        found = Evaluation(predictions.root, truth.root, clips, scores, len(truth.sequences), over, why)
        return write_files(found, config)


def write_files(found: Evaluation, config: EvaluateConfig) -> Evaluation:
    """Write what was asked for; the evaluation with the names of the files and what is missing in them."""
    notes: list[str] = []
    if config.csv:
        from .evaluate_report import write_csv

        write_csv(found, config.csv)
    if config.html:
        from .evaluate_page import write_page

        notes = write_page(found, config.html, config.photos)
    return replace(found, files=[path for path in (config.csv, config.html) if path], notes=notes)


def chosen_names(text: str | None) -> tuple[str, ...] | None:
    """Names out of `a,b`, or out of a file with one a line, as DAVIS lists its splits.

    Of a line of paths (`/JPEGImages/480p/SEQ/00000.jpg …`) the sequence is that of the first one.
    """
    if text is None:
        return None
    if not Path(text).is_file():
        return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    words = [line.split()[0] for line in Path(text).read_text(encoding="utf-8").splitlines() if line.strip()]
    return tuple(dict.fromkeys(word.rstrip("/").split("/")[-2] if "/" in word.rstrip("/") else word for word in words))


def matched(predictions: LabelFolder, truth: LabelFolder, chosen: Sequence[str] | None) -> list[Clip]:
    """The sequences to score; those of the ground truth, or the chosen ones.

    Raises:
        UsageError: one side is a sequence, the other a folder of them; or a chosen name is in no ground truth.
        Mismatch: a sequence has no predictions.
    """
    if predictions.single != truth.single:
        single, several = (predictions, truth) if predictions.single else (truth, predictions)
        raise UsageError(f"{single.root} is one sequence, {several.root} a folder of them; give two of one kind")
    if truth.single:
        if chosen is not None:
            raise UsageError(f"--sequences chooses from a folder of sequences, and {truth.root} is one sequence")
        (name, target), (predicted,) = *truth.sequences.items(), predictions.sequences.values()
        return [Clip(name, target, predicted)]
    names = truth.sequences if chosen is None else chosen
    unknown = [name for name in names if name not in truth.sequences]
    if unknown or not names:
        known = told(list(truth.sequences), MOST_NAMED)
        asked = told(unknown, MOST_NAMED) if names else "no name"
        raise UsageError(f"--sequences: {asked}: not among the ground truth in {truth.root}, which holds {known}")
    missing = [name for name in names if name not in predictions.sequences]
    if missing:
        raise Mismatch(
            f"{predictions.root}: no predictions of {len(missing)} of {len(names)} sequences: "
            f"{told(missing, MOST_NAMED)}. A score of the others would not be one of the set; to score a part of it, "
            "say which: --sequences a,b"
        )
    return [Clip(name, truth.sequences[name], predictions.sequences[name]) for name in names]


def choose_convention(name: str | None, clips: Sequence[Clip]) -> tuple[Convention, str]:
    """The convention of that name; else davis2017 where a sequence begins with several objects, or davis2016."""
    if name is not None:
        return CONVENTIONS[name], "as asked for"
    for clip in clips:
        frame, path = next(iter(clip.target.items()))
        ids = _read(path, f"ground truth {clip.name}/{path.name}").ids
        if len(ids) > 1:
            return CONVENTIONS["davis2017"], f"as {clip.name}/{frame} holds objects {told(list(map(str, ids)), 8)}"
    return CONVENTIONS["davis2016"], "as no ground truth begins with several objects"


def missing_frames(clip: Clip, convention: Convention) -> list[str]:
    """What is said of frames that count but have no prediction."""
    missing = [frame for frame in convention.judged(list(clip.target)) if frame not in clip.predicted]
    if not missing:
        return []
    return [f"{clip.name}: no prediction of {len(missing)} of {len(clip.target)} frames: {told(missing, MOST_NAMED)}"]


def unjudged(predictions: LabelFolder, truth: LabelFolder) -> dict[str, list[str]]:
    """Sequence -> predicted frames without ground truth, where there are any."""
    if truth.single:
        (name, target), (predicted,) = *truth.sequences.items(), predictions.sequences.values()
        pairs = {name: (predicted, target)}
    else:
        pairs = {name: (frames, truth.sequences.get(name, {})) for name, frames in predictions.sequences.items()}
    over = {name: [frame for frame in frames if frame not in target] for name, (frames, target) in pairs.items()}
    return {name: frames for name, frames in over.items() if frames}


def score_clips(clips: Sequence[Clip], convention: Convention, jobs: int, track: Track) -> list[SequenceScores]:
    """Read and measure all frames that count, `CHUNK` of them a task.

    Raises:
        Mismatch: naming everything that does not fit.
    """
    tasks = [task for clip in clips for task in frame_tasks(clip, convention)]
    results: dict[str, list[FrameResult]] = {clip.name: [] for clip in clips}
    faults: list[str] = []
    with track(sum(len(task.frames) for task in tasks)) as progress:
        for task, found in zip(tasks, map_on_processes(score_frames, tasks, jobs), strict=True):
            results[task.sequence] += [entry for entry in found if isinstance(entry, FrameResult)]
            faults += [entry for entry in found if isinstance(entry, str)]
            progress.advance(len(task.frames))
    refuse(faults)
    sequences = []
    for name, frames in results.items():
        try:
            sequences.append(score_sequence(name, frames, convention))
        except Mismatch as error:
            faults.append(str(error))
    refuse(faults)
    return sequences


def frame_tasks(clip: Clip, convention: Convention) -> list[FrameTask]:
    """The frames of a clip that must be read; the first only where its ids matter."""
    counted = convention.judged(list(clip.target))
    frames: list[tuple[str, Path, Path | None]] = [(name, clip.target[name], clip.predicted[name]) for name in counted]
    if not convention.merged:
        first, path = next(iter(clip.target.items()))
        frames.insert(0, (first, path, None))
    return [
        FrameTask(clip.name, frames[start : start + CHUNK], convention.merged) for start in range(0, len(frames), CHUNK)
    ]


def score_frames(task: FrameTask) -> list[FrameResult | str]:
    """A result for every frame, or the sentence that says why there is none; runs on any process."""
    return [_score_frame(task, *frame) for frame in task.frames]


def _score_frame(task: FrameTask, frame: str, target_file: Path, file: Path | None) -> FrameResult | str:
    place = f"{task.sequence}/{target_file.name}"
    try:
        target = _read(target_file, f"ground truth {place}")
        if file is None:
            return FrameResult(frame, target.ids)
        prediction = _read(file, f"prediction {task.sequence}/{file.name}")
    except Mismatch as error:
        return str(error)
    if prediction.void is not None:
        return f"prediction {place}: holds 255 beside ids, which is void; only ground truth may leave pixels unjudged"
    if prediction.labels.shape != target.labels.shape:
        sizes = "{1}x{0}, expected {3}x{2}".format(*prediction.labels.shape, *target.labels.shape)
        return f"prediction {place}: is {sizes} as its ground truth; write masks at that size (nearest neighbour)"
    return score_frame(frame, target, prediction, task.merged)


def _read(path: Path, place: str) -> LabelMap:
    try:
        return read_labels(path, place)
    except ItemError as error:
        raise Mismatch(error.problem.detail) from None


def refuse(faults: Sequence[str]) -> None:
    """Raise Mismatch where there are faults, naming the first of them and how many there are."""
    if faults:
        more = [f"and {len(faults) - MOST_NAMED} more"] if len(faults) > MOST_NAMED else []
        raise Mismatch("\n  ".join(["no score, since predictions do not fit:", *faults[:MOST_NAMED], *more]))
