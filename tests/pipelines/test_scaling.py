"""Workers by the work left: started while tasks wait, stopped when idle, replaced when they are gone."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from datakit.errors import DatakitError
from pipelines import scaling
from pipelines.scaling import Scaling, WorkerRange


class Cluster:
    """Stands in for a cluster of Dask that starts jobs; `refuses` is what its queueing system says from now on."""

    def __init__(self, group=()):
        self.worker_spec, self.workers, self.group, self.refuses = {}, {}, list(group), None
        self.scheduler_info = {"workers": {}}
        self.loop = SimpleNamespace(asyncio_loop=asyncio.new_event_loop())
        self.scheduler_comm = self
        self.started, self.retired = 0, []
        self.thread = threading.Thread(target=self.loop.asyncio_loop.run_forever, daemon=True)
        self.thread.start()

    def __await__(self):
        async def correct():
            for name in [name for name in self.workers if name not in self.worker_spec]:
                del self.workers[name]
            for name in [name for name in self.worker_spec if name not in self.workers]:
                status = "created" if self.refuses else "running"
                self.workers[name] = SimpleNamespace(status=SimpleNamespace(name=status))
                if self.refuses is None:
                    self.come(name)
            if self.refuses:
                raise RuntimeError(self.refuses)

        return correct().__await__()

    def scale(self, workers):
        while len(self.worker_spec) * max(len(self.group), 1) < workers:
            number = next(number for number in range(99) if f"job-{number}" not in self.worker_spec)
            self.worker_spec[f"job-{number}"] = {"group": self.group} if self.group else {}
            self.started += 1

    async def scale_down(self, jobs):
        for job in jobs:
            del self.worker_spec[job]
            self.leave(job)
        await self

    async def retire_workers(self, workers, **options):
        self.retired += workers

    def come(self, job):
        for suffix in self.group or [""]:
            self.scheduler_info["workers"][f"tcp://{job}{suffix}"] = {"name": f"{job}{suffix}"}

    def leave(self, job):
        for suffix in self.group or [""]:
            self.scheduler_info["workers"].pop(f"tcp://{job}{suffix}", None)


class Followed:
    """A cluster that is followed, second after second."""

    def __init__(self, workers, group=(), **options):
        self.cluster, self.second, self.busy = Cluster(group), 0, set()
        busy = lambda: {address: ["task"] for address in self.busy}  # noqa: E731
        self.scaling = Scaling(
            self.cluster, busy, WorkerRange.parse(workers), per_job=len(group) or 1, now=lambda: self.second, **options
        )

    def jobs(self, left, seconds=1):
        """Jobs after so many seconds with so many tasks left."""

        async def nothing():
            pass

        for _ in range(seconds):
            self.second += 1
            self.scaling.follow(left)
            asyncio.run_coroutine_threadsafe(nothing(), self.cluster.loop.asyncio_loop).result(10)
        return sorted(self.cluster.worker_spec)


@pytest.mark.parametrize(("text", "found"), [("0:20", (0, 20)), ("3:3", (3, 3)), ("4", (4, 4)), ("0:1", (0, 1))])
def test_a_range_of_workers_is_read(text, found):
    """Fewest and most."""
    assert WorkerRange.parse(text) == WorkerRange(*found)


@pytest.mark.parametrize("text", ["", ":", "3:2", "-1:2", "0:0", "0", "1:2:3", "a:b", "1.5:2"])
def test_what_is_no_range_is_refused(text):
    """Nothing is guessed."""
    with pytest.raises(ValueError):
        WorkerRange.parse(text)


def test_no_more_workers_than_tasks():
    """The rest would have nothing to do from the start."""
    assert WorkerRange(4, 20).within(2) == WorkerRange(2, 2)
    assert WorkerRange(0, 20).within(7) == WorkerRange(0, 7)


def test_workers_follow_the_work_left():
    """As many as there are tasks, within the range."""
    followed = Followed("1:3")
    assert len(followed.jobs(100)) == 3
    followed.cluster.scheduler_info["workers"].clear()
    assert len(Followed("1:3").jobs(2)) == 2
    assert len(Followed("2:3").jobs(1)) == 2
    assert len(Followed("0:3").jobs(0)) == 0


def test_it_looks_once_a_second():
    """However often it is asked to."""
    followed = Followed("0:3")
    followed.jobs(1)
    followed.scaling.follow(3)
    assert len(followed.cluster.worker_spec) == 1


def test_idle_workers_are_stopped_and_busy_ones_stay():
    """After three seconds, not at the first gap; their results go to the others first."""
    followed = Followed("0:3")
    followed.jobs(3)
    followed.busy = {"tcp://job-1"}
    assert len(followed.jobs(1, seconds=3)) == 3
    assert followed.jobs(1) == ["job-1"]
    assert sorted(followed.cluster.retired) == ["tcp://job-0", "tcp://job-2"]
    assert followed.scaling.let_go == {"tcp://job-0", "tcp://job-2"}


def test_nobody_is_stopped_while_all_are_busy():
    """Tasks end at their own time."""
    followed = Followed("0:2")
    followed.jobs(2)
    followed.busy = {"tcp://job-0", "tcp://job-1"}
    assert len(followed.jobs(1, seconds=20)) == 2


def test_more_work_ends_the_wait_to_stop():
    """The three seconds begin anew."""
    followed = Followed("0:2")
    followed.jobs(2)
    followed.jobs(1, seconds=3)
    assert len(followed.jobs(2)) == 2
    assert len(followed.jobs(1, seconds=3)) == 2
    assert len(followed.jobs(1)) == 1


def test_jobs_that_still_wait_in_the_queue_are_the_first_to_go():
    """Before one whose workers are there."""
    followed = Followed("0:2")
    followed.jobs(2)
    followed.cluster.leave("job-0")
    assert followed.jobs(1, seconds=4) == ["job-1"]


def test_a_job_of_several_workers_is_stopped_as_a_whole():
    """Only when all of its workers are idle."""
    followed = Followed("0:8", group=["-0", "-1"], threads=2)
    assert len(followed.jobs(9)) == 3
    followed.busy = {"tcp://job-0-0", "tcp://job-2-1"}
    assert followed.jobs(1, seconds=4) == ["job-0", "job-2"]
    assert sorted(followed.cluster.retired) == ["tcp://job-1-0", "tcp://job-1-1"]


def test_a_job_whose_workers_are_gone_is_replaced():
    """Its time was up, or its machine failed; a nanny that starts a worker anew is given twenty seconds."""
    followed = Followed("2:2", group=["-0", "-1"])
    assert followed.jobs(9, seconds=2) == ["job-0"]
    followed.cluster.leave("job-0")
    followed.jobs(9, seconds=20)
    assert followed.cluster.started == 1
    assert followed.jobs(9) == []
    assert followed.jobs(9, seconds=100) == ["job-0"]
    assert followed.cluster.started == 2  # its name is that of the one before, which is nothing against it


def test_a_job_that_never_came_is_waited_for():
    """It may stand in the queue for hours."""
    followed = Followed("1:1")
    followed.jobs(1)
    followed.cluster.leave("job-0")
    assert followed.jobs(1, seconds=100) == ["job-0"]


def test_a_queue_that_takes_no_job_at_all_is_an_error():
    """With what its own command said."""
    followed = Followed("0:2")
    followed.cluster.refuses = "sbatch: error: invalid partition"
    followed.jobs(2)
    with pytest.raises(DatakitError, match=r"no worker could be started.*invalid partition"):
        followed.jobs(2)


def test_a_queue_that_takes_no_more_jobs_is_told_and_tried_again(caplog):
    """The jobs that are there go on; a minute later it is asked again."""
    followed = Followed("0:3")
    followed.jobs(1)
    followed.cluster.refuses = "sbatch: error: job limit"
    followed.jobs(3, seconds=2)
    followed.cluster.refuses = None
    assert followed.jobs(3, seconds=50) == ["job-0"]
    assert {record.getMessage() for record in caplog.records} == {  # once more where stopping the job is refused, too
        "no more workers could be started, going on with those there are: sbatch: error: job limit"
    }
    assert len(followed.jobs(3, seconds=round(scaling.RETRY_S))) == 3
