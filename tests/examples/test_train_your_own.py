"""The example of a network of one's own runs as it stands, and learns."""

import importlib.util
from pathlib import Path

import pytest

from tests.small_shards import write_shards

EXAMPLE = Path(__file__).parents[2] / "examples" / "train_your_own.py"


@pytest.fixture
def example():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location(EXAMPLE.stem, EXAMPLE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_network_of_ones_own_beats_its_rough_masks(example, tmp_path, capsys):
    """On photos it was not trained on, after a few steps; the objects here are of one bright colour."""
    rough, learned = example.train(str(write_shards(tmp_path / "shards", photos=24)), steps=50)
    assert learned > rough + 0.1
    assert "step 50: loss" in capsys.readouterr().out
