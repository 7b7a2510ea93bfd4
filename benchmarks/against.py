"""Compares this tree with another one, for example the commit before, by turns: build, read, verify, evaluate, train.

    python -m benchmarks.against OTHER SET [--predictions FOLDER --truth FOLDER] [--train WORDS] [--rounds N]

WORDS are of `datakit train` behind its shards, as "--network lite --init imagenet --iterations 20".

Each tree has a process of its own that has imported everything and works on the same files by one job; what counts
is its processor time, children included. A ratio above 1 means that this tree is the faster one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent


def worker() -> None:
    """Does what each line on standard input names, and answers with the seconds it took."""
    answer = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    from datakit.shards import ShardReader
    from pipelines.cli import cli

    def read(shards: str) -> None:
        reader = ShardReader(shards)
        for index in range(len(reader)):
            triple = reader[index]
            assert triple.image.shape[:2] == triple.target.shape

    for line in sys.stdin:
        name, *arguments = json.loads(line)
        before = os.times()
        if name == "read":
            read(*arguments)
        else:
            with contextlib.suppress(SystemExit):
                cli([name, *arguments], standalone_mode=False)
        after = os.times()
        print(sum(after[:4]) - sum(before[:4]), file=answer)


class Tree:
    """The process that works with the code of one tree.

    Args:
        root: of the tree.
        script: run with `--worker`, it answers each line of JSON on standard input with one.
    """

    def __init__(self, root: Path, script: Path = Path(__file__)):
        command = [sys.executable, "-P", str(script.resolve()), "--worker"]
        environment = {**os.environ, "PYTHONPATH": str(root.resolve())}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, env=environment, cwd="/", stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, bufsize=1
        )

    def ask(self, *line: object) -> Any:
        """The answer to a piece of work, such as its processor seconds."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(line, default=str) + "\n")
        return json.loads(self.process.stdout.readline())


def run(
    other: Path,
    photos: Path,
    predictions: Path | None,
    truth: Path | None,
    train: str | None = None,
    limit: int = 300,
    rounds: int = 9,
) -> None:
    """Print the median paired ratios."""
    from . import common  # not in a worker, which has no package around it

    sides = {"this": Tree(HERE), "other": Tree(other)}
    with tempfile.TemporaryDirectory() as scratch:

        def work(name: str, number: int, side: str) -> tuple[object, ...]:
            out = Path(scratch) / f"{side}-{number}"
            reads = Path(scratch) / "this-0"  # equal bytes in both trees
            lines: dict[str, tuple[object, ...]] = {
                "build": ("build-shards", photos, "--out", out, "-j", "1", "--limit", str(limit)),
                "read": ("read", reads),
                "verify": ("verify", reads, "--deep", "-j", "1"),
                "evaluate": ("evaluate", predictions, truth, "-j", "1"),
                "train": ("train", reads, "--out", f"{out}-run", *shlex.split(train or "")),
            }
            return lines[name]

        more = [*(["evaluate"] if predictions else []), *(["train"] if train else [])]
        for name in ("build", "read", "verify", *more):
            seconds: dict[str, list[float]] = {side: [] for side in sides}
            for number in range(rounds + 1):  # the first warms up
                for side in list(sides)[:: 1 if number % 2 else -1]:
                    seconds[side].append(sides[side].ask(*work(name, number, side)))
            kept = {side: values[1:] for side, values in seconds.items()}
            print(f"{name}: {common.median_ratio(kept['other'], kept['this']):.3f}", common.medians(kept), flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--worker"]:
        worker()
        sys.exit()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--predictions", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--train", metavar="WORDS")
    parser.add_argument("--limit", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=9)
    run(**vars(parser.parse_args()))
