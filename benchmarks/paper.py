"""The paper's Table 1 by one command: each row trained, propagated and scored by ours, beside the paper's figure.

`full` is trained on the `masktrack` masks of the sources, fitted to the first frame of each sequence and propagated;
every other row changes one thing, in both stages. Faults of guide masks that the paper does not have (`view.partial`
and its like, the network's own masks) are off in all of them. J is that of `datakit evaluate --convention davis2016`,
which counts frames as the paper does: all but the first and the last, annotated ones included. With several seeds the
mean, and how often a row lies on the other side of `full` than in the paper. "Training on video" is not among the rows.
A row and seed that is done is kept in `benchmarks/work/paper`, by its settings; what was killed goes on. Its figures
are in its `done.json`; given by `--known`, they are not made again on another machine. Those of the table in
docs/paper.md lie in `benchmarks/results/paper`.
Figures of the paper: arXiv 1612.02646, Table 1, Table 2 (MaskTrackBox) and §5.4, all 50 sequences of DAVIS-2016.
Run alone: python -m benchmarks.paper --davis ROOT SOURCE... [--rows NAME...] [--iterations N] [--size S]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from datakit.extras import MissingExtra, require
from datakit.files import digest_json, write_json
from datakit.transforms import PRESETS
from pipelines.pool import map_on_processes
from pipelines.propagate.masks import Spacing
from pipelines.propagate.network import NetworkChoice
from pipelines.propagate.run import PropagateJob
from pipelines.propagate.tree import TreeJob, sequence_jobs
from pipelines.train_log import BEST, LAST

from . import common
from .ablation import FAULTLESS, RECIPES, datakit
from .paper_networks import BOXES, NO_MASK, Task, segment, write_untrained
from .paper_table import Found, describe
from .several_frames import copied, quantile
from .variants import judged

HERE = common.WORK / "paper"
PROGRAM = (sys.executable, "-m", "benchmarks.paper_networks")
DONE = "done.json"
LEARNT = 0.9  # share of the photos that a training takes; the others are held back
EVERY = 10


@dataclass(frozen=True)
class Row:
    """One row: what it changes of the full system.

    Attributes:
        paper: its mean IoU in the paper, percent; None for a row that is not there.
        recipe: of the guide masks, in both stages.
        network: what stands behind the network's name.
        learnt: share of the photos that is trained on.
        offline, online: whether there is that stage.
        flow, crf: as of `datakit propagate`.
        whole: the network sees whole frames instead of windows around the mask, which would tell where it is.
        box: sequences begin with boxes; the network of `BOX_ROW` makes masks of them.
        every: of so many annotations one is given; None for the first alone.
    """

    paper: float | None
    recipe: str = "masktrack"
    network: str = ""
    learnt: float = LEARNT
    offline: bool = True
    online: bool = True
    flow: str = "none"
    crf: bool = False
    whole: bool = False
    box: bool = False
    every: int | None = None


FULL, BOX_ROW = "full", "boxes as input"
ROWS: dict[str, Row] = {
    FULL: Row(74.8),
    "+ flow": Row(78.4, flow="dis"),
    "+ flow + CRF": Row(80.3, flow="dis", crf=True),
    "no online": Row(69.9, online=False),
    "no offline": Row(57.6, offline=False),
    "half the photos": Row(73.2, learnt=LEARNT / 2),
    "no dilation": Row(72.4, recipe="no-dilation"),
    "no deformation": Row(17.1, recipe="no-deformation"),
    "no non-rigid": Row(73.3, recipe="no-nonrigid"),
    BOX_ROW: Row(69.6, recipe="masktrack-box", network=BOXES),
    "no mask input": Row(72.5, network=NO_MASK, whole=True),
    "full, whole frames": Row(None, whole=True),  # what the row above is to be compared with
    "MaskTrackBox": Row(73.7, box=True),
    f"every {EVERY}th frame annotated": Row(86.0, every=EVERY),
}
assert {row.recipe for row in ROWS.values()} == set(RECIPES)


@dataclass(frozen=True)
class Plan:
    """What holds for all rows.

    Attributes:
        network: `lite`, at a budget of some 15 minutes a row on two cores, or `deeplab-vgg16` at full size.
        preset: of training and of the online stage.
        iterations: steps of a training.
        size: side of all cuts in pixels, in training, in the online stage and in propagation.
        given: settings of propagation beside it.
        online_iterations: steps of the online stage; None for the preset's.
        init: where trainings begin.
        device: as of `datakit train`.
    """

    network: str = "lite"
    preset: str = "default"
    iterations: int = 900
    size: int = 192
    given: Mapping[str, Any] | None = None
    online_iterations: int | None = None
    init: str = "imagenet"
    device: str = "auto"


# DeepLab-VGG16 as docs/paper.md has it: whole frames at their own scale, one look, the mask grown by 5 pixels in place.
LETTER = {"full_frame": True, "mirrored": False, "dilation": 5, "motion": 0.0, "size": 854}
PLANS = {
    "lite": Plan(),
    "deeplab-vgg16": Plan("deeplab-vgg16", "paper", iterations=20_000, size=321, given=LETTER),
}


@dataclass(frozen=True)
class Bench:
    """A plan on some data.

    Attributes:
        plan: how.
        davis: tree of videos.
        sequences: those that are scored.
        sources: photos, as `datakit build-shards` takes them.
        jobs: processes that build and propagate.
        workers: loader processes of a training.
        known: `done.json` of rows that were made on other machines, by their `row_digest`.
    """

    plan: Plan
    davis: Path
    sequences: Sequence[str]
    sources: Sequence[str]
    jobs: int = 1
    workers: int = 2
    known: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    def found(self, name: str, seed: int) -> dict[str, Any]:
        """A row with a seed, from what an earlier run has left where it was done."""
        about, folder = self.about(name, seed), self.folder(name, seed)
        if known := self.known.get(row_digest(about)):
            return known
        done = folder / DONE
        if not done.is_file():
            self.propagate(ROWS[name], seed, folder)
            scores = judged(folder / "masks", self.davis, "--sequences", ",".join(self.sequences),
                            "--csv", folder / "frames.csv")  # fmt: skip
            sequences = {each: scores["sequences"][each]["J"]["mean"] for each in self.sequences}
            found = {"J": scores["J"]["mean"], "F": scores["F"]["mean"], "J, worst fifth of frames below":
                     quantile(folder / "frames.csv", 0.2), "sequences": sequences}  # fmt: skip
            names = {"davis": self.davis.name, "sources": [Path(source).name for source in self.sources]}
            write_json(done, {**about, **names, **found})
        return json.loads(done.read_text(encoding="utf-8"))  # type: ignore[no-any-return]

    def about(self, name: str, seed: int) -> dict[str, Any]:
        """All that a row's figures depend on, as plain values."""
        return {"row": asdict(ROWS[name]), "plan": asdict(self.plan), "seed": seed, "sources": list(self.sources),
                "davis": str(self.davis), "sequences": list(self.sequences)}  # fmt: skip

    def folder(self, name: str, seed: int) -> Path:
        """Where a row with a seed is made; other settings have another."""
        digest = digest_json(self.about(name, seed))[:12]
        return HERE / f"{self.plan.network} {name} seed {seed} {digest}".replace(" ", "-")

    def propagate(self, row: Row, seed: int, folder: Path) -> None:
        """Segment all sequences into `folder/masks`."""
        plan = self.plan
        recipe = replace(PRESETS["online"], steps=PRESETS[row.recipe].steps)
        boxed_by = str(self.weights(ROWS[BOX_ROW], seed)) if row.box else None
        given = {"size": plan.size, **(plan.given or {})} | ({"full_frame": True} if row.whole else {})
        choice = NetworkChoice(
            str(self.weights(row, seed)), given, row.online, plan.preset, self.online_settings(row), row.flow, row.crf,
            seed, plan.device,
        )  # fmt: skip
        job = PropagateJob(self.davis, folder / "masks", network=choice, overlay=False)
        spacing = None if row.every is None else Spacing(row.every)
        tree = TreeJob(self.davis, job, ",".join(self.sequences), row.box, spacing, self.jobs)
        tasks = [Task(each, recipe, boxed_by) for each in sequence_jobs(tree)]
        for sequence in map_on_processes(segment, tasks, self.jobs):
            print(f"  {sequence}", flush=True)

    def online_settings(self, row: Row) -> tuple[str, ...]:
        """`KEY=VALUE` of the online stage: as offline, not judged, and all of it is used where it stands alone."""
        texts = [*FAULTLESS[1::2], "judge.asked=false", f"view.size={self.plan.size}"]
        texts += ["view.whole=1"] if row.whole else []
        texts += [] if self.plan.online_iterations is None else [f"iterations={self.plan.online_iterations}"]
        texts += [] if row.offline else ["share=1"]
        return tuple(f"online.{text}" for text in texts)

    def weights(self, row: Row, seed: int) -> Path:
        """Weights that a row begins with; those of rows that train alike are trained once."""
        plan, network = self.plan, self.plan.network + row.network
        if not row.offline:
            path = HERE / f"{network}-untrained-seed-{seed}-{digest_json([plan.init])[:12]}.safetensors"
            if not path.is_file():
                write_untrained(path, network, plan.init, seed)
            return path
        words = ["--preset", plan.preset, "--network", network, "--init", plan.init, "--iterations", plan.iterations,
                 "--seed", seed, "--set", f"view.size={plan.size}", "--set", f"validation_every={plan.iterations}",
                 "--set", f"validation_share={1 - row.learnt:g}", *FAULTLESS,
                 *(("--set", "view.whole=1") if row.whole else ())]  # fmt: skip
        shards = HERE / f"shards-{row.recipe}-{digest_json(list(self.sources))[:12]}"
        folder = HERE / f"{network}-{row.recipe}-seed-{seed}-{digest_json([shards.name, *map(str, words)])[:12]}"
        done = folder / DONE
        if not done.is_file():
            datakit("build-shards", *self.sources, "--recipe", row.recipe, "--out", shards, "-j", self.jobs)
            begun = (folder / LAST).is_file()
            how = ["--resume", folder] if begun else [shards, "--out", folder, *words, "--overwrite"]
            found = datakit("train", *how, "--device", plan.device, "--workers", self.workers, "--save-every", 50,
                            "--json", program=PROGRAM)  # fmt: skip
            write_json(done, json.loads(found))
        return folder / BEST


