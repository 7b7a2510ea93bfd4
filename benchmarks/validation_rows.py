"""A row of the validation: one network with one way to propagate, on any set, nothing measured twice.

What was measured lies in `benchmarks/work/validation/rows`, by the set and every setting that masks depend on, given or
default, sequence by sequence; label pictures beside it, so that a run that was killed goes on where it was. Where a
default changes, the rows that had it are others.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from datakit.arrays import Labels
from datakit.datasets import ReadOptions
from datakit.evaluation import SequenceScores
from datakit.files import digest_json, file_sha256, write_json
from datakit.video.labels import REPORT
from model.checkpoint import checkpoint_path
from pipelines.cli_network import propagate as command
from pipelines.evaluate.match import SequencePair, read_map
from pipelines.evaluate.result import EvaluateConfig
from pipelines.evaluate.run import evaluate
from pipelines.propagate.network import open_engine
from pipelines.propagate.options import tree_from
from pipelines.propagate.output import SUMMARY

from .validation_events import clip_events
from .validation_sets import ANNOTATIONS, Tree

ROOT = Path(__file__).parent.parent
Record = Mapping[str, Any]  # of a sequence: J and F of its objects, its events, the code they are of


@dataclass(frozen=True)
class Row:
    """A network and how it is asked.

    Attributes:
        name: in the tables.
        weights: `bundled` or a checkpoint file.
        options: of `datakit propagate`, as in a shell.
        folder: of all rows.
    """

    name: str
    weights: str
    options: str
    folder: Path

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What the options come to with this network, see `settled`."""
        return settled(self.weights, self.options)

    def place(self, tree: Tree) -> Path:
        """Folder of what this row makes of a set."""
        return self.folder / digest_json(self.settings)[:16] / tree.root.name

    def measure(self, tree: Tree, again: bool = False, jobs: int = 1) -> dict[str, Record]:
        """A record of every sequence of a set: those that are there already, and those measured now.

        Args:
            tree: the set.
            again: measure them anew; other sequences of the set keep what they have.
            jobs: worker processes.

        Raises:
            subprocess.CalledProcessError: the propagation failed; its own words stand above.
        """
        place = self.place(tree)
        done = _stored(place / "records.json")
        missing = [name for name in tree.sequences if again or name not in done]
        if missing:
            print(f"{self.name} on {tree.name}: {len(missing)} of {len(tree.sequences)} sequences", flush=True)
            if again:
                self.forget(tree, missing)
            labels = self.propagated(tree, missing, jobs)
            done |= measured(labels, tree, missing, jobs)
            place.mkdir(parents=True, exist_ok=True)
            write_json(place / "records.json", done)
        return {name: done[name] for name in tree.sequences}

    def forget(self, tree: Tree, sequences: Sequence[str]) -> None:
        """Remove the label pictures of sequences, and what the online stage has learnt of them."""
        for name in sequences:
            for code in self.place(tree).glob("*/"):
                shutil.rmtree(code / name, ignore_errors=True)
                shutil.rmtree(code / REPORT / name, ignore_errors=True)

    def propagated(self, tree: Tree, sequences: Sequence[str], jobs: int) -> Path:
        """Segment sequences by the command; the folder of label pictures. Those of other code are removed."""
        out = self.place(tree) / code_digest()[:16]
        for old in self.place(tree).glob("*/"):
            if old != out:
                shutil.rmtree(old)
        words = [sys.executable, "-m", "pipelines", "propagate", "--davis", tree.root, "--out", out, "--weights",
                 checkpoint_path(self.weights).resolve(), "--sequences", ",".join([*sequences, ""]), "-j", jobs,
                 "--no-overlay", *shlex.split(self.options)]  # fmt: skip
        paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        command, environment = [str(word) for word in words], os.environ | {"PYTHONPATH": paths}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        return out


def settled(weights: str, options: str) -> dict[str, Any]:
    """Every setting of a propagation that its masks depend on, given or default, as plain values.

    Args:
        weights: `lite-memory`, `bundled` or a checkpoint file.
        options: of `datakit propagate`, as in a shell.

    Raises:
        click.UsageError: an option that it does not know, or a value outside its range.
        DatakitError: no such weights.
    """
    words = ["--davis", ".", "--out", ".", "--weights", str(checkpoint_path(weights).resolve()), *shlex.split(options)]
    with command.make_context("propagate", words) as context:
        tree = tree_from(None, context.params)
    network = {key: value for key, value in open_engine(tree.job.network).settings().items() if key != "tools"}
    how = {key: getattr(tree.job, key) for key in ("start", "stop", "stride")}
    spacing = asdict(tree.spacing) if tree.spacing else None
    return {"network": network, **how, "from_boxes": tree.from_boxes, "spacing": spacing, "read": asdict(tree.job.read)}


@cache
def code_digest() -> str:
    """Of the code that propagates: records tell by it whether they are of today's."""
    files = sorted([*(ROOT / "model").rglob("*.py"), *(ROOT / "pipelines/propagate").rglob("*.py")])
    return digest_json([[str(file.relative_to(ROOT)), file_sha256(file)] for file in files])


def _stored(path: Path) -> dict[str, Record]:
    found: dict[str, Record] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def measured(labels: Path, tree: Tree, sequences: Sequence[str], jobs: int) -> dict[str, Record]:
    """The records of some sequences, by `datakit evaluate` and, of clips, their events.

    Raises:
        Mismatch: predictions do not fit.
    """
    names = ",".join([*sequences, ""])
    found = evaluate(EvaluateConfig(labels, tree.root / ANNOTATIONS, tree.convention, names, jobs=jobs))
    pairs = {clip.name: clip for clip in found.clips}
    records: dict[str, Record] = {}
    for each in found.scores.sequences:
        numbered = not found.scores.convention.merged
        events = events_of(pairs[each.name], len(each.objects)) if numbered else {}
        records[each.name] = scores_of(each) | events | verdict_of(labels / REPORT / each.name / SUMMARY)
    return records


def verdict_of(report: Path) -> dict[str, Any]:
    """Whether the online stage was declined, as the report of a propagation says; nothing where it does not."""
    found = json.loads(report.read_text(encoding="utf-8")) if report.is_file() else {}
    judge = (found.get("online") or {}).get("judge")
    return {"declined": bool(judge["declined"])} if judge else {}


def scores_of(found: SequenceScores) -> dict[str, Any]:
    """J and F of every object, and the code they were measured by."""
    each = [(one.scores.J.mean, one.scores.F.mean) for one in found.objects]
    return {"J": [J for J, _ in each], "F": [F for _, F in each], "code": code_digest()}


def events_of(files: SequencePair, objects: int) -> dict[str, Any]:
    """Swaps, returns and finds of a sequence whose objects are numbered from 1 without gaps."""

    def ids(path: Path) -> Labels:
        labels: Labels = read_map(path, str(path), ReadOptions()).labels
        return labels

    return asdict(clip_events(((ids(files.predicted[n]), ids(files.target[n])) for n in files.target), objects))
