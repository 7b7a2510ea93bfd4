"""The preview shows the triples a build stores, of the samples asked for, in a PNG that is whole or not there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from datakit.datasets import parse_source
from datakit.errors import DatakitError, UsageError
from datakit.samples import Triple
from datakit.shards import ShardReader
from datakit.transforms import PRESETS, Recipe
from pipelines import preview_deformations as preview
from pipelines.build_shards import build_shards
from pipelines.preview_deformations import preview_deformations
from pipelines.preview_inputs import PreviewConfig
from pipelines.settings import BuildConfig, BuildSettings
from tests.runs import draw_source
from tests.tiny import coco

BOTH = (PRESETS["masktrack"], PRESETS["masktrack-box"])


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_source(tmp_path_factory.mktemp("ecssd") / "ecssd", 9)


@pytest.fixture
def sheets(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was handed to the contact sheet: rows of triples, and how many draws there are."""
    seen: list[Any] = []

    def watched(rows: Any, recipes: Any, title: str, totals: Any) -> np.ndarray:
        seen.append((rows, totals))
        return np.zeros((4, 4, 3), np.uint8)

    monkeypatch.setattr(preview, "contact_sheet", watched)
    return seen


def config(out: Path, *inputs: str, recipes: tuple[Recipe, ...] = BOTH, **changes: Any) -> PreviewConfig:
    return PreviewConfig(inputs, out / "sheet.png", BuildSettings(recipes), **changes)


def shown_keys(sheets: list[Any]) -> list[str]:
    return [row[0].sample_key for row in sheets[-1][0]]


def build(source: Path, out: Path, recipes: tuple[Recipe, ...] = BOTH) -> Path:
    config = BuildConfig((parse_source(f"e={source}"),), out, BuildSettings(recipes))
    build_shards(config)
    return out


def assert_equal(a: Triple, b: Triple) -> None:
    for name in Triple.__slots__:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=f"{a.key}: {name}")


def test_writes_a_picture_of_the_size_it_says(source: Path, tmp_path: Path) -> None:
    """The summary tells the sheet's size, its samples and how many triples they have."""
    summary = preview_deformations(config(tmp_path / "new", f"e={source}", count=2))
    picture = cv2.imread(str(summary.out))
    assert picture.shape[:2] == summary.size
    assert (summary.samples, summary.triples, summary.skipped) == (2, 6, 0)
    assert sorted(path.name for path in summary.out.parent.iterdir()) == ["sheet.png"]


def test_same_run_same_picture(source: Path, tmp_path: Path) -> None:
    """A preview can be compared with yesterday's, byte by byte."""
    first, second = (
        preview_deformations(config(tmp_path / name, f"e={source}", count=1)).out.read_bytes() for name in "ab"
    )
    assert first == second


def test_source_and_shards_show_the_same_triples(source: Path, tmp_path: Path, sheets: list[Any]) -> None:
    """What the preview of a source promises is what the build stores, to the last number."""
    shards = build(source, tmp_path / "shards")
    stored = {triple.key: triple for triple in ShardReader(shards)}
    preview_deformations(config(tmp_path, f"e={source}", count=4))
    preview_deformations(config(tmp_path, str(shards), count=4))
    for rows, _ in sheets:
        assert [len(row) for row in rows] == [3] * 4
        for triple in (triple for row in rows for triple in row):
            assert_equal(triple, stored[triple.key])
    assert [t.key for row in sheets[0][0] for t in row] == [t.key for row in sheets[1][0] for t in row]


def test_only_the_first_few_draws_are_made(source: Path, tmp_path: Path, sheets: list[Any]) -> None:
    """A recipe of a thousand variants is previewed in no time: the total is counted, not drawn."""
    many = replace(PRESETS["masktrack"], variants=1000)
    summary = preview_deformations(config(tmp_path, f"e={source}", recipes=(many,), count=1))
    rows, totals = sheets[0]
    assert [triple.variant for triple in rows[0]] == [0, 1, 2, 3]
    assert totals == [{"masktrack": 1000}] and summary.triples == 1000


def test_views_begin_with_the_plain_one(source: Path, tmp_path: Path, sheets: list[Any]) -> None:
    """First-frame augmentation shows the photo as it is and some turned views, from a source as from shards."""
    online = replace(PRESETS["online"], variants=2)
    shards = build(source, tmp_path / "shards", (online,))
    preview_deformations(config(tmp_path, f"e={source}", recipes=(online,), keys=("e/0003",)))
    preview_deformations(config(tmp_path, str(shards), keys=("e/0003",)))
    drawn, stored = ([triple.key for triple in rows[0]] for rows, _ in sheets)
    assert drawn == stored
    assert drawn[0] == "e/0003~r+0@online/0" and len({key.partition("@")[0] for key in drawn}) == 4


