"""What a training run is asked to do, what its folder remembers of that, and what may differ when it goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datakit.errors import SettingsDiffer, UsageError
from datakit.files import write_json
from datakit.places import is_file, is_folder, is_same, place_of

from .settings import differences
from .train_log import BEST, LAST, PICTURES, RUN, STEP_COLUMNS, STEPS, VALIDATIONS

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
    folders = list(shards) or [place_of(folder) for folder in how.get("shards", ())]
    way_out = f"name them: datakit train SHARDS --resume --out {out}"
    if not folders:
        raise UsageError(f"{out}: the run does not say where its shards are; {way_out}")
    for folder in folders:
        if not is_folder(folder):
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


def run_among(folders: Sequence[Path], out: Path | None) -> tuple[tuple[Path, ...], Path]:
    """The shards and the run in the folders that `--resume` is given; a run may stand among the shards, or as `--out`.

    Raises:
        UsageError: none of them is a run, or several are.
    """
    runs = [folder for folder in folders if any(is_file(folder / name) for name in (LAST, STEPS))]
    if out is None and not runs and len(folders) == 1:
        runs = list(folders)  # what it lacks is told where it is read
    if out is None and not runs:
        listed = f"none of {', '.join(map(str, folders))} holds one" if folders else "none is named"
        raise UsageError(f"--resume: which run is to go on? {listed}; name its folder: datakit train --resume RUN")
    into = runs[0] if out is None else out
    if others := [folder for folder in runs if not is_same(folder, into)]:
        raise UsageError(
            f"--resume: {into} and {others[0]} are both runs; a run goes on in its own folder, one at a time: "
            f"datakit train --resume {others[0]}; a new one begins from its weights by SHARDS --init "
            f"{others[0] / LAST} --out RUN2"
        )
    return tuple(folder for folder in folders if folder not in runs), into


def last_checkpoint(out: Path) -> Path:
    """The file a run goes on from.

    Raises:
        UsageError: there is none.
    """
    path = out / LAST
    if not path.is_file():
        raise UsageError(f"{path}: no checkpoint to go on from; leave --resume out to begin")
    return path


def refuse_or_clear(job: TrainJob) -> None:
    """Make the folder of a run that begins ready; one that goes on must have what to go on from.

    Raises:
        UsageError: it holds a run and neither `resume` nor `overwrite` was asked for, or none to resume.
    """
    if job.resume:
        last_checkpoint(job.out)
        return
    if not (job.out / STEPS).exists():
        return
    goes_on = (job.out / LAST).exists()
    no_step = ("", ",".join(STEP_COLUMNS) + "\n")  # of a run that was killed before its first one
    has_begun = goes_on or (job.out / STEPS).read_text(encoding="utf-8", errors="replace") not in no_step
    if has_begun and not job.overwrite:
        way_on = f"go on with it by --resume {job.out}, " if goes_on else ""
        raise UsageError(f"{job.out}: holds a run; {way_on}begin anew by --overwrite, or name another --out")
    for name in (STEPS, VALIDATIONS, LAST, BEST):
        (job.out / name).unlink(missing_ok=True)
    shutil.rmtree(job.out / PICTURES, ignore_errors=True)


def is_as_in_one_go(extended: Sequence[Mapping[str, int]], config: TrainConfig) -> bool:
    """Whether every step that was done had the learning rate that it has in a run of all iterations from its start.

    Args:
        extended: for every time iterations were added, `planned`, their number until then, and `done`, steps by then.
        config: with the iterations of now.
    """
    from model.optimize import poly_rate

    how, begin = (config.optimizer.power, config.optimizer.warmup), 0
    for each in extended:
        steps = range(begin, each["done"])
        if any(poly_rate(step, each["planned"], *how) != poly_rate(step, config.iterations, *how) for step in steps):
            return False
        begin = each["done"]
    return True


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
    from model.settings import TrainConfig

    # A run begun before a setting existed has its default.
    then, now = TrainConfig.from_dict(checkpoint.about["config"]).to_dict(), job.config.to_dict()
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
