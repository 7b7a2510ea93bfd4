"""Packed records are the records that were packed."""

import pickle
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datakit.datasets import records as module
from datakit.datasets.records import DuplicateKey, PackedRecords, Record, sorted_records

TEXT = st.text(st.characters(exclude_categories=("Cs",)))
VALUE = st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
RECORD = st.builds(Record, TEXT, TEXT, st.lists(VALUE) | st.dictionaries(TEXT, VALUE), st.integers(0))


def numbered(count: int, annotation=None) -> list[Record]:
    return [Record(f"a/{n:06d}", f"images/{n:06d}.jpg", annotation, n) for n in range(count)]


@pytest.fixture
def small_blocks(monkeypatch):
    """So few records a block and run that a short list has many of each."""
    monkeypatch.setattr(module, "BLOCK", 3)
    monkeypatch.setattr(module, "RUN", 4)


@given(st.lists(RECORD))
def test_records_come_back_equal(records):
    """One by one, sliced, and after pickling."""
    packed = PackedRecords(iter(records))
    assert list(packed) == records
    assert list(packed[1:-1]) == records[1:-1]
    assert list(pickle.loads(pickle.dumps(packed))) == records


def test_every_slice_of_many_blocks_is_that_of_a_list(small_blocks):
    """Also a slice of a slice, by steps, one by one, and pickled."""
    records = numbered(11)
    packed = PackedRecords(records)
    for start in range(-1, 12):
        for stop in range(-1, 13):
            part, expected = packed[start:stop], records[start:stop]
            assert list(part) == expected == [part[n] for n in range(len(part))]
            assert list(part[1:-1]) == expected[1:-1] and list(part[::-2]) == expected[::-2]
            assert list(pickle.loads(pickle.dumps(part[1:]))) == expected[1:]
    with pytest.raises(IndexError):
        packed[2:5][3]


def test_what_a_reader_does_to_an_annotation_stays_with_it():
    """Each look gives objects of its own."""
    packed = PackedRecords(numbered(3, ["mask.png"]))
    packed[1].annotation.append("spoilt")
    assert packed[1].annotation == ["mask.png"]


def test_a_slice_carries_only_its_part():
    """A shard's task does not take the names of a million other photos to its worker."""
    packed = PackedRecords(numbered(10_000))
    assert len(pickle.dumps(packed[5000:5100])) < len(pickle.dumps(packed)) / 40


def test_a_slice_of_one_photo_is_one_record():
    """As the probe of a dry run and each part of a shard are small."""
    assert len(pickle.dumps(PackedRecords(numbered(64))[7:8])) < 300


def test_names_that_are_alike_take_few_bytes():
    """Under 20 a photo, of 130."""
    assert len(pickle.dumps(PackedRecords(numbered(10_000, ["masks/000000.png", 1500])))) < 200_000


def test_outlines_close_a_block_early():
    """A look at one photo of a million outlines does not unpack 63 others."""
    packed = PackedRecords(numbered(5, [0.5] * 10_000))
    assert len(packed._blocks) == 5 and packed[4].annotation == [0.5] * 10_000


@pytest.mark.parametrize("seed", range(5))
def test_records_in_any_order_become_sorted(small_blocks, seed):
    """By runs that are merged."""
    records = numbered(50)
    shuffled = random.Random(seed).sample(records, 50)
    assert list(sorted_records(shuffled)) == list(sorted_records(records)) == records
    assert list(sorted_records([])) == []


@pytest.mark.parametrize("at", [0, 1, 25, 49, 50])
def test_a_key_that_comes_twice_is_named(small_blocks, at):
    """Wherever the second one stands."""
    records = numbered(50)
    records.insert(at, Record("a/000025", "other.jpg", None, 1))
    with pytest.raises(DuplicateKey, match="a/000025"):
        sorted_records(records)
    assert len(sorted_records(records, unique=False)) == 51
