"""The page: whole in one file, flat in memory, and deaf to whatever a file name says."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import cv2
import numpy as np
import pytest

from datakit.errors import Problem
from datakit.preview import PageSettings, document, draw_sample, page, picture_bytes, write_page
from datakit.rle import decode_rle
from datakit.samples import Photo, Triple
from datakit.transforms import PRESETS
from tests.made import made_photo, made_sample, made_triples

RECIPES = {name: PRESETS[name] for name in ("masktrack", "masktrack-box")}
TOTALS = {"masktrack": 2, "masktrack-box": 1}
EVIL = [
    "made/a<script>alert(1)</script>",
    'made/"onload="alert(1)',
    "made/</script><img src=x onerror=alert(1)>",
    "made/<!--<script>",
    "made/\u2028\u2029&lt;'`${1}",
]


class Blocks(HTMLParser):
    """Text of the script blocks by their id or class, and every element that was opened."""

    def __init__(self, text: str):
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.tags: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._inside = tag == "script"
        if self._inside:
            self.scripts.append((dict(attributes), ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data

    def samples(self) -> list[Any]:
        return [json.loads(text) for attributes, text in self.scripts if attributes.get("class") == "sample"]

    def named(self, name: str) -> Any:
        return next(json.loads(text) for attributes, text in self.scripts if attributes.get("id") == name)

    def pictures(self) -> list[list[bytes]]:
        return [
            [base64.b64decode(part) for part in text.split(",")]
            for attributes, text in self.scripts
            if attributes.get("type") == "text/plain"
        ]


def written(rows: list[list[Triple]], title: str = "Guide masks", **others: Any) -> str:
    file = io.StringIO()
    write_page(file, (draw_sample(row, TOTALS, RECIPES) for row in rows), RECIPES, PageSettings(title), **others)
    return file.getvalue()


def test_every_triple_is_in_the_page_with_its_numbers() -> None:
    """What is shown is what was drawn: measures, flags and every parameter to the last digit."""
    triples = made_triples(made_sample())
    triples[1] = replace(triples[1], flags="low-iou,no-tps", redraws=10)
    sample = Blocks(written([triples])).samples()[0]
    assert (sample["key"], sample["source"], sample["photo"]) == ("made/a", "made", [60, 80])
    for draw, triple in zip(sample["draws"], triples, strict=True):
        assert (draw["recipe"], draw["kind"], draw["variant"]) == (triple.recipe, triple.kind, triple.variant)
        assert draw["iou"] == pytest.approx(triple.iou, abs=1e-6)
        assert draw["area_ratio"] == pytest.approx(triple.area_ratio, abs=1e-6)
        numbers = np.array([np.nan if number is None else number for number in draw["numbers"]])
        np.testing.assert_array_equal(numbers, triple.parameters)
        assert draw["words"]
    assert sample["draws"][1]["flags"] == ["low-iou", "no-tps"] and sample["draws"][1]["redraws"] == 10


def test_masks_are_exact_where_they_need_not_shrink() -> None:
    """The codes of the page hold the very pixels of the part that is shown."""
    triples = made_triples(made_sample(ignore=True))
    sample = Blocks(written([triples])).samples()[0]
    x0, y0, x1, y1 = sample["region"]
    expected = [(sample["target"], triples[0].target), (sample["void"], triples[0].ignore)]
    expected += [(draw["rough"], triple.guide) for draw, triple in zip(sample["draws"], triples, strict=True)]
    for code, mask in expected:
        assert mask is not None
        np.testing.assert_array_equal(decode_rle(code.encode(), tuple(sample["size"])), mask[y0:y1, x0:x1])


def test_a_small_object_is_framed_and_its_place_shown() -> None:
    """Of a large photo with a small object only its surroundings are shown, and the whole photo as a small picture."""
    small = np.zeros((600, 800), np.uint8)
    small[300:330, 400:430] = 1
    sample = replace(made_sample(), photo=made_photo(0, 600, 800), mask=small)
    blocks = Blocks(written([made_triples(sample)]))
    x0, y0, x1, y1 = blocks.samples()[0]["region"]
    assert x0 <= 400 and x1 >= 430 and x1 - x0 < 400 and y1 - y0 < 300
    part, whole = (cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for data in blocks.pictures()[0])
    assert part.shape[:2] == (y1 - y0, x1 - x0) and whole.shape[:2] == (84, 112)


def test_views_of_a_sample_have_their_own_photos() -> None:
    """A turned view is another picture, so it is a block of its own."""
    triples = made_triples(made_sample("made/a~r+0")) + made_triples(made_sample("made/a~r+10", seed=1))
    blocks = Blocks(written([triples]))
    assert [sample["key"] for sample in blocks.samples()] == ["made/a~r+0", "made/a~r+10"]
    assert len(blocks.pictures()) == 2


@pytest.mark.parametrize("evil", EVIL)
def test_file_names_cannot_break_out(evil: str) -> None:
    """A key, a title and a problem come back letter by letter and open no element and no attribute."""
    calm = Blocks(written([made_triples(made_sample("made/calm"))]))
    problem = Problem(evil, "failed", "read", evil, evil)
    text = written([made_triples(made_sample(evil))], f"Guide masks from {evil}", problems=[problem])
    blocks = Blocks(text)
    assert blocks.tags == calm.tags
    assert blocks.samples()[0]["key"] == evil
    assert blocks.named("footer")["problems"] == [[evil, evil]]
    data = re.findall(r'<script [^>]*application/json">(.*)</script>\n', text)
    assert len(data) == 3 and not any(letter in block for block in data for letter in "<>&\u2028")


def test_nothing_but_its_own_code_may_run_or_load() -> None:
    """The policy names this very style and script by their hash, and no address of a network is in the page."""
    text = written([made_triples(made_sample())])
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]  # type: ignore[index]
    for element in ("style", "script"):
        own = re.search(rf"<{element}>(.*?)</{element}>", text, re.S)[1]  # type: ignore[index]
        assert f"{element}-src '{document.hash_source(own)}'" in policy
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    addresses = re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", re.sub(r"(?s)<script type=.*?</script>", "", text))
    assert addresses == ["http://www.w3.org/2000/svg"]  # the name of a kind of element, not a place


def test_photos_stay_within_their_bytes() -> None:
    """Noise, the worst a camera can do, is made coarser and smaller until it fits."""
    noise = np.random.default_rng(0).integers(0, 256, (600, 800, 3), dtype=np.uint8)
    for most in (document.MOST_A_PICTURE, document.LEAST_A_PICTURE):
        assert 0 < len(document.small_picture(noise, page.PICTURE_SIDE, most)) <= most


def test_two_thousand_samples_stay_under_sixty_megabytes() -> None:
    """The worst photos with three draws each: the bytes a sample takes, times two thousand."""
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    mask = np.zeros((480, 640), np.uint8)
    cv2.ellipse(mask, (320, 240), (120, 90), 0, 0, 360, 1, -1)
    sample = replace(made_sample(), photo=Photo.decoded(noise, b"", "", 0), mask=mask)
    empty, full = len(written([])), len(written([made_triples(sample)]))
    assert picture_bytes(2000) == document.MOST_A_PICTURE
    assert (full - empty) * 2000 + empty < 60e6


def test_many_samples_share_the_bytes() -> None:
    """Ten thousand pictures weigh no more than two thousand."""
    assert picture_bytes(10_000) * 10_000 <= document.ALL_PICTURES == picture_bytes(2000) * 2000
    assert picture_bytes(1) == document.MOST_A_PICTURE and picture_bytes(10**7) == document.LEAST_A_PICTURE


def test_a_sample_is_written_before_the_next_is_drawn() -> None:
    """Memory stays flat: no sample is held back."""
    file = io.StringIO()
    seen = []

    def samples() -> Any:
        for k in range(3):
            seen.append(file.getvalue().count('class="sample"'))
            yield draw_sample(made_triples(made_sample(f"made/{k}")), TOTALS, RECIPES)

    counts = write_page(file, samples(), RECIPES, PageSettings("t"))
    assert seen == [0, 1, 2]
    assert (counts.samples, counts.shown, counts.triples, counts.flagged) == (3, 9, 9, 0)


def test_problems_are_told_and_counted() -> None:
    """What is not shown is in the page, the first few hundred by name."""
    keys = ["made/\udce9 is no UTF-8", *(f"made/{k}" for k in range(page.MOST_PROBLEMS))]
    problems = [Problem(key, "failed", "decode", "r", "damaged") for key in keys]
    footer = Blocks(written([made_triples(made_sample())], problems=problems)).named("footer")
    assert footer["problem_count"] == len(problems)
    assert len(footer["problems"]) == page.MOST_PROBLEMS and footer["problems"][0] == [keys[0], "damaged"]
