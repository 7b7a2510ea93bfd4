"""The manifest of a view: rows as short text, paths that move with it, and nothing that does not fit."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datakit.errors import ShardError
from datakit.files import digest_json
from datakit.shards.manifest import NAME, read_manifest
from datakit.shards.view import (
    BITS,
    View,
    ViewFolder,
    folder_behind,
    is_view,
    path_from,
    read_rows,
    read_view,
    write_rows,
    write_view,
)
from tests.small_shards import write_shards

VIEW = View(
    (ViewFolder("../a", "0" * 64, 3, {"made-00000.h5": "0-1,7"}),),
    {"command": "select", "inputs": ["../a"], "options": {"where": "iou > 0.5", "photos": True}},
)


@given(st.lists(st.booleans(), min_size=1, max_size=80).filter(any))
def test_rows_come_back_from_their_text(holds):
    """Whichever way they are written."""
    rows = np.flatnonzero(holds)
    np.testing.assert_array_equal(read_rows(write_rows(rows, len(holds)), len(holds)), rows)


@given(st.lists(st.booleans(), min_size=1, max_size=400).filter(any))
def test_a_row_costs_a_sixth_of_a_byte_at_most(holds):
    """Four characters of base64 for 24 rows, and the word before them."""
    text = write_rows(np.flatnonzero(holds), len(holds))
    assert len(text) <= len(BITS) + 4 * -(-len(holds) // 24)


def test_rows_that_follow_each_other_are_ranges():
    """A whole shard is one range, a single row its number."""
    assert write_rows(np.arange(4000), 4000) == "0-3999"
    assert write_rows(np.array([0, 1, 2, 25]), 1000) == "0-2,25"
    assert write_rows(np.arange(0, 1000, 2), 1000).startswith(BITS)


@pytest.mark.parametrize(
    "text",
    ["", "a", "-1", "3-1", "0-3,2-5", "5,1", "0-10", "10", "0-99999999999999999999", "bits:", "bits:####", "bits:AAA=",
     "bits:AAAA", "bits://8="],
)  # fmt: skip
def test_rows_that_are_none_are_refused(text):
    """Neither ranges that do not rise nor rows, or bits, beyond the ten there are."""
    with pytest.raises((ValueError, OverflowError)):
        read_rows(text, 10)


def test_a_view_comes_back_from_its_file(tmp_path):
    """Equal, and the same bytes each time."""
    write_view(tmp_path, VIEW)
    written = (tmp_path / NAME).read_bytes()
    assert is_view(tmp_path)
    assert read_view(tmp_path) == VIEW
    write_view(tmp_path, VIEW)
    assert (tmp_path / NAME).read_bytes() == written


def test_a_folder_of_shards_is_no_view(tmp_path):
    """Nor is a view a folder of shards, which is said with the way to find these."""
    shards = write_shards(tmp_path / "a", photos=2)
    assert not is_view(shards)
    assert read_view(shards) is None
    write_view(tmp_path, VIEW)
    with pytest.raises(ShardError, match=r"is a view and holds no shards of its own.*datakit inspect"):
        read_manifest(tmp_path)


def test_a_changed_view_is_refused(tmp_path):
    """By its own digest; it still counts as a view, which may be replaced."""
    write_view(tmp_path, VIEW)
    (tmp_path / NAME).write_text((tmp_path / NAME).read_text().replace("0-1,7", "0-1,8"))
    with pytest.raises(ShardError, match="digest does not fit its content; make the view again"):
        read_view(tmp_path)
    assert is_view(tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"triples": 4}, {"more": 1}, {"folders": [{"path": "../a"}]}, {"folders": 1}, {"made": {}}, {"made": []},
     {"made": {"command": "merge", "inputs": [], "options": ["where"]}},
     {"folders": [{"path": 1, "manifest": "", "triples": 3, "rows": {}}]},
     {"folders": [{"path": "", "manifest": "", "triples": 0, "rows": {}}], "triples": 0},
     {"folders": [{"path": "", "manifest": "", "triples": 3, "rows": {"a.h5": [0, 3]}}]}],
)  # fmt: skip
def test_fields_that_do_not_fit_are_refused(tmp_path, change):
    """Also under a digest that does."""
    body = {**VIEW.to_dict(), **change}
    del body["digest"]
    (tmp_path / NAME).write_text(json.dumps({**body, "digest": digest_json(body)}))
    with pytest.raises(ShardError, match="do not fit version 1 of a view"):
        read_view(tmp_path)


def test_a_view_of_a_newer_version_is_told_as_such(tmp_path):
    """With the way out."""
    body = {**VIEW.to_dict(), "version": 2}
    (tmp_path / NAME).write_text(json.dumps(body))
    with pytest.raises(ShardError, match="install a newer datakit"):
        read_view(tmp_path)


def test_what_a_view_holds_has_one_digest_wherever_it_lies():
    """Neither paths nor the command that made it count."""
    moved = replace(VIEW, folders=(replace(VIEW.folders[0], path="/elsewhere"),), made={**VIEW.made, "options": {}})
    assert moved.content_digest == VIEW.content_digest
    assert replace(VIEW, folders=()).content_digest != VIEW.content_digest


def test_a_folder_is_named_from_the_view(tmp_path):
    """So that both can be moved together; the name leads back, also through a link to the view."""
    (tmp_path / "deep" / "view").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "view")
    for view in (tmp_path / "deep" / "view", tmp_path / "link"):
        assert path_from(view, tmp_path / "a") == "../../a"
        assert folder_behind(view, "../../a") == tmp_path / "a"


def test_a_folder_that_shares_only_the_root_is_named_absolutely(tmp_path):
    """A way over the root would not survive a move."""
    place = Path("/somewhere/else")
    assert path_from(tmp_path / "view", place) == str(place)
    assert folder_behind(tmp_path / "view", str(place)) == place


def test_it_says_by_which_command_it_is_made_again(tmp_path):
    """Quoted for a shell; the two views of a split are made by one command, into the folder above."""
    out = tmp_path / "out"
    expected = f"datakit select {tmp_path / 'a'} --photos --where 'iou > 0.5' --out {out} --overwrite"
    assert VIEW.command(out) == expected
    made = {"command": "split", "inputs": ["../../a"], "options": {"val": 0.1}}
    expected = f"datakit split {tmp_path / 'a'} --val 0.1 --out {out} --overwrite"
    assert replace(VIEW, made=made).command(out / "train") == expected
