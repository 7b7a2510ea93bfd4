"""What `datakit evaluate` says of several methods: one table with a column for each, the best marked; JSON; CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from datakit.evaluation import Scores
from datakit.metrics_mosev2 import Mosev2Scores
from datakit.wording import counted, size_text

from ..report import as_text, markdown_table, table
from .mosev2 import ROUNDED, SCORER, mosev2_means
from .report import as_dict, csv_of, frame_rows, plain_lines, remarks, what_is_scored
from .result import Comparison, Evaluation

LOWER_IS_BETTER = "decay"
PARTS = ("recall", LOWER_IS_BETTER)
SHOWN = ("J&F", "J", "F")
BEST = "*: best of its row, as far as the digits shown can tell"

Named = tuple[str, str, object, list[tuple[str, float | None]]]  # sequence, object, frames, (measure, value)


@dataclass(frozen=True)
class ComparedRow:
    """One measure of an object, a sequence or the set, of every method.

    Attributes:
        sequence, number, frames: whose it is, number being the object's; the last two empty where it is of several.
        measure: `J`, or `J&F recall`.
        values: one a method, in their order; None where there is none.
    """

    sequence: str
    number: str
    frames: object
    measure: str
    values: tuple[float | None, ...]

    @property
    def texts(self) -> list[str]:
        """The values as they are shown."""
        return ["-" if value is None else f"{value:z.3f}" for value in self.values]

    def best(self) -> list[bool]:
        """Which methods are best by what is shown; none where all are alike."""
        shown = [None if text == "-" else float(text) for text in self.texts]
        there = [value for value in shown if value is not None]
        if len(set(shown)) < 2:
            return [False] * len(shown)
        best = min(there) if self.measure.endswith(LOWER_IS_BETTER) else max(there)
        return [value == best for value in shown]


def compared_rows(found: Comparison) -> list[ComparedRow]:
    """Every row of the table: objects, means of sequences with several, and the set's means."""
    columns = [list(_named(each)) for each in found.methods.values()]
    rows = []
    for of_one in zip(*columns, strict=True):
        sequence, number, frames, values = of_one[0]
        for place, (measure, _) in enumerate(values):
            of_all = tuple(each[3][place][1] for each in of_one)
            rows.append(ComparedRow(sequence, number, frames, measure, of_all))
    return rows


def _named(found: Evaluation) -> Iterator[Named]:
    """What one method has in each place of the table."""
    scores, what = found.scores, what_is_scored(found)
    for sequence in scores.sequences:
        for each in sequence.objects:
            yield sequence.name, str(each.id), len(each.frames), _means(each.scores, each.mosev2)
        if len(sequence.objects) > 1:
            yield sequence.name, "mean", "", _means(sequence.scores, sequence.mosev2)
    if (total := scores.mosev2) is not None:
        yield what, "mean, scorer", "", mosev2_means(total.scorer)
        yield what, "mean, rounded up", "", mosev2_means(total.rounded)
    else:
        parts = [(f"{name} {part}", getattr(scores.scores.of(name), part)) for name in SHOWN for part in PARTS]
        yield what, "mean", "", [*_means(scores.scores, None), *parts]


def _means(scores: Scores, mosev2: Mosev2Scores | None) -> list[tuple[str, float | None]]:
    if mosev2 is not None:
        return mosev2_means(mosev2.scorer)
    return [(name, scores.of(name).mean) for name in SHOWN]


def compare_report(found: Comparison, as_json: bool, markdown: bool = False) -> str:
    """The scores side by side, by which convention, and whatever was not scored."""
    if as_json:
        return as_text(compared_dict(found))
    one, rows = found.any, compared_rows(found)
    methods = [f"{name}: {each.predictions}" for name, each in found.methods.items()]
    head = ("sequence", "object", "frames", "measure", *found.methods)
    about = f"{one.scores.convention.name} ({one.why}): {one.scores.convention.words}"
    title = f"{counted(len(methods), 'method')} against {one.ground_truth}"
    files = [f"{path}: {size_text(path.stat().st_size)}" for path in found.files]
    if markdown:
        body = markdown_table(head, [_cells(row, "**{}**", "{}") for row in rows])
        listed = [f"* {text}" for text in (*methods, about, *compared_remarks(found), *files)]
        return "\n".join(plain_lines([title, "", *listed, "", body]))
    body = table(head, [_cells(row, "{}*", "{} ") for row in rows])
    marked = [BEST] if any(any(row.best()) for row in rows) else []
    meanings = [f"mosev2: {SCORER}; rounded up: {ROUNDED}"] if one.scores.mosev2 else []
    told = [*marked, *meanings, *compared_remarks(found), *files]
    return "\n".join(plain_lines([title, *(f"  {text}" for text in methods), about, body, *told]))


def _cells(row: ComparedRow, best: str, other: str) -> Sequence[object]:
    """A row's cells, its values set in the one or the other way."""
    values = [(best if wins else other).format(text) for text, wins in zip(row.texts, row.best(), strict=True)]
    return [row.sequence, row.number, row.frames, row.measure, *values]


def compared_remarks(found: Comparison) -> list[str]:
    """What a reader should know; what holds for all methods once, what holds for one with its name."""
    told = {name: remarks(each) for name, each in found.methods.items()}
    alike = [text for text in next(iter(told.values())) if all(text in texts for texts in told.values())]
    own = [f"{name}: {text}" for name, texts in told.items() for text in texts if text not in alike]
    parts = any(clip.outside for clip in found.any.clips)
    common = ["every method is scored on these frames alone, which all of them have"] if parts else []
    return [*alike, *common, *own, *found.notes]


def compared_dict(found: Comparison) -> dict[str, Any]:
    """What is alike in all, and under the name of each method what it says alone."""
    methods = {name: as_dict(each) for name, each in found.methods.items()}
    one = next(iter(methods.values()))
    shared = ("ground_truth", "convention", "mean_over", "sequences_scored", "sequences_in_ground_truth")
    return {**{key: one[key] for key in shared}, "remarks": compared_remarks(found), "methods": methods}


def compared_csv(found: Comparison) -> str:
    """The CSV of every method below each other, with a column before the others that names it."""
    head, *_ = (frame_rows(each) for each in found.methods.values())
    rows = [(name, *row) for name, each in found.methods.items() for row in frame_rows(each)[1:]]
    return csv_of([("method", *head[0]), *rows])
