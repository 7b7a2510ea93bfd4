"""Which predictions belong to which ground truth: sequences by name, their frames, the convention that fits."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image as PillowImage

from datakit.datasets import ReadOptions
from datakit.datasets.pairs import MASK_SUFFIXES
from datakit.errors import ItemError, Mismatch, UsageError
from datakit.evaluation import CONVENTIONS, Convention, FrameResult
from datakit.masks import LabelMap
from datakit.video.labels import (
    REPORT,
    Frames,
    LabelFolder,
    list_frames,
    open_labels,
    photos_beside,
    read_labels,
    unused_twins,
)
from datakit.wording import shorten

MOST_NAMED = 20  # mismatches in one message
SWAPPED = "they look swapped: datakit evaluate PREDICTIONS GROUND_TRUTH"


@dataclass(frozen=True)
class SequencePair:
    """One sequence on both sides: frame name -> file, in order of the frames.

    Attributes:
        name: its folder's.
        target: ground truth that is looked at.
        predicted: predictions, of other frames too.
        outside: ground truth that is not looked at, as a part of the clip is scored; see `part`.
    """

    name: str
    target: Frames
    predicted: Frames
    outside: Frames = field(default_factory=dict)


def chosen_names(text: str | None) -> tuple[str, ...] | None:
    """Names out of `a,b`, or out of a file with one a line, as DAVIS lists its splits.

    Of a line of paths (`/JPEGImages/480p/SEQ/00000.jpg …`) the sequence is that of the first one.
    """
    if text is None:
        return None
    if not os.path.isfile(text):  # noqa: PTH113, since of a name of 300 characters `Path` only says that it is too long
        return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    words = [line.split()[0] for line in Path(text).read_text(encoding="utf-8").splitlines() if line.strip()]
    return tuple(dict.fromkeys(word.rstrip("/").split("/")[-2] if "/" in word.rstrip("/") else word for word in words))


def open_both(predictions: Path, ground_truth: Path) -> tuple[LabelFolder, LabelFolder]:
    """The label pictures of both sides.

    Raises:
        UsageError: there are none, or the ground truth has a report beside it, as results have.
    """
    found, truth = open_labels(predictions), open_labels(ground_truth)
    for folder, name in ((found, "PREDICTIONS"), (truth, "GROUND_TRUTH")):
        if REPORT in folder.root.resolve().parts:
            name_of, root = folder.root.resolve().name, folder.root.resolve()
            labels = next(parent.parent for parent in (root, *root.parents) if parent.name == REPORT)
            labels = labels / name_of if (labels / name_of).is_dir() and name_of != REPORT else labels
            raise UsageError(
                f"{name} {folder.root}: lies in the report of a propagation, which holds no label pictures; give "
                f"{labels}"
            )
    if is_photos(truth):
        raise UsageError(
            f"GROUND_TRUTH {truth.root}: holds JPEG pictures, as frames are; give the folder of annotated masks, PNG "
            "files such as DAVIS's Annotations/480p"
        )
    if _has_report(truth) and not _has_report(found):
        raise UsageError(
            f"GROUND_TRUTH {truth.root}: has a {REPORT} beside it, as results of propagate have; {SWAPPED}"
        )
    return found, truth


def is_photos(folder: LabelFolder) -> bool:
    """Whether all pictures of a folder are JPEGs in colours, as frames of a video are and masks are not."""
    files = [path for frames in folder.sequences.values() for path in frames.values()]
    if not files or any(path.suffix.lower() not in (".jpg", ".jpeg") for path in files):
        return False
    try:
        with PillowImage.open(files[0]) as picture:
            return bool(picture.mode == "RGB")
    except OSError:
        return False


def _has_report(folder: LabelFolder) -> bool:
    return ((folder.root.resolve().parent if folder.single else folder.root) / REPORT).is_dir()


def matched(
    predictions: LabelFolder, truth: LabelFolder, chosen: Sequence[str] | None, only_predicted: bool = False
) -> list[SequencePair]:
    """The sequences to score; those of the ground truth, or the chosen ones, or of these the ones predicted.

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
        return [SequencePair(name, target, predicted)]
    names = truth.sequences if chosen is None else chosen
    unknown = [name for name in names if name not in truth.sequences]
    if unknown or not names:
        known = shorten(list(truth.sequences), MOST_NAMED)
        asked = shorten(unknown, MOST_NAMED) if names else "no name"
        raise UsageError(f"--sequences: {asked}: not among the ground truth in {truth.root}, which holds {known}")
    missing = [name for name in names if name not in predictions.sequences]
    if only_predicted and len(missing) < len(names):
        names = [name for name in names if name in predictions.sequences]
    elif missing:
        raise Mismatch(
            f"{predictions.root}: no predictions of {len(missing)} of {len(names)} sequences: "
            f"{shorten(missing, MOST_NAMED)}. A score of the others would not be one of the set; to score a part of "
            "it, say which: --sequences a,b, or --only-predicted"
        )
    return [SequencePair(name, truth.sequences[name], predictions.sequences[name]) for name in names]


