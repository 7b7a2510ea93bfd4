"""The page from its start to its end in a real browser: photos, looking only, a killed program, every width."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

for _needed in ("starlette", "uvicorn", "websockets"):
    pytest.importorskip(_needed, reason=f"{_needed} is not installed (extra `annotate`)")

from datakit.video.labels import read_labels  # noqa: E402
from pipelines.annotate.media import open_media  # noqa: E402
from pipelines.annotate.project import Project  # noqa: E402
from tests.clips import draw_folder, labels  # noqa: E402
from tests.pipelines.annotate.page_driver import Page  # noqa: E402
from tests.pipelines.annotate.serving import DriftingMasker, serving  # noqa: E402
from tests.tiny import write_picture  # noqa: E402

if TYPE_CHECKING:
    from tests.browser import Browser


def test_a_project_to_look_at_offers_nothing_that_changes_it(browser: Browser, project: Project) -> None:
    """Tools are off; a stroke does nothing."""
    project.draw(0, labels())
    with serving(Project(project.folder, project.media, writes=False)) as served:
        page = Page(browser, served)
        browser.drag([page.at(40, 10), page.at(60, 10)])
        page.press("b", "n", "g", "Ctrl+z", "Ctrl+Backspace")
        assert page.covered() == (labels() > 0).sum()
        assert browser.run("[...document.querySelectorAll('.tool:not([value=hand])')].every(t => t.disabled)")
        page.quiet()
        browser.send("Page.navigate", url="about:blank")
    assert np.array_equal(project.labels(0), labels())


def test_who_only_looks_sees_what_another_session_draws(browser: Browser, project: Project) -> None:
    """Without loading the page anew: the mask in sight, the line, a new object."""
    project.draw(3, labels())
    with serving(Project(project.folder, project.media, writes=False)) as served:
        page = Page(browser, served)
        project.add_object("dog")
        project.draw(0, labels())
        page.until_covered(int((labels() > 0).sum()))
        browser.until("document.getElementById('objects').textContent.includes('dog')")
        assert page.text("about") == "This one was drawn by hand."
        (project.folder / "project.json").write_text("{")
        browser.until("document.getElementById('hint').textContent.startsWith('What is shown may be old: ')")
        browser.send("Page.navigate", url="about:blank")


def test_photos_are_drawn_one_after_the_other(browser: Browser, tmp_path: Path, datakit: Any) -> None:
    """Box, brush, next photo; the export is a folder that build-shards reads."""
    for number, size in enumerate([(48, 64), (60, 40), (48, 64)]):
        write_picture(tmp_path / "photos" / f"p{number}.jpg", np.full((*size, 3), 90, np.uint8))
    project = Project(tmp_path / "project", open_media(tmp_path / "photos"))
    with serving(project, DriftingMasker()) as served:
        page = Page(browser, served)
        assert browser.run("getComputedStyle(document.getElementById('propagation')).display") == "none"
        for _ in range(2):
            page.press("x")
            page.drag((8, 8), (30, 36))
            page.press("b")
            page.drag((8, 40), (20, 40))
            place = browser.run("document.getElementById('stage').dataset.place")
            page.press("w")
            browser.until(f"document.getElementById('stage').dataset.place !== '{place}'")
        page.press("Ctrl+e")
        browser.run(
            "document.querySelectorAll('#formats input').forEach(box => { box.checked = box.name === 'pairs'; })"
        )
        browser.click("#export-go")
        page.until_job("Exported")
        page.quiet()
        browser.send("Page.navigate", url="about:blank")
    out = project.folder / "export" / "pairs"
    assert sorted(path.name for path in out.rglob("*.*")) == ["p0.jpg", "p0.png", "p1.jpg", "p1.png"]
    built = datakit("build-shards", f"mine={out}", "--recipe", "masktrack-box", "--out", tmp_path / "shards")
    assert built.exit_code == 0, built.output
    assert "2 samples" in built.output or "2 photos" in built.output


def test_a_killed_program_loses_nothing_that_was_drawn(browser: Browser, tmp_path: Path, start: Any) -> None:
    """Killed in the middle of a propagation, by the command itself; the open page goes on with the next session."""
    pytest.importorskip("torch", reason="torch is not installed")
    clip = draw_folder(tmp_path / "clip", 40)
    command = ("annotate", clip, "--project", tmp_path / "project", "--no-browser", "--threads", "1")

    def begun() -> tuple[Any, str]:
        process = start(*command)
        for line in process.stdout:
            if found := re.search(r"http://\S+", line):
                return process, found[0]
        raise AssertionError(process.stderr.read())

    process, address = begun()

    class Served:
        pass

    served = Served()
    served.address = address  # type: ignore[attr-defined]
    page = Page(browser, served)
    page.drag((2, 4), (18, 4), (18, 12), (2, 12))
    page.press("g")
    browser.until("document.getElementById('job-text').textContent.includes(' %')")
    process.send_signal(signal.SIGKILL)
    process.wait()
    browser.until("document.getElementById('saved').classList.contains('bad')")
    assert browser.run("document.getElementById('job').hidden")
    browser.drag([page.at(30, 30), page.at(50, 30)])
    browser.until("document.getElementById('saved').textContent.startsWith('Not saved')")
    page.press("g")
    browser.until("document.getElementById('hint').textContent.endsWith('Nothing was begun.')")
    with page.saving():
        process, again = begun()
    assert again == address
    found = read_labels(tmp_path / "project" / "drawn" / "00000.png", "0").labels
    assert found[4, 10] == 1 and found[30, 40] == 1
    browser.until("!document.getElementById('both').disabled")
    browser.click("#both")
    page.until_job("Propagated")
    assert (tmp_path / "project" / "made" / "00039.png").exists()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert "All is saved" in process.stdout.read()
    browser.send("Page.navigate", url="about:blank")


def test_a_page_of_other_pictures_asks_to_be_reloaded(browser: Browser, project: Project) -> None:
    """Also when a stroke that it held is saved then, to the picture of its name."""
    with serving(project, DriftingMasker()) as served:
        page = Page(browser, served)
        page.go(4)
    browser.until("document.getElementById('saved').classList.contains('bad')")
    browser.drag([page.at(10, 10), page.at(30, 10)])
    browser.until("document.getElementById('saved').textContent.startsWith('Not saved')")
    project.media.files[0].unlink()
    fewer = Project(project.folder, open_media(project.media.path))
    with serving(fewer, DriftingMasker(), served.port):
        with page.saving():
            browser.until("document.getElementById('saved').textContent.startsWith('The pictures are others')")
        assert page.text("saved").startswith("The pictures are others")
        assert [fewer.media.names[place] for place in fewer.drawn] == ["00004"]
        browser.send("Page.navigate", url="about:blank")


def test_a_narrow_window_shows_the_chosen_object_and_one_row_of_buttons(browser: Browser, project: Project) -> None:
    """However long the title, and however many objects there are."""
    for _ in range(10):
        project.add_object()
    project.draw(0, labels())
    with serving(project, DriftingMasker()) as served:
        page = Page(browser, served)
        browser.resize(420, 840)
        page.press("9", "PageDown", "PageDown", "PageDown")
        for number in ("12", "1"):
            browser.until(f"document.querySelector('#objects li.now').dataset.id === '{number}'")
            box = browser.run("document.querySelector('#objects li.now').getBoundingClientRect().toJSON()")
            stage = browser.run("document.getElementById('stage').getBoundingClientRect().toJSON()")
            assert stage["bottom"] <= box["top"] and box["bottom"] <= 841
            page.press("1")
        browser.run("document.getElementById('title').textContent = 'a-rather-long-name-of-a-film'")
        tops = (
            "new Set([...document.querySelectorAll('.top button')].map(each => each.getBoundingClientRect().top)).size"
        )
        assert browser.run(tops) == 1
        browser.send("Page.navigate", url="about:blank")


@pytest.mark.parametrize("how", [(1280, 900, False), (1280, 900, True), (390, 844, False)])
def test_nothing_is_cut_off_at_any_width(browser: Browser, project: Project, how: tuple[int, int, bool]) -> None:
    """Wide, dark and narrow: no sideways scrolling, and every button can be reached."""
    project.draw(0, labels())
    with serving(project, DriftingMasker()) as served:
        browser.visit(served.address, *how)
        assert browser.run("document.documentElement.scrollWidth") <= how[0]
        cut = browser.run(
            "[...document.querySelectorAll('button, input')].filter(e => e.offsetParent && !e.closest('.strip'))"
            ".filter(e => { const b = e.getBoundingClientRect(); return b.left < -1 || b.right > innerWidth + 1; })"
            ".map(e => e.id || e.title)"
        )
        assert cut == []
        assert browser.run("document.getElementById('both').getBoundingClientRect().bottom") < how[1]
        browser.run("document.getElementById('opacity').scrollIntoView()")
        stage = browser.run("document.getElementById('stage').getBoundingClientRect().toJSON()")
        assert stage["top"] >= 0 and stage["height"] > 200  # the picture stays in sight
        browser.send("Page.navigate", url="about:blank")
