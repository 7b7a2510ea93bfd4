"""Work on processes: results in order, errors as they are, and a death told in a sentence."""

from __future__ import annotations

import math
import os

import pytest

from datakit.errors import DatakitError
from pipelines.pool import AHEAD, map_on_processes, stream_on_processes
from tests.death import die_elsewhere


@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_results_are_in_the_order_of_tasks(jobs):
    """Whoever made them, and with more processes than tasks."""
    assert list(map_on_processes(math.sqrt, [16.0, 9.0, 4.0], jobs)) == [4.0, 3.0, 2.0]
    assert list(map_on_processes(math.sqrt, [], jobs)) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_a_task_is_raised(jobs):
    """As in this process."""
    with pytest.raises(ValueError, match="math domain error"):
        list(map_on_processes(math.sqrt, [4.0, -1.0], jobs))


def test_a_dead_process_is_told():
    """Killed for memory, most often; the way out is fewer of them."""
    with pytest.raises(DatakitError, match="fewer -j"):
        list(map_on_processes(die_elsewhere, [os.getpid()] * 50, 2))


@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_results_of_a_stream_are_in_the_order_of_tasks(jobs):
    """With more tasks than are handed in at once, with fewer, and with none."""
    numbers = [float(n) for n in range(30)]
    assert list(stream_on_processes(math.sqrt, iter(numbers), jobs, "math")) == [math.sqrt(n) for n in numbers]
    assert list(stream_on_processes(math.sqrt, iter([]), jobs, "math")) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_tasks_of_a_stream_are_taken_as_they_are_needed(jobs):
    """A few for each process are ready, however many there are."""
    taken = []

    def tasks():
        for number in range(100):
            taken.append(number)
            yield float(number)

    stream = stream_on_processes(math.sqrt, tasks(), jobs, "math")
    assert [next(stream) for _ in range(3)] == [0.0, 1.0, math.sqrt(2)]
    assert len(taken) <= AHEAD * jobs + 3
    stream.close()


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_a_task_of_a_stream_is_raised(jobs):
    """After the results before it."""
    stream = stream_on_processes(math.sqrt, iter([4.0, -1.0, 9.0]), jobs, "math")
    assert next(stream) == 2.0
    with pytest.raises(ValueError, match="math domain error"):
        next(stream)


def test_a_dead_process_of_a_stream_is_told():
    """As of a list of tasks."""
    with pytest.raises(DatakitError, match="fewer -j"):
        list(stream_on_processes(die_elsewhere, iter([os.getpid()] * 50), 2, "tests.death"))
