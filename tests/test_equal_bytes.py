"""The same package versions give the same bytes on any processor: each switch that makes ours another one is thrown."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from datakit.clips import CLIP_PRESETS
from datakit.sample import draw_sample_data
from pipelines.cli import cli
from tests.equal_bytes import SWITCHES

ROOT = Path(__file__).parent.parent
BLAS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def digests(switch: str, source: Path, out: Path) -> list[str]:
    """What a process with the switch thrown makes of the source."""
    plain = {key: value for key, value in os.environ.items() if key not in BLAS}
    run = subprocess.run(
        [sys.executable, "-m", "tests.equal_bytes", switch, source, out],
        env={**plain, **SWITCHES[switch]},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return [line for line in run.stdout.splitlines() if not line.startswith("#")]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Two drawn photos, and beside them shards of them, of which clips are made."""
    folder = tmp_path_factory.mktemp("data")
    draw_sample_data(folder, 0, 2)
    built = CliRunner().invoke(cli, ["build-shards", str(folder / "ecssd"), "--out", str(folder / "shards"), "-j", "1"])
    assert built.exit_code == 0, built.output
    return folder / "ecssd"


@pytest.fixture(scope="module")
def baseline(source, tmp_path_factory):
    """Digests of this machine as it is."""
    return digests("none", source, tmp_path_factory.mktemp("none"))


@pytest.mark.parametrize("switch", [name for name in SWITCHES if name != "none"])
def test_the_bytes_do_not_depend_on_the_processor(switch, source, baseline, tmp_path):
    """Original, shrunk, re-encoded and turned photos, with every recipe; and clips of them."""
    if switch in ("numpy-baseline", "blas-generic", "ipp-off") and platform.machine() != "x86_64":
        pytest.skip(f"the switch {switch} is one of x86-64")
    assert digests(switch, source, tmp_path) == baseline
    assert len(baseline) == 4 + len(CLIP_PRESETS)
