"""The page in a real browser: drawn on, propagated, corrected, undone, exported, killed and opened again."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import time
from collections.abc import Iterator
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
from tests.pipelines.annotate.serving import DriftingMasker, serving  # noqa: E402
from tests.tiny import write_picture  # noqa: E402

if TYPE_CHECKING:
    from tests.browser import Browser

COUNT = 10
OBJECT = np.where(labels() == 1, 1, 0).astype(np.uint8)


class Page:
    """The page as a user has it: points of pictures instead of points of windows."""

    def __init__(self, browser: Browser, served: Any):
        self.browser, self.served = browser, served
        browser.visit(served.address)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a pixel of the picture is in the window."""
        return self.browser.point("#masks", x, y)

    def drag(self, *points: tuple[float, float]) -> None:
        """Drag over pixels of the picture, and wait until that is saved."""
        with self.saving():
            self.browser.drag([self.at(*point) for point in points])

    @contextlib.contextmanager
    def saving(self) -> Iterator[None]:
        """Wait afterwards until what the body changed is on disk."""
        before = self.browser.run("document.getElementById('saved').dataset.count")
        yield
        self.browser.until(f"document.getElementById('saved').dataset.count !== '{before}'")

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.browser.press(key)

    def press_and_save(self, *keys: str) -> None:
        """Press keys that change a drawing, and wait until that is saved."""
        with self.saving():
            self.press(*keys)

    def go(self, place: int) -> None:
        """Step to a picture by the keys."""
        self.press("Home", *["ArrowRight"] * place)
        self.until_at(place)

    def until_at(self, place: int) -> None:
        """Wait until a picture is shown."""
        self.browser.until(f"document.getElementById('stage').dataset.place === '{place}'")

    def until_job(self, text: str) -> None:
        """Wait until the report of the job says so."""
        self.browser.until(f"document.getElementById('job-text').textContent.startsWith({json.dumps(text)})")

    def covered(self) -> int:
        """Pixels of the picture in sight that are coloured."""
        script = (
            "(() => { const c = document.getElementById('masks');"
            "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; })()"
        )
        return int(self.browser.run(script))

    def until_covered(self, pixels: int) -> None:
        """Wait until so many pixels are coloured."""
        deadline = time.monotonic() + 20
        while (found := self.covered()) != pixels:
            assert time.monotonic() < deadline, found

    def text(self, name: str) -> str:
        """Text of an element."""
        return str(self.browser.run(f"document.getElementById({json.dumps(name)}).textContent"))

    def quiet(self) -> None:
        """Nothing was complained of, and nothing asked of anybody but this server."""
        assert self.browser.console == []
        elsewhere = [
            url for url in self.browser.requests if not url.startswith(("blob:", "data:", self.served.address))
        ]
        assert elsewhere == []


@pytest.fixture
def page(browser: Browser, project: Project) -> Any:
    """The page of a project of ten frames."""
    with serving(project, DriftingMasker()) as served:
        found = Page(browser, served)
        yield found
        browser.send("Page.navigate", url="about:blank")


def test_a_stroke_a_box_and_a_polygon_are_drawn_and_saved(page: Page, project: Project) -> None:
    """Each under the object that was chosen."""
    page.press("]", "[", "b")
    page.drag((10, 10), (30, 10))
    assert set(np.unique(project.labels(0))) == {0, 1} and project.labels(0)[10, 20] == 1
    page.press("2", "x")
    page.drag((40, 30), (60, 44))
    assert (project.labels(0)[30:44, 40:60] == 2).mean() > 0.9
    page.press("n", "p")
    for corner in ((4, 30), (20, 30), (12, 46)):
        page.browser.drag([page.at(*corner)] * 2)
    page.press_and_save("Enter")
    assert project.labels(0)[34, 12] == 3
    assert page.covered() == (project.labels(0) > 0).sum()
    page.quiet()


