"""How long `datakit --help` takes. Run alone: python -m benchmarks.start"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from . import common


def run(rounds: int = 11) -> None:
    """`datakit --help` beside an empty Python."""
    help_command = [Path(sys.executable).with_name("datakit"), "--help"]
    sides = {
        "datakit --help": lambda: subprocess.run(help_command, check=True, stdout=subprocess.DEVNULL),
        "python -c pass": lambda: subprocess.run([sys.executable, "-c", "pass"], check=True),
    }
    common.save("start", {"seconds": common.medians(common.by_turns(sides, rounds))})


if __name__ == "__main__":
    run()
