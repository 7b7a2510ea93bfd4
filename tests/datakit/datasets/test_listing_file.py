"""A source opened from its listing file is the source opened from its folder."""

from __future__ import annotations

import json

import pytest

from datakit.datasets import LAYOUTS, ReadOptions, SourceOptions, SourceSpec, open_source
from datakit.datasets.listing_file import open_listing, read_header, write_listing
from datakit.errors import UsageError
from datakit.files import canonical_json
from tests import tiny
from tests.contracts import check_reader
from tests.runs import draw_source

KINDS = ["csv", "jsonl", "parquet"]


def need(kind: str) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow", reason="extra `parquet`")


@pytest.fixture
def ecssd(tmp_path):
    """Twelve photos, one of them without a mask."""
    root = draw_source(tmp_path / "ecssd")
    (root / "ground_truth_mask/0003.png").unlink()
    return root


def listed(root, out, layout="ecssd", images=None, read=None):
    """The reader of a root, and its listing file."""
    read = read or ReadOptions(min_area=0)
    reader = open_source(SourceSpec("set", layout, root), SourceOptions(read, images))
    write_listing(out, reader, root, images)
    return reader


def changed(file, line, **parts):
    """One line of a jsonl with other values."""
    lines = file.read_text().splitlines()
    lines[line - 1] = json.dumps({**json.loads(lines[line - 1]), **parts})
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_layout_gives_the_same_scenes_from_a_listing(tmp_path, monkeypatch, name, kind):
    """Without a look into any folder."""
    need(kind)
    root = tiny.LAYOUTS[name](tmp_path / "data")
    walked, file = listed(root, tmp_path / f"list.{kind}", name), tmp_path / f"list.{kind}"
    monkeypatch.setattr("datakit.datasets.listing._entries", lambda path: pytest.fail(f"{path} is walked"))
    reader = open_listing(file, root, None, ReadOptions(min_area=0))
    assert canonical_json(list(reader.records)) == canonical_json(list(walked.records))
    assert reader.problems == walked.problems and reader.layout == name
    check_reader(reader)
    for mine, theirs in zip(reader, walked, strict=True):
        assert [each.key for each in mine.samples] == [each.key for each in theirs.samples]
        assert all((a.mask == b.mask).all() for a, b in zip(mine.samples, theirs.samples, strict=True))
        assert mine.notes == theirs.notes and mine.problems == theirs.problems


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_files_that_a_record_names_are_there(tmp_path, name):
    """Those of masks, which a dry run counts and a listing file is checked for."""
    reader = listed(tiny.LAYOUTS[name](tmp_path / "data"), tmp_path / "list.jsonl", name)
    for record in reader.records:
        assert all((reader.root / path).is_file() for path in reader.annotation_files(record))


@pytest.mark.parametrize("kind", KINDS)
def test_equal_sources_give_equal_files(ecssd, tmp_path, kind):
    """Byte by byte."""
    need(kind)
    listed(ecssd, tmp_path / f"a.{kind}")
    listed(ecssd, tmp_path / f"b.{kind}")
    assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_problems_of_listing_are_kept(ecssd, tmp_path, kind):
    """A photo without a mask still counts as failed."""
    need(kind)
    walked = listed(ecssd, tmp_path / f"a.{kind}")
    reader = open_listing(tmp_path / f"a.{kind}", ecssd, None, ReadOptions())
    assert [each.reason for each in reader.problems] == ["missing mask"] and reader.problems == walked.problems


@pytest.mark.parametrize("name", ["coco", "ecssd", "coco-panoptic"])
def test_a_source_that_was_moved_is_found_by_its_new_root(tmp_path, name):
    """Pictures beside the annotations move with them."""
    root = tiny.LAYOUTS[name](tmp_path / "data")
    walked = listed(root, tmp_path / "list.jsonl", name)
    keys = [[sample.key for sample in scene.samples] for scene in walked]
    (tmp_path / "data").rename(tmp_path / "moved")
    moved = tmp_path / "moved" / root.relative_to(tmp_path / "data")
    reader = open_listing(tmp_path / "list.jsonl", moved, None, ReadOptions(min_area=0))
    assert [[sample.key for sample in scene.samples] for scene in reader] == keys
    with pytest.raises(UsageError, match="or set=ROOT beside the listing"):
        open_listing(tmp_path / "list.jsonl", root, None, ReadOptions())


def test_pictures_elsewhere_are_found_again(tmp_path):
    """The folder of `--images` is part of what was listed."""
    root = draw_source(tmp_path / "ecssd")
    (root / "images").rename(tmp_path / "photos")
    walked = listed(root / "ground_truth_mask", tmp_path / "a.jsonl", "pairs", tmp_path / "photos")
    reader = open_listing(tmp_path / "a.jsonl", root / "ground_truth_mask", None, ReadOptions())
    assert reader.images == walked.images and len(reader[0].samples) == 1
    assert read_header(tmp_path / "a.jsonl").asked_images == str(tmp_path / "photos")


