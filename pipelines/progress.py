"""Progress: a bar on a terminal, a plain line every ten seconds elsewhere, both with rate and time left."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TextIO

from datakit.progress import displaying, silent

LINE_EVERY_S = 10.0


@dataclass
class Progress:
    """Counts what is done of `total` and tells it now and then.

    Attributes:
        total: number of units to do.
        unit: what is counted, in the plural.
        stream: where plain lines go.
        bar: whether to draw a bar instead.
    """

    total: int
    unit: str
    stream: TextIO
    bar: bool
    done: int = 0
    _started: float = field(default_factory=lambda: time.monotonic())
    _last_line: float = field(default_factory=lambda: time.monotonic())

    def advance(self, count: int) -> None:
        """Count `count` more units as done."""
        self.done += count
        now = time.monotonic()
        if not self.bar and (now - self._last_line >= LINE_EVERY_S or self.done == self.total):
            self._last_line = now
            self.stream.write(self.line(now - self._started) + "\n")
            self.stream.flush()

    def line(self, seconds: float) -> str:
        """The plain line after so many seconds."""
        rate = self.done / seconds if seconds else 0.0
        left = (self.total - self.done) / rate if rate else 0.0
        return f"{self.done}/{self.total} {self.unit}, {rate_text(rate)}/s, {clock(left)} left"


def rate_text(rate: float) -> str:
    """A number a second, whole above ten."""
    return f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}"


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@contextlib.contextmanager
def progress_on(total: int, unit: str, stream: TextIO) -> Iterator[Progress]:
    """A running progress display on `stream`."""
    if not stream.isatty():
        yield Progress(total, unit, stream, bar=False)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Task, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    rate = TextColumn("{task.fields[rate]}")
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn(unit), rate, TimeRemainingColumn())
    with Bar(*columns, console=Console(file=stream)) as bar:
        task = bar.add_task(unit, total=total, rate="")

        class Drawn(Progress):
            def advance(self, count: int) -> None:
                super().advance(count)
                shown: Task = bar.tasks[0]
                bar.update(task, completed=self.done, rate=f"{rate_text(self.done / max(shown.elapsed or 0, 1e-9))}/s")

        yield Drawn(total, unit, stream, bar=True)


class _NewsHandler(logging.Handler):
    """Prints the bare line on standard error: above the bar where one is drawn."""

    def emit(self, record: logging.LogRecord) -> None:
        print(record.getMessage(), file=sys.stderr, flush=True)


@contextlib.contextmanager
def on_terminal(level: int = logging.INFO) -> Iterator[None]:
    """Inside, progress and the news of our own loggers go to standard error; loggers are restored afterwards.

    Args:
        level: of the least important news that are printed; above INFO there is no progress either.
    """
    handler = _NewsHandler()
    loggers = [logging.getLogger(name) for name in ("datakit", "model", "pipelines")]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(level)
        logger.propagate = False
    try:
        with displaying(silent if level > logging.INFO else lambda total, unit: progress_on(total, unit, sys.stderr)):
            yield
    finally:
        for logger, (old_level, propagate) in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(old_level)
            logger.propagate = propagate


@contextlib.contextmanager
def quietly(level: int = logging.WARNING) -> Iterator[None]:
    """Inside, no progress is shown and no news below `level` are told: one of several workers, another has the word."""
    loggers = [logging.getLogger(name) for name in ("datakit", "model", "pipelines")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(level)
    try:
        with displaying(silent):
            yield
    finally:
        for logger, old in zip(loggers, before, strict=True):
            logger.setLevel(old)
