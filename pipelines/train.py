"""`datakit train`: the offline stage as a run in a folder that can be stopped, killed and gone on with.

The folder holds `steps.csv`, `validation.csv`, a picture for every validation, `last.safetensors` to go on from and
`best.safetensors` to use. What a step computes is left to `model.train`.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from datakit.errors import UsageError
from datakit.files import check_writable
from datakit.shards import read_contents
from datakit.shards.manifest import NAME as MANIFEST
from datakit.wording import counted

from .interrupt import deferred
from .lock import run_lock
from .progress import quietly
from .results import ROWS, draw_results
from .train_job import (
    TrainJob,
    is_as_in_one_go,
    last_checkpoint,
    refuse_or_clear,
    refuse_other_settings,
    remember,
)
from .train_log import (
    BEST,
    LAST,
    PICTURES,
    STEP_COLUMNS,
    STEPS,
    VALIDATIONS,
    CsvLog,
    Events,
    ProgressLines,
    read_validations,
)

if TYPE_CHECKING:
    from model.compute import Compute, Ranks
    from model.dataset import TripleDataset
    from model.memory_dataset import MemoryDataset
    from model.score import Stored
    from model.segmenter import Segmenter

logger = logging.getLogger(__name__)
FEW = 20  # validation triples: below that a mean moves by hundredths with a single object


@dataclass(frozen=True)
class TrainSummary:
    """What a run came to.

    Attributes:
        out: its folder.
        steps: optimiser steps done in all.
        stopped: whether it was interrupted before the last.
        validation: numbers of the best validation, the start's among them; empty where there was none.
        start: numbers of the weights the run began with; empty where nothing was judged, or by an older version.
        trained: numbers of the best validation after the first step; empty where there was none.
        extended: for every time iterations were added, `planned`, their number until then, and `done`, steps by then.
        in_one_go: whether the weights are those of a run that was to have all its steps from the start.
    """

    out: Path
    steps: int
    stopped: bool
    validation: Mapping[str, Any]
    start: Mapping[str, Any] = field(default_factory=dict)
    trained: Mapping[str, Any] = field(default_factory=dict)
    extended: Sequence[Mapping[str, int]] = ()
    in_one_go: bool = True

    @property
    def gain(self) -> float | None:
        """Best IoU after the first step less that of the start; None where one of them is not known."""
        if not (self.start and self.trained):
            return None
        return float(self.trained["output_iou"] - self.start["output_iou"])

    def verdict(self) -> str:
        """What training made of the weights it began with, in words; '' where that is not known."""
        if not self.start:
            return "" if self.validation else f"nothing was judged: {BEST} is what the last step left, good or not"
        if self.gain is None:
            return f"began at {self.start['output_iou']:.3f}; stopped before anything after that was judged"
        began, best = self.start["output_iou"], self.trained
        summary = f"began at {began:.3f}, best {best['output_iou']:.3f} at step {best['step']} ({self.gain:+.3f})"
        if self.gain < 0:
            way_out = "train on more photos or for more steps, or keep them"
            return f"{summary}: WORSE than the weights it began with, which are in {BEST}; {way_out}"
        return summary if self.gain else f"{summary}: no better than the weights it began with, which are in {BEST}"


def train(job: TrainJob) -> TrainSummary:
    """Train a network from shards.

    Raises:
        UsageError: the folder holds a run and neither `resume` nor `overwrite` was asked for, or holds none to resume;
            or `init` holds the weights of another network.
        SettingsDiffer: the run to resume was begun with other settings.
        DatakitError: shards that cannot be read or hold nothing, weights that do not fit, a loss that is no number.
    """
    from model.compute import joined_ranks, limited_threads
    from model.train import check_init

    if (job.out / MANIFEST).exists():
        raise UsageError(f"--out {job.out}: is a folder of shards or a view, not of a run; name another")
    check_writable(job.out, f"--out {job.out}")
    if not job.resume:
        check_init(job.config.network, job.config.init)
    job.out.mkdir(parents=True, exist_ok=True)
    with joined_ranks() as ranks, run_lock(job.out) if ranks.is_first else contextlib.nullcontext(), deferred() as stop:
        if ranks.is_first:
            refuse_or_clear(job)
        ranks.wait()
        with limited_threads(job.threads), contextlib.nullcontext() if ranks.is_first else quietly(logging.CRITICAL):
            return _Run(job, ranks).go(stop)


class _Data:
    """What a run learns from and is judged on."""

    def __init__(self, job: TrainJob, net: Segmenter, ranks: Ranks):
        from model.dataset import NothingLeft
        from model.score import Stored

        self.job, self.ranks = job, ranks
        opened = functools.partial(_open, job, net)
        self.trained = opened("train")
        self.held_back: Stored | None = None
        with contextlib.suppress(NothingLeft):  # too few photos to hold any back
            self.held_back = Stored(opened("val"), job.config.validation_samples)

    @contextlib.contextmanager
    def batches(self, done: int, on_gpu: bool) -> Iterator[Iterator[Mapping[str, Any]]]:
        """The stream of batches after `done` steps; its processes end with the block."""
        from model.sampler import EpochSampler, make_loader, opened

        config = self.job.config
        part = config.batch // config.accumulate
        sampler = EpochSampler(self.trained.weights, part, config.seed, rank=self.ranks.rank, world=self.ranks.world)
        sampler.start(done * config.accumulate)
        with opened(make_loader(self.trained, sampler, self.job.workers, on_gpu=on_gpu)) as stream:
            yield stream

    def describe(self) -> str:
        """In words, for the user."""
        judged = (
            f"{counted(len(self.held_back), 'triple')} of other photos to judge by"
            if self.held_back
            else f"nothing to judge by{self._where_it_went()}"
        )
        return f"{counted(len(self.trained), 'sample')} to learn from, {judged}"

    def few_to_judge_by(self) -> str:
        """What to do where that many triples judge nothing, in words; '' where they are enough, or none."""
        if not self.held_back or (count := len(self.held_back)) >= FEW:
            return ""
        if self.held_back.available > count:
            way_out = f"{self.held_back.available} are held back: judge by more of them by --set validation_samples=…"
        else:
            times = math.ceil(FEW / count)
            way_out = f"train on {times} times as many photos, or hold more back by --set validation_share=…"
        told = f"only {counted(count, 'triple')} to judge by: differences of a few hundredths mean nothing there"
        return f"{told}; {way_out}"

    def _where_it_went(self) -> str:
        """Of what would be held back, where `datakit split` has taken it away before; '' where it has not."""
        made = [view.made for folder in self.job.shards if (view := read_contents(folder).view)]
        shares = [each["options"].get("val", 0) for each in made if each["command"] == "split"]
        if not shares:
            return ""
        more = f"--set validation_share={max(shares) + 0.1:g}"
        return f" (`datakit split` put what would be held back into val; {more} holds more back)"


def _open(job: TrainJob, net: Segmenter, split: Literal["train", "val"]) -> TripleDataset | MemoryDataset:
    """What a network learns from, or is judged on: clips where it has a memory, else triples."""
    from model.dataset import TripleDataset
    from model.memory_dataset import MemoryDataset

    config = job.config
    share, seed, weights = config.validation_share, config.seed, job.weights if split == "train" else {}
    if net.remembers:
        return MemoryDataset(job.shards, net.coding, config.view, config.clips, split=split, val_share=share,
                             seed=seed, weights=weights)  # fmt: skip
    return TripleDataset(job.shards, net.coding, config.view, split=split, val_share=share,
                         redraw=config.redraw and split == "train", weights=weights, seed=seed)  # fmt: skip


class _Run:
    """A run under way: its data, its trainer and its files."""

    def __init__(self, job: TrainJob, ranks: Ranks):
        from model.compute import Compute
        from model.refine import RefineConfig
        from model.train import Trainer, fresh_network

        self.job, self.ranks = job, ranks
        net = fresh_network(job.config, "none" if job.resume else job.config.init)
        self.data = _Data(job, net, ranks)
        self.compute = Compute.chosen(net, job.device, job.precision)
        self.trainer = Trainer(job.config, net, self.compute, ranks)
        self.view = RefineConfig(job.config.view.size, mirrored=False)
        self.about = _about(job, self.compute)
        self.best: dict[str, Any] = {}
        self.start: Mapping[str, Any] = {}
        self.seconds = 0.0
        self.planned = job.config.iterations  # until now
        self.extended: list[Mapping[str, int]] = []
        if job.resume:
            self._restore()
        self.began = time.monotonic() - self.seconds

    def _restore(self) -> None:
        from model.checkpoint import read_checkpoint

        path = last_checkpoint(self.job.out)
        checkpoint = read_checkpoint(path)
        self.planned = refuse_other_settings(checkpoint, self.job, self.about)
        self.trainer.restore(checkpoint, path)
        self.best, self.seconds = dict(checkpoint.about["best"]), checkpoint.about["seconds"]
        self.extended = list(checkpoint.about.get("extended", ()))  # older ones have none
        self.start, _ = self._stored()

    def go(self, stop: threading.Event) -> TrainSummary:
        """Train to the end, or until `stop` is set anywhere."""
        job, trainer = self.job, self.trainer
        logger.info(f"{job.config.network}: {self.data.describe()}; {self.compute.describe()}")
        if not job.resume and (few := self.data.few_to_judge_by()):
            logger.warning(f"WARNING: {few}")
        if self.ranks.is_first:
            remember(job)
        self._tell_what_is_left()
        stream = self.data.batches(trainer.done, on_gpu=self.compute.device != "cpu")
        with self._logs() as (steps, validations, events), stream as batches:
            if not trainer.done and job.config.iterations and not job.resume:
                self._validate(validations, events)
                self._save()  # a run that is killed early goes on, too
            lines = ProgressLines(job.config.iterations)
            stopped = False
            for step in trainer.run(batches):
                if self.ranks.is_first:
                    steps.add({"step": step.step, "loss": repr(step.loss), "rate": f"{step.rate:.4g}",
                               "waited": f"{step.waited:.4f}", "seconds": f"{step.seconds:.4f}"})  # fmt: skip
                    events.add({"train/loss": step.loss, "train/rate": step.rate}, step.step)
                    lines.tell(step)
                is_last = step.step == job.config.iterations
                stopped = self.ranks.any(stop.is_set()) and not is_last
                if is_last or step.step % job.config.validation_every == 0:
                    self._validate(validations, events)
                if stopped or is_last or step.step % job.save_every == 0:
                    self._save()
                if stopped:
                    break
        in_one_go = is_as_in_one_go(self.extended, job.config)
        summary = TrainSummary(job.out, trainer.done, stopped, self.best, *self._stored(), self.extended, in_one_go)
        if summary.gain is not None and summary.gain < 0:
            logger.warning(f"WARNING: {summary.verdict()}")
        return summary

    def _tell_what_is_left(self) -> None:
        """Say how the schedule goes on where iterations were added, and store their number at once."""
        from model.optimize import poly_rate

        trainer, steps = self.trainer, self.job.config.iterations
        if self.planned < steps:
            power, warmup = trainer.config.optimizer.power, trainer.config.optimizer.warmup
            old, new = (poly_rate(trainer.done, count, power, warmup) for count in (self.planned, steps))
            self.extended.append({"planned": self.planned, "done": trainer.done})
            same = is_as_in_one_go(self.extended, self.job.config)
            logger.info(
                f"{self.planned} -> {steps} iterations: the learning rate follows the schedule of {steps} steps from "
                f"step {trainer.done + 1} on and begins there at {new:.0%} of its full value (was {old:.0%}); "
                f"{'the weights are those' if same else 'steps before that had a lower rate: not the weights'} of "
                f"{steps} steps in one go"
            )
            self._save()
        elif trainer.done == steps:
            logger.info(f"all {steps} steps are done; a larger --iterations goes on")

    def _stored(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The start's validation and the best one after it, of this run and those it goes on from."""
        rows = read_validations(self.job.out / VALIDATIONS) if self.ranks.is_first else []
        start = next((row for row in rows if row["step"] == 0), {})
        return start, max((row for row in rows if row["step"]), key=lambda row: row["output_iou"], default={})

    @contextlib.contextmanager
    def _logs(self) -> Iterator[tuple[CsvLog, CsvLog, Events]]:
        steps = CsvLog(self.job.out / STEPS, STEP_COLUMNS)
        validations = CsvLog(
            self.job.out / VALIDATIONS,
            ("step", "triples", "input_iou", "output_iou", "gain", "over_start", "seconds"),
        )
        if self.ranks.is_first:
            for table in (steps, validations):
                table.start(self.trainer.done)
        wanted = self.job.tensorboard and self.ranks.is_first
        events = Events(self.job.out / "events" if wanted else None, self.trainer.done)
        if not self.trainer.done:
            events.add_settings("configuration", self.job.config.to_dict())
        try:
            yield steps, validations, events
        finally:
            events.close()

    def _validate(self, table: CsvLog, events: Events) -> None:
        """Judge the network on photos it never trains on; rank 0 does, the others wait.

        What it began with, at step 0, is judged like everything after: so `best` is never worse than the start.
        """
        if self.ranks.is_first and self.data.held_back:
            from model.score import score

            with self.trainer.judging() as net:
                scores = score(net, self.data.held_back, self.view, self.compute)
                picture = self.job.out / PICTURES / f"{self.trainer.done:06d}.png"
                draw_results(
                    net,
                    self.data.held_back.spread(ROWS),
                    self.view,
                    self.compute,
                    picture,
                    f"step {self.trainer.done}",
                )
            row = {"step": self.trainer.done, **scores.to_dict(), "seconds": round(self._elapsed(), 1)}
            self.start = self.start or ({} if row["step"] else row)
            row["over_start"] = row["output_iou"] - self.start["output_iou"] if self.start else ""
            table.add({name: row[name] for name in table.columns})
            shown = [name for name in ("input_iou", "output_iou", "over_start") if row[name] != ""]
            events.add({f"validation/{name}": row[name] for name in shown}, self.trainer.done)
            events.add_picture("validation/results", picture, self.trainer.done)
            logger.info(describe_validation(row))
            if row["output_iou"] > self.best.get("output_iou", -1):
                self.best = row
                self._write(BEST, with_optimizer=False)
        self.ranks.wait()

    def _save(self) -> None:
        if self.ranks.is_first:
            self._write(LAST, with_optimizer=True)
            if not self.best:
                self._write(BEST, with_optimizer=False)

    def _write(self, name: str, with_optimizer: bool) -> None:
        from model.checkpoint import write_checkpoint

        about = {"run": self.about, "best": self.best, "seconds": round(self._elapsed(), 1)}
        about |= {"extended": self.extended} if self.extended else {}
        write_checkpoint(self.job.out / name, self.trainer.checkpoint(about, with_optimizer))

    def _elapsed(self) -> float:
        return time.monotonic() - self.began


def describe_validation(row: Mapping[str, Any]) -> str:
    """A validation in words, against the start where that is known."""
    if not row["step"]:
        what = "the weights it begins with"
    elif row["over_start"] == "":
        what = f"{row['gain']:+.3f} over the guide masks"
    else:
        what = f"{row['over_start']:+.3f} against the start{', WORSE' if row['over_start'] < 0 else ''}"
    return (
        f"step {row['step']}: validation IoU {row['output_iou']:.3f} ({what}), guide masks {row['input_iou']:.3f}, "
        f"on {counted(row['triples'], 'triple')}"
    )


def _about(job: TrainJob, compute: Compute) -> dict[str, Any]:
    """What else the losses depend on: shards, weights of sources, arithmetic, versions."""
    import torch

    from datakit import __version__

    return {
        "shards": {str(number): read_contents(folder).digest for number, folder in enumerate(job.shards)},
        "weights": dict(sorted(job.weights.items())),
        "compute": {"device": compute.device.partition(":")[0], "precision": compute.precision},
        "tools": {"datakit": __version__, "torch": torch.__version__},
    }
