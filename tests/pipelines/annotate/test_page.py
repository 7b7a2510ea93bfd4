"""Drawing on the page in a real browser: strokes, boxes, objects, propagation, undo, keys alone."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

for _needed in ("starlette", "uvicorn", "websockets"):
    pytest.importorskip(_needed, reason=f"{_needed} is not installed (extra `annotate`)")

from pipelines.annotate.project import Project  # noqa: E402
from pipelines.annotate.signs import signs  # noqa: E402
from tests.clips import labels  # noqa: E402
from tests.pipelines.annotate.page_driver import Page  # noqa: E402
from tests.pipelines.annotate.serving import DriftingMasker, serving  # noqa: E402

if TYPE_CHECKING:
    from tests.browser import Browser

COUNT = 10
LINE = (  # colours of the film's line, of each frame
    "(() => { const line = document.getElementById('line'), pen = line.getContext('2d');"
    "return [...Array(10).keys()].map(n =>"
    "pen.getImageData((n + 0.25) * line.width / 10, line.height * 0.6, 1, 1).data.join()); })()"
)
OBJECT = np.where(labels() == 1, 1, 0).astype(np.uint8)


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
    assert signs(project) == "dmmmmmmmmm"
    first = project.labels(0)
    page.go(6)
    page.press("b")
    page.drag((40, 40), (50, 40))
    assert signs(project) == "dooooodooo"
    page.press("g")
    deadline = time.monotonic() + 20
    while signs(project) != "dmmmmmdmmm":
        assert time.monotonic() < deadline, signs(project)
        time.sleep(0.02)
    assert np.array_equal(project.labels(0), first)
    corrected = project.labels(6)
    page.press_and_save("Ctrl+z")
    assert project.drawn == [0]
    page.press_and_save("Ctrl+Shift+z")
    assert np.array_equal(project.labels(6), corrected)
    page.quiet()


def test_a_drawing_that_is_refused_is_told_and_shown_no_more(page: Page, project: Project) -> None:
    """Its object was removed elsewhere."""
    project.remove_object(1)
    page.drag((10, 10), (30, 10))
    assert page.text("saved").startswith("Not saved: frame 1 · 00000: object 1")
    page.until_covered(0)
    assert project.drawn == []


def test_a_box_answered_during_a_stroke_loses_neither(browser: Browser, project: Project) -> None:
    """The stroke ends where the mask of the box comes."""
    masker = DriftingMasker()
    masker.boxes = threading.Event()
    with serving(project, masker) as served:
        page = Page(browser, served)
        page.press("x")
        browser.drag([page.at(40, 20), page.at(60, 40)])
        page.press("n")
        browser.until("document.querySelector('#objects li.now').dataset.id === '3'")
        page.press("b")
        with page.saving():
            browser.hold([page.at(5, 5), page.at(20, 5)])
            masker.boxes.set()
            browser.until("document.getElementById('hint').hidden")
            browser.let_go(page.at(20, 5))
        page.until_saved()
        assert {1, 3} <= set(np.unique(project.labels(0)))
        page.quiet()
        browser.send("Page.navigate", url="about:blank")


def test_the_frame_that_is_offered_says_so_when_it_is_in_sight(page: Page, project: Project) -> None:
    """Instead of nothing that happens."""
    project.draw(0, OBJECT)
    for place, sure in ((3, 0.9), (4, 0.1), (5, 0.9)):
        project.keep_made(place, OBJECT, {"confidence": sure})
    page.browser.visit(page.served.address)
    page.press("w")
    page.until_at(4)
    assert page.text("offer") == "This frame needs a look"
    page.press("w")
    assert page.text("hint").startswith("This is the one")
    page.quiet()


def test_an_answer_that_was_overtaken_changes_nothing(page: Page, project: Project) -> None:
    """The first of two new objects, told of after the second."""
    page.browser.run(
        "(() => { const real = window.fetch; let asked = 0; window.heard = 0; window.fetch = async (path, ...more) => {"
        "const first = path === 'objects' && !asked++, answer = await real(path, ...more);"
        "if (first) await new Promise(done => setTimeout(done, 500));"
        "if (path === 'objects') setTimeout(() => { window.heard++; }); return answer; }; })()"
    )
    page.press("n", "n")
    page.browser.until("window.heard === 2")
    assert page.browser.run("document.querySelectorAll('#objects li').length") == 4
    assert page.browser.run("document.querySelector('#objects li.now').dataset.id") == "4"
    page.drag((10, 10), (30, 10))
    assert set(np.unique(project.labels(0))) == {0, 4}


def test_an_old_answer_hides_no_mask_that_was_made_meanwhile(browser: Browser, project: Project) -> None:
    """An object is added while frames are made; its answer, which knows of none, comes after four of them."""
    masker = DriftingMasker(steps=0)
    with serving(project, masker) as served:
        page = Page(browser, served)
        page.drag((10, 10), (30, 10))
        browser.run(
            "(() => { const real = window.fetch; window.fetch = async (path, ...more) => {"
            "const answer = await real(path, ...more); if (path !== 'objects') return answer;"
            "await new Promise(done => { window.release = done; });"
            "setTimeout(() => { window.heard = true; }); return answer; }; })()"
        )
        page.press("Shift+f", "n")
        browser.until("!!window.release")
        masker.allow(4)
        browser.until(f"{LINE}[4] !== {LINE}[9]")
        line = browser.run(LINE)
        browser.run("window.release()")
        browser.until("window.heard")
        assert browser.run(LINE) == line
        masker.allow(5)
        page.until_job("Propagated")


def test_thumbnails_are_asked_for_one_after_the_other(page: Page) -> None:
    """So that whatever somebody waits for does not queue behind them."""
    page.browser.until("[...document.querySelectorAll('.thumb img')].every(image => image.complete && image.src)")
    asked = page.browser.run(
        "performance.getEntriesByType('resource').filter(each => each.name.includes('/thumb/'))"
        ".map(each => [each.startTime, each.responseEnd])"
    )
    assert len(asked) > 3 and all(one[1] <= two[0] for one, two in pairwise(asked))


SHIFT = "document.getElementById('sheet').style.transform"


def test_keys_move_the_picture_that_is_zoomed(page: Page) -> None:
    """By arrows, with Move; the crosshair stays in sight. Where it is whole they show the next picture."""
    page.press("h", "ArrowRight")
    page.browser.until("document.getElementById('stage').dataset.place === '1'")
    page.press("+", "+", "+", "+")
    before = page.browser.run(SHIFT)
    page.press("ArrowRight")
    assert page.browser.run(SHIFT) != before
    assert page.browser.run("document.getElementById('stage').dataset.place") == "1"
    page.press("b", "k", *["ArrowLeft"] * 8)
    box = "document.getElementById('stage').getBoundingClientRect()"
    mark = "document.querySelector('#marks path').getBoundingClientRect()"
    assert page.browser.run(f"{mark}.left >= {box}.left && {mark}.right <= {box}.right")


def test_a_key_chooses_the_object_beside(page: Page) -> None:
    """So that more than nine can be chosen."""
    page.press("1", "PageDown")
    page.browser.until("document.querySelector('#objects li.now')?.dataset.id === '2'")
    page.press("PageDown", "PageUp")
    page.browser.until("document.querySelector('#objects li.now')?.dataset.id === '1'")


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


def test_a_thumbnail_is_marked_if_it_is_the_picture_in_sight(page: Page) -> None:
    """And no other one where that has none."""
    current = "[...document.querySelectorAll('.thumb[aria-current=true]')].map(card => Number(card.dataset.place))"
    page.browser.resize(420, 840)
    page.browser.until("document.querySelectorAll('.thumb').length === 3")
    for place, marked in ((0, [0]), (1, []), (9, [9]), (8, [])):
        page.go(place)
        assert page.browser.run(current) == marked


def test_masks_are_seen_through_as_much_as_one_likes(page: Page, project: Project) -> None:
    """At no opacity nothing of them is seen."""
    page.drag((10, 10), (30, 10))
    page.until_covered(int((project.labels(0) > 0).sum()))
    page.browser.choose("#opacity", 0)
    page.until_covered(0)


def test_an_export_says_beforehand_what_it_lacks(page: Page, project: Project) -> None:
    """Frames that nobody has drawn or made, and masks that are older than a drawing."""
    page.drag((10, 10), (30, 10))
    page.press("Ctrl+e")
    assert page.text("export-lack") == "9 frames without masks will be exported as showing nothing."
    page.press("Escape")
    page.press("g")
    page.until_job("Propagated")
    page.press("Ctrl+e")
    assert page.browser.run("document.getElementById('export-lack').hidden")
    page.press("Escape")
    page.drag((10, 20), (30, 20))
    page.press("Ctrl+e")
    assert page.text("export-lack").startswith("Masks of 9 frames are older than the drawings")
    page.quiet()


def test_an_export_says_that_it_waits_for_a_job(browser: Browser, project: Project) -> None:
    """And no more when that is over."""
    with serving(project, masker := DriftingMasker(steps=1)) as served:
        page = Page(browser, served)
        page.drag((10, 10), (30, 10))
        page.press("g")
        browser.until("document.getElementById('job-text').textContent.startsWith('Propagating')")
        page.press("Ctrl+e")
        assert browser.run("document.getElementById('export-go').disabled")
        assert page.text("export-lack").startswith("Propagating: wait until it has ended, or close this and stop it")
        assert "propagate first" not in page.text("export-lack")
        masker.allow(20)
        page.until_job("Propagated.")
        assert not browser.run("document.getElementById('export-go').disabled")
        browser.until("document.getElementById('export-lack').hidden")
        page.press("Escape")
        browser.send("Page.navigate", url="about:blank")


def test_an_empty_project_says_what_to_do_first(browser: Browser, page: Page) -> None:
    """By the tool that is chosen, a sentence, and buttons that wait for something to do."""
    browser.visit(page.served.address)
    disabled = (
        "['both', 'forwards', 'backwards', 'learn', 'accept', 'open-export']"
        ".map(id => document.getElementById(id).disabled)"
    )
    assert browser.run("document.getElementById('stage').dataset.tool") == "box"
    for name in ("hint", "about"):
        assert page.text(name).startswith("Draw a box around an object (X)")
    assert all(browser.run(disabled))
    page.press("Ctrl+e")
    assert page.text("hint").startswith("There is nothing to export yet")
    page.drag((5, 8), (20, 20))
    assert not any(browser.run(disabled))
    assert page.text("about") == "This one was drawn by hand."
    page.press_and_save("Ctrl+z")
    assert all(browser.run(disabled))
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


def test_a_slip_of_the_box_tool_replaces_nothing(page: Page, project: Project) -> None:
    """A few pixels of the window are a click, however long the other side is."""
    page.press("x")
    page.drag((5, 8), (20, 20))
    before = project.labels(0)
    x, y = page.at(40, 30)
    for end in ((x, y), (x + 4, y + 4), (x + 200, y + 5)):
        page.browser.press("Escape")
        page.browser.drag([(x, y), end])
        page.browser.until("document.getElementById('hint').textContent.startsWith('This box is too small')")
    page.drag((40, 30), (60, 44))
    assert before.any() and not np.array_equal(project.labels(0), before)
    page.press_and_save("Ctrl+z")
    assert np.array_equal(project.labels(0), before)


def test_a_key_that_is_held_acts_once_but_where_it_moves_on(page: Page, project: Project) -> None:
    """One new object; many frames."""
    page.browser.press("n", repeats=10)
    page.browser.until("document.querySelector('#objects li.now').dataset.id === '3'")
    page.browser.press("ArrowRight", repeats=4)
    page.until_at(5)
    assert list(project.objects()) == [1, 2, 3]


def test_hostile_names_are_text(page: Page, project: Project) -> None:
    """Of objects here; those of files are set likewise."""
    project.name_object(1, "<img src=x onerror=alert(1)>")
    page.browser.visit(page.served.address)
    assert "<img src=x" in page.text("objects")
    assert page.browser.run("document.querySelectorAll('#objects img').length") == 0
    page.quiet()


def test_the_network_learns_from_drawings_and_forgets(page: Page, project: Project) -> None:
    """By a key or a button; what was made before is to be made again."""
    page.drag((10, 10), (30, 10))
    page.press("l")
    page.browser.until("document.getElementById('hint').textContent.includes('Draw one more frame')")
    page.browser.console.clear()  # it notes answers that refuse
    page.go(9)
    page.drag((10, 10), (30, 10))
    page.press("g")
    page.until_job("Propagated.")
    page.press("l")
    page.until_job("Learned. Propagate again (G).")
    page.browser.until("document.getElementById('learned-text').textContent.includes('2 drawings')")
    assert signs(project) == "dooooooood"
    page.press("g")
    page.until_job("Propagated.")
    assert signs(project) == "dmmmmmmmmd"
    page.browser.click("#forget")
    page.until_job("Forgotten")
    page.browser.until("document.getElementById('learned').hidden")
    assert signs(project) == "dooooooood"
    page.quiet()
