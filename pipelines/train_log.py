"""What a training run tells: its tables, TensorBoard events, and a line now and then."""

from __future__ import annotations

import csv
import io
import json
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PillowImage

from datakit.extras import require
from datakit.files import write_text

from .progress import LINE_EVERY_S, clock

if TYPE_CHECKING:
    from model.train import Step

LAST, BEST = "last.safetensors", "best.safetensors"
STEPS, VALIDATIONS = "steps.csv", "validation.csv"
PICTURES = "pictures"
RUN = "run.json"  # how to run it
STEP_COLUMNS = ("step", "loss", "rate", "waited", "seconds")
logger = logging.getLogger(__name__)


class CsvLog:
    """A CSV file that grows by a row at a time, and is cut back when a run goes on from an earlier step.

    Args:
        path: the file.
        columns: its columns; the first is `step`.
    """

    def __init__(self, path: Path, columns: Sequence[str]):
        self.path = path
        self.columns = columns

    def start(self, step: int) -> None:
        """Keep the rows of steps up to `step`; a new file where there is none."""
        kept = [row for row in read_table(self.path) if int(row["step"]) <= step] if self.path.is_file() else []
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(kept)
        write_text(self.path, text.getvalue())

    def add(self, row: Mapping[str, Any]) -> None:
        """Append one row."""
        with self.path.open("a", encoding="utf-8", newline="") as file:
            csv.DictWriter(file, self.columns, lineterminator="\n").writerow(row)


def read_table(path: Path) -> list[dict[str, str]]:
    """The whole rows of a CSV file, column -> text; a row that a kill cut off is left out."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row for row in rows if row["step"].isdecimal() and None not in row.values() and None not in row]


def read_validations(path: Path) -> list[dict[str, Any]]:
    """The rows of `validation.csv` as numbers; none where there is no such file."""
    rows = read_table(path) if path.is_file() else []
    return [
        {"step": int(row["step"]), "triples": int(row["triples"])}
        | {name: float(row[name]) for name in ("input_iou", "output_iou", "gain", "seconds")}
        for row in rows
    ]


class Events:
    """TensorBoard events beside the CSV files, where that extra is installed and asked for."""

    def __init__(self, folder: Path | None, step: int = 0):
        self._writer = None
        if folder is None:
            return
        require("tensorboard", "--tensorboard")
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder), purge_step=step + 1)

    def add(self, values: Mapping[str, float], step: int) -> None:
        """Write scalars at a step."""
        if self._writer:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)
            self._writer.flush()

    def add_picture(self, name: str, path: Path, step: int) -> None:
        """Write a picture, a file of any format, at a step."""
        if self._writer:
            self._writer.add_image(name, np.asarray(PillowImage.open(path).convert("RGB")), step, dataformats="HWC")
            self._writer.flush()

    def add_settings(self, name: str, settings: Mapping[str, Any]) -> None:
        """Write settings as text, JSON in a block of code."""
        if self._writer:
            text = json.dumps(settings, indent=2, ensure_ascii=False, default=str)
            self._writer.add_text(name, f"```json\n{text}\n```")
            self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        if self._writer:
            self._writer.close()


class ProgressLines:
    """Tells every ten seconds how a run goes: loss, rate, speed, share of time spent waiting for samples, time left.

    Args:
        steps: of the whole run.
    """

    def __init__(self, steps: int):
        self.steps = steps
        self._since = time.monotonic()
        self._seen: list[Step] = []

    def tell(self, step: Step) -> None:
        """Count a step, and say how the last ones went when it is time."""
        self._seen.append(step)
        now = time.monotonic()
        if now - self._since < LINE_EVERY_S and step.step < self.steps:
            return
        passed = now - self._since  # validations and checkpoints included
        logger.info(self.line(passed))
        self._since, self._seen = now, []

    def line(self, passed: float) -> str:
        """The line for the steps seen in so many seconds."""
        seen, last = self._seen, self._seen[-1]
        loss = sum(step.loss for step in seen) / len(seen)
        waited = sum(step.waited for step in seen) / sum(step.seconds for step in seen)
        left = clock((self.steps - last.step) * passed / len(seen))
        speed = sum(step.samples for step in seen) / passed
        return (
            f"step {last.step}/{self.steps}, loss {loss:.3f}, rate {last.rate:.2e}, {speed:.1f} samples/s, "
            f"waiting for data {waited:.0%}, {left} left"
        )
