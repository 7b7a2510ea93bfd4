"""Packed records are the records that were packed."""

import pickle

from hypothesis import given
from hypothesis import strategies as st

from datakit.datasets.records import PackedRecords, Record

TEXT = st.text(st.characters(exclude_categories=("Cs",)))
VALUE = st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
RECORD = st.builds(Record, TEXT, TEXT, st.lists(VALUE) | st.dictionaries(TEXT, VALUE), st.integers(0))


@given(st.lists(RECORD))
def test_records_come_back_equal(records):
    """One by one, sliced, and after pickling."""
    packed = PackedRecords(iter(records))
    assert list(packed) == records
    assert list(packed[1:-1]) == records[1:-1]
    assert list(pickle.loads(pickle.dumps(packed))) == records


def test_a_slice_shares_the_lines():
    """Cutting a million photos into shards copies no record."""
    packed = PackedRecords(Record(f"a/{n}", f"{n}.jpg", None, n) for n in range(9))
    assert packed[2:5]._lines[0] is packed._lines[2]