def test_the_whole_way_from_a_box_to_a_corrected_film(page: Page, project: Project) -> None:
    """Box, propagate, wait, correct by brush, propagate again, undo: drawn frames never change."""
    page.press("x")
    page.drag((5, 8), (20, 20))
    page.press("g")
    page.until_job("Propagated")
    assert project.signs() == "dmmmmmmmmm"
    first = project.labels(0)
    page.go(6)
    page.press("b")
    page.drag((40, 40), (50, 40))
    assert project.signs() == "dooooodooo"
    page.press("g")
    deadline = time.monotonic() + 20
    while project.signs() != "dmmmmmdmmm":
        assert time.monotonic() < deadline, project.signs()
        time.sleep(0.02)
    assert np.array_equal(project.labels(0), first)
    corrected = project.labels(6)
    page.press_and_save("Ctrl+z")
    assert project.drawn == [0]
    page.press_and_save("Ctrl+Shift+z")
    assert np.array_equal(project.labels(6), corrected)
    page.quiet()


def test_undo_goes_back_to_the_picture_that_was_drawn_on(page: Page, project: Project) -> None:
    """Whatever is shown meanwhile; and there is nothing to undo before the first."""
    page.drag((10, 10), (30, 10))
    page.go(4)
    page.drag((10, 30), (30, 30))
    page.press("End")
    page.until_at(9)
    page.press_and_save("Ctrl+z")
    page.until_at(4)
    page.press_and_save("Ctrl+z")
    page.until_at(0)
    page.browser.until("document.getElementById('undo').disabled")
    assert project.drawn == []
    page.press_and_save("Ctrl+y")
    page.press_and_save("Ctrl+y")
    page.until_at(4)
    assert project.drawn == [0, 4]


def test_a_drawing_is_taken_back_and_brought_again(page: Page, project: Project) -> None:
    """What was made shows again."""
    page.drag((10, 10), (30, 10))
    page.press_and_save("Ctrl+Backspace")
    page.browser.until("document.getElementById('clear').hidden")
    assert project.drawn == []
    page.until_covered(0)
    page.browser.until("!document.getElementById('undo').disabled")
    page.press_and_save("Ctrl+z")
    assert project.drawn == [0]


def test_a_picture_is_accepted_as_it_is(page: Page, project: Project) -> None:
    """It then counts as drawn, until that is undone."""
    page.press_and_save("a")
    assert (project.drawn, project.settled(0)) == ([0], {1, 2})
    page.press_and_save("Ctrl+z")
    assert project.drawn == []
    page.quiet()


def test_keys_alone_suffice(page: Page, project: Project) -> None:
    """Object, name, crosshair, stroke, polygon, propagation, next frame, export: no pointer."""
    page.press("n")
    page.browser.until("document.querySelector('#objects li.now')?.dataset.id === '3'")
    page.press("F2")
    page.browser.until("document.activeElement.tagName === 'INPUT'")
    page.press("Ctrl+a", "d", "o", "g", "Enter")
    page.browser.until("document.getElementById('objects').textContent.includes('dog')")
    page.press_and_save("b", "k", "Shift+ArrowUp", "Enter", "ArrowLeft", "ArrowLeft", "Enter")
    assert project.labels(0)[23, 15] == 3
    page.press_and_save("e", "Enter", "Enter")
    assert project.labels(0)[23, 12] == 0
    page.press_and_save("k", "p", "k", "Enter", "ArrowRight", "Enter", "ArrowDown", "Enter", "Enter")
    assert project.labels(0)[26, 40] == 3
    page.press("k", "g")
    page.until_job("Propagated")
    page.press("w")
    page.browser.until("document.getElementById('stage').dataset.place !== '0'")
    page.press("Ctrl+e")
    page.browser.until("document.getElementById('export').open")
    page.press("Tab", "Tab", " ", "Tab", "Tab", "Enter")
    page.until_job("Exported")
    assert (project.folder / "export").is_dir()
    assert project.objects()[3] == "dog"
    page.quiet()


def test_the_line_scrubs_and_the_film_plays(page: Page) -> None:
    """By pointer; playing ends at the last frame."""
    box = page.browser.run(
        "(() => { const b = document.getElementById('line').getBoundingClientRect();"
        "return [b.x, b.y, b.width, b.height]; })()"
    )
    y = box[1] + box[3] / 2
    page.browser.drag([(box[0] + box[2] * share, y) for share in (0.05, 0.35, 0.75)])
    page.until_at(7)
    page.press(" ")
    page.until_at(9)
    page.quiet()