def test_samples_are_spread_over_the_sorted_keys(source: Path, tmp_path: Path, sheets: list[Any]) -> None:
    """Three of nine: one from each third."""
    preview_deformations(config(tmp_path, f"e={source}", count=3))
    assert shown_keys(sheets) == ["e/0001", "e/0004", "e/0007"]


def test_small_inputs_leave_their_share_to_the_others() -> None:
    """Eight samples of inputs of one, two and nine photos: all of the small ones, the rest from the large one."""
    assert preview._shares([9, 1, 2], 8) == [5, 1, 2]
    assert preview._shares([9, 9], 5) in ([2, 3], [3, 2])
    assert preview._shares([0, 2], 8) == [0, 2]


def test_a_damaged_photo_is_replaced_and_counted(source: Path, tmp_path: Path, sheets: list[Any]) -> None:
    """A photo that cannot be read costs nothing but a line in the summary."""
    copy = draw_source(tmp_path / "copy", 9)
    (copy / "images" / "0004.jpg").write_bytes(b"\xff\xd8\xff nothing")
    summary = preview_deformations(config(tmp_path, f"e={copy}", count=3))
    assert shown_keys(sheets) == ["e/0001", "e/0005", "e/0007"]
    assert [problem.key for problem in summary.problems] == ["e/0004"]


@pytest.mark.parametrize(
    ("key", "first"),
    [
        ("e/0002", "e/0002@masktrack/0"),
        ("e/0002@masktrack/5", "e/0002@masktrack/5"),
        ("e/0002@masktrack-box/0", "e/0002@masktrack/0"),
    ],
)
def test_the_sample_asked_for_is_shown(source: Path, tmp_path: Path, sheets: list[Any], key: str, first: str) -> None:
    """A sample's key shows it, a triple's key shows that very draw before the others."""
    recipes = (replace(PRESETS["masktrack"], variants=6), PRESETS["masktrack-box"])
    for text in (f"e={source}", str(build(source, tmp_path / "shards", recipes))):
        preview_deformations(config(tmp_path, text, recipes=recipes, keys=(key,)))
        rows, _ = sheets[-1]
        assert len(rows) == 1 and rows[0][0].key == first


def test_a_photo_key_shows_all_its_objects(tmp_path: Path, sheets: list[Any]) -> None:
    """Of a photo with several objects the photo's key means every one."""
    root = coco(tmp_path / "coco")
    preview_deformations(config(tmp_path, f"c:coco={root}", count=3))
    photo = next(key for key in shown_keys(sheets)).partition("#")[0]
    preview_deformations(config(tmp_path, f"c:coco={root}", keys=(photo,)))
    assert shown_keys(sheets) and all(key.startswith(f"{photo}#") for key in shown_keys(sheets))


def test_an_unknown_key_is_refused_with_one_that_is_known(source: Path, tmp_path: Path) -> None:
    """The message shows how a key looks, and no file appears."""
    with pytest.raises(UsageError, match=r"e/9999.*'e/0000'"):
        preview_deformations(config(tmp_path, f"e={source}", keys=("e/9999",)))
    assert not list(tmp_path.iterdir())


def test_a_source_of_damage_alone_says_why(tmp_path: Path) -> None:
    """No sample at all is an error that names the first cause."""
    copy = draw_source(tmp_path / "copy", 2)
    for photo in (copy / "images").iterdir():
        photo.write_bytes(b"")
    with pytest.raises(DatakitError, match=r"no sample.*000\d\.jpg"):
        preview_deformations(config(tmp_path, f"e={copy}"))


def test_inputs_that_disagree_on_a_recipe_are_refused(source: Path, tmp_path: Path) -> None:
    """One column cannot mean two recipes."""
    shards = build(source, tmp_path / "shards")
    other = (replace(PRESETS["masktrack"], variants=3),)
    with pytest.raises(UsageError, match="masktrack"):
        preview_deformations(config(tmp_path, str(shards), f"e={source}", recipes=other))


def test_another_suffix_than_png_is_refused(source: Path, tmp_path: Path) -> None:
    """A .jpg that holds a PNG would fool every program but the most patient."""
    wrong = replace(config(tmp_path, f"e={source}"), out=tmp_path / "sheet.jpg")
    with pytest.raises(UsageError, match=r"\.png"):
        preview_deformations(wrong)


def test_the_guessed_layout_is_named_and_labels_are_judged(datakit, source, tmp_path):
    """As a build does: a bare root says what it was taken for, and no source may come twice."""
    out = tmp_path / "sheet.png"
    assert "taken for ecssd" in datakit("preview-deformations", source, "--out", out, "--count", 1).output
    result = datakit("preview-deformations", source, source, "--out", out)
    assert result.exit_code == 2
    assert "two sources are labelled 'ecssd'" in result.output
