"""Which rows are asked about, and how their scores are put side by side."""

import pytest

from benchmarks.sources import describe, left_out
from datakit.errors import UsageError


def test_every_source_beyond_the_base_is_left_out_once():
    """And all of them at once."""
    assert left_out(["a", "b", "c"], ["b"]) == {
        "all": [], "the base alone": ["a", "c"], "without a": ["a"], "without c": ["c"]
    }  # fmt: skip


@pytest.mark.parametrize(("base", "words"), [(["d"], "hold a, b"), (["a", "b"], "name fewer")])
def test_a_base_that_cannot_be_is_refused(base, words):
    """One that is not there, and one that leaves nothing to ask about."""
    with pytest.raises(UsageError, match=words):
        left_out(["a", "b"], base)


def test_a_row_is_compared_with_the_training_on_all():
    """By the mean of all sets; beside it how far its seeds lie apart."""
    text = describe({"all": {"forwards": [0.7, 0.8], "half": [0.5, 0.6]},
                     "without a": {"forwards": [0.6, 0.8], "half": [0.5, 0.5]}})  # fmt: skip
    assert "| all | 0.750 | 0.550 | 0.650 | +0.000 | 0.100 |" in text
    assert "| without a | 0.700 | 0.500 | 0.600 | -0.050 | 0.100 |" in text


def test_one_seed_does_not_say_how_much_means_nothing():
    """0 would read as no noise."""
    assert "| all | 0.750 | 0.750 | +0.000 | one seed |" in describe({"all": {"forwards": [0.75]}})
