"""What `datakit evaluate --convention mosev2` says beside J and F: Ḟ, disappearance, return, and whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datakit.evaluation import SetScores
from datakit.metrics_mosev2 import Mosev2Means, Mosev2Measures, Mosev2Scores

FRAME_COLUMNS = Mosev2Measures._fields[2:]  # of the CSV, after J and F
SCORER = "as MOSEv2's published scorer computes them (github.com/henghuiding/MOSE-api at 241977a)"
ROUNDED = "with every radius rounded up to pixels, as the formula of the paper reads and DAVIS's F does"
HEAD = ("sequence", "object", "frames", "J&Ḟ", "J", "Ḟ", "J&Ḟ gone", "J&Ḟ back", "F", "J&F")


def mosev2_dict(scores: Mosev2Scores | None) -> dict[str, Any]:
    """The JSON of one level, `{"mosev2": {"scorer", "rounded_up"}}`; nothing by another convention."""
    if scores is None:
        return {}
    return {"mosev2": {"scorer": scores.scorer.as_dict(), "rounded_up": scores.rounded.as_dict()}}


def mosev2_rows(found: SetScores, what: str) -> tuple[Sequence[str], list[list[object]], list[str]]:
    """Head of a table, a row for every object and sequence of the published scorer's numbers, the set's mean by both.

    Args:
        found: by the convention mosev2.
        what: what the last rows are of: `all 10 sequences`.

    Returns:
        Head, rows, and what they mean, a sentence each.
    """
    rows: list[list[object]] = []
    for sequence in found.sequences:
        named: list[tuple[str, int | str, Mosev2Scores | None]]
        named = [(str(each.id), len(each.frames), each.mosev2) for each in sequence.objects]
        if len(named) > 1:
            named.append(("mean", "", sequence.mosev2))
        rows += [[sequence.name, name, frames, *_numbers(each.scorer)] for name, frames, each in named if each]
    if (total := found.mosev2) is not None:
        rows.append([what, "mean, scorer", "", *_numbers(total.scorer)])
        rows.append([what, "mean, rounded up", "", *_numbers(total.rounded)])
    return HEAD, rows, _meanings()


def mosev2_lines(scores: Mosev2Scores | None) -> list[str]:
    """The set's means in sentences, for the page; none by another convention."""
    if scores is None:
        return []
    said = [
        f"{words}: " + ", ".join(f"{name} {number}" for name, number in zip(HEAD[3:], _numbers(means), strict=True))
        for words, means in ((SCORER, scores.scorer), (ROUNDED, scores.rounded))
    ]
    return [*said, "J and F in the table and the curves below are the published scorer's"]


def mosev2_means(means: Mosev2Means) -> list[tuple[str, float | None]]:
    """Each number with the name it has in the table."""
    return list(zip(HEAD[3:], means.as_dict().values(), strict=True))


def _meanings() -> list[str]:
    return [
        f"all rows but the last: {SCORER}",
        f"the last row: {ROUNDED}",
        "gone: over frames in which an object has disappeared; back: in which it has reappeared; - where that never is",
    ]


def _numbers(means: Mosev2Means) -> list[str]:
    return ["-" if value is None else f"{value:z.3f}" for value in means.as_dict().values()]
