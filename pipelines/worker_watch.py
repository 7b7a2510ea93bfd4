"""Workers a cluster loses, each of them said; a cluster without workers is said after a while, and seldom again."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from .job_queue import is_job_queue
from .progress import clock

LOOK_S = 1.0  # from one look to the next; each asks the scheduler, which takes milliseconds
SILENT_S = 10.0  # a nanny starts a worker that died anew within seconds, of which nothing is said
AGAIN_S = 60.0


@dataclass(frozen=True)
class AbsenceMessages:
    """What is said of a cluster.

    Attributes:
        where: is no worker left, such as `at tcp://10.0.0.1:8786`.
        way_out: what gets a worker there.
        is_leaving_usual: the cluster itself lets workers go, so one that went was not lost.
    """

    where: str
    way_out: str
    is_leaving_usual: bool = False

    @classmethod
    def of(cls, scheduler: str | None, is_leaving_usual: bool = False) -> AbsenceMessages:
        """Of the cluster at an address, of the jobs of a queueing system, or of the one on this machine."""
        if scheduler is None:
            return cls("on this machine", "one is started anew where that is still possible")
        if is_job_queue(scheduler):
            return cls(f"of {scheduler}", "see in its queue whether the jobs wait, or in their logs why they end")
        if is_leaving_usual:
            return cls(f"at {scheduler}", "the cluster starts them itself; see whether it can", True)
        return cls(f"at {scheduler}", f"start one with `dask worker {scheduler}` where masktrack-datakit is installed")


class Watch:
    """Looks now and then what workers a cluster has; tells which were lost, and when it has had none for ten seconds.

    Args:
        workers: asks for address -> number of threads of every worker; may raise where the scheduler does not answer.
        words: what is said.
        tell: takes a line.
        now: seconds of a clock that never goes back.
        let_go: addresses of workers that were stopped on purpose.
    """

    def __init__(
        self,
        workers: Callable[[], Mapping[str, int]],
        words: AbsenceMessages,
        tell: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
        let_go: Collection[str] = (),
    ):
        self.threads = 0
        self._ask, self._messages, self._tell, self._now, self._let_go = workers, words, tell, now, let_go
        self._workers: frozenset[str] = frozenset()
        self._had_any = False
        self._looked = -LOOK_S
        self._none_since: float | None = None
        self._last_warning: float | None = None

    def poll(self) -> int:
        """Threads of all workers, not older than a second or so; tells where there are none."""
        now = self._now()
        if now - self._looked < LOOK_S:
            return self.threads
        self._looked = now
        with contextlib.suppress(OSError, TimeoutError):  # that the scheduler is gone is told by what waits for it
            workers = self._ask()
            self.threads = sum(workers.values())
            self._tell_losses(frozenset(workers))
            self._warn_if_due(now)
        return self.threads

    def _tell_losses(self, workers: frozenset[str]) -> None:
        lost = len(self._workers - workers - frozenset(self._let_go))
        self._had_any |= bool(workers)
        self._workers = workers
        if lost and not self._messages.is_leaving_usual:
            who, what = ("a worker was", "it was") if lost == 1 else (f"{lost} workers were", "they were")
            self._tell(f"{who} lost {self._messages.where}; what {what} making is made again")

    def _warn_if_due(self, now: float) -> None:
        if self.threads:
            if self._last_warning is not None:
                self._tell(f"there are workers {self._messages.where} again; going on")
            self._none_since = self._last_warning = None
            return
        self._none_since = now if self._none_since is None else self._none_since
        if now - self._none_since >= SILENT_S and (self._last_warning is None or now - self._last_warning >= AGAIN_S):
            self._last_warning = now
            what, waited = "is left" if self._had_any else "is there yet", clock(now - self._none_since)
            self._tell(
                f"no worker {what} {self._messages.where}; waiting for {waited} now: "
                f"{self._messages.way_out}, or stop with Ctrl-C: what was finished is kept"
            )
