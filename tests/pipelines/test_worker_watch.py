"""Workers that are lost are told; a cluster without any after ten seconds, seldom again, and when it has some again."""

import pytest

from pipelines.worker_watch import AbsenceMessages, Watch


class Clock:
    """Stands in for the clock and for the cluster: how many workers, or which, at each second."""

    def __init__(self, threads):
        self.threads = threads
        self.second = 0
        self.asked = 0

    def ask(self):
        self.asked += 1
        found = self.threads(self.second)
        if found is None:
            raise OSError("the scheduler does not answer")
        return {f"tcp://w:{number}": 1 for number in range(found)} if isinstance(found, int) else found

    def told(self, seconds, scheduler="tcp://s:1"):
        lines = []
        watch = Watch(
            self.ask, AbsenceMessages.of(scheduler), lambda line: lines.append((self.second, line)), lambda: self.second
        )
        for self.second in range(seconds):
            watch.poll()
        return lines


def test_ten_seconds_without_a_worker_are_told_once_a_minute():
    """Where, and what to type."""
    lines = Clock(lambda second: 0).told(75)
    assert [second for second, _ in lines] == [10, 70]
    assert "no worker is there yet at tcp://s:1; waiting for 0:10 now" in lines[0][1]
    assert "`dask worker tcp://s:1`" in lines[0][1]
    assert "waiting for 1:10 now" in lines[1][1]


def test_the_machine_s_own_cluster_has_no_address():
    """No command of Dask helps there."""
    ((_, line),) = Clock(lambda second: 0).told(12, scheduler=None)
    assert "on this machine" in line and "dask worker" not in line and "Ctrl-C" in line


def test_a_cluster_that_has_workers_again_at_once_is_not_told():
    """A nanny takes a second or two; that they were lost is told, and no more."""
    ((second, line),) = Clock(lambda second: 0 if 5 <= second < 12 else 2).told(40)
    assert second == 5 and line.startswith("2 workers were lost")


def test_a_lost_worker_is_told_though_another_took_its_place():
    """What it was making is made again; one that joins is nothing to tell."""
    joined = Clock(lambda second: dict.fromkeys(["a", "b" if second < 9 else "c", "d"][: 2 + (second > 20)], 1))
    ((second, line),) = joined.told(40)
    assert second == 9 and line == "a worker was lost at tcp://s:1; what it was making is made again"


def test_workers_that_were_stopped_on_purpose_are_not_lost():
    """Nothing was left for them; the one beside them was lost."""
    lines = []
    answers = iter([{"a": 1, "b": 1, "c": 1}, {"a": 1}])
    seconds = iter([0, 1])
    watch = Watch(lambda: next(answers), AbsenceMessages.of(None), lines.append, lambda: next(seconds), let_go={"b"})
    watch.poll()
    watch.poll()
    assert lines == ["a worker was lost on this machine; what it was making is made again"]


def test_a_cluster_that_scales_itself_loses_nobody():
    """It lets workers go as it likes; that none is left is told all the same."""
    lines = []
    clock = Clock(lambda second: 2 if second < 5 else 0)
    watch = Watch(clock.ask, AbsenceMessages.of("tcp://s:1", True), lines.append, lambda: clock.second)
    for clock.second in range(20):
        watch.poll()
    (line,) = lines
    assert line.startswith("no worker is left at tcp://s:1; waiting for 0:10 now: the cluster starts them itself")


def test_jobs_of_a_queue_are_not_started_by_hand():
    """Where to look instead."""
    ((_, line),) = Clock(lambda second: 0).told(12, scheduler="slurm")
    assert line.startswith("no worker is there yet of slurm; waiting for 0:10 now: see in its queue")
    assert "dask worker" not in line


def test_workers_that_come_back_are_told():
    """And the ten seconds begin anew."""
    lines = Clock(lambda second: 1 if 20 <= second < 30 else 0).told(45)
    assert [second for second, _ in lines] == [10, 20, 30, 40]
    assert "lost" in lines[2][1]
    assert lines[1][1] == "there are workers at tcp://s:1 again; going on"


def test_a_scheduler_that_does_not_answer_is_nothing_to_tell():
    """What waits for the tasks says so itself."""
    assert Clock(lambda second: None).told(30) == []


@pytest.mark.parametrize("looks", [1, 50])
def test_the_scheduler_is_asked_once_a_second(looks):
    """However often one looks."""
    clock = Clock(lambda second: 1)
    watch = Watch(clock.ask, AbsenceMessages.of(None), print, lambda: 0.0)
    assert [watch.poll() for _ in range(looks)] == [1] * looks
    assert clock.asked == 1
