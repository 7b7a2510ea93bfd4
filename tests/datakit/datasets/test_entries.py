"""Which photo an annotation file means, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

from tests import tiny, tiny_tools


def test_a_source_without_any_photo_says_where_to_find_them(tmp_path: Path) -> None:
    """One folder too low: the folder above has them, or --images names them."""
    reader = tiny.opened("m", tiny_tools.supervisely(tmp_path) / "ds" / "ann")
    assert len(reader) == 0
    details = [problem.detail for problem in reader.problems if problem.reason == "missing image"]
    assert details[0].startswith("0001.jpg.json: its photo is expected at '")
    way_out = "', which is not in the source, nor is any photo: give the folder above, or --images m=DIR"
    assert details and all(detail.endswith(way_out) for detail in details)


def test_one_photo_that_is_missing_is_only_named(tmp_path: Path) -> None:
    """Where others are there, the folder is the right one."""
    root = tiny_tools.labelme(tmp_path)
    (root / "0002.jpg").unlink()
    details = {problem.detail for problem in tiny.opened("m", root).problems}
    assert details == {"0002.json: its photo is expected at '0002.jpg', which is not in the source"}
