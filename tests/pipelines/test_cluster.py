"""Tasks run once each, here or in workers, and what goes wrong in them is told."""

import os
import signal
import sys

import pytest

from datakit.errors import DatakitError, UsageError
from pipelines.cluster import run_tasks
from pipelines.dask_client import check_workers


def double(number: int) -> int:
    return 2 * number


def fail(number: int) -> int:
    raise OSError(28, "No space left on device")


def time_out(number: int) -> int:
    raise TimeoutError(110, "Connection timed out")


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def results_of(function, tasks, **options):
    results = {}
    run_tasks(function, tasks, lambda task: f"task-{task}", results.__setitem__, **options)
    return results


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_task_is_done(jobs, tmp_path):
    """More tasks than the window holds."""
    tasks = list(range(20))
    assert results_of(double, tasks, jobs=jobs, scratch=tmp_path) == {task: 2 * task for task in tasks}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_finished_task_may_lead_to_others(jobs, tmp_path):
    """What `done` gives is done too, before what waits."""
    seen = []

    def done(task, result):
        seen.append((task, result))
        return [task + 10] if task < 10 else []

    run_tasks(double, [1, 2, 3], str, done, jobs=jobs, scratch=tmp_path)
    assert sorted(seen) == [(task, 2 * task) for task in (1, 2, 3, 11, 12, 13)]
    if jobs == 1:
        assert [task for task, _ in seen] == [1, 11, 2, 12, 3, 13]


def test_no_tasks_start_no_cluster():
    """Nothing to do is done at once."""
    assert results_of(double, [], jobs=8, scheduler="tcp://nowhere:1") == {}


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_in_a_task_is_raised_here(jobs, tmp_path):
    """A full disk on a worker is a full disk."""
    with pytest.raises(OSError, match="No space left"):
        results_of(fail, [1, 2], jobs=jobs, scratch=tmp_path)


def test_a_task_s_own_time_out_is_its_error(tmp_path):
    """A network file system that does not answer is not taken for a result that was lost on its way."""
    with pytest.raises(TimeoutError, match="Connection timed out"):
        results_of(time_out, [1, 2], jobs=2, scratch=tmp_path)


def test_a_task_that_kills_its_workers_is_named(tmp_path):
    """After a few deaths the task is given up by name, and the run ends instead of hanging."""
    with pytest.raises(DatakitError, match=r"task-\d: its worker died \d times"):
        results_of(die, [1, 2], jobs=2, scratch=tmp_path)


def test_a_report_needs_bokeh(tmp_path, monkeypatch):
    """Said before the work, with the line that helps."""
    monkeypatch.setitem(sys.modules, "bokeh", None)
    with pytest.raises(UsageError, match=r"pip install 'masktrack-datakit\[report\]'"):
        results_of(double, [1], report=tmp_path / "report.html")


class Cluster:
    """Stands in for a client: what its workers answer."""

    def __init__(self, answers):
        self.answers = answers

    def run(self, function):
        return {name: answer(function) for name, answer in self.answers.items()}


def test_a_worker_with_other_versions_is_refused():
    """Another OpenCV could make other bytes; it is named with both versions."""
    cluster = Cluster({"tcp://a:1": lambda f: f(), "tcp://b:1": lambda f: {**f(), "opencv": "4.1"}})
    with pytest.raises(DatakitError, match=r"tcp://b:1 has other versions: opencv 4\.1 \(here 5"):
        check_workers(cluster, "tcp://s:1")


def test_a_cluster_without_workers_is_refused():
    """Waiting for ever is no answer."""
    with pytest.raises(DatakitError, match="no workers"):
        check_workers(Cluster({}), "tcp://s:1")
