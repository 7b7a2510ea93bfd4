"""Work in the background: one at a time, told, stopped between two steps."""

import threading
import time
from types import SimpleNamespace

import pytest

from datakit.errors import DatakitError, UsageError
from pipelines.annotate.jobs import Jobs, WhenQuiet


def ended(work):
    """The events of a job that has run to its end."""
    events = []
    jobs = Jobs(events.append)
    jobs.start("export", work, lambda: {"kind": "changes"})
    jobs._thread.join(10)
    return events


def test_progress_and_the_end_are_told():
    """The end comes after what has changed."""

    def work(advance):
        for left in (2, 1, 0):
            advance(left, {"kind": "made", "place": left})

    events = ended(work)
    assert [event["place"] for event in events if event["kind"] == "made"] == [2, 1, 0]
    assert [event["kind"] for event in events[-2:]] == ["changes", "job"]
    assert (events[-1]["state"], events[-1]["left"]) == ("done", 0)


@pytest.mark.parametrize(("error", "told"), [
    (DatakitError("a.png: is no picture"), "a.png: is no picture"),
    (OSError(28, "No space left on device", "made/1.png"), "made/1.png: No space left on device"),
    (RuntimeError("odd"), "export failed: RuntimeError('odd')"),
])  # fmt: skip
def test_a_failure_is_told_and_ends_the_job(error, told):
    """Whatever it was."""

    def work(advance):
        raise error

    assert (ended(work)[-1]["state"], ended(work)[-1]["message"]) == ("failed", told)


def test_a_job_stops_after_the_step_it_is_at():
    """And the next can begin."""
    steps, go = [], threading.Event()

    def work(advance):
        for left in range(100, 0, -1):
            steps.append(left)
            go.set()
            time.sleep(0.002)
            advance(left)

    jobs = Jobs(lambda event: None)
    jobs.start("propagate", work, dict)
    go.wait(10)
    with pytest.raises(UsageError, match="Propagation is running"):
        jobs.start("export", work, dict)
    jobs.stop(wait=10)
    assert jobs.state["state"] == "stopped" and len(steps) < 100
    jobs.start("export", lambda advance: None, dict)


def test_what_is_left_is_told_by_real_steps_of_late(monkeypatch):
    """Neither by what only prepares, nor by those that were fast or slow once."""
    told, now = [], [0.0]
    monkeypatch.setattr("pipelines.annotate.jobs.time", SimpleNamespace(monotonic=lambda: now[0]))

    def work(advance):
        for _ in range(5):
            advance(40)  # nothing is done yet
        for left in reversed(range(40)):
            now[0] += 0.2 if left > 25 else 0.5
            advance(left)

    jobs = Jobs(told.append)
    jobs.start("learn", work, dict)
    jobs.wait()
    running = [event for event in told if event.get("state") == "running"]
    assert all(event["seconds_left"] is None for event in running if event["done"] <= 3)
    late = next(event for event in running if event["left"] == 10)
    assert late["seconds_left"] == pytest.approx(5.0) and late["done"] == 31


def test_only_the_last_of_what_was_asked_for_in_haste_is_done():
    """And nothing that was taken back."""
    done, quiet = [], WhenQuiet(0.05)
    for number in range(5):
        quiet.ask(lambda wanted, number=number: done.append(number))
    quiet.wait()
    assert done == [4]
    quiet.ask(lambda wanted: done.append("taken back"))
    timer = quiet._timer
    quiet.end()
    timer.join()
    assert done == [4]


def test_what_has_begun_is_waited_for():
    """A thread that computes while the program ends would take it down. Who asks meanwhile does not wait."""
    begun, go, done = threading.Event(), threading.Event(), []
    quiet = WhenQuiet(0)
    quiet.ask(lambda wanted: (begun.set(), go.wait(10), done.append(wanted())))
    assert begun.wait(10)
    quiet.ask(lambda wanted: done.append("second"))
    threading.Timer(0.05, go.set).start()
    quiet.end()
    assert done == [False]
