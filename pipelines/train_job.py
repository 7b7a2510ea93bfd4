"""What a training run is asked to do, what its folder remembers of that, and what may differ when it goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datakit.errors import SettingsDiffer, UsageError
from datakit.files import write_json

from .settings import differences
from .train_log import LAST, RUN

if TYPE_CHECKING:
    from model.checkpoint import Checkpoint
    from model.settings import TrainConfig

REMEMBERED = ("device", "workers", "threads", "save_every", "tensorboard")  # beside the shards


@dataclass(frozen=True)
class TrainJob:
    """One run of `train`: what to learn from and how to run it.

    Attributes:
        shards: folders of shards.
        out: folder of the run.
        config: what the weights depend on, beside the shards.
        weights: weight of a source or kind in the draw, `ecssd` or `ecssd/box` -> number.
        resume: go on from the folder's last checkpoint.
        overwrite: begin anew in a folder that holds a run.
        workers: loader processes.
        device, precision: see `model.compute.Compute.chosen`.
        threads: of torch; 0 leaves its own choice.
        save_every: steps from one `last` checkpoint to the next.
        tensorboard: write events, too.
    """

    shards: Sequence[Path]
    out: Path
    config: TrainConfig
    weights: Mapping[str, float]
    resume: bool = False
    overwrite: bool = False
    workers: int = 2
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0
    save_every: int = 100
    tensorboard: bool = False


def remember(job: TrainJob) -> None:
    """Write `run.json`: where the shards lie and how the run is run. What the losses depend on is in checkpoints."""
    shards = [str(folder.absolute()) for folder in job.shards]
    write_json(job.out / RUN, {"shards": shards, **{name: getattr(job, name) for name in REMEMBERED}})


def stored_job(out: Path, shards: Sequence[Path] = ()) -> TrainJob:
    """The job that goes on with the run in a folder, all settings as they were.

    Args:
        out: folder of the run.
        shards: where its shards lie now; none for where they were.

    Raises:
        UsageError: there is no checkpoint to go on from, or it is not known where the shards are.
        CheckpointError: the checkpoint cannot be read.
    """
    from model.checkpoint import read_checkpoint
    from model.settings import TrainConfig

    about = read_checkpoint(last_checkpoint(out)).about
    how = json.loads((out / RUN).read_text(encoding="utf-8")) if (out / RUN).is_file() else {}
    folders = list(shards) or [Path(folder) for folder in how.get("shards", ())]
    way_out = f"name them: datakit train SHARDS --resume --out {out}"
    if not folders:
        raise UsageError(f"{out}: the run does not say where its shards are; {way_out}")
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder}: the shards of the run are not there any more; {way_out}")
    then = about["run"]
    return TrainJob(
        folders,
        out,
        TrainConfig.from_dict(about["config"]),
        then["weights"],
        resume=True,
        precision=then["compute"]["precision"],
        **{name: how[name] for name in REMEMBERED if name in how},
    )


def last_checkpoint(out: Path) -> Path:
    """The file a run goes on from.

    Raises:
        UsageError: there is none.
    """
    path = out / LAST
    if not path.is_file():
        raise UsageError(f"{path}: no checkpoint to go on from; leave --resume out to begin")
    return path


def refuse_other_settings(checkpoint: Checkpoint, job: TrainJob, about: Mapping[str, Any]) -> int:
    """Check that a run may go on as `job` says; only more iterations are allowed.

    Args:
        checkpoint: the run's last.
        job: how to go on.
        about: what else the losses depend on now, as the checkpoint has it under `run`.

    Returns:
        The number of iterations the run was to have until now.

    Raises:
        SettingsDiffer: anything else differs, or there are fewer iterations; all of it is named.
    """
    then, now = checkpoint.about["config"], job.config.to_dict()
    before = int(then["iterations"])
    if now["iterations"] > before:
        then = {**then, "iterations": now["iterations"]}
    changed = list(differences({**checkpoint.about["run"], "config": then}, {**about, "config": now}))
    if changed:
        listed = "\n  ".join(changed)
        path = job.out / LAST
        raise SettingsDiffer(
            f"{path}: the run was begun with other settings:\n  {listed}\n"
            f"--resume alone goes on with its own; a new run begins from its weights by --init {path} "
            f"--out {job.out.with_name(f'{job.out.name}2')}"
        )
    return before
