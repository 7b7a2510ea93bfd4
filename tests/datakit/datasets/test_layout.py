"""Layouts of other packages: registered by a call, or by an entry point."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from datakit.datasets import LAYOUTS, PairsLayout, open_source, parse_source, recognise, register_layout
from datakit.errors import UsageError
from tests import tiny
from tests.third_party import install

MINE = PairsLayout(
    "mine",
    "Photos and cut-outs as our studio keeps them.",
    ("photos/*.jpg", "studio/*.png"),
    min_area=7,
    folders=(("photos", "studio"),),
)
# a reader and a layout written outside of the package: photos with a text file that holds a box
FOREIGN = """
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datakit.datasets import Layout, Match, Reader, Record, Sureness, read_photo
from datakit.samples import Sample, Scene


class BoxReader(Reader):
    def read(self, record):
        photo = read_photo(self.images / record.image, record.image, self.options.max_pixels, record.key)
        x0, y0, x1, y1 = record.annotation
        mask = np.zeros(photo.size, np.uint8)
        mask[y0:y1, x0:x1] = 1
        return Scene(record.key, (Sample(record.key, record.key, photo, mask, 1, 0),))


@dataclass(frozen=True)
class BoxLayout(Layout):
    def match(self, root: Path):
        return Match(Sureness.FILE, "for its boxes.txt") if (root / "boxes.txt").is_file() else None

    def open(self, label, root, images, options):
        rows = [line.split() for line in (root / "boxes.txt").read_text().splitlines()]
        records = [
            Record(f"{label}/{Path(name).stem}", name, [int(side) for side in box], (root / name).stat().st_size)
            for name, *box in sorted(rows)
        ]
        return BoxReader(label, root, root, records, (), options)


LAYOUT = BoxLayout("boxline", "One line for each photo: name x0 y0 x1 y1.", ("boxes.txt", "*.jpg"))
"""


@pytest.fixture
def mine() -> Iterator[PairsLayout]:
    """A layout that is registered for one test."""
    yield register_layout(MINE)  # type: ignore[misc]
    del LAYOUTS["mine"]


def tree(root: Path) -> Path:
    """photos/ and studio/."""
    for number in range(3):
        tiny.pair(root / "photos", root / "studio", str(number), number)
    return root


def test_a_registered_layout_is_known_everywhere(tmp_path: Path, mine: PairsLayout) -> None:
    """Recognised by its folders, named in a source, listed in messages, its defaults taken."""
    root = tree(tmp_path / "data")
    assert recognise(root) == ("mine", "data: taken for mine, for its photos/ and studio/")
    assert parse_source(f"a:mine={root}").layout == "mine"
    reader = open_source(f"a:mine={root}")
    assert reader.layout == "mine" and len(reader) == 3 and reader.base.layout == "mine"
    with pytest.raises(UsageError, match="mine"):
        parse_source("a:ghost=x")


def test_without_it_the_folders_are_unknown(tmp_path: Path) -> None:
    """The test above shows something."""
    with pytest.raises(UsageError, match="no known layout"):
        recognise(tree(tmp_path))


def test_the_table_is_live(tmp_path: Path) -> None:
    """An assignment does what `register_layout` does."""
    LAYOUTS["mine"] = MINE
    try:
        assert recognise(tree(tmp_path))[0] == "mine"
    finally:
        del LAYOUTS["mine"]


@pytest.mark.parametrize(
    ("layout", "told"),
    [
        (replace(MINE, name="ecssd"), "there is one of that name already"),
        (replace(MINE, name="My Set"), "a-z, 0-9"),
        (replace(MINE, tree=()), "needs a `tree`"),
        (replace(MINE, source=""), "needs a `tree`"),
    ],
)
def test_a_layout_that_says_too_little_is_refused(layout: PairsLayout, told: str) -> None:
    """At registration, not in the middle of a build."""
    with pytest.raises(UsageError, match=told):
        register_layout(layout)


def test_a_layout_under_another_name_is_refused() -> None:
    """Shards store the name."""
    with pytest.raises(UsageError, match="calls itself 'mine'"):
        LAYOUTS["yours"] = MINE


def test_an_installed_layout_is_built_by_worker_processes(tmp_path: Path) -> None:
    """Its package is found by its entry point: recognised, named, listed by `--layouts`, built with two workers."""
    root = tmp_path / "data"
    for number in range(4):
        tiny.write_picture(root / f"{number}.jpg", tiny.picture(number))
    (root / "boxes.txt").write_text("".join(f"{number}.jpg 5 5 40 30\n" for number in range(4)))
    run = install(tmp_path / "site", "boxes-txt", "layouts", "boxline", "boxes_txt_layout:LAYOUT", FOREIGN).run
    recognised = ("build-shards", root, "--out", tmp_path / "out", "-j", 2, "--samples-per-shard", 2, "--json")
    first = run(*recognised)
    assert first.returncode == 0 and "taken for boxline, for its boxes.txt" in first.stderr, first.stderr
    named = run("build-shards", f"data:boxline={root}", "--out", tmp_path / "again", "--samples-per-shard", 2)
    assert named.returncode == 0, named.stderr
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["sources"]["data"]["layout"] == "boxline" and manifest["sources"]["data"]["samples"] == 4
    shards = [sorted(folder.glob("*.h5")) for folder in (tmp_path / "out", tmp_path / "again")]
    assert len(shards[0]) == 2
    assert [file.read_bytes() for file in shards[0]] == [file.read_bytes() for file in shards[1]]
    assert "boxline\n    boxes.txt + *.jpg\n    One line for each photo" in run("validate-source", "--layouts").stdout
