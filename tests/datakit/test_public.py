"""The public face of the library: its names, and what importing it costs."""

import subprocess
import sys
from pathlib import Path

import pytest

import datakit

ROOT = Path(__file__).parent.parent.parent


def test_the_public_names_are_these():
    """A snapshot: a name is added or taken away on purpose."""
    assert datakit.__all__ == [
        "CONVENTIONS", "PRESETS", "Concat", "ReadOptions", "Recipe", "Sample", "ShardReader", "ShardWriter",
        "SourceOptions", "Triple", "__version__", "make_triples", "measure", "open_frames", "open_source", "replay",
        "verify",
    ]  # fmt: skip


@pytest.mark.parametrize("name", datakit.__all__)
def test_every_public_name_is_there_and_documented(name):
    """Each is imported on first use, shown by `dir()`, and says what it is."""
    value = getattr(datakit, name)
    assert name in dir(datakit)
    assert name in ("__version__", "CONVENTIONS", "PRESETS") or value.__doc__


def test_an_unknown_name_is_refused_with_the_known_ones():
    """As every module does, and a list to choose from."""
    with pytest.raises(AttributeError, match="ShardReader"):
        datakit.ShardsReader  # noqa: B018


def test_importing_the_library_imports_nothing_heavy():
    """numpy, OpenCV and h5py come with the first name that needs them."""
    code = "import sys, datakit; print(*sorted({'numpy', 'cv2', 'h5py', 'torch', 'PIL'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.split() == []


def test_a_type_checker_sees_the_public_names(tmp_path):
    """mypy --strict on a user's script knows the types, and finds a wrong use."""
    pytest.importorskip("mypy")
    script = tmp_path / "script.py"
    script.write_text(
        "from datakit import ShardReader\n"
        'reader = ShardReader("shards")\n'
        "reveal_type(reader[0].iou)\n"
        "reader.no_such_method()\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(script)]
    environment = {"MYPYPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    found = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert 'Revealed type is "float"' in found.stdout, found.stdout
    assert 'has no attribute "no_such_method"' in found.stdout
