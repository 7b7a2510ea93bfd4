"""Runs the datakit command with a propagator that needs no weights, and with one thing going wrong:
python -m tests.propagate_faults FAULT COMMAND...
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from pipelines import cli
from pipelines.propagate import network, output, pictures, run
from tests.clips import DriftingEngine
from tests.faults import after, before, kill_group


def cut_line_and_kill() -> None:
    """A kill in the middle of a row of the log."""
    original = output.canonical_json
    seen = [0]

    def cut(row: object) -> str:
        seen[0] += 1
        if seen[0] == 4:
            log = next(path for path in WHERE if path.name == output.LOG)
            with log.open("a", encoding="utf-8") as file:
                file.write(original(row)[:20])
            kill_group()
        return original(row)

    output.canonical_json = cut


WHERE: list = []


def note_logs() -> None:
    """Remember where the log of the run is."""
    original = output.Output.__init__

    def noted(self: output.Output, *arguments: object) -> None:
        original(self, *arguments)
        WHERE.append(self.report / output.LOG)

    output.Output.__init__ = noted


FAULTS: dict[str, Callable[[], None]] = {
    "none": lambda: None,
    "kill-claimed": lambda: after(output.Output, "prepare_output", kill_group),
    "kill-first-frame": lambda: before(output, "encode_palette_png", kill_group),
    "kill-mid-video": lambda: before(output, "encode_palette_png", kill_group, calls=4),
    "kill-in-a-log-row": lambda: (note_logs(), cut_line_and_kill()),
    "kill-before-film": lambda: before(pictures, "put_in_place", kill_group),
    "kill-before-sheet": lambda: before(run, "write_sheet", kill_group),
    "kill-before-report": lambda: before(run, "report_of", kill_group),
    "kill-after-all": lambda: after(run, "finish", kill_group),
    "no-preflight": lambda: setattr(output.Output, "preflight", lambda *_: None),
}


if __name__ == "__main__":
    network.open_engine = DriftingEngine
    FAULTS[sys.argv[1]]()
    sys.argv[1:] = sys.argv[2:]
    cli.cli()
