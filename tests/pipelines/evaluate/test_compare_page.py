"""The page of several methods in a real browser: table, curves over each other, any frame by a click; silent, alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner

from datakit.images import encode_jpeg
from pipelines.cli import cli
from tests.labelled import SIZE, draw_tree, labels_of, write_labels

if TYPE_CHECKING:
    from tests.browser import Browser
EVIL = "<img src=x onerror=alert(1)>"
SEQUENCES = {"bear": (1,), "dog": (1, 2), EVIL: (1,)}
FRAMES = 24
METHODS = ("sharp", "slow", "<b onclick>")


def compared(root: Path, *options: object) -> Path:
    """A page of three methods: one is right, one falls behind, one loses the dog's second object half way."""
    truth = draw_tree(root / "Annotations", SEQUENCES, FRAMES)
    draw_tree(root / "sharp", SEQUENCES, FRAMES)
    for name, ids in SEQUENCES.items():
        for number in range(FRAMES):
            write_labels(root / "slow" / name / f"{number:05d}.png", labels_of(number, ids, late=number // 4))
            labels = labels_of(number, ids, late=1)
            labels[(labels == 2) & (number > 12)] = 0
            write_labels(root / "losing" / name / f"{number:05d}.png", labels)
    methods = [str(root / "sharp"), str(root / "slow"), f"{METHODS[2]}={root / 'losing'}"]
    command = ["evaluate", *methods, str(truth), "--html", str(root / "page.html"), *map(str, options)]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 0, result.output
    return root / "page.html"


def draw_pictures(root: Path) -> None:
    """A picture for every frame but those of the hostile name."""
    for name in ("bear", "dog"):
        (root / name).mkdir(parents=True)
        for number in range(FRAMES):
            noise = np.random.default_rng(number).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
            (root / name / f"{number:05d}.jpg").write_bytes(encode_jpeg(noise, 80))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("page")
    draw_pictures(root / "JPEGImages")
    return compared(root)


@pytest.fixture
def opened(browser: Browser, page: Path) -> Browser:
    browser.open(page, 1280, 2400)
    return browser


def texts(browser: Browser, selector: str) -> list[str]:
    return browser.run(f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.textContent)")


def click_curve(browser: Browser, section: int, share: float) -> None:
    """With the mouse, on the plot of the section of that number, so far from left to right."""
    place = browser.run(
        f"(() => {{ const s = document.querySelectorAll('.plot-area > svg')[{section}];"
        "s.scrollIntoView({block: 'center'}); const b = s.getBoundingClientRect();"
        f"return [b.x + b.width * {share}, b.y + b.height / 2]; }})()"
    )
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        button = {} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
        browser.send("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], **button)


def sequences_of(path: Path) -> list[Any]:
    found = re.findall(r'class="sequence" type="application/json">(.*?)</script>', path.read_text())
    return [json.loads(text) for text in found]


def test_every_frame_can_be_looked_at(page: Path) -> None:
    """Each that counts, with the masks of every object and method, and with a picture where there is one."""
    for sequence in sequences_of(page):
        assert [frame["frame"] for frame in sequence["shown"]] == [f"{k:05d}" for k in range(1, FRAMES - 1)]
        for frame in sequence["shown"]:
            assert {number: len(codes) for number, codes in frame["found"].items()} == {
                str(number): 3 for number in SEQUENCES[sequence["name"]]
            }
    pictures = re.findall(r'<script type="text/plain">(.*?)</script>', page.read_text())
    counts = {s["name"]: sum(map(bool, text.split(","))) for s, text in zip(sequences_of(page), pictures, strict=True)}
    assert counts == {"bear": 22, "dog": 22, EVIL: 0}


def test_frames_without_a_picture_are_told(tmp_path: Path) -> None:
    """With the option that names their folder."""
    compared(tmp_path)
    command = ["evaluate", *(str(tmp_path / name) for name in ("sharp", "slow", "Annotations"))]
    said = CliRunner().invoke(cli, [*command, "--html", str(tmp_path / "page.html")]).stdout
    assert (
        "66 frames of the page are on plain ground, for lack of a picture beside the ground truth: --pictures" in said
    )


@pytest.mark.parametrize("width", [1280, 400])
def test_long_names_do_not_lie_over_each_other(browser: Browser, tmp_path: Path, width: int) -> None:
    """At the head of the tables; they are several words, and of more letters than a column has room for."""
    truth = draw_tree(tmp_path / "Annotations", {"bear": (1,)}, 4)
    names = ("lite-memory online 60 steps", "lite memory online 150 steps several")
    command = ["evaluate", *(f"{name}={truth}" for name in names), str(truth), "--html", str(tmp_path / "page.html")]
    assert CliRunner().invoke(cli, command).exit_code == 0
    browser.open(tmp_path / "page.html", width, 900)
    within = "(e => { const b = e.getBoundingClientRect(), h = e.closest('th').getBoundingClientRect();"
    within += "return b.left >= h.left - 1 && b.right <= h.right + 1 && e.scrollWidth <= e.clientWidth + 1; })"
    assert browser.run(f"[...document.querySelectorAll('#table thead button')].map({within})") == [True] * 3


def test_processes_change_nothing(page: Path, tmp_path: Path) -> None:
    """Two write the very page of one."""
    draw_pictures(tmp_path / "JPEGImages")
    again = compared(tmp_path, "-j", 2)
    assert again.read_bytes().replace(str(tmp_path).encode(), b"") == page.read_bytes().replace(
        str(page.parent).encode(), b""
    )


def test_methods_stand_side_by_side(opened: Browser) -> None:
    """In the table of the set and in that of the objects, the best in bold."""
    assert texts(opened, "#summary thead th") == ["all 3 sequences", *METHODS]
    assert texts(opened, "#summary tbody th")[:3] == ["J&F mean", "J&F recall", "J&F decay"]
    assert texts(opened, "#table tbody th") == [EVIL, "bear", "dog, object 1", "dog, object 2"]
    assert texts(opened, "#table .best") == ["1.000"] * 4
    weights = opened.run(
        "[...document.querySelectorAll('#table tr:last-child td')].map(e => getComputedStyle(e).fontWeight)"
    )
    assert weights == ["700", "400", "400"]


def test_curves_lie_over_each_other(opened: Browser) -> None:
    """One for each method in the plot of each object, over all frames that count, each in a colour of its own."""
    lengths = opened.run(
        "[...document.querySelectorAll('.plot-area > svg')].map(s => "
        "[...s.querySelectorAll('.curve')].map(c => c.getAttribute('d').split('L').length))"
    )
    assert lengths == [[22, 22, 22]] * 4
    colours = opened.run(
        "[...document.querySelectorAll('.object:first-child .plot-area > svg .curve')]"
        ".map(c => getComputedStyle(c).stroke)"
    )
    assert len(set(colours)) == 3


def test_the_measure_is_chosen_for_table_and_curves(opened: Browser) -> None:
    """J at first; F and both by a button."""
    paths = "[...document.querySelectorAll('.plot-area > svg .curve')].map(c => c.getAttribute('d')).join()"
    tables, curves = [], []
    for value in ("J", "F", "J&F"):
        opened.click(f"[data-measure] [value='{value}']")
        tables.append(texts(opened, "#table tbody td"))
        curves.append(opened.run(paths))
    assert len({*map(tuple, tables)}) == 3 == len(set(curves))
    J, F, both = (float(table[-1]) for table in tables)
    assert both == pytest.approx((J + F) / 2, abs=1e-3)


def test_a_click_on_a_method_sorts(opened: Browser) -> None:
    """Table and sections alike, its worst objects first; again, and it is turned around."""
    opened.click("#table th:nth-child(4) button")
    assert texts(opened, ".object h2")[0].startswith("dog, object 2")
    opened.click("#table th:nth-child(4) button")
    assert texts(opened, ".object h2")[-1].startswith("dog, object 2")
    assert opened.run("document.querySelector('#table th:nth-child(4)').getAttribute('aria-sort')") == "descending"


def test_a_click_on_the_curves_shows_that_frame(opened: Browser) -> None:
    """Ground truth and every method, with J and F there; keys and slider go to any other; then back to the plot."""
    click_curve(opened, 1, 0.52)
    assert texts(opened, "#view-key") == ["bear, frame 00012"]
    assert texts(opened, "#panels .caption")[0] == "ground truth"
    assert texts(opened, "#panels .caption")[1] == "sharpJ 1.000F 1.000"
    opened.until("document.querySelectorAll('#panels canvas[data-painted=outlines]').length === 4")
    opened.press("ArrowRight")
    assert texts(opened, "#view-key") == ["bear, frame 00013"]
    opened.choose("#slider", 0)
    assert texts(opened, "#view-key") == ["bear, frame 00001"] and texts(opened, "#place") == ["1 of 22"]
    assert opened.run("document.querySelector('#previous').disabled")
    opened.press("Escape")
    opened.until("!document.querySelector('#view').open")
    opened.until("document.activeElement === document.querySelectorAll('.plot-area > svg')[1]")


def test_the_keyboard_alone_shows_any_frame(opened: Browser) -> None:
    """Arrow keys on the plot, which says what is there, and Enter."""
    opened.run("document.querySelectorAll('.plot-area > svg')[1].focus()")
    before = int(opened.run("objects[1].frames[objects[1].apart]"))
    opened.press("ArrowLeft")
    values = opened.run("objects[1].J.map(values => values[objects[1].apart - 1])")
    read = texts(opened, ".object:nth-child(2) .reading div")
    assert read == [f"{value:.3f} {name}" for value, name in zip(values, METHODS, strict=True)]
    opened.press("Enter")
    assert texts(opened, "#view-key") == [f"bear, frame {before - 1:05d}"]
    opened.press("Escape")


def test_a_method_is_outlined_beside_the_truth(opened: Browser) -> None:
    """The truth in yellow in every picture; in the second one's also the method, where it is late."""
    click_curve(opened, 0, 0.99)
    opened.until("document.querySelectorAll('#panels canvas[data-painted=outlines]').length === 4")
    share = (  # of the pixels of a picture that are near a colour; the ground is plain grey
        "(panel, colour) => { const c = document.querySelectorAll('#panels canvas')[panel];"
        "const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let count = 0;"
        "for (let k = 0; k < data.length; k += 4) count += colour.every((v, i) => Math.abs(v - data[k + i]) < 40);"
        "return count * 4 / data.length; }"
    )
    yellow, orange = [240, 228, 66], [255, 154, 90]
    shares = opened.run(f"[0, 2].map(panel => [{yellow}, {orange}].map(colour => ({share})(panel, colour)))")
    assert shares[0][0] > 0.0003 and shares[0][1] == 0
    assert shares[1][0] > 0.0001 and shares[1][1] > 0.0003, shares
    opened.press("Escape")


def test_the_page_asks_for_nothing_and_complains_of_nothing(opened: Browser, page: Path) -> None:
    """After all of it was used; a hostile name is only text."""
    opened.look_all_ways(".pictures-head", ".object canvas")
    click_curve(opened, 0, 0.2)
    opened.press("ArrowRight")
    opened.press("Escape")
    opened.scroll_to_the_end()
    assert opened.requests == [page.resolve().as_uri()]
    assert opened.console == []
    assert opened.run("document.querySelectorAll('img').length") == 0


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_sticks_out(browser: Browser, page: Path, width: int) -> None:
    """No sideways scrolling on a telephone or a desk, with the large view closed or open."""
    browser.open(page, width, 740)
    assert browser.run("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    click_curve(browser, 2, 0.5)
    assert browser.run("(b => b.scrollWidth - b.clientWidth)(document.querySelector('#view'))") <= 0
    assert browser.run("document.querySelector('#panels').getBoundingClientRect().right") <= width
    browser.press("Escape")


def test_printed_it_fits_the_paper(browser: Browser, page: Path) -> None:
    """Black on white, tables within the width of a page, every object's pictures drawn, curves told apart by dashes."""
    browser.open(page, 1280, 500, dark=True)
    browser.until("document.querySelectorAll('.object canvas[data-painted]').length === 16")
    browser.resize(703, 1032)  # of A4 within margins of 12 mm, at 96 dots an inch
    dark = {"name": "prefers-color-scheme", "value": "dark"}
    browser.send("Emulation.setEmulatedMedia", media="print", features=[dark])
    assert browser.run("document.documentElement.scrollWidth") <= 703
    for table in ("#summary", "#table"):
        assert browser.run(f"document.querySelector('{table}').getBoundingClientRect().right") <= 703
    assert browser.run("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    dashes = browser.run(
        "[...document.querySelectorAll('.object:first-child .plot-area > svg .curve')]"
        ".map(c => getComputedStyle(c).strokeDasharray)"
    )
    assert len(set(dashes)) == 3
    browser.send("Emulation.setEmulatedMedia", media="", features=[])
