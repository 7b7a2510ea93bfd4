"""The tables of the validation: means, differences to the first row, and who loses."""

import pytest

from benchmarks.validation import named, parsed, remarks, rows_of, trees
from benchmarks.validation_rows import code_digest
from benchmarks.validation_tables import clip_table, difference_table, figures, page
from datakit.errors import UsageError


def record(*regions, **events):
    """Of a sequence with an object for each given J; every F is 0.5."""
    return {"J": list(regions), "F": [0.5] * len(regions), **events}


VIDEOS = {"calm": {"cow": record(0.8), "dog": record(0.6)}, "bold": {"cow": record(0.9), "dog": record(0.45)}}
CLIPS = {
    "calm": {
        "1-00": record(0.8, swaps=0, returns=2, found=1),
        "2-00": record(0.9, 0.3, swaps=1, returns=1, found=0),
    },
    "bold": {
        "1-00": record(0.8, swaps=0, returns=2, found=2),
        "2-00": record(0.9, 0.5, swaps=0, returns=1, found=1),
    },
}
MEASURED = {"forwards": VIDEOS, "clips": CLIPS}


def test_a_set_has_the_mean_over_objects():
    """Of three objects in two clips each counts once."""
    assert figures(MEASURED, {})["calm: clips"]["J"] == pytest.approx(2 / 3, abs=1e-4)


def test_a_row_is_compared_with_the_first_sequence_by_sequence():
    """Its worst is named, even if its mean gains elsewhere."""
    found = figures(MEASURED, {})["bold: forwards"]
    assert (found["difference"], found["worst sequence"], found["worst difference"]) == (-0.025, "dog", -0.15)


def test_options_are_also_compared_with_their_own_network():
    """Where that is not the first row."""
    rows = {"x": 0.9, "x + online": 0.8, "y": 0.5, "y + online": 0.6}
    found = figures({"forwards": {name: {"cow": record(J)} for name, J in rows.items()}}, {})
    differences = {name: each["difference"] for name, each in found.items() if "online" in name}
    assert differences == {
        "x + online: forwards": -0.1,
        "y + online: forwards": -0.3,
        "y + online against y: forwards": 0.1,
    }


@pytest.mark.parametrize(("noise", "loses"), [(0.02, True), (0.03, False)])
def test_a_row_loses_what_is_more_than_the_noise(noise, loses):
    """By 0.025."""
    assert figures(MEASURED, {"forwards": noise})["bold: forwards"]["loses"] is loses


def test_without_noise_there_is_no_verdict():
    """Nobody knows."""
    assert figures(MEASURED, {})["bold: forwards"]["loses"] is None


def test_clips_count_by_their_number_of_objects():
    """J&F is the mean of both over all objects of these clips."""
    found = figures(MEASURED, {})["calm: clips"]
    assert (found["J&F of 1"], found["J&F of 2"]) == (0.65, 0.55)
    assert (found["swaps"], found["objects"], found["returns"], found["found"]) == (1, 3, 3, 1)


def test_the_clip_table_says_of_how_many():
    """Swaps of all objects, finds of all returns."""
    assert clip_table(MEASURED).splitlines()[2:] == [
        "| calm | 0.650 | 0.550 | 1 of 3 | 1 of 3 |",
        "| bold | 0.650 | 0.600 | 0 of 3 | 3 of 3 |",
    ]


def test_the_difference_table_has_a_line_for_each_video():
    """Clips are too many."""
    assert difference_table(MEASURED, "bold").splitlines() == [
        "| figure | forwards |",
        "| --- | --- |",
        "| cow | +0.100 |",
        "| dog | -0.150 |",
    ]


def test_the_page_holds_every_table():
    """In Markdown."""
    text = page(MEASURED, figures(MEASURED, {"forwards": 0.02, "clips": 0.5}))
    assert "| bold | 0.675 / 0.500 | 0.733 / 0.500 |" in text
    assert "| bold: forwards | -0.025 | 0.020 | dog -0.150 | loses |  |" in text
    assert "| bold: clips | +0.067 | 0.500 | 1-00 +0.000 | holds |  |" in text
    assert "| dog | -0.150 |" in text


def test_a_single_row_is_compared_with_nobody():
    """Two tables, no verdict."""
    alone = {name: {"calm": rows["calm"]} for name, rows in MEASURED.items()}
    assert "Against" not in page(alone, figures(alone, {}))


def test_every_network_has_a_row_for_each_of_the_options(tmp_path):
    """And one without, which comes first."""
    rows = rows_of({"x": "x.st", "y": "y.st"}, {"online": "--online"}, tmp_path)
    assert [(row.name, row.weights, row.options) for row in rows] == [
        ("x", "x.st", ""),
        ("x + online", "x.st", "--online"),
        ("y", "y.st", ""),
        ("y + online", "y.st", "--online"),
    ]


@pytest.mark.parametrize("texts", [["bundled"], ["=x"], ["a=x", "a=y"]])
def test_a_row_without_a_name_of_its_own_is_refused(texts):
    """With what was expected."""
    with pytest.raises(UsageError, match=r"--weights .*: expected NAME=VALUE, each name once"):
        named(texts, "--weights")


def test_options_may_hold_an_equals_sign():
    """The name ends at the first."""
    assert named(["wide=--set margin=0.5"], "--options") == {"wide": "--set margin=0.5"}


def test_declined_online_stages_are_counted():
    """Of those that were judged."""
    rows = {"x": {"a": record(0.5), "b": record(0.5), "c": record(0.5)}}
    rows["x + online"] = {"a": record(0.5, declined=True), "b": record(0.5, declined=False), "c": record(0.5)}
    found = figures({"forwards": rows}, {})
    assert found["x + online: forwards"]["declined"] == "1 of 2"
    assert "declined" not in found["x: forwards"]
    assert "| +0.000 | not measured | a +0.000 |  | 1 of 2 |" in page({"forwards": rows}, found)


@pytest.mark.parametrize("clips", ["0", "2", "10"])
def test_clips_come_in_fours(tmp_path, clips):
    """As many of each number of objects."""
    with pytest.raises(UsageError, match=f"--clips {clips}: expected a multiple of 4"):
        trees(parsed([str(tmp_path), str(tmp_path), "--clips", clips]))


def test_clips_need_shards(tmp_path):
    """Said before anything is written."""
    with pytest.raises(UsageError, match="SHARDS: name the shards"):
        trees(parsed([str(tmp_path)]))


def test_measures_of_other_code_are_told():
    """With the way out."""
    now, then = {"code": code_digest()}, {"code": "other"}
    measured = {"forwards": {"calm": {"cow": now}, "bold": {"cow": now, "dog": then}}}
    assert remarks(measured) == ["bold: forwards: of other code; measure it anew by --again"]
