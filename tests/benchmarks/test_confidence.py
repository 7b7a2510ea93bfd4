"""How confidence is compared with IoU."""

import numpy as np
import pytest

from benchmarks.confidence import joined, ranks, spearman, worst_found


def test_equal_values_share_their_rank():
    """The mean of those they take together."""
    assert ranks(np.array([0.5, 0.1, 0.5, 0.9])).tolist() == [1.5, 0, 1.5, 3]


@pytest.mark.parametrize(("second", "expected"), [([1, 4, 9, 16], 1), ([9, 4, 1, 0], -1), ([2, 1, 4, 3], 0.6)])
def test_the_correlation_is_one_of_ranks(second, expected):
    """Any rising function of the first column has 1."""
    assert spearman(np.array([[1, 2, 3, 4], second], float).T) == pytest.approx(expected)


def test_the_worst_frames_are_looked_for_among_the_least_sure():
    """Two of ten; one of them is found."""
    sure, true = np.arange(10.0), np.array([0, 5, 1, 6, 7, 8, 9, 10, 11, 12.0])
    assert worst_found(np.stack([sure, true], 1)) == 0.5


def test_given_frames_are_left_out(tmp_path):
    """The first, and those that do not count."""
    report = tmp_path / "_report/dog"
    report.mkdir(parents=True)
    (report / "confidence.csv").write_text(
        "frame,object,confidence,area,lost\n00000,1,1.0,9,0\n00001,1,0.5,9,0\n00002,1,0.4,9,0\n"
    )
    (tmp_path / "frames.csv").write_text("sequence,object,frame,J,F\ndog,1,00000,1,1\ndog,1,00001,0.7,1\n")
    assert joined(tmp_path, tmp_path / "frames.csv")["dog"].tolist() == [[0.5, 0.7]]
