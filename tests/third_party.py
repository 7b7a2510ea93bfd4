"""Packages of other people: installed beside ours for the processes of one test, and found by their entry points."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import datakit

CHECKOUT = str(Path(datakit.__file__).parent.parent)


def install(site: Path, package: str, family: str, name: str, place: str, source: str) -> Installation:
    """A package as `pip install` leaves it: a module, and the metadata with its entry point.

    Args:
        site: folder it is installed to.
        package: name of the distribution.
        family: `layouts`, `transforms` or `networks`.
        name: of what joins the family.
        place: where it is, `module:attribute`.
        source: of the module.
    """
    info = site / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[masktrack_datakit.{family}]\n{name} = {place}\n")
    (site / f"{place.partition(':')[0]}.py").write_text(source)
    return Installation((CHECKOUT, str(site)))


@dataclass(frozen=True)
class Installation:
    """Our packages, and maybe somebody else's.

    Attributes:
        paths: where Python looks for them.
    """

    paths: tuple[str, ...] = (CHECKOUT,)

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        """The `datakit` command in a process of its own, with what it prints."""
        command = [sys.executable, "-P", "-c", "from pipelines.cli import cli; cli()", *map(str, words)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(self.paths)}
        return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=180)
