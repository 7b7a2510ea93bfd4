"""`datakit preview-clips`: a picture, a page and a film, from a source and from shards; what it says and refuses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from datakit.clips import ClipMaker, ShardStills
from datakit.errors import UsageError
from datakit.preview.clips import clip_frame
from pipelines.preview_clips import shown_recipes, spread_positions
from tests.pictures import is_in
from tests.runs import draw_source

if TYPE_CHECKING:
    from tests.browser import Browser

SMALL = ("--size", 64, "--clips", 2)
TWO = ("--recipe", "cutie", "--recipe", "stcn")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """Five photos."""
    return draw_source(tmp_path_factory.mktemp("clips") / "ecssd", 5)


@pytest.fixture(scope="module")
def shards(source) -> Path:
    """The same, built."""
    from click.testing import CliRunner

    from pipelines.cli import cli

    out = source.parent / "shards"
    assert CliRunner().invoke(cli, ["build-shards", str(source), "--out", str(out)]).exit_code == 0
    return out


def test_a_picture_is_drawn_of_shards(shards, tmp_path, datakit):
    """The very clips that training gets of them, spread over the photos."""
    ran = datakit("preview-clips", shards, *SMALL, *TWO, "--out", tmp_path / "clips.png", "--seed", 4)
    assert ran.exit_code == 0 and "2 photos by 2 recipes (cutie, stcn), 32 frames" in ran.output, ran.output
    sheet = np.array(PillowImage.open(tmp_path / "clips.png").convert("RGB"))
    (recipe,) = shown_recipes(["stcn"], (), None, 64)
    tile = clip_frame(ClipMaker(ShardStills(shards), recipe, 4).clip(1), 3, (2400 - 48) // 16 - 4)
    assert is_in(sheet, tile)


@pytest.mark.parametrize("suffix", ["png", "html", "mp4"])
def test_the_same_command_gives_the_same_bytes(shards, tmp_path, datakit, suffix):
    """Every form."""
    made = []
    for name in ("a", "b"):
        out = tmp_path / f"{name}.{suffix}"
        assert datakit("preview-clips", shards, *SMALL, "--out", out).exit_code == 0
        made.append(out.read_bytes())
    assert made[0] == made[1]


def test_a_film_has_a_picture_for_every_frame(shards, tmp_path, datakit):
    """One still after the other, recipes side by side."""
    ran = datakit("preview-clips", shards, *SMALL, *TWO, "--frames", 5, "--out", tmp_path / "clips.mp4")
    assert ran.exit_code == 0, ran.output
    film = cv2.VideoCapture(str(tmp_path / "clips.mp4"))
    assert int(film.get(cv2.CAP_PROP_FRAME_COUNT)) == 10
    assert int(film.get(cv2.CAP_PROP_FRAME_WIDTH)) == 2 * 64 + 4


def test_a_source_needs_no_shards(source, tmp_path, datakit):
    """Its photos are read as a build reads them."""
    ran = datakit("preview-clips", f"x:ecssd={source}", *SMALL, "--out", tmp_path / "clips.png")
    assert ran.exit_code == 0 and "2 photos by 1 recipe (smooth), 16 frames" in ran.output


def test_a_photo_that_cannot_be_read_is_named_and_passed_over(tmp_path, datakit):
    """The others are shown."""
    source = draw_source(tmp_path / "ecssd", 3)
    (source / "images" / "0001.jpg").write_bytes(b"no photo")
    ran = datakit("preview-clips", source, "--size", 64, "--out", tmp_path / "clips.png")
    assert ran.exit_code == 0 and "2 photos by" in ran.output and "not shown: ecssd/0001" in ran.output, ran.output


def test_a_source_without_an_object_is_an_error(tmp_path, datakit):
    """With the first reason; no file is left."""
    source = draw_source(tmp_path / "ecssd", 1)
    cv2.imwrite(str(source / "ground_truth_mask" / "0000.png"), np.zeros((48, 64), np.uint8))
    ran = datakit("preview-clips", source, "--out", tmp_path / "clips.png")
    assert ran.exit_code == 1 and "no photo with an object" in ran.output and "ecssd/0000" in ran.output
    assert not (tmp_path / "clips.png").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--out", "clips.gif"), "expected a name that ends in .png"),
        (("--recipe", "cutye"), "did you mean cutie?"),
        (("--recipe", "cutie", "--recipe", "cutie"), "two recipes are named 'cutie'"),
        (("--recipe", "cutie", "--set", "motion.rotate=1"), "motion.rotation"),
        (("--set", "aot:size=64"), "no recipe 'aot' here"),
        (("--set", "rough=smooth"), "kinds are none, deformed"),
    ],
)
def test_what_cannot_be_used_is_named_with_a_way_out(shards, tmp_path, datakit, words, said):
    """Exit code 2."""
    ran = datakit("preview-clips", shards, "--out", tmp_path / "clips.png", *words)
    assert ran.exit_code == 2 and said in ran.output, ran.output


def test_a_folder_that_is_no_source_is_refused(tmp_path, datakit):
    """As a build refuses it."""
    (tmp_path / "empty").mkdir()
    ran = datakit("preview-clips", tmp_path / "empty", "--out", tmp_path / "clips.png")
    assert ran.exit_code == 2 and "empty" in ran.output


def test_a_setting_of_one_recipe_leaves_the_others():
    """By its name; without one it is that of all that have it."""
    cutie, aot = shown_recipes(["cutie", "aot"], ("cutie:size=96", "motion.area_low=0.5", "least_pixels=7"), None, None)
    assert (cutie.size, aot.size, aot.motion.area_low) == (96, 465, 0.5)
    assert cutie.least_pixels == aot.least_pixels == 7


@pytest.mark.parametrize(("changes", "frames", "expected"), [((), None, 8), (("cutie:frames=3",), None, 3), ((), 5, 5)])
def test_clips_have_8_frames_or_more_unless_asked(changes, frames, expected):
    """By an option or a setting."""
    assert shown_recipes(["cutie"], changes, frames, None)[0].frames == expected


def test_a_value_that_does_not_fit_is_refused():
    """With its range."""
    with pytest.raises(UsageError, match=r"outside 1\.\.256"):
        shown_recipes(["cutie"], ("frames=0",), None, None)


@pytest.mark.parametrize(("total", "count"), [(100, 4), (5, 4), (4, 4), (3, 9), (1, 1)])
def test_positions_are_spread_evenly(total, count):
    """As many as asked for, as far as there are so many; none twice."""
    found = spread_positions(total, count)
    assert len(found) == len(set(found)) == min(total, count)
    assert all(0 <= position < total for position in found)
    gaps = np.diff(found)
    assert not gaps.size or gaps.max() - gaps.min() <= 1


@pytest.fixture(scope="module")
def page(shards, tmp_path_factory) -> Path:
    """Four photos by two recipes, rough masks in one."""
    from click.testing import CliRunner

    from pipelines.cli import cli

    out = tmp_path_factory.mktemp("page") / "clips.html"
    words = ["preview-clips", shards, "--size", 64, "--clips", 4, *TWO, "--set", "stcn:rough=deformed", "--out", out]
    ran = CliRunner().invoke(cli, [str(word) for word in words])
    assert ran.exit_code == 0, ran.output
    return out


@pytest.fixture
def opened(browser: Browser, page: Path) -> Browser:
    browser.open(page, 1280, 2800)
    browser.until("document.querySelectorAll('canvas[data-painted]').length === 8")
    return browser


def shown(browser: Browser) -> list[str]:
    """What each canvas shows."""
    return browser.run("[...document.querySelectorAll('canvas')].map(c => c.dataset.painted)")


def key(browser: Browser, name: str) -> None:
    browser.run(f"document.body.dispatchEvent(new KeyboardEvent('keydown', {{key: {name!r}, bubbles: true}}))")


def pause(browser: Browser) -> None:
    if browser.run("document.documentElement.dataset.playing") == "yes":
        key(browser, " ")
    browser.run("new Promise(done => setTimeout(done, 50))")


def test_the_page_plays_by_itself(opened: Browser) -> None:
    """The frame changes; all clips show the same."""
    before = opened.run("document.querySelector('#number').textContent")
    opened.until(f"document.querySelector('#number').textContent !== {before!r}")
    pause(opened)
    assert len(set(shown(opened))) == 1


def test_space_pauses_and_plays(opened: Browser) -> None:
    """And the button says what it would do."""
    pause(opened)
    assert opened.run("document.querySelector('#play').textContent") == "Play"
    before = shown(opened)
    opened.run("new Promise(done => setTimeout(done, 300))")
    assert shown(opened) == before
    key(opened, " ")
    opened.until(f"document.querySelector('canvas').dataset.painted !== {before[0]!r}")


def test_arrows_step_through_the_frames_and_around(opened: Browser) -> None:
    """From the first back to the last."""
    pause(opened)
    opened.choose("#frame", 0)
    key(opened, "ArrowLeft")
    opened.until("document.querySelector('canvas').dataset.painted === '7 masks'")
    key(opened, "ArrowRight")
    opened.until("document.querySelector('canvas').dataset.painted === '0 masks'")


def test_masks_are_shown_and_hidden(opened: Browser) -> None:
    """By the button and by a key: other pixels, and the same again."""
    pause(opened)
    pixels = "[...document.querySelector('canvas').getContext('2d').getImageData(0, 0, 64, 64).data]"
    opened.choose("#frame", 2)
    opened.until("document.querySelector('canvas').dataset.painted === '2 masks'")
    with_masks = opened.run(pixels)
    opened.click("#masks")
    opened.until("document.querySelector('canvas').dataset.painted === '2 photo'")
    assert opened.run(pixels) != with_masks
    key(opened, "m")
    opened.until("document.querySelector('canvas').dataset.painted === '2 masks'")
    assert opened.run(pixels) == with_masks


def test_the_speed_is_chosen_by_list_and_keys(opened: Browser) -> None:
    """No faster than the fastest."""
    for _ in range(9):
        key(opened, "+")
    assert opened.run("document.querySelector('#speed').value") == "24"
    opened.choose("#speed", 2)
    key(opened, "-")
    assert opened.run("document.querySelector('#speed').value") == "2"


def test_recipes_are_named_above_their_columns_and_rough_masks_in_the_legend(opened: Browser) -> None:
    """In order."""
    names = opened.run("[...document.querySelectorAll('#heads strong')].map(e => e.textContent)")
    assert names == ["cutie", "stcn"]
    assert opened.run("document.querySelector('#legend').textContent") == "rough mask"


def test_the_page_asks_for_nothing_and_complains_of_nothing(opened: Browser, page: Path) -> None:
    """But for itself; on a small screen as well."""
    opened.resize(400, 800)
    opened.scroll_to_the_end()
    assert opened.run("document.documentElement.scrollWidth <= innerWidth")
    assert opened.console == []
    assert [address for address in opened.requests if not address.startswith(("data:", "blob:"))] == [page.as_uri()]