def test_rows_may_stand_in_any_order(ecssd, tmp_path):
    """Somebody sorted the file otherwise; shards stay what they were."""
    walked = listed(ecssd, tmp_path / "a.jsonl")
    head, *lines = (tmp_path / "a.jsonl").read_text().splitlines()
    (tmp_path / "a.jsonl").write_text("\n".join([head, *lines[::-1]]))
    assert list(open_listing(tmp_path / "a.jsonl", ecssd, None, ReadOptions()).records) == list(walked.records)


@pytest.mark.parametrize(("line", "parts", "said"), [
    (3, {"image": "../0001.jpg"}, r"line 3: image '\.\./0001\.jpg' leads out of its folder by '\.\.'"),
    (3, {"image": "/etc/0001.jpg"}, "line 3: image '/etc/0001.jpg' is absolute; give it relative"),
    (3, {"annotation": ["../../x.png", 3]}, r"line 3: annotation '\.\./\.\./x\.png' leads out"),
    (3, {"annotation": 7}, "line 3: annotation is none of the layout ecssd"),
    (3, {"size": "many"}, "line 3: size 'many': expected a whole number of bytes"),
    (3, {"key": "other/0001"}, "line 3: key 'other/0001': expected one that begins with 'set/'"),
    (3, {"key": "set/0000"}, "lines 2 and 3 have one key, 'set/0000'; keep one of them"),
    (13, {"problem": ["failed"]}, "line 13: problem: expected four texts"),
    (1, {"photos": 12}, r'holds 11 photos and 1 problem, its header says 12 and 1; was it cut off\?.* "photos": 11'),
    (1, {"version": 2}, "a listing of version 2, this datakit reads 1; make it anew with `datakit list`"),
    (1, {"root": 7}, "its header is damaged; make it anew"),
    (1, {"opened_with": {}}, r"its header is damaged \(KeyError\('nature'\)\)"),
])  # fmt: skip
def test_a_damaged_listing_is_refused_with_its_place(ecssd, tmp_path, line, parts, said):
    """Line by line, and what to do."""
    listed(ecssd, tmp_path / "a.jsonl")
    with pytest.raises(UsageError, match=said):
        open_listing(changed(tmp_path / "a.jsonl", line, **parts), ecssd, None, ReadOptions())


@pytest.mark.parametrize(("kind", "said"), [("jsonl", r"line 6: is no JSON .* was the file cut off\?"),
                                            ("csv", "was it cut off|has 3 cells, expected 5")])  # fmt: skip
def test_a_file_that_was_cut_off_is_refused(ecssd, tmp_path, kind, said):
    """Whichever line it ends in."""
    listed(ecssd, tmp_path / f"a.{kind}")
    text = (tmp_path / f"a.{kind}").read_text().splitlines(keepends=True)
    (tmp_path / f"a.{kind}").write_text("".join(text[:5]) + text[5][: len(text[5]) // 2])
    with pytest.raises(UsageError, match=said):
        open_listing(tmp_path / f"a.{kind}", ecssd, None, ReadOptions())


def test_a_damaged_parquet_file_is_refused(ecssd, tmp_path):
    """By the file's name, with the library's reason."""
    need("parquet")
    listed(ecssd, tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(data[: len(data) // 2])
    with pytest.raises(UsageError, match=r"a\.parquet: is no sound parquet file"):
        open_listing(tmp_path / "a.parquet", ecssd, None, ReadOptions())


def test_other_mask_names_than_those_listed_by_are_refused(ecssd, tmp_path):
    """Photos were paired by them already."""
    listed(ecssd, tmp_path / "a.jsonl")
    with pytest.raises(UsageError, match=r"was listed with no --mask-name, --mask-name '\{stem\}_x.png' is asked for"):
        open_listing(tmp_path / "a.jsonl", ecssd, None, ReadOptions(mask_names={"": "{stem}_x.png"}))


def test_nothing_is_left_of_a_listing_that_fails(ecssd, tmp_path, monkeypatch):
    """Written whole or not at all: an older file stays."""
    listed(ecssd, tmp_path / "a.jsonl")
    before = (tmp_path / "a.jsonl").read_bytes()
    monkeypatch.setattr("datakit.datasets.listing_file._rows_of", lambda reader: iter([(1, 2)]))
    with pytest.raises(ValueError, match="zip"):
        listed(ecssd, tmp_path / "a.jsonl")
    assert (tmp_path / "a.jsonl").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "ecssd"]


def test_a_layout_without_a_reader_type_says_so(ecssd, tmp_path, monkeypatch):
    """One of another package, from before there were listing files."""
    monkeypatch.setattr("datakit.datasets.pairs.PairsLayout.reader_type", None)
    with pytest.raises(UsageError, match="layout 'ecssd' cannot be opened from a listing: give its `Layout`"):
        listed(ecssd, tmp_path / "a.jsonl")


def test_a_photo_that_vanished_is_one_problem(ecssd, tmp_path):
    """As for a walked source whose photo vanished before it was read."""
    from datakit.errors import ItemError

    listed(ecssd, tmp_path / "a.jsonl")
    (ecssd / "images/0000.jpg").unlink()
    reader = open_listing(tmp_path / "a.jsonl", ecssd, None, ReadOptions())
    with pytest.raises(ItemError, match="0000"):
        reader[0]
    assert len(reader) == 11 and reader[1].samples
