"""What is said where an extra is not installed: in a process of its own, in which its packages cannot be found."""

import subprocess
import sys
from pathlib import Path

import pytest

from datakit.extras import EXTRAS, require

ROOT = Path(__file__).parent.parent.parent


def run_without(modules, code):
    """A fresh interpreter in which the modules are not found."""
    blocked = f"import sys; sys.modules.update(dict.fromkeys({list(modules)!r}))\n"
    return subprocess.run([sys.executable, "-c", blocked + code], capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_missing_extra_is_named_with_the_way_to_install_it(extra):
    """One sentence, and both kinds of `except` catch it."""
    code = (
        "from datakit.extras import require\nfrom datakit.errors import UsageError\n"
        f"try: require({extra!r}, 'this')\n"
        "except UsageError as error: print(isinstance(error, ImportError), error)"
    )
    found = run_without(EXTRAS[extra], code)
    assert found.stdout.startswith("True this needs "), found.stderr
    assert f"pip install 'masktrack-datakit[{extra}]'" in found.stdout


def test_an_installed_extra_is_no_news():
    """Nothing happens where all is there."""
    require("network", "the network")


@pytest.mark.parametrize(
    "words", [["score", "."], ["train", ".", "--out", "y"], ["propagate", ".", "--box", "1,1,9,9", "--out", "y"]]
)
def test_commands_of_the_network_name_its_extra(words, tmp_path):
    """Exit code 2 and a sentence, no traceback, where torch is not installed."""
    code = f"from pipelines.cli import cli; cli({words!r})"
    found = run_without(["torch"], code)
    assert found.returncode == 2
    assert "masktrack-datakit[network]" in found.stderr
    assert "Traceback" not in found.stderr


def test_the_data_floor_needs_no_torch():
    """`import datakit` and its public names work where torch is not installed."""
    found = run_without(["torch"], "import datakit; print([getattr(datakit, name) for name in datakit.__all__][-1])")
    assert found.returncode == 0, found.stderr
