"""As many workers as the work left needs, on clusters that start and stop their own.

Dask's own `adapt` goes by the tasks its scheduler holds. It holds no more than there are workers, since the others wait
in `cluster`, so it would never grow: twelve tasks of a second each were made by one worker of three, in 21 s.
What a cluster starts and stops at once is called a job: a process of this machine, or a job of a queueing system, which
may hold several workers.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from datakit.errors import DatakitError

logger = logging.getLogger(__name__)
LOOK_S = 1.0
IDLE_S = 3.0  # how long there must be too many jobs before one is stopped
LOST_S = 20.0  # a job is gone when it has had no worker for so long; a nanny starts one anew within seconds
RETRY_S = 60.0  # after the queueing system took no more jobs


@dataclass(frozen=True)
class WorkerRange:
    """How many workers a cluster may have.

    Attributes:
        fewest: at least; 0 is allowed.
        most: at most; 1 or more.
    """

    fewest: int
    most: int

    @classmethod
    def parse(cls, text: str) -> WorkerRange:
        """Of `MIN:MAX`, or of one number that is both.

        Raises:
            ValueError: it is something else.
        """
        low, colon, high = text.partition(":")
        found = cls(int(low), int(high if colon else low))
        if not 0 <= found.fewest <= max(found.most, 1) or found.most < 1:
            raise ValueError(text)
        return found

    def within(self, tasks: int) -> WorkerRange:
        """The same, with no more workers than there are tasks."""
        return WorkerRange(min(self.fewest, tasks), min(self.most, tasks))


class Scaling:
    """Starts and stops the jobs of a cluster by the number of tasks left.

    Args:
        cluster: a `SpecCluster` of Dask.
        processing: asks for address -> tasks a worker has now.
        workers: how many there may be.
        per_job: workers in a job.
        threads: of a worker.
        now: seconds of a clock that never goes back.

    Attributes:
        let_go: addresses of workers that were stopped because nothing was left for them.
    """

    def __init__(
        self,
        cluster: Any,
        processing: Callable[[], Mapping[str, Any]],
        workers: WorkerRange,
        *,
        per_job: int = 1,
        threads: int = 1,
        now: Callable[[], float] = time.monotonic,
    ):
        self.let_go: set[str] = set()
        self._cluster, self._processing, self._now = cluster, processing, now
        self._fewest, self._most = (math.ceil(count / per_job) for count in (workers.fewest, workers.most))
        self._per_job, self._threads = per_job, per_job * threads
        self._change: concurrent.futures.Future[None] | None = None
        self._looked = -math.inf
        self._retry = -math.inf
        self._enough_since: float | None = None
        self._seen: dict[Any, float] = {}  # job -> when it last had a worker

    def follow(self, left: int) -> None:
        """Look once a second whether a job should be started or stopped, and have it done meanwhile.

        Args:
            left: tasks that are running or wait.

        Raises:
            DatakitError: no job could be started, and none is there.
        """
        now = self._now()
        if now - self._looked < LOOK_S or not self._settled(now):
            return
        self._looked = now
        jobs = self._jobs()
        self._seen |= {job: now for job, there in jobs.items() if there}
        gone = [job for job in jobs if now - self._seen.get(job, now) > LOST_S]
        wanted = min(max(math.ceil(left / self._threads), self._fewest), self._most)
        if gone:
            for job in gone:
                del self._seen[job]  # Dask gives its name to the next one
            self._start(self._stop_jobs(gone, []))
        elif wanted > len(jobs):
            if now >= self._retry:
                self._start(self._start_jobs(wanted))
        elif wanted < len(jobs):
            self._shrink(jobs, len(jobs) - wanted, now)
            return
        self._enough_since = None

    def _settled(self, now: float) -> bool:
        """Whether the last change is through; one that failed is told, or raised where nothing is left to work."""
        if self._change is None:
            return True
        if not self._change.done():
            return False
        error, self._change = self._change.exception(), None
        failed = [name for name, worker in list(self._cluster.workers.items()) if worker.status.name != "running"]
        if error is None or not failed:
            return True
        self._retry = now + RETRY_S
        if len(failed) == len(self._cluster.worker_spec):
            raise DatakitError(f"no worker could be started: {error}") from error
        logger.warning(f"no more workers could be started, going on with those there are: {error}")
        self._start(self._stop_jobs(failed, []))
        return False

    def _jobs(self) -> dict[Any, list[str]]:
        """Job -> addresses of its workers that have come."""
        owner: dict[str, Any] = {}
        for job, spec in list(self._cluster.worker_spec.items()):
            owner |= {f"{job}{suffix}": job for suffix in spec.get("group", [""])}
        jobs: dict[Any, list[str]] = {job: [] for job in owner.values()}
        for address, worker in list(self._cluster.scheduler_info["workers"].items()):
            if (job := owner.get(str(worker["name"]))) is not None:
                jobs[job].append(address)
        return jobs

    def _shrink(self, jobs: Mapping[Any, list[str]], count: int, now: float) -> None:
        """Stop so many jobs at most, of those that have nothing to do."""
        self._enough_since = now if self._enough_since is None else self._enough_since
        if now - self._enough_since < IDLE_S:
            return
        with contextlib.suppress(OSError, TimeoutError):  # that the scheduler is gone is told by what waits for it
            busy = {address for address, tasks in self._processing().items() if tasks}
            idle = sorted((job for job in jobs if not busy.intersection(jobs[job])), key=lambda job: len(jobs[job]))
            stopped = idle[:count]
            if stopped:
                for job in stopped:
                    self._seen.pop(job, None)
                self._start(self._stop_jobs(stopped, [address for job in stopped for address in jobs[job]]))

    def _start(self, change: Any) -> None:
        self._change = asyncio.run_coroutine_threadsafe(change, self._cluster.loop.asyncio_loop)

    async def _start_jobs(self, count: int) -> None:
        self._cluster.scale(count * self._per_job)
        await self._cluster

    async def _stop_jobs(self, jobs: Iterable[Any], addresses: list[str]) -> None:
        self.let_go.update(addresses)
        if addresses:  # results that were not fetched yet go to other workers
            await self._cluster.scheduler_comm.retire_workers(workers=addresses, close_workers=True, remove=True)
        await self._cluster.scale_down(list(jobs))
