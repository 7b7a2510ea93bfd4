"""SLURM's commands `sbatch` and `scancel`, which start jobs as processes of this machine and stop them."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

SBATCH = """#!/bin/bash
if [ -e "{home}/refuse" ]; then cat "{home}/refuse" >&2; exit 1; fi
number=1
until mkdir "{home}/jobs/$number" 2>/dev/null; do number=$((number + 1)); done
job="{home}/jobs/$number"
cp "$1" "$job/script"
setsid bash "$job/script" >"$job/log" 2>&1 </dev/null &
echo $! >"$job/pid.part" && mv "$job/pid.part" "$job/pid"
echo "Submitted batch job $number"
"""
SCANCEL = """#!/bin/bash
if [ -e "{home}/slow" ]; then sleep 1; fi
kill -TERM -- "-$(cat "{home}/jobs/$1/pid")"
"""
SETTINGS = """jobqueue:
  slurm:
    cores: {cores}
    memory: 1GB
    interface: lo
    scheduler-options:
      dashboard_address: ":0"
"""


class FakeSlurm:
    """The commands in a folder of their own, and the jobs they started.

    Attributes:
        environment: what a process needs to find them, and settings of dask-jobqueue for jobs of so many cores.
    """

    def __init__(self, home: Path, path: str, cores: int = 1):
        self.home = home
        commands, settings = home / "bin", home / "settings"
        for folder in (commands, settings, home / "jobs"):
            folder.mkdir(parents=True)
        for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
            (commands / name).write_text(text.format(home=home))
            (commands / name).chmod(0o755)
        (settings / "jobqueue.yaml").write_text(SETTINGS.format(cores=cores))
        self.environment = {"PATH": f"{commands}:{path}", "DASK_CONFIG": str(settings)}

    def refuse(self, words: str) -> None:
        """Take no job from now on."""
        (self.home / "refuse").write_text(words)

    def cancel_slowly(self) -> None:
        """Take a second to cancel a job from now on."""
        (self.home / "slow").touch()

    def submitted(self) -> int:
        """Jobs so far."""
        return len(list(self.home.glob("jobs/*/pid")))

    def running(self) -> list[psutil.Process]:
        """The first process of every job that has one left."""
        found = []
        for file in sorted(self.home.glob("jobs/*/pid")):
            group = int(file.read_text())
            alive = [each for each in psutil.process_iter() if _is_of(each, group)]
            found += alive[:1]
        return found


def _is_of(process: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.Error):
        return False
