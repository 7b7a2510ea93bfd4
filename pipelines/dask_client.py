"""Clients of Dask clusters: one of this machine, one whose workers are jobs, or one that runs already."""

from __future__ import annotations

import contextlib
import logging
import signal
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from datakit.errors import DatakitError
from datakit.tools import tool_versions

from .fork_server import ENVIRONMENT, METHOD, environment, interrupts_ignored, start_fork_server
from .job_queue import is_job_queue, job_queue, shape_of_job
from .scaling import Scaling, WorkerRange

logger = logging.getLogger(__name__)
CHATTY = ("distributed", "tornado", "bokeh", "asyncio", "dask_jobqueue")  # loggers of a cluster
QUICK = {
    # A hundred looks a second at the running task cost it 5 %, and only a performance report shows them.
    "distributed.worker.profile.enabled": False,
    # How late the worker's own loop is, asked every 20 ms and every time while the task waits: 2.5 % of a build.
    "distributed.admin.tick.interval": "2s",
    "distributed.admin.system-monitor.interval": "5s",
}
DASHBOARD_S = 2.0  # how long a dashboard may take to answer


@contextlib.contextmanager
def open_client(
    workers: WorkerRange, scheduler: str | None, is_adaptive: bool, scratch: Path | None, is_profiled: bool
) -> Iterator[tuple[Any, Scaling | None]]:
    """A client of a cluster of our own, or of the one at `scheduler`, which is left as it was found.

    Args:
        workers: how many a cluster of our own has.
        scheduler: address of a running one, or the name of a queueing system.
        is_adaptive: the number of workers follows the work left; a running cluster may have none at first.
        scratch: folder for the files of a cluster on this machine.
        is_profiled: a performance report will be made.

    Yields:
        The client, and what starts and stops workers where they follow the work left.

    Raises:
        UsageError, DatakitError: the cluster cannot be used.
    """
    from distributed import Client

    with _quiet():
        if scheduler is None:
            with _local_cluster(workers.most, scratch, is_profiled) as cluster, Client(cluster) as client:
                client.register_plugin(_ignore_interrupts())
                _tell_dashboard(client, find_spec("bokeh") is not None)
                yield client, Scaling(cluster, client.processing, workers) if is_adaptive else None
        elif is_job_queue(scheduler):
            with job_queue(scheduler) as cluster, Client(cluster) as client:
                _tell_dashboard(client, find_spec("bokeh") is not None)
                per_job, threads = shape_of_job(scheduler)
                yield client, Scaling(cluster, client.processing, workers, per_job=per_job, threads=threads)
        else:
            with _client_at(scheduler) as client:
                check_workers(client, scheduler, is_adaptive)
                _tell_dashboard(client, _is_dashboard(client.dashboard_link))
                yield client, None


def _client_at(scheduler: str) -> Any:
    from distributed import Client
    from distributed.versions import VersionMismatchWarning

    try:
        with (
            warnings.catch_warnings()
        ):  # of packages that matter to none of our bytes; those that do are looked at below
            warnings.simplefilter("ignore", VersionMismatchWarning)
            return Client(scheduler, timeout="10s")
    except (OSError, ValueError) as error:
        raise DatakitError(f"--scheduler {scheduler}: no Dask scheduler answers there ({error})") from error


def _tell_dashboard(client: Any, is_there: bool) -> None:
    """Dask has an address for its dashboard even where it serves none, as without bokeh."""
    if is_there and client.dashboard_link:
        logger.info(f"Dask's dashboard: {client.dashboard_link}")


def _is_dashboard(link: str) -> bool:
    """Whether a dashboard answers there, by a file that only a dashboard has; its pages take a second to make."""
    if not link.startswith(("http://", "https://")):
        return False
    with contextlib.suppress(OSError, ValueError):
        asked = urllib.request.Request(urljoin(link, "static/js/bokeh.min.js"), method="HEAD")
        with urllib.request.urlopen(asked, timeout=DASHBOARD_S) as answer:
            return bool(answer.status == 200)
    return False


@contextlib.contextmanager
def _local_cluster(jobs: int, scratch: Path | None, is_profiled: bool) -> Iterator[Any]:
    start_fork_server()
    import dask
    from distributed import LocalCluster

    # Dask's nannies would write such variables into this process; the fork server has them.
    ours = {"distributed.worker.multiprocessing-method": METHOD, "distributed.nanny.pre-spawn-environ": {}}
    # Until the end, since a nanny starts the worker that replaces a killed one by the same settings.
    with (
        dask.config.set(ours | ({} if is_profiled else QUICK)),
        environment({} if METHOD == "forkserver" else ENVIRONMENT),
    ):
        with interrupts_ignored():
            cluster = LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                dashboard_address=":0",
                silence_logs=logging.CRITICAL,
                local_directory=scratch,
            )
        with cluster:
            yield cluster


def _ignore_interrupts() -> Any:
    """A plugin that holds for workers a nanny restarts too: those would inherit our handler otherwise."""
    from distributed import WorkerPlugin

    class IgnoreInterrupts(WorkerPlugin):
        def setup(self, worker: Any) -> None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    return IgnoreInterrupts()


def dask_here() -> str:
    """What `pip install` takes to have the Dask of this process."""
    return f"dask=={version('dask')} distributed=={version('distributed')}"


def check_workers(client: Any, scheduler: str, may_be_empty: bool = False) -> None:
    """Refuse a cluster whose workers would make other bytes.

    Args:
        client: of the cluster.
        scheduler: its address.
        may_be_empty: workers will come, as on a cluster that starts them itself.

    Raises:
        DatakitError: no worker, a worker without this package, or one with other versions.
    """
    try:
        found = client.run(tool_versions)
    except Exception as error:
        raise DatakitError(
            f"--scheduler {scheduler}: a worker cannot load this package ({error}); install masktrack-datakit there"
        ) from error
    if not found and not may_be_empty:
        raise DatakitError(f"--scheduler {scheduler}: it has no workers; start some with `dask worker {scheduler}`")
    here = tool_versions()
    for worker, there in sorted(found.items()):
        if wrong := other_versions(there, here):
            raise DatakitError(f"worker {worker} has other versions: {wrong}; install the same ones")


def other_versions(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """What differs, in words; empty where nothing does."""
    return ", ".join(
        f"{name} {there.get(name)} (here {version})" for name, version in here.items() if there.get(name) != version
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the cluster's own log lines off the terminal; what matters comes as an error of ours."""
    before = mute_dask()
    try:
        yield
    finally:
        for logger, level in before.items():
            logger.setLevel(level)


def mute_dask() -> dict[logging.Logger, int]:
    """Silence the loggers of Dask and of what it stands on, and no others; gives the levels they had.

    A command leaves it so after an error: Dask's background tasks complain of it until the process ends.
    """
    import distributed  # noqa: F401 (sets its loggers up when it is imported)

    names = [*CHATTY, *(name for name in logging.root.manager.loggerDict if name.startswith(CHATTY))]
    before = {logger: logger.level for logger in map(logging.getLogger, names)}
    for logger in before:
        logger.setLevel(logging.CRITICAL + 1)
    return before
