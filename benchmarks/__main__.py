"""Runs every benchmark and writes docs/benchmarks.md: python -m benchmarks"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import build, clips, common, evaluate, listing, plan, propagate, read, start, train, verify, warp

BENCHMARKS = (
    start.run,
    lambda: warp.run(common.data_root()),
    read.run,
    lambda: clips.run(read.built().folder),
    verify.run,
    plan.run,
    listing.run,
    evaluate.run,
    propagate.run,
    train.run,
    build.run,
)
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
INTRODUCTION = """# Speed

Written by `make bench` (`python -m benchmarks`) from `benchmarks/results/*.json`. Every ratio is the median over rounds
in which the sides took turns on the same bytes; seconds are medians, of one machine, and worth less than the ratios.
`DATAKIT_BENCH_DATA` names a folder in ECSSD's layout to measure on; without it 400 drawn photos are used.
What the floors are stands at the head of each file in `benchmarks/`.
"""


def page() -> str:
    """The page: the tables of every benchmark."""
    parts = [INTRODUCTION]
    for path in sorted(common.RESULTS.glob("*.json")):
        result = json.loads(path.read_text())
        machine = f"{result['date']}, {result['cores']} cores, {result['machine']}"
        parts.append(f"## {path.stem}\n\n`python -m benchmarks.{path.stem}` · {machine}\n")
        parts += tables(result["figures"])
    return "\n".join(parts)


def tables(figures: Mapping[str, Any]) -> list[str]:
    """Single figures in one table, and those of several columns in one for each set of columns."""
    single = {name: {"value": value} for name, value in figures.items() if not isinstance(value, dict)}
    columns: dict[tuple[str, ...], dict[str, Mapping[str, Any]]] = {("value",): single} if single else {}
    for name, value in figures.items():
        if isinstance(value, dict):
            shown = tuple(sorted(key for key, each in value.items() if not isinstance(each, dict)))
            columns.setdefault(shown, {})[name] = value
    return [table(names, rows) for names, rows in columns.items()]


def table(columns: Sequence[str], rows: Mapping[str, Mapping[str, Any]]) -> str:
    """One table in Markdown."""
    lines = [["figure", *columns], ["---"] * (1 + len(columns))]
    lines += [
        [name, *("" if row[column] is None else str(row[column]) for column in columns)] for name, row in rows.items()
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    for benchmark in BENCHMARKS:
        benchmark()
    PAGE.write_text(page(), encoding="utf-8")
