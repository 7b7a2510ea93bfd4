"""A row of the validation: measured once, kept, and measured on where something is missing."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import validation_rows
from benchmarks.validation_rows import Row, code_digest, measured, verdict_of
from benchmarks.validation_sets import ANNOTATIONS, PHOTOS, Tree
from datakit.images import encode_palette_png
from datakit.video.labels import REPORT
from datakit.video.palette import palette
from model.lite import Lite
from tests.drawing import mask, picture, write_picture

FRAMES = 9


@pytest.fixture
def tree(tmp_path):
    """Two sequences of two objects; the second is hidden in frames 1 and 2, and then stays."""
    for name in ("a", "b"):
        for number in range(FRAMES):
            write_picture(tmp_path / "tree" / PHOTOS / name / f"{number:05d}.jpg", picture(0))
            write_ids(tmp_path / "tree" / ANNOTATIONS / name / f"{number:05d}.png", number not in (1, 2))
    return Tree("clips", tmp_path / "tree", ("a", "b"), "davis2017", "made")


def write_ids(path, is_back):
    """Object 1, and right of it object 2 where it is seen."""
    ids = mask(0)
    ids[:10, 50:60] = 2 * is_back
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_palette_png(ids, palette()))


@pytest.fixture
def row(tmp_path):
    """A row of the smaller network in the package."""
    return Row("made", "bundled", "", tmp_path / "rows")


def store(row, tree, *names):
    """Records of some sequences, as an earlier run has left them."""
    row.place(tree).mkdir(parents=True, exist_ok=True)
    records = {name: {"J": [0.5], "F": [0.25], "code": "other"} for name in names}
    (row.place(tree) / "records.json").write_text(json.dumps(records))
    return records


@pytest.fixture
def idle(monkeypatch):
    """No row propagates; the sequences that one was asked for."""
    asked = []

    def propagated(_row, tree, sequences, _jobs):
        asked.extend(sequences)
        return tree.root

    def measured(_labels, _tree, sequences, _jobs):
        return {name: {"J": [0.75], "F": [0.25], "code": "today's"} for name in sequences}

    monkeypatch.setattr(Row, "propagated", propagated)
    monkeypatch.setattr(validation_rows, "measured", measured)
    return asked


def test_what_was_measured_is_not_measured_again(row, tree, idle):
    """The records as they were."""
    records = store(row, tree, "a", "b")
    assert row.measure(tree) == records
    assert idle == []


def test_only_the_sequences_asked_for_are_measured_again(row, tree, idle):
    """Their label pictures go; those of others stay, and so do their records."""
    kept = store(row, tree, "a", "b")["a"]
    made = [row.place(tree) / "code" / path for path in ("a", "b", f"{REPORT}/a", f"{REPORT}/b")]
    for folder in made:
        folder.mkdir(parents=True)
    found = row.measure(replace(tree, sequences=("b",)), again=True)
    assert (idle, list(found), found["b"]["code"]) == (["b"], ["b"], "today's")
    assert row.measure(tree)["a"] == kept
    assert [folder.exists() for folder in made] == [True, False, True, False]


@pytest.mark.parametrize(
    "changed", [{"weights": "lite-memory"}, {"options": "--online"}, {"options": "--annotate-every 9"}]
)
def test_records_belong_to_weights_and_options(row, tree, changed):
    """Another of any of them has a place of its own."""
    assert replace(row, **changed).place(tree) != row.place(tree)


def test_records_belong_to_a_set(row, tree, tmp_path):
    """By its folder."""
    assert row.place(replace(tree, root=tmp_path / "elsewhere")) != row.place(tree)


@pytest.mark.parametrize("options", [" ", "--margin 0.4", "--set looks=1 --no-overlay", "--seed 1"])
def test_a_default_that_is_given_is_the_default(row, tree, options):
    """As is a seed where nothing is drawn."""
    assert replace(row, options=options, name="called so").place(tree) == row.place(tree)


def test_another_default_is_another_row(row, tree, monkeypatch):
    """What was measured before it changed is not taken for it."""
    before = row.place(tree)
    monkeypatch.setattr(Lite, "margin", 0.35)
    assert replace(row).place(tree) != before


def test_settings_hold_no_version(row):
    """A new release measures nothing anew."""
    assert "tools" not in str(row.settings)


def test_perfect_predictions_have_perfect_scores_and_find_what_returns(tree):
    """Every object's J and F, no swap, one return."""
    found = measured(tree.root / ANNOTATIONS, predicted_beside(tree), ["b"], 1)
    assert found == {
        "b": {"J": [1, 1], "F": [1, 1], "code": code_digest(), "swaps": 0, "returns": 1, "found": 1},
    }


def predicted_beside(tree):
    """The same tree elsewhere, since predictions that have photos beside them look like ground truth."""
    root = tree.root.with_name("truth")
    shutil.copytree(tree.root / ANNOTATIONS, root / ANNOTATIONS)
    shutil.rmtree(tree.root / PHOTOS)
    return replace(tree, root=root)


def test_sequences_of_one_object_have_no_events(tree):
    """Where all ids are one object nobody can take another's place."""
    found = measured(tree.root / ANNOTATIONS, replace(predicted_beside(tree), convention="davis2016"), ["a"], 1)
    assert set(found["a"]) == {"J", "F", "code"}
    assert np.isclose(found["a"]["J"], 1)


def test_a_declined_online_stage_is_recorded(tmp_path):
    """From where the report of the propagation says so; a report of no such stage says nothing."""
    report = tmp_path / "report.json"
    assert verdict_of(report) == {}
    for online, expected in ((None, {}), ({"judge": {"declined": True}}, {"declined": True}), ({"seconds": 3}, {})):
        report.write_text(json.dumps({"online": online}))
        assert verdict_of(report) == expected


def test_a_row_is_propagated_and_what_is_missing_is_added(tree, tmp_path):
    """The bundled network by the command; sequence `a` is kept as it was, label pictures of other code go."""
    row = Row("bundled", "bundled", "--size 64", tmp_path / "rows")
    kept = store(row, tree, "a")["a"]
    (row.place(tree) / "old code" / "a").mkdir(parents=True)
    found = row.measure(tree)
    assert found["a"] == kept
    assert found["b"]["code"] == code_digest()
    assert len(found["b"]["J"]) == 2
    assert not (row.place(tree) / "old code").exists()
    assert row.measure(tree) == found
