"""The page in a real browser: it filters, sorts, steps, asks for nothing, complains of nothing and stays quick."""

from __future__ import annotations

import io
import re
import statistics
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from datakit.preview import PageSettings, draw_sample, write_page
from pipelines.preview_deformations import preview_deformations
from pipelines.preview_inputs import PreviewConfig
from tests.made import RECIPES, made_photo, made_sample, made_triples
from tests.runs import PICKY, draw_source
from tests.tiny import coco

if TYPE_CHECKING:
    from tests.browser import Browser

EVIL = "<img src=x onerror=alert(1)>\"' &amp;"
QUICK_MS = 500  # measured 10 to 40, and five times as much while other work fills the cores


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine photos of one source, one of them with a hostile name, and three of another with two objects each."""
    root = tmp_path_factory.mktemp("page")
    photos, objects = draw_source(root / "photos", 9), coco(root / "coco")
    for path in (photos / "images" / "0004.jpg", photos / "ground_truth_mask" / "0004.png"):
        path.rename(path.with_stem(EVIL))
    inputs = (f"e={photos}", f"c:coco={objects}")
    summary = preview_deformations(PreviewConfig(inputs, root / "page.html", PICKY))
    assert (summary.samples, summary.triples, summary.size) == (15, 45, None)
    return summary.out


@pytest.fixture
def opened(browser: Browser, page: Path) -> Browser:
    browser.open(page, 1280, 3400)  # all 45 cards at once
    return browser


def cards(browser: Browser) -> list[str]:
    """Key and recipe of the cards in the list, in their order."""
    return browser.run("[...document.querySelectorAll('#list canvas')].map(c => c.dataset.draw)")


def ious(browser: Browser) -> list[float]:
    texts = browser.run("[...document.querySelectorAll('#list .card-measures b')].map(b => b.textContent)")
    return [float(text.removeprefix("IoU ")) for text in texts]


def text(browser: Browser, selector: str) -> str:
    return browser.run(f"document.querySelector({selector!r}).textContent")


def test_every_sample_is_there_and_painted(opened: Browser) -> None:
    """All draws are counted, and cards in sight hold colour: added, lost or kept."""
    assert text(opened, "#count") == "45 guide masks · 15 objects"
    opened.until("document.querySelectorAll('#list canvas[data-painted]').length >= 10")
    pixels = opened.run(
        "(() => { const c = document.querySelector('#list canvas');"
        "return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; })()"
    )
    colours = np.array(pixels).reshape(-1, 4)[:, :3]
    assert ((colours[:, 0] > 170) & (colours[:, 2] < 80)).mean() > 0.02  # orange: added


def test_filters_change_the_count_and_the_cards(opened: Browser) -> None:
    """Source, recipe, kind, IoU and key narrow the list; resetting brings everything back."""
    opened.choose("#source", "c")
    assert text(opened, "#count") == "18 of 45 guide masks · 6 of 15 objects"
    assert all(key.startswith("c/") for key in cards(opened))
    opened.choose("#kind", "box")
    assert text(opened, "#count") == "6 of 45 guide masks · 6 of 15 objects"
    assert len(cards(opened)) == 6 and all("@masktrack-box/" in key for key in cards(opened))
    opened.click("#reset")
    opened.choose("#recipe", "masktrack")
    assert text(opened, "#count") == "30 of 45 guide masks · 15 objects"
    opened.choose("#search", "e/0003")
    assert cards(opened) == ["e/0003@masktrack/0", "e/0003@masktrack/1"]
    opened.choose("#search", "nowhere")
    assert cards(opened) == [] and opened.run("!document.querySelector('#none').hidden")
    opened.click("#reset")
    assert text(opened, "#count") == "45 guide masks · 15 objects"


def test_the_range_of_iou_is_kept(opened: Browser) -> None:
    """Both ends count, and handles that passed each other mean the same range."""
    for low, high in ((0.5, 0.7), (0.7, 0.5)):
        opened.choose("#iou-low", low)
        opened.choose("#iou-high", high)
        assert text(opened, "#iou-text") == "0.50 to 0.70"
        found = ious(opened)
        assert found and all(0.495 <= value <= 0.705 for value in found)
        assert text(opened, "#count").startswith(f"{len(found)} of 45")


def test_flags_filter(opened: Browser) -> None:
    """Flagged draws can be looked at on their own; the badge says why."""
    flagged = opened.run("draws.filter(draw => draw.flags.length).length")
    assert 0 < flagged < 45
    opened.choose("#flags", " any")
    assert text(opened, "#count").startswith(f"{flagged} of 45")
    assert opened.run("document.querySelectorAll('#list .badge').length") == flagged
    opened.choose("#flags", " none")
    assert text(opened, "#count").startswith(f"{45 - flagged} of 45")


def test_the_order_changes(opened: Browser) -> None:
    """By IoU either way, and by key again."""
    by_key = cards(opened)
    opened.choose("#sort", "iou-up")
    rising = ious(opened)
    assert rising == sorted(rising) and cards(opened) != by_key
    opened.choose("#sort", "iou-down")
    falling = ious(opened)
    assert falling == sorted(falling, reverse=True) and falling[0] >= rising[-1]
    opened.choose("#sort", "key")
    assert cards(opened) == by_key


def test_keys_step_through_the_large_view(opened: Browser) -> None:
    """A click opens it, the arrows follow the filtered order and stop at its ends, Escape gives the focus back."""
    opened.choose("#search", "e/0003")
    opened.click("#list .card")
    large = "document.querySelector('#large').dataset.draw"
    seen = [opened.run(large)]
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"):
        opened.press(key)
        seen.append(opened.run(large))
    a, b, box = "e/0003@masktrack/0", "e/0003@masktrack/1", "e/0003@masktrack-box/0"
    assert seen == [a, b, box, box, b]
    assert text(opened, "#place") == "2 of 3"
    opened.until("document.querySelector('#large').dataset.painted === 'differences'")
    assert opened.run("document.querySelector('#large').getAttribute('aria-label')").startswith("Difference between")
    opened.press("Escape")
    opened.until("!document.querySelector('#view').open")
    opened.until(f"document.activeElement.querySelector('canvas')?.dataset.draw === '{b}'")
    opened.press("Enter")
    assert opened.run("document.querySelector('#view').open") and opened.run(large) == b
    opened.press("Escape")


def test_the_large_view_tells_what_was_drawn(opened: Browser) -> None:
    """In words and to the last digit."""
    opened.choose("#search", "e/0003@masktrack/1")
    opened.click("#list .card")
    shown = opened.run("[shown.words, Object.fromEntries(header.recipes.masktrack.parameters.map("
                       "(name, k) => [name, shown.numbers[k]]))]")  # fmt: skip
    words = opened.run("[...document.querySelectorAll('#words li')].map(li => li.textContent)")
    cells = opened.run("[...document.querySelectorAll('#raw tbody tr')].map(r => [...r.cells].map(c => c.textContent))")
    assert words == shown[0] and any(word.startswith("scale") for word in words)
    assert {name: float(value) for name, value in cells} == shown[1]
    opened.press("Escape")


def test_plots_follow_the_filter(opened: Browser) -> None:
    """Each recipe has a histogram of IoU and of area; it tells how many draws are left and their median."""
    labels = "[...document.querySelectorAll('#plot-iou svg')].map(svg => svg.getAttribute('aria-label'))"
    before = opened.run(labels)
    assert len(before) == 2 and "30 of 30" in before[0] and "15 of 15" in before[1]
    opened.choose("#recipe", "masktrack")
    after = opened.run(labels)
    assert "30 of 30" in after[0] and "0 of 15" in after[1]
    opened.choose("#plots-by", "source")
    assert len(opened.run(labels)) == 2 and "12 of 18" in opened.run(labels)[0]
    assert opened.run("document.querySelectorAll('#plot-area svg').length") == 2


def test_the_page_asks_for_nothing_and_complains_of_nothing(opened: Browser, page: Path) -> None:
    """After all of it was used, the only address ever asked for is the file itself, and the console is empty."""
    opened.look_all_ways("#bar", "#list canvas")
    opened.choose("#sort", "area-down")
    opened.click("#list .card")
    opened.press("ArrowRight")
    opened.click("#siblings button:last-child")
    opened.press("Escape")
    opened.scroll_to_the_end()
    assert opened.requests == [page.resolve().as_uri()]
    assert opened.console == []
    assert opened.run("performance.getEntriesByType('resource').length") == 0


def test_a_hostile_file_name_is_only_text(opened: Browser) -> None:
    """It is shown as it is written, and nothing of it becomes an element."""
    opened.choose("#search", "onerror")
    assert text(opened, "#list .card-key") == f"e/{EVIL}"
    opened.click("#list .card")
    assert text(opened, "#view-key") == f"e/{EVIL}"
    opened.press("Escape")
    assert opened.run("document.querySelectorAll('img').length") == 0 and opened.console == []


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out(browser: Browser, page: Path, width: int) -> None:
    """No sideways scrolling on a telephone or a desk, with the large view closed or open."""
    browser.open(page, width, 844)
    sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.run(sideways) <= 0
    browser.run("document.querySelector('#list .card').click()")
    assert browser.run("(b => b.scrollWidth - b.clientWidth)(document.querySelector('#view'))") <= 0
    assert browser.run(
        "(c => c.right <= document.querySelector('.stage').getBoundingClientRect().right)"
        "(document.querySelector('#large').getBoundingClientRect())"
    )
    browser.press("Escape")


@pytest.fixture(scope="module")
def large_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two thousand samples as heavy as photos get: twenty of noise, each a hundred times under another key."""
    file = io.StringIO()
    sample = made_sample()
    mask = np.zeros((300, 400), np.uint8)
    mask[60:240, 90:310] = 1
    samples, recipes = [], {recipe.name: recipe for recipe in RECIPES}
    for k in range(20):
        each = replace(
            sample, key=f"{'ab'[k % 2]}/KEY{k:02d}", photo=made_photo(k, 300, 400), mask=np.roll(mask, 3 * k)
        )
        samples.append(draw_sample(made_triples(each, seed=k), {"masktrack": 2, "masktrack-box": 1}, recipes))
    write_page(file, samples, recipes, PageSettings("Two thousand samples"))
    blocks = re.compile(r'(?:<script class="sample" .*\n<script type="text/plain">.*\n)+')
    data = blocks.search(file.getvalue())
    assert data
    path = tmp_path_factory.mktemp("large") / "page.html"
    with path.open("w", encoding="utf-8") as out:
        out.write(file.getvalue()[: data.start()])
        for turn in range(100):
            out.write(data[0].replace("/KEY", f"/{turn:03d}"))
        out.write(file.getvalue()[data.end() :])
    return path


