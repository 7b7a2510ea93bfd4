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
    from tests.pipelines.annotate.serving import Served

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
def served(project: Project) -> Iterator[Served]:
    """A server of the project."""
    from tests.pipelines.annotate.serving import DriftingMasker, serving  # the extra `annotate` may not be there

    with serving(project, DriftingMasker()) as found:
        yield found


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    """The page of a project of ten frames."""
    from tests.pipelines.annotate.page_driver import Page

    yield Page(browser, served)
    browser.send("Page.navigate", url="about:blank")
