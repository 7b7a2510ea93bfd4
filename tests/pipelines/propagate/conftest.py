"""A clip of six frames, its first mask, and a propagator that only moves masks."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.propagate import network
from tests.clips import DriftingEngine, draw_folder, labels, write_labels


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """A propagator that only moves masks."""
    monkeypatch.setattr(network, "open_engine", DriftingEngine)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A folder of six frames, `clip`."""
    return draw_folder(tmp_path / "clip")


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    """Its first mask, with two objects."""
    return write_labels(tmp_path / "first.png", labels())
