"""The table of all triples says of each what the decoded triple says, and is written for other tools."""

import csv
import math

import numpy as np
import pytest

from datakit.shards import Shard, ShardReader
from datakit.shards.table import column_kinds, read_table, unknown_column
from tests.small_shards import write_shards

KINDS = {"iou": "<f8", "kind": "U", "affine.scale": "<f8"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three photos of two objects, in two shards, by two recipes."""
    return write_shards(tmp_path_factory.mktemp("table") / "out", photos=3, per_shard=2, objects=2, ignore=True)


def test_a_row_says_what_its_triple_says(folder):
    """Every attribute that is a column, the photo's size, the target's area and all drawn numbers."""
    reader = ShardReader(folder)
    table = reader.table()
    assert len(table) == len(reader) == 18
    plain = [name for name in column_kinds({}) if name not in ("source", "photo_key", "height", "width", "area")]
    for row, triple in zip(table, reader, strict=True):
        assert [row[name] for name in plain] == [getattr(triple, name) for name in plain]
        assert (row["source"], row["photo_key"]) == ("made", triple.sample_key.partition("#")[0])
        assert (row["height"], row["width"]) == triple.image.shape[:2]
        assert row["area"] == triple.target.sum()
        names = [name for name in table.dtype.names if "." in name]
        expected = [triple.named_parameters.get(name, math.nan) for name in names]
        np.testing.assert_array_equal([row[name] for name in names], expected)


def test_texts_are_str_and_as_wide_as_needed(folder):
    """Of all shards together."""
    table = ShardReader(folder).table("key", "variant")
    assert table.dtype.names == ("key", "variant")
    assert table.dtype["key"] == f"<U{max(map(len, table['key'].tolist()))}"


def test_no_record_is_read(folder, monkeypatch):
    """A table of a million triples costs no decoding."""
    monkeypatch.delattr(Shard, "record")
    assert len(ShardReader(folder).table()) == 18


def test_no_shard_gives_no_row():
    """With the columns all the same."""
    table = read_table([], KINDS)
    assert table.dtype.names == ("iou", "kind", "affine.scale")
    assert len(table) == 0


def test_a_csv_holds_the_table(folder, tmp_path):
    """Numbers come back to the last digit, missing ones are empty."""
    reader = ShardReader(folder)
    reader.to_csv(tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    table = reader.table()
    assert tuple(rows[0]) == table.dtype.names
    for name in ("iou", "dilate.radius"):
        np.testing.assert_array_equal([float(row[name] or "nan") for row in rows], table[name])
    assert [row["key"] for row in rows] == reader.keys
    assert {row["dilate.radius"] for row in rows if row["kind"] == "box"} == {""}


@pytest.mark.parametrize(("name", "text"), [
    ("iuo", "no column 'iuo'; did you mean 'iou'?"),
    ("zzz", "no column 'zzz'; the columns are iou, kind and drawn numbers such as affine.scale"),
])  # fmt: skip
def test_a_column_that_is_not_there_is_told(name, text):
    """With the nearest, or all but the drawn numbers, which are many."""
    assert unknown_column(name, KINDS) == text
