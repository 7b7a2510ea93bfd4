"""The page of evaluate in a real browser: curves, worst frames, order, the large view; silent and by itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner

from datakit.evaluation import CONVENTIONS
from datakit.images import encode_jpeg
from pipelines.cli import cli
from tests.labelled import SIZE, draw_tree, labels_of, write_labels

if TYPE_CHECKING:
    from tests.browser import Browser
EVIL = "<img src=x onerror=alert(1)>"
SEQUENCES = {"bear": (1,), "dog": (1, 2), EVIL: (1,)}


def evaluated(root: Path, *options: object) -> Path:
    """A page of predictions that fall behind, the dog's most and its second object lost in the end."""
    truth, predictions = root / "Annotations", root / "predictions"
    draw_tree(truth, SEQUENCES, 24)
    for name, ids in SEQUENCES.items():
        for number in range(24):
            labels = labels_of(number, ids, late=number // (4 if name == "dog" else 6))
            labels[(labels == 2) & (number > 20)] = 0
            write_labels(predictions / name / f"{number:05d}.png", labels)
    command = ["evaluate", str(predictions), str(truth), "--html", str(root / "page.html"), *map(str, options)]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 0, result.output
    return root / "page.html"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a picture for every frame but those of the hostile name."""
    root = tmp_path_factory.mktemp("page")
    for name in ("bear", "dog"):
        (root / "JPEGImages" / name).mkdir(parents=True)
        for number in range(24):
            noise = np.random.default_rng(number).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
            (root / "JPEGImages" / name / f"{number:05d}.jpg").write_bytes(encode_jpeg(noise, 80))
    return evaluated(root)


@pytest.fixture
def opened(browser: Browser, page: Path) -> Browser:
    browser.open(page, 1280, 2400)
    return browser


def texts(browser: Browser, selector: str) -> list[str]:
    return browser.run(f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.textContent)")


def objects_of(path: Path) -> list[Any]:
    return [
        json.loads(text)
        for text in re.findall(r'class="object" type="application/json">(.*?)</script>', path.read_text())
    ]


def test_worst_frames_are_the_worst(page: Path) -> None:
    """None that is shown scores better than one that is not and far from all of them."""
    for shown in objects_of(page):
        total = np.add(shown["J"], shown["F"])
        places = [frame["place"] for frame in shown["worst"]]
        assert len(places) == 6 == len(set(places)) and places == sorted(places)
        apart = max(1, len(total) // 10)
        free = [k for k in range(len(total)) if min(abs(k - place) for place in places) >= apart]
        assert max(total[places]) <= min(total[free], default=2)


@pytest.mark.parametrize("option", ["--pictures", "--frames"])
def test_frames_lie_where_the_option_says(tmp_path: Path, option: str) -> None:
    """`--pictures`, once called `--frames`; plain ground where there are none."""
    for folder in ("elsewhere/bear", "elsewhere/dog"):
        (tmp_path / folder).mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 256, (2 * SIZE[0], 2 * SIZE[1], 3), dtype=np.uint8)
    for number in range(24):
        (tmp_path / f"elsewhere/bear/{number:05d}.png").write_bytes(encode_jpeg(noise, 80))
    page = evaluated(tmp_path, option, tmp_path / "elsewhere").read_text()
    pictures = re.findall(r'<script type="text/plain">(.*?)</script>', page)
    assert [text.count(",") for text in pictures] == [11] * 4 and [len(text) > 11 for text in pictures].count(True) == 1


@pytest.mark.parametrize(("size", "chosen", "shown"), [(SIZE, "bear", 1), (SIZE, None, 0), ((9, 99), "bear", 0)])
def test_a_flat_folder_of_pictures_belongs_to_one_sequence(
    tmp_path: Path, size: tuple[int, int], chosen: str | None, shown: int
) -> None:
    """Of their shape; those of another sequence are not drawn under its masks."""
    (tmp_path / "flat").mkdir()
    for number in range(24):
        (tmp_path / f"flat/{number:05d}.jpg").write_bytes(encode_jpeg(np.full((*size, 3), 90, np.uint8), 80))
    only = ("--sequences", chosen) if chosen else ()
    page = evaluated(tmp_path, "--pictures", tmp_path / "flat", *only).read_text()
    pictures = re.findall(r'<script type="text/plain">(.*?)</script>', page)
    assert [len(text) > 11 for text in pictures].count(True) == shown


def test_scores_and_curves_are_drawn(opened: Browser) -> None:
    """Totals, a row and a section an object, two curves each over all frames that count."""
    assert len(texts(opened, "#totals dd")) == 3
    assert [text.split("J mean")[0] for text in texts(opened, ".object h2")] == [
        EVIL,
        "bear",
        "dog, object 1",
        "dog, object 2",
    ]
    assert texts(opened, "#table tbody tr td:nth-child(3)") == ["22"] * 4
    lengths = opened.run("[...document.querySelectorAll('.curve')].map(c => c.getAttribute('d').split('L').length)")
    assert lengths == [22] * 8
    assert CONVENTIONS["davis2017"].words in texts(opened, "#about")[0]


def test_worst_frames_are_painted(opened: Browser) -> None:
    """With what is missed in blue and what is too much in orange, on a picture or on plain ground."""
    opened.until("document.querySelectorAll('.card canvas[data-painted]').length === 24")
    for section in range(4):
        card = f"document.querySelectorAll('.object')[{section}].querySelector('.card:last-child canvas')"
        pixels = opened.run(
            f"(() => {{ const c = {card};"
            "return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; })()"
        )
        colours = np.array(pixels).reshape(-1, 4)[:, :3].astype(int)
        assert ((colours[:, 2] > 180) & (colours[:, 0] < 110)).mean() > 0.005


def test_a_click_on_a_heading_sorts(opened: Browser) -> None:
    """Table and sections alike, the worst first; again, and it is turned around."""
    opened.click("#table th:nth-child(4) button")
    order = texts(opened, "#table tbody tr td:nth-child(4)")
    assert order == sorted(order) and len(set(order)) == 3
    sections = texts(opened, ".object h2")
    assert sections[0].startswith("dog, object 2")
    opened.click("#table th:nth-child(4) button")
    assert texts(opened, "#table tbody tr td:nth-child(4)") == order[::-1]
    assert opened.run("document.querySelector('#table th:nth-child(4)').getAttribute('aria-sort')") == "descending"


def test_the_pointer_reads_the_curves(opened: Browser) -> None:
    """The frame next to it, and both measures there."""
    opened.run(
        "(() => { const s = document.querySelector('.chart svg'), b = s.getBoundingClientRect();"
        "s.dispatchEvent(new PointerEvent('pointermove', {clientX: b.right, clientY: b.y + 9, bubbles: true})); })()"
    )
    J, F = opened.run("[objects[0].J.at(-1), objects[0].F.at(-1)]")
    assert texts(opened, ".reading")[0] == f"00022  J {J:.3f}  F {F:.3f}"


def test_a_worst_frame_is_enlarged_and_stepped(opened: Browser) -> None:
    """By mouse and keys, from one object on to the next; the focus comes back to the last one."""
    opened.click(".object:nth-child(2) .card:last-child")
    assert texts(opened, "#view-key")[0].startswith("bear, frame 000")
    opened.until("document.querySelector('#large').dataset.painted === 'differences'")
    opened.press("ArrowRight")
    assert texts(opened, "#view-key")[0].startswith("dog, object 1, frame 000")
    opened.click("#view [value=outlines]")
    opened.until("document.querySelector('#large').dataset.painted === 'outlines'")
    opened.press("Escape")
    opened.until("!document.querySelector('#view').open")
    opened.until("document.activeElement === document.querySelector('.object:nth-child(3) .card')")


def test_the_page_asks_for_nothing_and_complains_of_nothing(opened: Browser, page: Path) -> None:
    """After all of it was used; a hostile name is only text."""
    opened.look_all_ways(".bar", ".card canvas")
    opened.click(".object .card")
    opened.press("ArrowRight")
    opened.press("Escape")
    opened.scroll_to_the_end()
    assert opened.requests == [page.resolve().as_uri()]
    assert opened.console == []
    assert opened.run("document.querySelectorAll('img').length") == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out(browser: Browser, page: Path, width: int) -> None:
    """No sideways scrolling on a telephone or a desk, with the large view closed or open."""
    browser.open(page, width, 844)
    assert browser.run("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    browser.run("document.querySelector('.card').click()")
    assert browser.run("(b => b.scrollWidth - b.clientWidth)(document.querySelector('#view'))") <= 0
    browser.press("Escape")


def test_a_long_path_breaks_on_a_telephone(browser: Browser, tmp_path: Path) -> None:
    """Its folder names have no place to break a line at."""
    root = tmp_path / ("ground_truth_without_a_blank" * 4)
    browser.open(evaluated(root), 390, 844)
    assert str(root) in texts(browser, "#about")[0]
    assert browser.run("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_frames_far_below_are_painted_too(opened: Browser) -> None:
    """Nothing is drawn once a browser prints, so that they must have been before."""
    opened.resize(1280, 300)
    opened.until("document.querySelectorAll('.card canvas[data-painted]').length === 24")
    opened.click(".bar [value=outlines]")
    opened.until("document.querySelectorAll('.card canvas[data-painted=outlines]').length === 24")


def test_printed_it_fits_the_paper(browser: Browser, page: Path) -> None:
    """The table with all its columns within the width of a page, black on white; pictures fill their frames."""
    browser.open(page, 1280, 900, dark=True)
    browser.until("document.querySelectorAll('.card canvas[data-painted]').length === 24")
    browser.resize(703, 1032)  # of A4 within margins of 12 mm, at 96 dots an inch
    dark = {"name": "prefers-color-scheme", "value": "dark"}
    browser.send("Emulation.setEmulatedMedia", media="print", features=[dark])
    assert browser.run("document.querySelector('#table').getBoundingClientRect().right") <= 703
    assert browser.run("document.documentElement.scrollWidth") <= 703
    assert browser.run("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    differing = browser.run(
        "[...document.querySelectorAll('.frame')]"
        ".filter(f => Math.abs(f.clientWidth - f.firstChild.clientWidth) > 1).length"
    )
    assert differing == 0
    browser.send("Emulation.setEmulatedMedia", media="", features=[])
