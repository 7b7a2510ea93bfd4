"""Which predictions belong to which ground truth: sequences by name, their frames, the convention that fits."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit.errors import ItemError, Mismatch, UsageError
from datakit.evaluation import CONVENTIONS, Convention, told
from datakit.mask_values import LabelMap
from datakit.video.labels import Frames, LabelFolder, read_labels

MOST_NAMED = 20  # mismatches in one message


@dataclass(frozen=True)
class Clip:
    """One sequence on both sides: frame name -> file, in order of the frames."""

    name: str
    target: Frames
    predicted: Frames


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
        ids = read_map(path, f"ground truth {clip.name}/{path.name}").ids
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


def read_map(path: Path, place: str) -> LabelMap:
    """One label picture of either side.

    Raises:
        Mismatch: it cannot be read, or leaves open what its ids are.
    """
    try:
        return read_labels(path, place)
    except ItemError as error:
        raise Mismatch(error.problem.detail) from None


def refuse(faults: Sequence[str]) -> None:
    """Raise Mismatch where there are faults, naming the first of them and how many there are."""
    if faults:
        more = [f"and {len(faults) - MOST_NAMED} more"] if len(faults) > MOST_NAMED else []
        raise Mismatch("\n  ".join(["no score, since predictions do not fit:", *faults[:MOST_NAMED], *more]))
