"""A project of ten frames, and drawings for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.annotate.media import open_media
from pipelines.annotate.project import Project
from tests.clips import draw_folder

COUNT = 10


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A folder of ten frames of 64x48."""
    return draw_folder(tmp_path / "clip", COUNT)


@pytest.fixture
def project(tmp_path: Path, clip: Path) -> Project:
    """A new project of it, with two objects."""
    made = Project(tmp_path / "project", open_media(clip))
    made.add_object("block")
    made.add_object("other")
    return made
