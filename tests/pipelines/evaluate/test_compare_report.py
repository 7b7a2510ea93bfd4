"""Several methods side by side: one table, the JSON and CSV of all, and what they have no score for."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil

import pytest

from pipelines.evaluate.compare_report import ComparedRow
from pipelines.report import markdown_table
from tests.labelled import draw_tree

TWO = {"bear": (1,), "dog": (1, 2)}


@pytest.fixture
def truth(tmp_path):
    return draw_tree(tmp_path / "truth", TWO)


@pytest.fixture
def methods(tmp_path):
    """Three, each a frame further behind."""
    return [draw_tree(tmp_path / name, TWO, late=late) for late, name in enumerate(("sharp", "late", "later"))]


def told(result):
    assert result.exit_code == 0, result.output
    return result.stdout


def test_methods_stand_side_by_side(datakit, methods, truth):
    """A column each; a row for each measure of an object, a sequence of several and the set; the best is marked."""
    lines = told(datakit("evaluate", *methods, truth)).splitlines()
    assert lines[0] == f"3 methods against {truth}" and lines[1] == f"  sharp: {methods[0]}"
    head, *rows = (line.split() for line in lines[5:])
    assert head == ["sequence", "object", "frames", "measure", "sharp", "late", "later"]
    assert rows[0][:5] == ["bear", "1", "6", "J&F", "1.000*"]
    assert [row[3] for row in rows[:3]] == ["J&F", "J", "F"]
    assert [row[:3] for row in rows[9:12]] == [["dog", "mean", each] for each in ("J&F", "J", "F")]
    assert [" ".join(row[:4]) for row in rows[12:15]] == ["all 2 sequences mean"] * 3
    assert "*: best of its row, as far as the digits shown can tell" in lines


def test_json_holds_what_each_method_says_alone(datakit, methods, truth):
    """Under its name, to the last digit."""
    found = json.loads(told(datakit("evaluate", *methods, truth, "--json")))
    assert list(found["methods"]) == ["sharp", "late", "later"] and found["convention"] == "davis2017"
    for path in methods:
        assert found["methods"][path.name] == json.loads(told(datakit("evaluate", path, truth, "--json")))


def test_a_single_method_with_a_name_is_a_single_method(datakit, methods, truth):
    """The name changes nothing."""
    assert told(datakit("evaluate", f"mine={methods[1]}", truth, "--json")) == told(
        datakit("evaluate", methods[1], truth, "--json")
    )


def test_processes_change_nothing(datakit, methods, truth):
    """Two give the very output of one."""
    one, two = (told(datakit("evaluate", *methods, truth, "--json", "-j", jobs)) for jobs in (1, 2))
    assert one == two


def test_csv_names_the_method_first(datakit, methods, truth, tmp_path):
    """Its lines are those of the method alone."""
    told(datakit("evaluate", *methods[:2], truth, "--csv", tmp_path / "all.csv"))
    told(datakit("evaluate", methods[1], truth, "--csv", tmp_path / "late.csv"))
    head, *rows = csv.reader(io.StringIO((tmp_path / "all.csv").read_text()))
    alone, *expected = csv.reader(io.StringIO((tmp_path / "late.csv").read_text()))
    assert head == ["method", *alone]
    assert [row[1:] for row in rows if row[0] == "late"] == expected and len(rows) == 2 * len(expected)


def test_markdown_sets_the_best_in_bold(datakit, methods, truth):
    """A table that any viewer of Markdown shows, after the words."""
    text = told(datakit("evaluate", "a|b=" + str(methods[0]), methods[1], truth, "--markdown"))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows[0] == "| sequence | object | frames | measure | a\\|b | late |"
    assert rows[1] == "| --- | ---: | ---: | ---: | ---: | ---: |"
    assert re.fullmatch(r"\| bear \| 1 \| 6 \| J&F \| \*\*1\.000\*\* \| 0\.\d+ \|", rows[2])
    assert text.index("* davis2017") < text.index(rows[0])


def test_markdown_of_one_method_has_its_table(datakit, methods, truth):
    """Without anything bold: there is nothing it is better than."""
    text = told(datakit("evaluate", methods[1], truth, "--markdown"))
    assert "| sequence | object | frames | J mean |" in text and "**" not in text


def test_mosev2_compares_its_own_numbers(datakit, methods, truth):
    """Where no object disappears there is a dash, and the set has two blocks."""
    text = told(datakit("evaluate", *methods[:2], truth, "--convention", "mosev2"))
    rows = [line.split() for line in text.splitlines()]
    assert ["bear", "1", "6", "J&Ḟ", "gone", "-", "-"] in rows
    assert {"scorer", "up"} <= {word for row in rows if row[:1] == ["all"] for word in row}


def test_a_part_of_one_method_is_the_part_of_all(datakit, methods, truth):
    """Compared on the same frames, and it is said; each scores as if alone on that part."""
    for name in TWO:
        folder = methods[1] / "_report" / name
        folder.mkdir(parents=True)
        (folder / "report.json").write_text(json.dumps({"frames": [{"frame": f"{k:05d}"} for k in range(2, 7)]}))
        for number in (0, 1, 7):
            (methods[1] / name / f"{number:05d}.png").unlink()
    text = told(datakit("evaluate", *methods, truth))
    assert text.count("dog: part: frames 2..6 of 8; missing: 0..1, 7") == 1
    assert "every method is scored on these frames alone, which all of them have" in text
    found = json.loads(told(datakit("evaluate", *methods, truth, "--json")))["methods"]
    assert found["late"] == json.loads(told(datakit("evaluate", methods[1], truth, "--json")))
    assert {each["sequences"]["dog"]["objects"]["1"]["frames"] for each in found.values()} == {3}


def test_what_does_not_fit_is_told_of_every_method(datakit, methods, truth):
    """With its name; there is no score, and no file."""
    (methods[0] / "dog/00003.png").unlink()
    shutil.rmtree(methods[2] / "bear")
    result = datakit("evaluate", *methods, truth, "--csv", truth.parent / "scores.csv")
    assert result.exit_code == 4 and result.stdout == "" and not (truth.parent / "scores.csv").exists()
    assert "later: " in result.stderr and "no predictions of 1 of 2 sequences: bear" in result.stderr
    (methods[2] / "bear").mkdir()
    shutil.copytree(methods[1] / "bear", methods[2] / "bear", dirs_exist_ok=True)
    (methods[2] / "dog/00004.png").unlink()
    said = datakit("evaluate", *methods, truth).stderr
    assert "sharp: no score" in said and "later: no score" in said and "00003" in said and "00004" in said


def test_json_and_markdown_exclude_each_other(datakit, methods, truth):
    """One report at a time."""
    assert datakit("evaluate", *methods, truth, "--json", "--markdown").exit_code == 2


@pytest.mark.parametrize(
    ("measure", "values", "best"),
    [
        ("J", (0.5, 0.7, 0.6), [False, True, False]),
        ("J decay", (0.5, 0.7, -0.1), [False, False, True]),
        ("J", (0.50001, 0.50002, 0.4), [True, True, False]),
        ("J", (0.5, 0.5), [False, False]),
        ("J&Ḟ gone", (None, 0.2), [False, True]),
        ("J&Ḟ gone", (None, None), [False, False]),
    ],
)
def test_best_is_what_the_digits_shown_say(measure, values, best):
    """All that look alike; decay is better the less it is; none where there is no difference."""
    assert ComparedRow("dog", "1", 5, measure, values).best() == best


def test_a_bar_in_a_name_splits_no_column():
    """Of a Markdown table."""
    assert markdown_table(("a", "b"), [("x|y", 1)]).splitlines()[2] == "| x\\|y | 1 |"
