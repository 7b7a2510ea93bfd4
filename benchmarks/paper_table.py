"""The table of `benchmarks.paper`: our figures beside the paper's, and where the two do not agree."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

NOISE = 1.0  # percent that a mean moves by for nothing (docs/propagation.md): what is less is no disagreement


@dataclass(frozen=True)
class Found:
    """One row with one seed.

    Attributes:
        name: of the row.
        paper: mean IoU in the paper, percent; None for a row that is not there.
        seed: of training and online stage.
        J: mean IoU over the sequences, 0..1.
        low: IoU that a fifth of the frames lies below.
        sequences: name -> its J.
    """

    name: str
    paper: float | None
    seed: int
    J: float
    low: float
    sequences: Mapping[str, float]


def describe(found: Sequence[Found], full: str, copied: float | None) -> str:
    """The whole text: the table, what of §5.4 was measured besides, and what does not agree.

    Args:
        found: rows with seeds, in the order of the table.
        full: the row that the others are compared with.
        copied: J of copied annotations, where several frames were annotated.
    """
    seeds: dict[str, dict[int, float]] = {}
    papers = {each.name: each.paper for each in found if each.paper is not None}
    for each in found:
        seeds.setdefault(each.name, {})[each.seed] = 100 * each.J
    lines = ["| row | paper | change | ours | change | J of each seed |", "|---|---|---|---|---|---|"]
    for name, values in seeds.items():
        mean = statistics.mean(values.values())
        theirs = ours = ""
        if name != full and full in seeds:
            theirs = f"{papers[name] - papers[full]:+.1f}" if name in papers else ""
            changes = [values[seed] - seeds[full][seed] for seed in values if seed in seeds[full]]
            ours = f"{statistics.mean(changes):+.1f}" if changes else ""
        each_seed = ", ".join(f"{values[seed]:.1f}" for seed in sorted(values))
        paper = f"{papers[name]:.1f}" if name in papers else ""
        lines.append(f"| {name} | {paper} | {theirs} | {mean:.1f} | {ours} | {each_seed} |")
    if copied is not None:
        low = 100 * statistics.mean(each.low for each in found if "annotated" in each.name)
        lines += ["", f"Several annotated frames: a fifth of the frames lies below J {low:.1f} (paper: 81), and "
                  f"annotations copied to the nearest frames reach {100 * copied:.1f} (paper: 64)."]  # fmt: skip
    return "\n".join([*lines, "", *(signs(seeds, papers, full) if full in seeds else ()), *orders(seeds, papers), ""])


def signs(seeds: Mapping[str, Mapping[int, float]], papers: Mapping[str, float], full: str) -> Iterable[str]:
    """A line for the rows that lie on the other side of `full` than in the paper, with the same seed on both sides."""
    against, open_ = [], []
    for name in papers:
        theirs = papers[name] - papers[full]
        same = [seed for seed in seeds[name] if seed in seeds[full]]
        ours = [seeds[name][seed] - seeds[full][seed] for seed in same]
        wrong = [change for change in ours if change * theirs < 0 and abs(change) >= NOISE]
        if wrong:
            (against if len(wrong) == len(same) else open_).append(name)
    yield f"Other sign than in the paper: {', '.join(against) or 'none'}."
    if open_:
        yield f"Other sign with some of the seeds: {', '.join(open_)}."


def orders(seeds: Mapping[str, Mapping[int, float]], papers: Mapping[str, float]) -> Iterable[str]:
    """A line for the rows that lie below others by more than noise, whatever the seeds, and above them in the paper."""
    under: dict[str, list[str]] = {}
    for one, two in itertools.combinations(papers, 2):
        below, above = sorted((one, two), key=papers.__getitem__)
        if papers[below] < papers[above] and min(seeds[below].values()) >= max(seeds[above].values()) + NOISE:
            under.setdefault(above, []).append(below)
    found = [f"{name} below {', '.join(others)}" for name, others in under.items()]
    yield f"Other order than in the paper, with every seed: {'; '.join(found) or 'none'}."