def row_digest(about: Mapping[str, Any]) -> str:
    """Of what a row is, wherever its data lie: of folders the names alone."""
    sources = [Path(source).name for source in about["sources"]]
    return digest_json([about["row"], about["plan"], about["seed"], sources, sorted(about["sequences"])])


def known_rows(files: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Those `done.json` that are of rows, by `row_digest`; trainings have some, too."""
    found = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return {row_digest(each): each for each in found if "row" in each}


def found_of(name: str, stored: Mapping[str, Any]) -> Found:
    """A line of the table from a `done.json`."""
    low = stored["J, worst fifth of frames below"]
    return Found(name, ROWS[name].paper, stored["seed"], stored["J"], low, stored["sequences"])


def rounded(percent: float | None) -> float | None:
    """A share of 1."""
    return None if percent is None else round(percent / 100, 3)


def possible(rows: Sequence[str]) -> list[str]:
    """Those of the rows that can be made here; a CRF needs its extra, and what lacks it is named before work begins."""
    try:
        require("crf", "the CRF")
    except MissingExtra as error:
        for name in rows:
            if ROWS[name].crf:
                print(f"left out: {name} ({error})")
        return [name for name in rows if not ROWS[name].crf]
    return list(rows)


def run(bench: Bench, rows: Sequence[str], seeds: Sequence[int]) -> str:
    """All rows with the first seed, then with the next; the table. It is stored after each row, to be looked at."""
    found: list[Found] = []
    HERE.mkdir(parents=True, exist_ok=True)
    for seed, name in itertools.product(seeds, rows):
        print(f"{name}, seed {seed}", flush=True)
        found.append(found_of(name, bench.found(name, seed)))
        baseline = copied(bench.davis, bench.sequences, EVERY) if any(ROWS[each.name].every for each in found) else None
        text = describe(found, FULL, baseline)
        (HERE / "table.md").write_text(text, encoding="utf-8")
    means = {name: round(statistics.mean(each.J for each in found if each.name == name), 3) for name in rows}
    common.save("paper", {
        "network": bench.plan.network, "iterations": bench.plan.iterations, "cut, pixels": bench.plan.size,
        "sequences": len(bench.sequences), "seeds": len(seeds),
        **{name: {"J": means[name], "J, paper": rounded(ROWS[name].paper)} for name in rows},
    })  # fmt: skip
    return text


def bench_from(options: argparse.Namespace) -> Bench:
    """What the words of the command come to."""
    names = ("iterations", "size", "online_iterations", "init", "device")
    changed = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    plan = replace(PLANS[options.network], **changed)
    sequences = options.sequences or sorted(job.name for job in sequence_jobs(
        TreeJob(options.davis, PropagateJob(options.davis, HERE))))  # fmt: skip
    known = known_rows(options.known)
    return Bench(plan, options.davis.resolve(), sequences, [*options.sources], options.jobs, options.workers, known)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--davis", type=Path, required=True)
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="NAME")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--known", nargs="+", type=Path, default=[], metavar="DONE.JSON")
    parser.add_argument("--network", choices=list(PLANS), default="lite")
    parser.add_argument("--device", help="auto, cpu or cuda")
    parser.add_argument("--init", help="imagenet, or a file of the trunk's weights")
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--online-iterations", type=int)
    parser.add_argument("--size", type=int)
    parser.add_argument("--sequences", nargs="+", metavar="NAME")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--workers", type=int, default=2, help="loader processes")
    given = parser.parse_args()
    print(run(bench_from(given), possible(given.rows), given.seeds))
