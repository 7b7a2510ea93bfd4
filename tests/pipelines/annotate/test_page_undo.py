"""What can be taken back on the page, in a real browser: strokes, drawings, acceptance, removed objects."""

from __future__ import annotations

import time

import numpy as np
import pytest

for _needed in ("starlette", "uvicorn", "websockets"):
    pytest.importorskip(_needed, reason=f"{_needed} is not installed (extra `annotate`)")

from datakit.arrays import only_ids  # noqa: E402
from pipelines.annotate.project import FROM, Project  # noqa: E402
from tests.clips import labels  # noqa: E402
from tests.pipelines.annotate.page_driver import Page  # noqa: E402

OBJECT = np.where(labels() == 1, 1, 0).astype(np.uint8)


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


def test_undo_takes_no_stroke_of_another_tab_along(page: Page, project: Project) -> None:
    """Whether it was drawn in the picture in sight or in one that is gone back to."""
    for place, other in ((0, 4), (4, 4)):
        page.go(place)
        page.drag((10, 10), (30, 10))
        both = np.where(labels() == 2, 2, project.labels(place)).astype(np.uint8)
        page.go(other)
        page.served.draw(place, both)
        if place != other:
            page.press("Ctrl+z")
            page.until_at(place)
        page.browser.until("document.getElementById('hint').textContent.startsWith('Another tab has changed')")
        page.until_covered(int((both > 0).sum()))
        page.browser.until("document.getElementById('undo').disabled")
        page.press("Ctrl+z")
        page.browser.until("document.getElementById('hint').textContent === 'Nothing to undo.'")
        assert np.array_equal(project.labels(place), both)
    page.drag((10, 40), (30, 40))
    page.press_and_save("Ctrl+z")
    assert np.array_equal(project.labels(4), both)
    page.quiet()


def test_of_two_tabs_that_draw_at_once_one_is_told(page: Page, project: Project) -> None:
    """It shows the other's drawing then, and goes on from there."""
    page.hold_answer("PUT", unsent=True)
    page.browser.drag([page.at(10, 10), page.at(30, 10)])
    page.until_held()
    page.served.draw(0, labels())
    with page.saving():
        page.release()
    assert page.text("saved").startswith("Not saved: ") and "another tab" in page.text("saved")
    page.browser.until("document.getElementById('hint').textContent.includes('another tab')")
    page.until_covered(int((labels() > 0).sum()))
    assert np.array_equal(project.labels(0), labels())
    page.drag((10, 40), (30, 40))
    assert project.labels(0)[40, 20] == 1 and (project.labels(0)[labels() == 1] == 1).all()


def test_a_stroke_of_another_tab_is_seen_though_the_answer_to_ones_own_is_slow(page: Page, project: Project) -> None:
    """It is told of before."""
    page.hold_answer("PUT")
    page.browser.drag([page.at(10, 10), page.at(30, 10)])
    page.until_held()
    both = np.where(labels() == 2, 2, project.labels(0)).astype(np.uint8)
    before = page.browser.run("document.querySelector('.thumb').dataset.version")
    page.served.draw(0, both)
    page.browser.until(f"document.querySelector('.thumb').dataset.version !== '{before}'")  # the page has heard of it
    time.sleep(0.3)
    page.release()
    page.until_covered(int((both > 0).sum()))
    page.browser.until("document.getElementById('undo').disabled")
    assert np.array_equal(project.labels(0), both)


def test_a_drawing_whose_answer_was_lost_is_no_other_tabs(page: Page, project: Project) -> None:
    """It is on disk; a stroke drawn meanwhile comes upon it."""
    page.browser.run(
        "(() => { const real = window.fetch; let lost = 0; window.fetch = async (path, how) => {"
        "const answer = await real(path, how); if (how.method !== 'PUT' || lost++) return answer;"
        "await new Promise(done => { window.lose = done; }); throw new TypeError('lost'); }; })()"
    )
    page.browser.drag([page.at(10, 10), page.at(30, 10)])
    page.browser.until("!!window.lose")
    page.browser.drag([page.at(10, 40), page.at(30, 40)])
    with page.saving():
        page.browser.run("window.lose()")
    assert page.text("saved") == "Saved"
    assert project.labels(0)[10, 20] == project.labels(0)[40, 20] == 1


def test_a_stroke_is_kept_on_a_picture_whose_masks_were_older_than_known(page: Page, project: Project) -> None:
    """As where one steps to a frame while a propagation makes it, or the program was started again."""
    page.drag((10, 10), (30, 10))
    page.press("g")
    page.until_job("Propagated")
    page.browser.run(
        "(() => { const real = window.fetch; window.fetch = async (path, how) => {"
        "const answer = await real(path, how);"
        "if (!path.includes('mask/5') || (how?.method ?? 'GET') !== 'GET') return answer;"
        "const about = JSON.parse(answer.headers.get('x-mask')), headers = new Headers(answer.headers);"
        "headers.set('x-mask', JSON.stringify({ ...about, version: 0 }));"
        "return new Response(await answer.blob(), { status: 200, headers }); }; })()"
    )
    page.go(5)
    page.drag((10, 40), (30, 40))
    assert page.text("saved") == "Saved"
    assert project.drawn == [0, 5] and project.labels(5)[40, 20] == 1


