"""A validation that nothing was fitted to: ten videos shown in five ways, and 100 clips whose truth is exact.

The sets are the videos of DAVIS forwards, backwards (from the last annotation), mirrored, at half size and with every
third frame; and short films made of photos that were held back from training, with 1 to 4 objects that leave and
return. A row is a network with one way to propagate; each is compared with the first. `datakit propagate` and `datakit
evaluate` do the work; what is done is kept, so that a run that was stopped goes on.

With `--noise N` the first row also sees every set N times moved by one pixel, its frames encoded anew. Nobody could
call one of these better than another, so by as much as they move its mean J, at most, a row may fall below it and have
lost nothing: that is the noise of the set. N also seeds these runs, for rows that draw.

Whether a photo is held back hangs on its key, and so on the label of its source: SHARDS must give every source the
label that it had in the training of every network in the table, else clips are made of photos that one has learnt.
`--online` adds a row with the online stage for each network, which is compared with that network as well.
Run alone: python -m benchmarks.validation DAVIS SHARDS... [--weights NAME=FILE ...] [--options NAME="..." ...]
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from datakit.errors import DatakitError, UsageError

from . import common
from .validation_clips import CLIPS, COUNTS, clip_tree
from .validation_rows import Row, code_digest
from .validation_sets import VARIANTS, Tree, video_tree
from .validation_tables import Measured, Records, figures, mean, page

HERE = common.WORK / "validation"
SETS = (*VARIANTS, "clips")


def rows_of(weights: Mapping[str, str], options: Mapping[str, str], folder: Path) -> list[Row]:
    """Each network as it is, and with each of some options."""
    ways = {"": "", **options}
    return [
        Row(" + ".join(filter(None, (name, way))), file, words, folder)
        for name, file in weights.items()
        for way, words in ways.items()
    ]


def named(texts: Sequence[str], what: str) -> dict[str, str]:
    """NAME=VALUE as a table.

    Raises:
        UsageError: one has no name, or two have the same.
    """
    pairs = [text.partition("=")[::2] for text in texts]
    if not all(name and value for name, value in pairs) or len({name for name, _ in pairs}) < len(pairs):
        raise UsageError(f"{what} {' '.join(texts)}: expected NAME=VALUE, each name once")
    return dict(pairs)


def trees(args: argparse.Namespace) -> list[Tree]:
    """The sets that were asked for, written where they are not there yet."""
    if "clips" in args.sets and not args.shards:
        raise UsageError("SHARDS: name the shards that training reads, for the clips; or leave clips out of --sets")
    if args.clips < len(COUNTS) or args.clips % len(COUNTS):
        raise UsageError(f"--clips {args.clips}: expected a multiple of {len(COUNTS)}, as many with 1 to 4 objects")
    return [
        clip_tree(args.shards, args.clips, HERE) if name == "clips"
        else video_tree(args.davis, name, args.sequences, HERE)
        for name in args.sets
    ]  # fmt: skip


def noise_of(tree: Tree, first: Row, calm: Records, count: int, jobs: int) -> float:
    """Largest change of the mean J of a row on a set that is moved by one pixel, `count` ways."""
    usual = mean(calm.values(), "J")
    means = []
    for number in range(1, count + 1):
        row = replace(first, options=f"{first.options} --seed {number}")
        means.append(mean(row.measure(tree.shifted(number), jobs=jobs).values(), "J"))
    return max(abs(each - usual) for each in means)


def remarks(measured: Measured) -> list[str]:
    """Which rows hold what other code has measured."""
    return [
        f"{row}: {name}: of other code; measure it anew by --again"
        for name, rows in measured.items()
        for row, records in rows.items()
        if any(each["code"] != code_digest() for each in records.values())
    ]


def run(args: argparse.Namespace) -> None:
    """Every row on every set, and the tables."""
    weights = named(args.weights, "--weights") or {"bundled": "bundled"}
    options = named(args.options, "--options") | ({"online": "--online"} if args.online else {})
    rows = rows_of(weights, options, HERE / "rows")
    measured: dict[str, dict[str, Records]] = {}
    noise: dict[str, float] = {}
    for tree in trees(args):
        measured[tree.name] = {row.name: row.measure(tree, args.again, args.jobs) for row in rows}
        if args.noise:
            noise[tree.name] = noise_of(tree, rows[0], measured[tree.name][rows[0].name], args.noise, args.jobs)
        for name, records in measured[tree.name].items():
            print(f"{name} on {tree.name}: J {mean(records.values(), 'J'):.3f}", flush=True)
    found = figures(measured, noise)
    if set(args.sets) == set(SETS) and args.clips == CLIPS and args.sequences is None:
        about = {
            row.name: {"options": row.options or "none", "weights": row.settings["network"]["weights"]} for row in rows
        }
        common.save("validation", {**found, **about, "noise: movements by a pixel": args.noise})
    print("\n" + "\n".join([page(measured, found), *remarks(measured)]))


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("davis", type=Path, help="a tree as DAVIS lays it out")
    parser.add_argument("shards", type=Path, nargs="*", help="folders of shards, for the clips")
    parser.add_argument("--weights", nargs="+", action="extend", default=[], metavar="NAME=FILE")
    parser.add_argument("--options", nargs="+", action="extend", default=[], metavar="NAME=WORDS")
    parser.add_argument("--online", action="store_true", help="a row with --online for each network as well")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--clips", type=int, default=CLIPS, help="how many, a multiple of 4")
    parser.add_argument("--sequences", nargs="+", help="of the videos; default: all")
    parser.add_argument("--noise", type=int, default=0, metavar="N", help="movements by a pixel, 1 to 4")
    parser.add_argument("--again", action="store_true", help="measure the rows anew, on these sequences")
    parser.add_argument("-j", "--jobs", type=int, default=1, help="worker processes")
    return parser.parse_args(words)


if __name__ == "__main__":
    try:
        run(parsed())
    except DatakitError as error:
        raise SystemExit(f"error: {error}") from None
    except click.UsageError as error:
        raise SystemExit(f"error: --options: {error.format_message()}") from None
