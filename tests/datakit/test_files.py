"""A file is the old one or the whole new one."""

import hashlib
import re
from pathlib import Path

import pytest

from datakit.errors import DatakitError
from datakit.files import (
    EXPORT_FORMAT,
    canonical_json,
    check_writable,
    digest_json,
    file_sha256,
    is_export_manifest,
    json_text,
    replacing,
    write_json,
)


def test_a_body_that_ends_well_replaces_the_file(tmp_path):
    """The new content stands under the old name, and nothing else is left."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_body_that_fails_changes_nothing(tmp_path):
    """The old content stays, the part file goes."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_canonical_json_does_not_depend_on_order():
    """Equal values have equal text and digest."""
    assert canonical_json({"b": 1, "a": [1.5, "ä"]}) == '{"a":[1.5,"ä"],"b":1}'
    assert digest_json({"b": 1, "a": 2}) == digest_json({"a": 2, "b": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(float("nan"))


def test_file_sha256_is_that_of_the_bytes(tmp_path):
    """As sha256sum says."""
    write_json(tmp_path / "a.json", {"a": 1})
    assert file_sha256(tmp_path / "a.json") == hashlib.sha256(b'{\n  "a": 1\n}\n').hexdigest()


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("{file}", "it is a file; name a folder"),
        ("{file}/deeper", "it is a file; name a folder"),
        ("/proc/shards", "the system makes no files there; name another folder"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_the_work(tmp_path, place, why):
    """With the option, what is there, and what to do; never with an error number."""
    (tmp_path / "file").write_text("mine")
    path = Path(place.format(file=tmp_path / "file"))
    with pytest.raises(DatakitError, match=re.escape(why)) as caught:
        check_writable(path, f"--out {path}")
    assert str(caught.value).startswith(f"--out {path}: ") and "Errno" not in str(caught.value)


def test_checking_an_output_leaves_nothing_behind(tmp_path):
    """Neither the folder that is to be made nor a trial file."""
    check_writable(tmp_path / "a/b", "--out")
    assert list(tmp_path.iterdir()) == []


def test_the_list_of_an_export_is_told_from_others_of_its_name(tmp_path):
    """However long; a link, a folder, another maker's file and none are not it."""
    ours, theirs = tmp_path / "ours.json", tmp_path / "theirs.json"
    ours.write_text(json_text({"files": [["x", 1, "y"]] * 9999, "format": EXPORT_FORMAT, "version": 1}))
    theirs.write_text(json_text({"files": []}))
    (tmp_path / "link.json").symlink_to(ours)
    found = [name for name in ("ours", "theirs", "link", "none") if is_export_manifest(tmp_path / f"{name}.json")]
    assert found == ["ours"] and not is_export_manifest(tmp_path)
