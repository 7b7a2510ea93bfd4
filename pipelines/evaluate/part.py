"""What the report of a run says of its frames: which it was asked for, and which it was given; clips cut to a part.

A part is scored as a video of its own, as if the ground truth held its frames alone: its first frame is the given one
and does not count, and where a convention leaves out the last frame, its last one does not.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from datakit.errors import Mismatch
from datakit.evaluation import Convention
from datakit.video.labels import REPORT, LabelFolder, frame_order
from datakit.wording import counted, shorten

from .match import SequencePair

SUMMARY = "report.json"  # of a finished propagation, in `_report/SEQ`
MOST_RANGES = 6  # named of the frames that are missing


def cut_as_asked(clips: Sequence[SequencePair], predictions: LabelFolder) -> list[SequencePair]:
    """Every sequence cut to the frames that its run was asked for, where a report beside the predictions says so.

    Raises:
        Mismatch: a run was asked for no frame that has ground truth.
    """
    asked = [(clip, asked_frames(predictions, clip.name)) for clip in clips]
    return [clip if frames is None else cut(clip, frames, "its run was asked for") for clip, frames in asked]


def asked_frames(predictions: LabelFolder, name: str) -> tuple[str, ...] | None:
    """Names of the frames that `datakit propagate` was asked for, as the report of its run lists them.

    Args:
        predictions: the folder that the run has written.
        name: of the sequence; not looked at where the folder is that sequence.

    Returns:
        None where there is no such report, or none that can be read: then all frames are expected.
    """
    try:
        frames = tuple(row["frame"] for row in _report_of(predictions, name)["frames"])
    except (KeyError, TypeError):
        return None
    return frames if frames and all(isinstance(each, str) for each in frames) else None


def given_lines(clips: Sequence[SequencePair], predictions: LabelFolder, convention: Convention) -> list[str]:
    """In how many of the frames that are scored a run was given objects, as its report says; nothing where in none."""
    of_clips = {}
    for clip in clips:
        given, scored = _report_of(predictions, clip.name).get("given"), convention.scored_frames(list(clip.target))
        known = [frame for frame in scored if given.get(frame)] if isinstance(given, dict) else []
        if known:
            of_clips[clip.name] = f"{len(known)} of {counted(len(scored), 'scored frame')}"
    if not of_clips:
        return []
    told = shorten([f"{name} {count}" for name, count in of_clips.items()])
    return [f"objects that the run was given, by masks or boxes, count like its own: {told}"]


def _report_of(predictions: LabelFolder, name: str) -> dict[str, Any]:
    """The report of the run that made a sequence; nothing where there is none, or none that can be read."""
    root = predictions.root.resolve()
    folder = root.parent / REPORT / root.name if predictions.single else root / REPORT / name
    try:
        content = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def cut_as_predicted(clips: Sequence[SequencePair]) -> list[SequencePair]:
    """Every sequence cut to its predicted frames, where more is missing than the first one, which is given.

    Raises:
        Mismatch: those frames neither follow each other nor are every so many-th.
    """
    found = []
    for clip in clips:
        _, *needed = clip.target
        if any(frame not in clip.predicted for frame in needed):
            clip = cut(clip, clip.predicted, "there are predictions of")
            _refuse_irregular(clip)
        found.append(clip)
    return found


def _refuse_irregular(clip: SequencePair) -> None:
    names, places = all_frames(clip), _places(clip)
    usual = min((after - before for before, after in pairwise(places)), default=1)
    for before, after in pairwise(places):
        if after - before != usual:
            gap = shorten(names[before + 1 : after])
            step = "frames follow each other" if usual == 1 else f"of every {usual} frames there is one"
            raise Mismatch(
                f"{clip.name}: no prediction of {gap}, between {names[before]} and {names[after]}; elsewhere {step}. "
                "A part is frames that follow each other, or every so many-th; to score whatever is there: "
                "--only-predicted"
            )


def cut(clip: SequencePair, frames: Iterable[str], why: str) -> SequencePair:
    """A sequence with the ground truth of these frames alone; itself where that is all of it.

    Args:
        clip: as it is.
        frames: names; of some there may be no ground truth.
        why: these frames, in the message.

    Raises:
        Mismatch: none of them has ground truth.
    """
    chosen = set(frames)
    kept = {name: path for name, path in clip.target.items() if name in chosen}
    if not kept:
        named, held = shorten(sorted(chosen, key=frame_order)), shorten(list(clip.target))
        raise Mismatch(f"{clip.name}: {why} {named}; ground truth is of {held}, so that no frame can be scored")
    outside = {name: path for name, path in clip.target.items() if name not in kept}
    return replace(clip, target=kept, outside={**clip.outside, **outside}) if outside else clip


def part_lines(clips: Sequence[SequencePair]) -> list[str]:
    """A sentence for every sequence of which a part is scored, and how parts are scored; none where none is."""
    lines = [f"{clip.name}: {part_text(clip)}" for clip in clips if clip.outside]
    rule = "a part is scored as a video of its own, which begins with the first of its frames"
    return [*lines, rule] if lines else []


def part_text(clip: SequencePair) -> str:
    """`part: frames 10..40 of 80; missing: 0..9, 41..79`."""
    names, places, stride = all_frames(clip), _places(clip), stride_of(clip)
    ends = [*range(places[0]), *range(places[-1] + 1, len(names))]
    between = len(names) - len(places) - len(ends)
    missing = [shorten(_ranges(names, ends), MOST_RANGES)] if ends else []
    if between:
        missing.append(f"{between} between them")
    every = "" if stride == 1 else f", {len(places)} of them" if stride is None else f", of every {stride} one"
    shown = f"{_plain(names[places[0]])}..{_plain(names[places[-1]])}"
    return f"part: frames {shown} of {len(names)}{every}; missing: {' and '.join(missing)}"


def part_dict(clip: SequencePair) -> dict[str, Any]:
    """The same for scripts; `stride` is null where the frames are not of one."""
    frames = list(clip.target)
    total = len(frames) + len(clip.outside)
    counts = {"frames": len(frames), "of": total, "stride": stride_of(clip)}
    return {"first": frames[0], "last": frames[-1], **counts, "missing": list(clip.outside)}


def stride_of(clip: SequencePair) -> int | None:
    """Of every so many annotated frames one is scored; None where that is no one number."""
    steps = {after - before for before, after in pairwise(_places(clip))} or {1}
    return steps.pop() if len(steps) == 1 else None


def all_frames(clip: SequencePair) -> list[str]:
    """Names of all frames that have ground truth, in their order."""
    return sorted({*clip.target, *clip.outside}, key=frame_order)


def _places(clip: SequencePair) -> list[int]:
    """Where the frames of the part stand among `all_frames`."""
    return [place for place, name in enumerate(all_frames(clip)) if name in clip.target]


def _ranges(names: Sequence[str], places: Collection[int]) -> list[str]:
    """`0..9`, `41..79`: runs of neighbours among sorted places."""
    runs: list[tuple[int, int]] = []
    for place in places:
        if runs and place == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], place)
        else:
            runs.append((place, place))
    return [_plain(names[a]) if a == b else f"{_plain(names[a])}..{_plain(names[b])}" for a, b in runs]


def _plain(name: str) -> str:
    """A frame's number without leading zeros, or its name where that is no number."""
    return str(int(name)) if name.isdecimal() else name