def test_a_drawing_that_is_taken_back_comes_back_though_the_answer_is_slow(page: Page, project: Project) -> None:
    """It is no other tab that took it back."""
    page.drag((10, 10), (30, 10))
    before = project.labels(0)
    page.hold_answer("DELETE")
    page.press("Ctrl+Backspace", "ArrowRight")
    page.until_at(1)
    page.press("ArrowLeft")
    page.until_at(0)
    page.until_held()
    with page.saving():
        page.release()
    assert project.drawn == []
    page.until_covered(0)
    page.press_and_save("Ctrl+z")
    assert np.array_equal(project.labels(0), before)


def test_an_answer_that_comes_late_shows_no_older_drawing(page: Page, project: Project) -> None:
    """A stroke would go upon it and take the newer one away."""
    page.hold_answer("GET", "mask/0")
    page.served.draw(0, OBJECT)
    page.until_held()
    page.served.draw(0, labels())
    both = int((labels() > 0).sum())
    page.until_covered(both)
    page.release()
    time.sleep(0.3)
    assert page.covered() == both
    page.drag((10, 40), (30, 40))
    assert (project.labels(0) == 2).any() and project.labels(0)[40, 20] == 1


def test_a_drawing_that_was_erased_comes_back_in_a_film_without_others(page: Page, project: Project) -> None:
    """Empty as it was, though there is nothing to accept."""
    page.drag((10, 10), (30, 10))
    page.press_and_save("Ctrl+z")
    page.press_and_save("Ctrl+y")
    page.press("e", "]", "]", "]", "]")
    page.drag((4, 10), (40, 10))
    assert not project.labels(0).any() and project.drawn == [0]
    page.press_and_save("Ctrl+Backspace")
    assert project.drawn == []
    page.press_and_save("Ctrl+z")
    assert page.text("saved") == "Saved" and project.drawn == [0]


def test_undo_in_haste_changes_no_other_picture(page: Page, project: Project) -> None:
    """Neither of two undone one after the other, nor one whose picture somebody has left again."""
    for place in (2, 5, 8):
        page.go(place)
        page.drag((10, 10), (30, 10))
    page.press("Home", "Ctrl+z", "Ctrl+z")
    page.until_at(5)
    page.until_saved()  # at once or one after the other
    assert project.drawn == [2]
    page.press("Ctrl+y", "Home")
    page.browser.until("document.getElementById('undo').disabled === false")
    page.until_at(0)
    assert set(np.unique(project.labels(0))) == {0}


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


def test_what_goes_on_below_a_drawing_stays_out_of_it(page: Page, project: Project) -> None:
    """Also when the drawing is taken back and brought again."""
    other = np.zeros_like(OBJECT)
    other[40:, :9] = 2
    project.draw(0, other, settled={2})
    project.draw(4, OBJECT, settled={1})
    project.keep_made(4, other, {})
    page.browser.visit(page.served.address)
    page.go(4)
    shown = int((OBJECT > 0).sum() + (other > 0).sum())
    page.until_covered(shown)
    page.press_and_save("Ctrl+Backspace")
    page.until_covered(int((other > 0).sum()))
    page.browser.until("!document.getElementById('undo').disabled")
    page.press_and_save("Ctrl+z")
    page.until_covered(shown)
    assert project.settled(4) == {1}
    assert set(np.unique(project.labels(4))) == {0, 1, 2}
    assert np.array_equal(only_ids(project.labels(4), {1}), OBJECT)
    page.quiet()


def test_a_picture_is_accepted_as_it_is(page: Page, project: Project) -> None:
    """It then counts as drawn, until that is undone; not where nothing is drawn or made in the whole film."""
    page.press("a")
    page.browser.until("document.getElementById('hint').textContent.includes('nothing to accept')")
    page.drag((10, 10), (30, 10))
    page.go(4)
    page.press_and_save("a")
    assert (project.drawn, project.settled(4)) == ([0, 4], {1, 2})
    page.press_and_save("Ctrl+z")
    assert project.drawn == [0]
    page.quiet()


def test_an_acceptance_that_is_undone_shows_what_was_made(page: Page, project: Project) -> None:
    """And what is known of it."""
    project.draw(0, OBJECT)
    project.keep_made(4, OBJECT, {"confidence": 0.75, "source": 0, FROM: project.origin(0, None)})
    page.browser.visit(page.served.address)
    page.go(4)
    told = "Made; confidence 0.75."
    page.browser.until(f"document.getElementById('about').textContent === '{told}'")
    page.press_and_save("a")
    assert page.text("about") == "This one was drawn by hand."
    page.press_and_save("Ctrl+z")
    page.browser.until(f"document.getElementById('about').textContent === '{told}'")
    project.draw(0, np.roll(OBJECT, 1, 1))
    page.browser.visit(page.served.address)
    page.go(4)
    assert page.text("about").startswith("To be made again")
    page.quiet()


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
