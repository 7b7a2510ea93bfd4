"""Label maps as the page and the server send them."""

import numpy as np
import pytest

from datakit.errors import UsageError
from pipelines.annotate import runs
from tests.clips import labels


@pytest.mark.parametrize("plane", [labels(), np.zeros((3, 5), np.uint8), np.arange(12, dtype=np.uint8).reshape(3, 4)])
def test_runs_come_back_as_they_went(plane):
    """Whatever the label map."""
    assert np.array_equal(runs.decode_runs(runs.encode_runs(plane), plane.shape), plane)


def test_a_run_too_long_for_its_number_becomes_several(monkeypatch):
    """Of 24 bits, which a photo of 17 million pixels fills."""
    monkeypatch.setattr(runs, "LONGEST", 7)
    plane = np.full((4, 5), 3, np.uint8)
    data = runs.encode_runs(plane)
    assert (np.frombuffer(data, "<u4") >> 8).tolist() == [7, 7, 6]
    assert np.array_equal(runs.decode_runs(data, (4, 5)), plane)


@pytest.mark.parametrize("data", [b"", b"abc", (7 << 8).to_bytes(4, "little"), (21 << 8).to_bytes(4, "little")])
def test_runs_that_do_not_fill_the_picture_are_refused(data):
    """Broken, short or long."""
    with pytest.raises(UsageError, match="runs of"):
        runs.decode_runs(data, (4, 5))
