"""Which sources of photos help: one short training on all, one without each, and one on the base alone.

All begin with the same weights, take the same number of steps and the same settings, and differ in what is drawn
(`--weight SOURCE=0`). Each is scored on the videos of `benchmarks.validation`, not on its clips, whose photos are those
of all sources. With several seeds the mean; how far the seeds of a row lie apart says how small a difference is none.
A source helps where the mean over all sets falls without it. What is done is kept in `benchmarks/work/sources`, by its
settings; what was killed goes on.
Run alone: python -m benchmarks.sources DAVIS SHARDS --base SOURCE... [--iterations N] [--seeds N...] [--sets SET...]
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit import ShardReader
from datakit.errors import DatakitError, UsageError
from datakit.files import digest_json, file_sha256
from model.checkpoint import checkpoint_path
from pipelines.train_log import LAST

from . import common
from .__main__ import table
from .ablation import datakit
from .validation_rows import Row
from .validation_sets import VARIANTS, Tree, video_tree
from .validation_tables import mean

HERE, VALIDATION = common.WORK / "sources", common.WORK / "validation"
ALL, BASE = "all", "the base alone"
DONE = "done"  # of a training: beside it lie the weights of its last step, whose rate has sunk to nothing

Scores = Mapping[str, Mapping[str, Sequence[float]]]  # row -> set -> mean J of each seed


@dataclass(frozen=True)
class Training:
    """What all trainings have in common.

    Attributes:
        shards: folder of the shards of all sources.
        digest: of what lies in it.
        init: where they begin, as of `datakit train`.
        iterations: steps.
        size: side of the cuts, in pixels.
        rate: learning rate of the trunk.
    """

    shards: Path
    digest: str
    init: str
    iterations: int
    size: int
    rate: float

    def weights(self, left_out: Sequence[str], seed: int) -> Path:
        """The file of weights of a training without some sources."""
        words = [self.shards.resolve(), "--init", self.init, "--iterations", self.iterations, "--seed", seed,
                 "--set", f"view.size={self.size}", "--set", f"optimizer.learning_rate={self.rate}",
                 "--set", f"validation_every={self.iterations}",
                 *(word for source in left_out for word in ("--weight", f"{source}=0"))]  # fmt: skip
        init = checkpoint_path(self.init)
        begins = file_sha256(init) if init.is_file() else ""
        folder = HERE / digest_json([self.digest, begins, *(str(word) for word in words)])[:12]
        if not (folder / DONE).is_file():
            how = ["--resume", folder] if (folder / LAST).is_file() else [*words, "--out", folder, "--overwrite"]
            datakit("train", *how, "--save-every", 50)
            (folder / DONE).touch()
        return folder / LAST


def left_out(sources: Sequence[str], base: Sequence[str]) -> dict[str, list[str]]:
    """Row -> the sources that it does without.

    Raises:
        UsageError: a source of the base is not there, or nothing is beyond it.
    """
    if missing := [each for each in base if each not in sources]:
        raise UsageError(f"--base {' '.join(missing)}: the shards hold {', '.join(sources)}")
    more = [each for each in sources if each not in base]
    if not more:
        raise UsageError("--base: name fewer; without it no source would be left to be asked about")
    return {ALL: [], BASE: more, **{f"without {each}": [each] for each in more}}


def scored(row: str, weights: Mapping[int, Path], trees: Sequence[Tree], jobs: int) -> dict[str, list[float]]:
    """Set -> mean J of the weights of each seed."""
    rows = [Row(f"{row}, seed {seed}", str(file), "", VALIDATION / "rows") for seed, file in weights.items()]
    return {tree.name: [mean(each.measure(tree, jobs=jobs).values(), "J") for each in rows] for tree in trees}


def describe(scores: Scores) -> str:
    """J of every row on every set, the mean of the sets, and what that is beyond the training on all."""
    rows = {}
    for name, sets in scores.items():
        means = {each: statistics.fmean(values) for each, values in sets.items()}
        overall = statistics.fmean(means.values())
        first = statistics.fmean(statistics.fmean(values) for values in scores[ALL].values())
        seeds = [statistics.fmean(values) for values in zip(*sets.values(), strict=True)]
        apart = f"{max(seeds) - min(seeds):.3f}" if len(seeds) > 1 else "one seed"
        rows[name] = {
            **{each: f"{value:.3f}" for each, value in means.items()}, "mean": f"{overall:.3f}",
            f"beyond {ALL}": f"{overall - first:+.3f}", "between seeds": apart,
        }  # fmt: skip
    return table(list(rows[ALL]), rows)


def run(args: argparse.Namespace) -> None:
    """Train and score every row, the table after each."""
    contents = ShardReader(args.shards).contents
    sources = sorted({portion.entry.source for portion in contents.portions})
    training = Training(args.shards, str(contents.digest), args.init, args.iterations, args.size, args.rate)
    trees = [video_tree(args.davis, name, None, VALIDATION) for name in args.sets]
    scores: dict[str, dict[str, list[float]]] = {}
    for name, without in left_out(sources, args.base).items():
        weights = {seed: training.weights(without, seed) for seed in args.seeds}
        scores[name] = scored(name, weights, trees, args.jobs)
        print(describe(scores), flush=True)
    common.save("sources", {
        "base": " ".join(args.base), "init": args.init, "learning rate": args.rate,
        "iterations": args.iterations, "cut, pixels": args.size, "seeds": len(args.seeds),
        **{name: {each: round(statistics.fmean(values), 4) for each, values in sets.items()}
           for name, sets in scores.items()},
    })  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("davis", type=Path)
    parser.add_argument("shards", type=Path)
    parser.add_argument("--base", nargs="+", required=True, metavar="SOURCE", help="those that every training has")
    parser.add_argument("--init", default="bundled")
    parser.add_argument("--iterations", type=int, default=300)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--sets", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("-j", "--jobs", type=int, default=2)
    try:
        run(parser.parse_args())
    except DatakitError as error:
        raise SystemExit(f"error: {error}") from None
