"""What the rows of the validation come to: means, differences to the first row, and tables in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .__main__ import table
from .validation_rows import Record

Records = Mapping[str, Record]  # sequence -> its record
Measured = Mapping[str, Mapping[str, Records]]  # set -> row -> records
CLIPS = "clips"


def mean(records: Iterable[Record], *measures: str) -> float:
    """Mean of some measures over all objects."""
    return statistics.fmean(value for each in records for name in measures for value in each[name])


def differences(records: Records, first: Records) -> dict[str, float]:
    """Sequence -> J beyond that of the first row."""
    return {name: mean([each], "J") - mean([first[name]], "J") for name, each in records.items()}


def figures(measured: Measured, noise: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """`ROW: SET` -> its numbers and what it is beyond the first row; `ROW against NETWORK: SET`, beyond its network.

    Args:
        measured: rows by name; `NETWORK + OPTIONS` is a network with options.
        noise: set -> largest change of the first row's J that harmless changes made; empty where none was measured.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, rows in measured.items():
        first = next(iter(rows))
        for row, records in rows.items():
            numbers = {
                "J": round(mean(records.values(), "J"), 4),
                "F": round(mean(records.values(), "F"), 4),
                "J of each sequence": {each: round(mean([records[each]], "J"), 4) for each in records},
            }
            events = clip_figures(records) if name == CLIPS else {}
            more = declined(records) | {what: round(value, 4) for what, value in events.items()}
            found[f"{row}: {name}"] = numbers | beyond(records, rows[first], noise.get(name)) | more
            network = row.rpartition(" + ")[0]
            if network in rows and network != first:
                found[f"{row} against {network}: {name}"] = beyond(records, rows[network], noise.get(name))
    return found


def beyond(records: Records, base: Records, noise: float | None) -> dict[str, Any]:
    """What a row is beyond another: its mean J, its worst sequence, and whether it loses more than the noise."""
    each = differences(records, base)
    worst = min(each, key=lambda name: each[name])
    change = mean(records.values(), "J") - mean(base.values(), "J")
    return {
        "difference": round(change, 4),
        "worst sequence": worst,
        "worst difference": round(each[worst], 4),
        "noise": None if noise is None else round(noise, 4),
        "loses": None if noise is None else change < -noise,
    }


def declined(records: Records) -> dict[str, str]:
    """In how many sequences the online stage was declined, of those in which it was judged; nothing of none."""
    judged = [each["declined"] for each in records.values() if "declined" in each]
    return {"declined": f"{sum(judged)} of {len(judged)}"} if judged else {}


def clip_figures(records: Records) -> dict[str, Any]:
    """J&F by number of objects, identity swaps, and how many that came back were found."""
    counts = sorted({len(each["J"]) for each in records.values()})
    by_count = {count: [each for each in records.values() if len(each["J"]) == count] for count in counts}
    sums = {name: sum(each[name] for each in records.values()) for name in ("swaps", "returns", "found")}
    objects = sum(len(each["J"]) for each in records.values())
    scores = {f"J&F of {count}": mean(several, "J", "F") for count, several in by_count.items()}
    return scores | {"objects": objects} | sums


def set_table(measured: Measured) -> str:
    """J / F of every row on every set."""
    rows = {
        row: {name: f"{mean(rows[row].values(), 'J'):.3f} / {mean(rows[row].values(), 'F'):.3f}"
              for name, rows in measured.items()}
        for row in row_names(measured)
    }  # fmt: skip
    return table(list(measured), rows)


def clip_table(measured: Measured) -> str:
    """J&F by number of objects, swaps and finds of every row."""
    rows = {}
    for row, records in measured[CLIPS].items():
        found = clip_figures(records)
        swaps = f"{found.pop('swaps')} of {found.pop('objects')}"
        again = f"{found.pop('found')} of {found.pop('returns')}"
        rows[row] = {name: f"{value:.3f}" for name, value in found.items()} | {"swaps": swaps, "found again": again}
    return table(list(next(iter(rows.values()))), rows)


def difference_table(measured: Measured, row: str) -> str:
    """J of a row beyond the first, of every sequence of a video in every set."""
    sets = [name for name in measured if name != CLIPS]
    found = {name: differences(measured[name][row], next(iter(measured[name].values()))) for name in sets}
    return table(sets, {each: {name: f"{found[name][each]:+.3f}" for name in sets} for each in found[sets[0]]})


def verdict_table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Of every comparison on every set: the difference, the noise, the worst sequence, the verdict."""
    rows = {}
    for name, each in found.items():
        noise = "not measured" if each["noise"] is None else f"{each['noise']:.3f}"
        verdict = {None: "", True: "loses", False: "holds"}[each["loses"]]
        worst = f"{each['worst sequence']} {each['worst difference']:+.3f}"
        judged = each.get("declined", "")
        change = f"{each['difference']:+.3f}"
        rows[name] = {"difference": change, "noise": noise, "worst": worst, "verdict": verdict, "declined": judged}
    return table(["difference", "noise", "worst", "verdict", "declined"], rows)


def row_names(measured: Measured) -> Sequence[str]:
    """The rows, the first one first."""
    return list(next(iter(measured.values())))


def page(measured: Measured, found: Mapping[str, Mapping[str, Any]]) -> str:
    """All tables."""
    first, *others = row_names(measured)
    parts = [f"J / F:\n\n{set_table(measured)}"]
    if CLIPS in measured:
        parts.append(f"Clips, J&F by number of objects:\n\n{clip_table(measured)}")
    if others:
        compared = {name: each for name, each in found.items() if name.rpartition(": ")[0] != first}
        parts.append(f"Against {first} unless another is named, J:\n\n{verdict_table(compared)}")
    if set(measured) != {CLIPS}:
        parts += [f"{row} beyond {first}, J:\n\n{difference_table(measured, row)}" for row in others]
    return "\n".join(parts)
