"""Shared by all benchmarks: data, alternating rounds, medians, and where results go."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from datakit.tools import tool_versions

HERE = Path(__file__).parent
RESULTS = HERE / "results"
WORK = HERE / "work"
Timed = Callable[[], object]


def data_root() -> Path:
    """A folder in ECSSD's layout: the real set where DATAKIT_BENCH_DATA names one, else 400 drawn photos."""
    if root := os.environ.get("DATAKIT_BENCH_DATA"):
        return Path(root)
    drawn = WORK / "drawn"
    if not (drawn / "ecssd").is_dir():
        from datakit.sample import draw_sample_data

        draw_sample_data(drawn, 0, 400)
    return drawn / "ecssd"


def by_turns(sides: Mapping[str, Timed], rounds: int) -> dict[str, list[float]]:
    """Seconds of every side in every round, the sides taking turns so that a drifting machine hits all alike."""
    for side in sides.values():  # warm-up: page cache, lazy imports
        side()
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        names = list(sides) if number % 2 else list(sides)[::-1]
        for name in names:
            started = time.perf_counter()
            sides[name]()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def median_ratio(above: list[float], below: list[float]) -> float:
    """Median over rounds of the paired ratio `above / below`."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def medians(seconds: Mapping[str, list[float]]) -> dict[str, float]:
    """Median seconds per side."""
    return {name: round(statistics.median(values), 4) for name, values in seconds.items()}


def processor() -> str:
    """Name of the processor where the system tells it, else its architecture."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def save(name: str, figures: Mapping[str, object]) -> None:
    """Write `results/NAME.json` with machine, date and versions, and print the figures."""
    RESULTS.mkdir(exist_ok=True)
    machine = {"machine": processor(), "cores": os.cpu_count(), "date": date.today().isoformat()}
    (RESULTS / f"{name}.json").write_text(
        json.dumps({"figures": figures, **machine, "tools": tool_versions()}, indent=2, sort_keys=True) + "\n"
    )
    print(f"\n{name}")
    for key, value in figures.items():
        print(f"  {key}: {value}")
