"""evaluate --convention mosev2: its numbers in table, JSON, CSV and page, and whose they are."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.labelled import draw_tree, write_labels
from tests.mosev2_clips import made_clip

KEYS = {"J&F_new", "J", "F_new", "disappear_J&F_new", "reappear_J&F_new", "F", "J&F"}


@pytest.fixture
def folders(tmp_path):
    """Predictions and ground truth of two made videos: objects of both vanish and return."""
    for number in (29, 41):
        for frame, (target, found) in enumerate(made_clip(number)):
            write_labels(tmp_path / f"truth/clip{number}/{frame:05d}.png", target)
            write_labels(tmp_path / f"found/clip{number}/{frame:05d}.png", found)
    return tmp_path / "found", tmp_path / "truth"


def test_json_holds_the_scorers_numbers_and_the_rounded_ones(datakit, folders):
    """On every level; J and F beside them are the scorer's, and the first and last frame are left out."""
    found = json.loads(datakit("evaluate", *folders, "--convention", "mosev2", "--json").stdout)
    levels = [found, *found["sequences"].values()]
    levels += [each for sequence in found["sequences"].values() for each in sequence["objects"].values()]
    assert len(levels) > 5
    for level in levels:
        assert set(level["mosev2"]) == {"scorer", "rounded_up"}
        assert set(level["mosev2"]["scorer"]) == set(level["mosev2"]["rounded_up"]) == KEYS
        assert level["F"]["mean"] == pytest.approx(level["mosev2"]["scorer"]["F"], abs=1e-12)
        assert level["J"]["mean"] == pytest.approx(level["mosev2"]["rounded_up"]["J"], abs=1e-12)
    assert found["sequences"]["clip29"]["objects"]["1"]["frames"] == len(made_clip(29)) - 2


def test_the_report_says_whose_numbers_they_are(datakit, folders):
    """Two rows for the set, and a line for each of the two ways."""
    shown = datakit("evaluate", *folders, "--convention", "mosev2").stdout
    for words in ("J&Ḟ", "J&Ḟ gone", "J&Ḟ back", "mean, scorer", "mean, rounded up", "MOSEv2's published scorer"):
        assert words in shown
    assert "the last row: with every radius rounded up" in shown


def test_csv_holds_every_measure_of_every_frame(datakit, folders, tmp_path):
    """Five columns of numbers."""
    datakit("evaluate", *folders, "--convention", "mosev2", "--csv", tmp_path / "scores.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "scores.csv").read_text())))
    assert list(rows[0]) == ["sequence", "object", "frame", "J", "F", "F_new", "F_rounded", "F_new_rounded"]
    assert len(rows) == sum(3 * (len(made_clip(number)) - 2) for number in (29, 41))


def test_the_page_says_whose_numbers_they_are(datakit, folders, tmp_path):
    """Above its table."""
    result = datakit("evaluate", *folders, "--convention", "mosev2", "--html", tmp_path / "scores.html")
    assert result.exit_code == 0, result.output
    page = (tmp_path / "scores.html").read_text()
    assert "published scorer computes them" in page and "every radius rounded up" in page


def test_other_conventions_say_nothing_of_it(datakit, tmp_path):
    """Neither in JSON nor in the table."""
    truth = draw_tree(tmp_path / "truth", {"dog": (1, 2)})
    assert "mosev2" not in datakit("evaluate", truth, truth, "--json").stdout
    assert "Ḟ" not in datakit("evaluate", truth, truth).stdout
