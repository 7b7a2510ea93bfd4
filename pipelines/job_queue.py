"""Workers as jobs of a queueing system, by dask-jobqueue: all but the system's name stands in its own settings file."""

from __future__ import annotations

import contextlib
import logging
import shlex
import shutil
from collections.abc import Iterator
from typing import Any

from datakit.errors import DatakitError, UsageError
from datakit.extras import require

from .interrupt import deferred

SYSTEMS = {
    "htcondor": "HTCondorCluster",
    "lsf": "LSFCluster",
    "moab": "MoabCluster",
    "oar": "OARCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "slurm": "SLURMCluster",
}
"""What --scheduler calls a queueing system -> its class in dask-jobqueue."""
CLOSE_S = 60.0  # how long the system may take to cancel all jobs
SETTINGS = "~/.config/dask/jobqueue.yaml"


def is_job_queue(scheduler: str | None) -> bool:
    """Whether --scheduler names a queueing system, not an address."""
    return scheduler in SYSTEMS


def shape_of_job(system: str) -> tuple[int, int]:
    """Workers in a job and threads of each, by the settings file; one worker a core unless it says otherwise.

    Raises:
        UsageError: the file does not say how large a job is.
    """
    import dask
    import dask_jobqueue  # noqa: F401 (reads the file)

    cores, memory, processes = (
        dask.config.get(f"jobqueue.{system}.{name}") for name in ("cores", "memory", "processes")
    )
    if cores is None or memory is None:
        raise UsageError(
            f"--scheduler {system}: {SETTINGS} does not say how large a job is; write there, for example:\n"
            f"jobqueue:\n  {system}:\n    cores: 8\n    memory: 16GB"
        )
    processes = processes or cores
    return processes, max(cores // processes, 1)


@contextlib.contextmanager
def job_queue(system: str) -> Iterator[Any]:
    """A cluster without jobs, whose scheduler runs here; afterwards no job is left.

    Args:
        system: a key of `SYSTEMS`.

    Raises:
        MissingExtra: dask-jobqueue is not installed.
        UsageError: the settings file lacks something, or this machine cannot submit jobs.
    """
    require("jobqueue", f"--scheduler {system}")
    import dask_jobqueue

    kind = getattr(dask_jobqueue, SYSTEMS[system])
    processes, _ = shape_of_job(system)
    submit = shlex.split(kind.job_cls.submit_command)[0]
    if shutil.which(submit) is None:
        raise UsageError(
            f"--scheduler {system}: `{submit}` is not on this machine; run the command where jobs are submitted"
        )
    try:
        # Only where it is said here does Dask know which workers a job holds (dask-jobqueue 0.9).
        cluster = kind(job_cls=_undisturbed(kind.job_cls), processes=processes, silence_logs=logging.CRITICAL)
    except (ValueError, RuntimeError, OSError) as error:
        raise DatakitError(f"--scheduler {system}: {error}; see {SETTINGS}") from error
    try:
        yield cluster
    finally:
        with deferred():  # a second Ctrl-C would leave jobs behind
            cluster.close(timeout=CLOSE_S)


def _undisturbed(job: Any) -> Any:
    """The class, its commands out of reach of Ctrl-C: one that was cut off may have submitted a job unknown to us."""

    class Undisturbed(job):  # type: ignore[misc]
        @staticmethod
        async def _call(cmd: list[str], **options: Any) -> Any:
            return await job._call(cmd, start_new_session=True, **options)

    return Undisturbed