def choose_convention(name: str | None, clips: Sequence[SequencePair], read: ReadOptions) -> tuple[Convention, str]:
    """The convention of that name; else davis2017 where a sequence begins with several objects, or davis2016.

    Whether objects enter later is known when all frames are read: see `better_convention`.
    """
    if name is not None:
        return CONVENTIONS[name], "as asked for"
    for clip in clips:
        frame, path = next(iter(clip.target.items()))
        ids = read_map(path, f"ground truth {clip.name}/{path.name}", read).ids
        if len(ids) > 1:
            return CONVENTIONS["davis2017"], f"as {clip.name}/{frame} holds objects {shorten(list(map(str, ids)), 8)}"
    return CONVENTIONS["davis2016"], "as no ground truth holds several objects"


def better_convention(results: Mapping[str, Sequence[FrameResult]], convention: Convention) -> tuple[Convention, str]:
    """The convention that fits what all frames of the ground truth hold, and why; the given one where it does.

    Args:
        results: sequence -> its frames, the first one included.
        convention: as `choose_convention` gave it from the first frames.
    """
    for name, frames in results.items():
        first = set(frames[0].ids) if frames else set()
        several = len({number for frame in frames for number in frame.ids}) > 1
        for frame in frames:
            late = sorted(set(frame.ids) - first)
            if late and (several or not convention.merged):
                ids = ", ".join(map(str, late))
                return CONVENTIONS["youtube-vos"], f"as object {ids} of {name} enters after its first frame"
    return convention, ""


def missing_frames(clip: SequencePair, convention: Convention) -> list[str]:
    """Frames that count but have no prediction."""
    return [frame for frame in convention.scored_frames(list(clip.target)) if frame not in clip.predicted]


def refuse_gaps(clips: Sequence[SequencePair], convention: Convention) -> None:
    """Raise Mismatch where frames that count have no prediction."""
    lines = []
    for clip in clips:
        if missing := missing_frames(clip, convention):
            count = f"no prediction of {len(missing)} of {len(clip.target)} frames"
            lines.append(f"{clip.name}: {count}: {shorten(missing, MOST_NAMED)}")
    if lines:
        lines.append(
            "to score the frames that have one, which gives no score of the whole set: --only-predicted; predictions "
            "of a part of each clip, as a video of its own: --part"
        )
    refuse(lines)


def oddities(predictions: LabelFolder, truth: LabelFolder, clips: Sequence[SequencePair]) -> list[str]:
    """What is odd about the folders and the files of both sides, a sentence for each kind."""
    folders = [*_maybe_swapped(predictions, truth), *_maybe_of_another(predictions, truth)]
    return [*folders, *_counted_from_one(clips), *_twice_there(clips)]


def _maybe_swapped(predictions: LabelFolder, truth: LabelFolder) -> list[str]:
    """A note where photos lie beside predictions alone; an export of annotations has them, too."""
    if not photos_beside(predictions.root) or photos_beside(truth.root):
        return []
    return [f"PREDICTIONS {predictions.root} has the photos in JPEGImages beside it and GROUND_TRUTH {truth.root} has "
            f"not; if that is the truth, {SWAPPED}"]  # fmt: skip


