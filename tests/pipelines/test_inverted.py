"""A build says so where the masks of a source look inverted."""

import cv2
import pytest

from pipelines.inverted import _spread
from tests.runs import shard_bytes


def invert(source, numbers):
    """Swap ground and object in some masks of a source."""
    for number in numbers:
        path = str(source / f"ground_truth_mask/{number:04d}.png")
        cv2.imwrite(path, 255 - cv2.imread(path, cv2.IMREAD_GRAYSCALE))


def test_inverted_masks_are_told_with_a_way_out(datakit, source, tmp_path):
    """In the build's table, by source; the same when all is kept, and no byte differs for it."""
    invert(source, range(12))
    result = datakit("build-shards", source, "--out", tmp_path / "out", "--samples-per-shard", 4)
    assert result.exit_code == 0
    told = "12 of 12 masks looked at in ecssd touch all four borders: are they inverted?"
    assert told in result.output and "255 minus each value" in result.output
    before = shard_bytes(tmp_path / "out")
    again = datakit("build-shards", source, "--out", tmp_path / "out", "--samples-per-shard", 4)
    assert told in again.output and shard_bytes(tmp_path / "out") == before


@pytest.mark.parametrize("count", [0, 6])
def test_a_few_masks_that_touch_all_borders_need_no_word(datakit, source, tmp_path, count):
    """Objects of that size occur; half is not most."""
    invert(source, range(count))
    assert "inverted" not in datakit("build-shards", source, "--out", tmp_path / "out").output


def test_few_are_looked_at_and_evenly():
    """All of few; at most as many as asked for, of any number."""
    assert list(_spread(range(8), 8)) == list(range(8)) and list(_spread(range(0), 8)) == []
    assert all(0 < len(_spread(range(count), 8)) <= 8 for count in range(1, 200))
    assert list(_spread(range(16), 8)) == list(range(0, 16, 2))
