"""Which samples the page of a preview holds: the same from sources and shards, on any number of processes."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datakit.datasets import parse_source
from datakit.errors import UsageError
from datakit.preview import DrawnSample, PageCounts
from datakit.progress import Progress, displaying
from pipelines.build_shards import build_shards
from pipelines.preview_deformations import preview_deformations
from pipelines.preview_inputs import PreviewConfig, PreviewInput
from pipelines.preview_page import all_photos, counted_off
from pipelines.settings import BuildConfig, BuildSettings
from tests.made import RECIPES
from tests.runs import PICKY, draw_source
from tests.tiny import coco


def test_source_and_shards_give_the_same_page(tmp_path: Path) -> None:
    """What the page of a source promises is what the build stores: equal but for the title and the order of photos."""
    source = draw_source(tmp_path / "e", 5)
    config = BuildConfig((parse_source(f"e={source}"),), tmp_path / "shards", PICKY)
    build_shards(config)
    pages = []
    for name, text_ in (("a", f"e={source}"), ("b", str(config.out))):
        out = preview_deformations(PreviewConfig((text_,), tmp_path / f"{name}.html", PICKY)).out.read_text()
        pages.append(set(re.findall(r'<script class="sample".*\n.*\n', out)))
    assert pages[0] == pages[1] and len(pages[0]) == 5


def test_count_and_keys_choose_what_the_page_holds(tmp_path: Path) -> None:
    """`--count` takes photos evenly, `--sample` those named."""
    source = draw_source(tmp_path / "e", 9)
    for chosen, keys in (({"count": 2}, ["e/0000", "e/0008"]), ({"keys": ("e/0003",)}, ["e/0003"])):
        summary = preview_deformations(PreviewConfig((f"e={source}",), tmp_path / "p.html", PICKY, **chosen))
        assert re.findall(r'"key":"(e/\d+)"', summary.out.read_text()) == keys and summary.samples == len(keys)
        assert ('"cut":true' in summary.out.read_text()) == ("count" in chosen)


def test_what_is_left_out_is_told_with_its_reason(tmp_path: Path) -> None:
    """Small objects and crowds of photos that have other samples are in the page's list, not silently gone."""
    root = coco(tmp_path / "coco")
    summary = preview_deformations(PreviewConfig((f"c:coco={root}",), tmp_path / "p.html", BuildSettings(RECIPES)))
    footer = json.loads(re.search(r'id="footer" [^>]*>(.*)</script>', summary.out.read_text())[1])  # type: ignore[index]
    assert summary.samples == 3 and footer["problem_count"] == summary.skipped == 4
    assert [key for key, _ in footer["problems"]] == [problem.key for problem in summary.problems]
    assert footer["cut"] is False


def test_more_processes_write_the_same_page(tmp_path: Path) -> None:
    """Of sources, of which some photos give several samples or none, and of shards: byte for byte."""
    photos, objects = draw_source(tmp_path / "e", 7), coco(tmp_path / "coco")
    (photos / "images" / "0005.jpg").write_bytes(b"damaged")
    config = BuildConfig((parse_source(f"e={draw_source(tmp_path / 's', 5)}"),), tmp_path / "shards", PICKY)
    build_shards(config)
    for inputs in ((f"e={photos}", f"c:coco={objects}"), (str(config.out),)):
        pages = []
        for jobs in (1, 2):
            out = tmp_path / f"{jobs}.html"
            summary = preview_deformations(PreviewConfig(inputs, out, PICKY, jobs=jobs))
            pages.append((out.read_bytes(), replace(summary, out=Path())))
        assert pages[0] == pages[1] and summary.samples >= 5


class Counter:
    """A display that keeps what it is told."""

    def __init__(self) -> None:
        self.total, self.unit, self.steps = 0, "", list[int]()

    def advance(self, count: int) -> None:
        self.steps.append(count)

    @contextlib.contextmanager
    def display(self, total: int, unit: str) -> Iterator[Progress]:
        self.total, self.unit = total, unit
        yield self


@pytest.mark.parametrize(("chosen", "total"), [({}, 9), ({"count": 2}, 2), ({"keys": ("e/0003", "e/0004")}, 2)])
def test_progress_of_a_page_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, Any], total: int
) -> None:
    """By photos, several times where there are many, and it ends at its total."""
    monkeypatch.setattr("pipelines.preview_page.CHUNK", 4)
    counter = Counter()
    with displaying(counter.display):
        source = draw_source(tmp_path / "e", 9)
        preview_deformations(PreviewConfig((f"e={source}",), tmp_path / "p.html", PICKY, **chosen))
    assert (counter.total, counter.unit, sum(counter.steps)) == (total, "photos", total)
    assert 0 not in counter.steps and len(counter.steps) == -(-total // 4)


def test_progress_ends_where_several_objects_of_a_photo_fill_the_page() -> None:
    """The photos that were not needed count as done; those beyond the total do not count."""
    sample = DrawnSample("", PageCounts(1))
    for photos, total in ((3, 10), (9, 4)):
        counter = Counter()
        drawn = [[[sample, sample]] * 2] * (photos // 2) + [[[sample, sample]]] * (photos % 2)
        assert len(list(counted_off(drawn, total, counter))) == 2 * photos
        assert sum(counter.steps) == total and 0 not in counter.steps


def stub(name: str, photos: int, objects: int, is_drawn: bool = True) -> PreviewInput:
    keys = [f"{name}/{k:05d}" for k in range(photos)]
    make: Any = lambda key: [lambda n=n: f"{key}#{n}" for n in range(objects)]  # noqa: E731
    return PreviewInput(name, is_drawn, {}, keys, lambda key, asked: make(key))


def all_samples(inputs: list[PreviewInput], count: int | None) -> list[Any]:
    """What the makers of every photo make, in order."""
    return [make() for photo in all_photos(inputs, count) for make in photo]


def test_large_sources_are_cut_evenly_and_shards_are_whole() -> None:
    """Two thousand samples of sources, half of each whatever their objects, and every one of a folder of shards."""
    sources = [stub("a", 5000, 1), stub("b", 3000, 7)]
    shown = all_samples([*sources, stub("s", 4000, 1, is_drawn=False)], None)
    counts = {name: sum(key.startswith(f"{name}/") for key in shown) for name in "abs"}
    assert counts["s"] == 4000 and counts["a"] + counts["b"] == 2000 and abs(counts["a"] - counts["b"]) <= 7
    photos = sorted(int(key[2:7]) for key in shown if key.startswith("a/"))
    assert np.diff(photos).max() <= 16
    assert len(all_samples(sources, 10)) == 10
    assert len(all_samples([stub("a", 7, 2)], None)) == 14


def test_the_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that breaks off in the middle leaves nothing behind."""
    source = draw_source(tmp_path / "e", 3)
    monkeypatch.setattr("datakit.preview.page._footer", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        preview_deformations(PreviewConfig((f"e={source}",), tmp_path / "out" / "p.html", PICKY))
    assert list((tmp_path / "out").iterdir()) == []


def test_the_suffix_decides(tmp_path: Path, datakit: Any) -> None:
    """.html is a page in any case of letters, anything else but .png is refused; the report tells the page's size."""
    source = draw_source(tmp_path / "e", 2)
    made = datakit("preview-deformations", f"e={source}", "--out", tmp_path / "p.HTML")
    assert made.exit_code == 0 and re.search(r"2 samples, 4 triples.* \d\.\d MB", made.output)
    with pytest.raises(UsageError, match=r"\.png.*\.html"):
        preview_deformations(PreviewConfig((f"e={source}",), tmp_path / "p.htm", PICKY))
