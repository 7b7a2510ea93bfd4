"""What `datakit evaluate` says: a table for people, JSON for scripts, CSV of every object in every frame."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from datakit.evaluation import MEASURES, Scores, SequenceScores
from datakit.wording import printable, shorten, size_text

from ..report import as_text, markdown_table, table
from .mosev2 import FRAME_COLUMNS, mosev2_dict, mosev2_rows
from .part import part_dict, part_lines
from .result import Evaluation

MOST_SEQUENCES = 10  # named of those with frames nobody can judge
HEAD = (
    "sequence",
    "object",
    "frames",
    *(f"{name} {part}" for name in MEASURES for part in ("mean", "recall", "decay")),
)


def evaluate_report(found: Evaluation, as_json: bool, markdown: bool = False) -> str:
    """The scores, by which convention, and whatever was not scored."""
    if as_json:
        return as_text(as_dict(found))
    convention = found.scores.convention
    title = f"{found.predictions} against {found.ground_truth}"
    about = f"{convention.name} ({found.why}): {convention.words}"
    told = [*remarks(found), *(f"{path}: {size_text(path.stat().st_size)}" for path in found.files)]
    head, rows, meanings = _scores_rows(found)
    if markdown:
        listed = (f"* {text}" for text in (about, *meanings, *told))
        return "\n".join(plain_lines([title, "", *listed, "", markdown_table(head, rows)]))
    return "\n".join(plain_lines([title, about, table(head, rows), *meanings, *told]))


def _scores_rows(found: Evaluation) -> tuple[Sequence[str], list[list[object]], list[str]]:
    """Head and rows of the table, one for every object and the means; and what its columns mean, if need be."""
    if found.scores.mosev2 is not None:
        return mosev2_rows(found.scores, what_is_scored(found))
    rows = [row for sequence in found.scores.sequences for row in _rows(sequence)]
    return HEAD, [*rows, [what_is_scored(found), "mean", "", *_numbers(found.scores.scores)]], []


def plain_lines(lines: list[str]) -> list[str]:
    """Lines whose names cannot steer a terminal."""
    return [printable(line) for text in lines for line in text.split("\n")]


def what_is_scored(found: Evaluation) -> str:
    """`all 10 sequences`, or how many of how many, and whether only parts of them."""
    count, total = len(found.scores.sequences), found.total
    parts = ", in part" if any(clip.outside for clip in found.clips) else ""
    if count < total:
        return f"{count} of {total} sequences{parts}"
    return (f"all {count} sequences" if count > 1 else "1 sequence") + parts


def gap_lines(found: Evaluation) -> list[str]:
    """Which frames are not in the scores, where only predicted ones were asked for."""
    if found.unpredicted is None:
        return []
    gaps = [f"{total - missing} of {total} frames of {name}" for name, (missing, total) in found.unpredicted.items()
            if missing]  # fmt: skip
    return [f"--only-predicted: scored are {shorten(gaps, MOST_SEQUENCES) or 'all frames that count'}"]


def _rows(sequence: SequenceScores) -> list[list[object]]:
    """A row an object, and their mean where there are several."""
    rows: list[list[object]] = [
        [sequence.name, each.id, len(each.frames), *_numbers(each.scores)] for each in sequence.objects
    ]
    if len(rows) > 1:
        rows.append([sequence.name, "mean", "", *_numbers(sequence.scores)])
    return rows


def _numbers(scores: Scores) -> list[str]:
    return [f"{value:z.3f}" for name in MEASURES for value in scores.of(name)]


def remarks(found: Evaluation) -> list[str]:
    """What a reader of the scores should know: frames, sequences and objects that are in none of them."""
    lines = [*part_lines(found.clips), *gap_lines(found)]
    if found.without_truth:
        count = sum(map(len, found.without_truth.values()))
        names = [f"{name}: {shorten(frames)}" for name, frames in found.without_truth.items()]
        lines.append(f"predicted frames without ground truth: {count}, of {shorten(names, MOST_SEQUENCES)}")
    for sequence in found.scores.sequences:
        if sequence.left_out:
            ids = ", ".join(map(str, sequence.left_out))
            lines.append(f"{sequence.name}: objects that enter too late to count: {ids}")
        if sequence.merged:
            ids = shorten(list(map(str, sequence.merged)), 8)
            lines.append(f"{sequence.name}: objects {ids} count as one, whichever pixel is whose")
    return [*lines, *found.notes]


def as_dict(found: Evaluation) -> dict[str, Any]:
    """All scores, down to the objects."""
    sequences = {
        sequence.name: {
            **_scores(sequence.scores),
            **mosev2_dict(sequence.mosev2),
            "objects": {
                str(o.id): {**_scores(o.scores), **mosev2_dict(o.mosev2), "frames": len(o.frames)}
                for o in sequence.objects
            },
            "objects_left_out": list(sequence.left_out),
        }
        for sequence in found.scores.sequences
    }
    partly = {} if found.unpredicted is None else {"only_predicted": {
        name: {"frames": total - missing, "of": total} for name, (missing, total) in found.unpredicted.items()
    }}  # fmt: skip
    if parts := {clip.name: part_dict(clip) for clip in found.clips if clip.outside}:
        partly = {**partly, "parts": parts}
    return {
        **partly,
        **_scores(found.scores.scores),
        **mosev2_dict(found.scores.mosev2),
        "convention": found.scores.convention.name,
        "mean_over": found.scores.convention.mean_over,
        "predictions": str(found.predictions),
        "ground_truth": str(found.ground_truth),
        "sequences_scored": len(sequences),
        "sequences_in_ground_truth": found.total,
        "sequences": sequences,
        "frames_without_ground_truth": {name: list(frames) for name, frames in found.without_truth.items()},
        "remarks": remarks(found),
    }


def _scores(scores: Scores) -> dict[str, dict[str, float]]:
    return {name: scores.of(name)._asdict() for name in MEASURES}


def frame_rows(found: Evaluation) -> list[Sequence[object]]:
    """A row for every object in every frame that counts, all digits; before them the names of the columns."""
    more = FRAME_COLUMNS if found.scores.convention.mosev2 else ()
    rows: list[Sequence[object]] = [("sequence", "object", "frame", "J", "F", *more)]
    for sequence in found.scores.sequences:
        for each in sequence.objects:
            values = np.stack([each.J, each.F], axis=1) if each.mosev2_frames is None else each.mosev2_frames
            named = zip(each.frames, values.tolist(), strict=True)
            rows += [(sequence.name, each.id, frame, *row) for frame, row in named]
    return rows


def csv_of(rows: Sequence[Sequence[object]]) -> str:
    """Rows as CSV."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()
