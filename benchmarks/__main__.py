"""Every benchmark, one after the other, and the page docs/benchmarks.md: python -m benchmarks"""

from __future__ import annotations

import json
from pathlib import Path

from . import build, common, evaluate, plan, propagate, read, start, train, verify, warp

BENCHMARKS = (
    start.run,
    lambda: warp.run(common.data_root()),
    read.run,
    verify.run,
    plan.run,
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
    """The page: a table per benchmark."""
    parts = [INTRODUCTION]
    for path in sorted(common.RESULTS.glob("*.json")):
        result = json.loads(path.read_text())
        machine = f"{result['date']}, {result['cores']} cores, {result['machine']}"
        rows = [f"| {name} | {value} |" for name, value in result["figures"].items()]
        head = [
            f"## {path.stem}",
            "",
            f"`python -m benchmarks.{path.stem}` · {machine}",
            "",
            "| figure | value |",
            "|---|---|",
        ]
        parts.append("\n".join([*head, *rows]) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    for benchmark in BENCHMARKS:
        benchmark()
    PAGE.write_text(page(), encoding="utf-8")
