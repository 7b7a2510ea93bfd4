"""A project of ten frames, and its page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.annotate.media import open_media
from pipelines.annotate.project import Project
from tests.clips import draw_folder

if TYPE_CHECKING:
    from tests.browser import Browser
    from tests.pipelines.annotate.page_driver import Page

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


@pytest.fixture
def page(browser: Browser, project: Project) -> Iterator[Page]:
    """The page of a project of ten frames."""
    from tests.pipelines.annotate.page_driver import Page  # the extra `annotate` may not be there
    from tests.pipelines.annotate.serving import DriftingMasker, serving

    with serving(project, DriftingMasker()) as served:
        yield Page(browser, served)
        browser.send("Page.navigate", url="about:blank")
