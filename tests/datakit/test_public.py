"""The public face of the library: its names, and what importing it costs."""

import subprocess
import sys
from pathlib import Path

import pytest

import datakit
from datakit.errors import UsageError
from tests.made import made_header

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


def test_a_place_may_be_a_string(tmp_path):
    """A text names a file or folder as well as a Path does."""
    assert datakit.verify(str(tmp_path))[0].place == "manifest"
    with pytest.raises(UsageError, match="no such video"):
        datakit.open_frames(str(tmp_path / "clip"))
    with datakit.ShardWriter(str(tmp_path / "a.h5"), made_header(), scratch=str(tmp_path)) as writer:
        assert writer.path == tmp_path / "a.h5"