def milliseconds(browser: Browser, action: str) -> float:
    """From an action to the second frame after it, when the page has been laid out and painted."""
    frame = "await new Promise(requestAnimationFrame);"
    measured = f"const t = performance.now(); {action}; {frame} {frame} return performance.now() - t;"
    return browser.run(f"(async () => {{ {measured} }})()")


def test_two_thousand_samples_stay_smooth(browser: Browser, large_page: Path) -> None:
    """Under 60 MB; few cards in the document at a time; filtering, sorting and scrolling take a blink."""
    assert large_page.stat().st_size < 60e6
    assert browser.open(large_page) < 30
    assert text(browser, "#count").replace("\u202f", "") == "6000 guide masks · 2000 objects"
    browser.run("window.long = []; new PerformanceObserver(l => long.push(...l.getEntries().map(e => e.duration)))"
                ".observe({type: 'longtask'}); 0")  # fmt: skip
    change = "const e = document.querySelector('#{}'); e.value = '{}'; e.dispatchEvent(new Event('input'))"
    filters = [("source", "a"), ("iou-high", "0.7"), ("sort", "iou-up"), ("source", ""), ("recipe", "masktrack-box"),
               ("iou-low", "0.4"), ("recipe", ""), ("sort", "area-down")]  # fmt: skip
    filtering = [milliseconds(browser, change.format(*each)) for each in filters]
    browser.run("document.querySelector('#controls').reset(), applyFilters()")
    scrolling = []
    for step in range(30):
        scrolling.append(milliseconds(browser, f"scrollBy(0, {700 if step % 5 else 9000})"))
        assert 0 < browser.run("document.querySelectorAll('.card').length") < 100
    browser.until("document.querySelectorAll('#list canvas[data-painted]').length > 5")
    browser.run("document.querySelector('#list .card').click()")
    stepping = [milliseconds(browser, "stepView(1)") for _ in range(10)]
    browser.press("Escape")
    print({name: round(statistics.median(times), 1) for name, times in
           {"filter": filtering, "scroll": scrolling, "step": stepping}.items()},
          "longest task", browser.run("Math.max(0, ...long)"), f"{large_page.stat().st_size / 1e6:.1f} MB")  # fmt: skip
    for times in (filtering, scrolling, stepping):
        assert statistics.median(times) < QUICK_MS
    assert browser.console == []
