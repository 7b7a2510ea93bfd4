"""Work on processes: results in order, errors as they are, and a death told in a sentence."""

from __future__ import annotations

import math
import os

import pytest

from datakit.errors import DatakitError
from pipelines.pool import map_on_processes
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