def _maybe_of_another(predictions: LabelFolder, truth: LabelFolder) -> list[str]:
    """A note where one sequence is scored against another one, and beside that lies one of its own name."""
    root, other = predictions.root.resolve(), truth.root.resolve()
    own = other.parent / root.name
    if not truth.single or own in (root, other) or not list_frames(own, MASK_SUFFIXES):
        return []
    return [f"predictions {predictions.root} were scored against {truth.root}; beside that lies {own}"]


def _counted_from_one(clips: Sequence[SequencePair]) -> list[str]:
    """Predictions 00001 to 00050 of frames 00000 to 00049: by name, each but the last fits its neighbour."""
    found = [clip for clip in clips if _is_shifted(list(clip.target), list(clip.predicted))]
    if not found:
        return []
    first = found[0]
    target, predicted = list(first.target), list(first.predicted)
    return [
        f"predictions of {shorten([clip.name for clip in found])} are numbered from {predicted[0]} to {predicted[-1]}, "
        f"frames from {target[0]} to {target[-1]}: if the predictions count from 1, every frame was scored against its "
        "neighbour; rename them as the frames"
    ]


def _is_shifted(target: Sequence[str], predicted: Sequence[str]) -> bool:
    numbers = [[int(name) for name in names if name.isdecimal()] for names in (target, predicted)]
    same_count = len(numbers[0]) == len(numbers[1]) == len(target) == len(predicted) > 0
    return same_count and [number + 1 for number in numbers[0]] == numbers[1]


def _twice_there(clips: Sequence[SequencePair]) -> list[str]:
    lines = []
    for side, frames in (("predictions", [c.predicted for c in clips]), ("ground truth", [c.target for c in clips])):
        unused = [file for each in frames for file in unused_twins(each, MASK_SUFFIXES)]
        if unused:
            files = shorten([f"{file.parent.name}/{file.name}" for file in unused])
            lines.append(f"{side}: frames that are there twice, by name: {files} not used")
    return lines


def unjudged(predictions: LabelFolder, truth: LabelFolder) -> dict[str, list[str]]:
    """Sequence -> predicted frames without ground truth, where there are any."""
    if truth.single:
        (name, target), (predicted,) = *truth.sequences.items(), predictions.sequences.values()
        pairs = {name: (predicted, target)}
    else:
        pairs = {name: (frames, truth.sequences.get(name, {})) for name, frames in predictions.sequences.items()}
    over = {name: [frame for frame in frames if frame not in target] for name, (frames, target) in pairs.items()}
    return {name: frames for name, frames in over.items() if frames}


def read_map(path: Path, place: str, read: ReadOptions) -> LabelMap:
    """One label picture of either side.

    Raises:
        Mismatch: it cannot be read, or leaves open what its ids are.
    """
    try:
        return read_labels(path, place, read)
    except ItemError as error:
        raise Mismatch(error.problem.detail) from None


@dataclass(frozen=True)
class Misfit:
    """What is wrong with a label picture: `prediction` or `ground truth`, its sequence, its file, a sentence."""

    side: str
    sequence: str
    file: str
    text: str


def fault_lines(problems: Sequence[Misfit]) -> list[str]:
    """A line for each kind of fault of a sequence; the numbers in it are those of its first file."""
    kinds: dict[tuple[str, str, str], list[Misfit]] = {}
    for fault in problems:
        kinds.setdefault((fault.side, fault.sequence, re.sub("[0-9]+", "0", fault.text)), []).append(fault)
    lines = []
    for (side, sequence, _), found in kinds.items():
        first = f"{side} {sequence}/{found[0].file}: {found[0].text}"
        more = f"; the same holds for {shorten([fault.file for fault in found[1:]])}" if len(found) > 1 else ""
        lines.append(first + more)
    return lines


def refuse(problems: Sequence[str]) -> None:
    """Raise Mismatch where there are faults, naming the first of them and how many there are."""
    if problems:
        more = [f"and {len(problems) - MOST_NAMED} more"] if len(problems) > MOST_NAMED else []
        raise Mismatch("\n  ".join(["no score, since predictions do not fit:", *problems[:MOST_NAMED], *more]))
