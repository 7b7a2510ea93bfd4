"""Progress on something that is no terminal: plain lines, not too many."""

import contextlib
import io
import logging

import pytest

from datakit.progress import progress
from pipelines.progress import LINE_EVERY_S, Progress, clock, on_terminal, progress_on, quietly


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (61, "1:01"), (3600, "1:00:00"), (3725.4, "1:02:05")])
def test_clock(seconds, text):
    """Minutes and seconds, hours when there are any."""
    assert clock(seconds) == text


def test_a_line_has_rate_and_time_left():
    """Half done in ten seconds: ten more to go."""
    assert Progress(100, "photos", io.StringIO(), bar=False, done=50).line(10.0) == "50/100 photos, 5/s, 0:10 left"


def test_a_line_every_ten_seconds_and_one_at_the_end(monkeypatch):
    """Many quick steps are not many lines."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    stream = io.StringIO()
    with progress_on(100, "photos", stream) as shown:
        for _ in range(100):
            now[0] += 0.25
            shown.advance(1)
    assert len(stream.getvalue().splitlines()) == 25 // LINE_EVERY_S + 1


def test_a_terminal_gets_a_bar():
    """On a terminal the bar shows count and unit."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    with progress_on(2, "photos", stream) as shown:
        shown.advance(2)
    assert "2/2" in stream.getvalue()


@pytest.mark.parametrize(
    ("level", "printed"),
    [
        (logging.DEBUG, ["detail", "news", "warning"]),
        (logging.INFO, ["news", "warning"]),
        (logging.WARNING, ["warning"]),
    ],
)
def test_a_command_prints_news_of_its_level_as_bare_lines(capsys, level, printed):
    """`-v`, nothing and `-q`."""
    logger = logging.getLogger("pipelines.some_module")
    with on_terminal(level):
        logger.debug("detail")
        logger.info("news")
        logger.warning("warning")
    assert capsys.readouterr().err.splitlines() == printed


def test_loggers_are_as_they_were_after_an_error():
    """Neither handler nor level stays."""
    logger = logging.getLogger("pipelines")
    before = logger.level, list(logger.handlers), logger.propagate
    with contextlib.suppress(ValueError), on_terminal():
        raise ValueError
    assert (logger.level, list(logger.handlers), logger.propagate) == before


def test_a_call_shows_its_progress_only_to_whoever_asked(capsys):
    """Silent by default, a line on standard error in a command, silent again for one of several workers."""
    for inside in (contextlib.nullcontext(), on_terminal(), on_terminal(logging.WARNING)):
        with inside, progress(1, "photos") as shown:
            shown.advance(1)
    with on_terminal(), quietly(), progress(1, "photos") as shown:
        shown.advance(1)
    assert capsys.readouterr().err.count("1/1 photos") == 1
