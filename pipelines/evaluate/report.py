"""What `datakit evaluate` says: a table for people, JSON for scripts, CSV of every object in every frame."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np

from datakit.evaluation import MEASURES, Scores, SequenceScores
from datakit.files import write_text
from datakit.wording import printable, shorten, size_text

from ..report import as_text, table
from .mosev2 import FRAME_COLUMNS, mosev2_dict, mosev2_table
from .result import Evaluation

MOST_SEQUENCES = 10  # named of those with frames nobody can judge
HEAD = (
    "sequence",
    "object",
    "frames",
    *(f"{name} {part}" for name in MEASURES for part in ("mean", "recall", "decay")),
)


def evaluate_report(found: Evaluation, as_json: bool) -> str:
    """The scores, by which convention, and whatever was not scored."""
    if as_json:
        return as_text(as_dict(found))
    convention = found.scores.convention
    lines = [
        f"{found.predictions} against {found.ground_truth}",
        f"{convention.name} ({found.why}): {convention.words}",
        _scores_table(found),
        *remarks(found),
        *(f"{path}: {size_text(path.stat().st_size)}" for path in found.files),
    ]
    return "\n".join(plain_lines(lines))


def _scores_table(found: Evaluation) -> str:
    """A row for every object, and the means."""
    if found.scores.mosev2 is not None:
        return mosev2_table(found.scores, what_is_scored(found))
    rows = [row for sequence in found.scores.sequences for row in _rows(sequence)]
    return table(HEAD, [*rows, [what_is_scored(found), "mean", "", *_numbers(found.scores.scores)]])


def plain_lines(lines: list[str]) -> list[str]:
    """Lines whose names cannot steer a terminal."""
    return [printable(line) for text in lines for line in text.split("\n")]


def what_is_scored(found: Evaluation) -> str:
    """`all 10 sequences`, or how many of how many."""
    count, total = len(found.scores.sequences), found.total
    if count < total:
        return f"{count} of {total} sequences"
    return f"all {count} sequences" if count > 1 else "1 sequence"


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
    lines = gap_lines(found)
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


def csv_text(found: Evaluation) -> str:
    """A line for every object in every frame that counts, all digits."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    more = FRAME_COLUMNS if found.scores.convention.mosev2 else ()
    writer.writerow(("sequence", "object", "frame", "J", "F", *more))
    for sequence in found.scores.sequences:
        for each in sequence.objects:
            values = np.stack([each.J, each.F], axis=1) if each.mosev2_frames is None else each.mosev2_frames
            rows = zip(each.frames, values.tolist(), strict=True)
            writer.writerows((sequence.name, each.id, frame, *row) for frame, row in rows)
    return stream.getvalue()


def write_csv(found: Evaluation, path: Path) -> None:
    """Write `csv_text` whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, csv_text(found))