def test_zoom_keeps_the_pixel_under_the_pointer(page: Page, project: Project) -> None:
    """And drawing still meets the pixels one points at."""
    before = page.at(20, 20)
    page.browser.send("Input.dispatchMouseEvent", type="mouseWheel", x=before[0], y=before[1], deltaX=0, deltaY=-400)
    page.browser.until("document.getElementById('sheet').classList.contains('large')")
    assert np.abs(np.subtract(page.at(20, 20), before)).max() < 3  # pixels of the window; one of the picture is 40
    page.press("[", "[", "[", "[", "[", "[")
    page.drag((20, 20), (22, 20))
    assert project.labels(0)[20, 21] == 1
    assert 5 < (project.labels(0) > 0).sum() < 200


def test_masks_are_seen_through_as_much_as_one_likes(page: Page, project: Project) -> None:
    """At no opacity nothing of them is seen."""
    page.drag((10, 10), (30, 10))
    page.until_covered(int((project.labels(0) > 0).sum()))
    page.browser.choose("#opacity", 0)
    page.until_covered(0)


def test_an_object_that_was_removed_can_be_brought_back(page: Page, project: Project) -> None:
    """From all pictures, and into them."""
    page.drag((10, 10), (30, 10))
    covered = page.covered()
    page.browser.click("[title^='Remove block']")
    page.browser.until("document.getElementById('hint').textContent.startsWith('Removed block')")
    page.until_covered(0)
    page.browser.click("#hint button")
    page.browser.until("document.getElementById('objects').textContent.includes('block')")
    page.until_covered(covered)
    page.quiet()


def test_a_removal_is_undone_like_a_stroke(page: Page, project: Project) -> None:
    """And done again; thumbnails show it, too."""
    page.drag((10, 10), (30, 10))
    covered, thumb = page.covered(), "document.querySelector('.thumb img').src"
    before = page.browser.run(thumb)
    page.browser.click("[title^='Remove block']")
    page.until_covered(0)
    page.browser.until(f"{thumb} !== '{before}'")
    page.press("Ctrl+z")
    page.until_covered(covered)
    page.browser.until("document.getElementById('hint').textContent === 'Brought back block.'")
    page.press("Ctrl+y")
    page.until_covered(0)
    page.quiet()


def test_an_export_says_beforehand_what_it_lacks(page: Page, project: Project) -> None:
    """Frames that nobody has drawn or made, and masks that are older than a drawing."""
    page.press("Ctrl+e")
    assert page.text("export-lack") == "10 frames without masks will be exported as showing nothing."
    page.press("Escape")
    page.drag((10, 10), (30, 10))
    page.press("g")
    page.until_job("Propagated")
    page.press("Ctrl+e")
    assert page.browser.run("document.getElementById('export-lack').hidden")
    page.press("Escape")
    page.drag((10, 20), (30, 20))
    page.press("Ctrl+e")
    assert page.text("export-lack").startswith("Masks of 9 frames are older than the drawings")
    page.quiet()


def test_a_second_box_says_what_it_replaces(page: Page, project: Project) -> None:
    """A newcomer expects a second object of it."""
    page.press("x")
    page.drag((10, 10), (30, 30))
    page.drag((40, 20), (60, 40))
    page.browser.until(
        "document.getElementById('hint').textContent.startsWith('The box has replaced the mask of block')"
    )
    page.quiet()


def test_hostile_names_are_text(page: Page, project: Project) -> None:
    """Of objects here; those of files are set likewise."""
    project.name_object(1, "<img src=x onerror=alert(1)>")
    page.browser.visit(page.served.address)
    assert "<img src=x" in page.text("objects")
    assert page.browser.run("document.querySelectorAll('#objects img').length") == 0
    page.quiet()


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
    browser.until("document.getElementById('job-text').textContent.includes(' of ')")
    process.send_signal(signal.SIGKILL)
    process.wait()
    browser.until("document.getElementById('saved').classList.contains('bad')")
    assert browser.run("document.getElementById('job').hidden")
    browser.drag([page.at(30, 30), page.at(50, 30)])
    browser.until("document.getElementById('saved').textContent.startsWith('Not saved')")
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
        browser.send("Page.navigate", url="about:blank")
