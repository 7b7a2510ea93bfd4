"""Options that say on how many processes a command works and on what cluster, and what they become."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from .options import Command, with_options

if TYPE_CHECKING:
    from .scaling import WorkerRange

JOBS_HELP = "worker processes."
SCHEDULER_HELP = (
    "use this running Dask cluster instead, e.g. tcp://host:8786, or jobs of this queueing system, e.g. slurm (extra "
    "`jobqueue`). What a lost worker was making is made again. Dask's dashboard needs the extra `report`."
)
ADAPTIVE_HELP = (
    "workers at least and at most, by the work left; instead of -j, or with --scheduler slurm and the like. With an "
    "address, how many tasks a cluster that scales itself is shown at once."
)


def worker_options(command: Command, only: str = "") -> Command:
    """Options that say on how many processes a command works, and where; shared by those that Dask runs.

    Args:
        command: gets them.
        only: what their help begins with.
    """
    workers = [
        click.option("-j", "--jobs", type=click.IntRange(1), default=1, help=_began(only, JOBS_HELP)),
        click.option("--scheduler", metavar="ADDRESS|SYSTEM", help=_began(only, SCHEDULER_HELP)),
        click.option("--adaptive", metavar="MIN:MAX", callback=_range, help=_began(only, ADAPTIVE_HELP)),
    ]  # fmt: skip
    return with_options(workers, command)


def _began(only: str, text: str) -> str:
    """A sentence with what restricts it in front, or with a capital letter."""
    return only + text if only else text[0].upper() + text[1:]


def _range(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> WorkerRange | None:
    from pipelines.scaling import WorkerRange

    try:
        return None if value is None else WorkerRange.parse(value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r}: expected MIN:MAX, the fewest and the most workers, such as 0:20"
        ) from None


def workers_from(options: Mapping[str, Any]) -> dict[str, Any]:
    """What `run_tasks` takes of the options of `worker_options`: jobs, scheduler, adaptive.

    Raises:
        UsageError: they do not go together.
    """
    from datakit.errors import UsageError
    from pipelines.job_queue import is_job_queue

    jobs, scheduler, adaptive = options["jobs"], options["scheduler"], options["adaptive"]
    if is_job_queue(scheduler) and adaptive is None:
        raise UsageError(f"--scheduler {scheduler}: say how many workers it may start, such as --adaptive 0:20")
    if adaptive is not None and scheduler is None:
        if jobs > 1:
            raise UsageError(f"-j {jobs} and --adaptive both say how many processes there are; give one of them")
        jobs = adaptive.most
    return {"jobs": jobs, "scheduler": scheduler, "adaptive": adaptive}


def start_workers_early(options: Mapping[str, Any], preload: Sequence[str] = ()) -> None:
    """Start the process that workers are forked from, before the imports that it makes too: both are made at once.

    Args:
        options: of `worker_options`.
        preload: modules the workers need; by default those of a build.
    """
    workers = workers_from(options)
    if workers["jobs"] > 1 and workers["scheduler"] is None:
        from pipelines.fork_server import PRELOAD, start_fork_server

        start_fork_server(preload or PRELOAD)


def leave_dask_quickly(options: Mapping[str, Any]) -> None:
    """Let the process of a command of `worker_options` end without a word of Dask's."""
    # What is left dies with the process; Python would first walk all that Dask has made, for 0.2 s.
    atexit.register(gc.freeze)
    workers = workers_from(options)
    if workers["jobs"] > 1 or workers["scheduler"] is not None:
        from pipelines.dask_client import mute_dask

        mute_dask()  # for good: after an error its background tasks complain until the process ends
