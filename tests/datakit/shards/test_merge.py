"""Joined shards are the bytes of one writer that was given everything."""

from itertools import pairwise

import pytest

from datakit.shards import merge_shards
from tests.made import made_header, made_sample, write_made

SAMPLES = [
    made_sample("made/a#1", 1, ignore=True),
    made_sample("made/a#2", 2),
    made_sample("made/a photo with a longer name", 3),
    made_sample("made/z", 4, ignore=True),
]


@pytest.mark.parametrize("cuts", [(0, 4), (0, 2, 4), (0, 2, 2, 3, 4), (0, 0, 3, 4)])
def test_parts_come_to_the_bytes_of_the_whole(tmp_path, cuts):
    """Wherever it is cut between photos, also with a part that holds nothing."""
    whole = write_made(tmp_path / "whole.h5", SAMPLES)
    parts = [tmp_path / f"{start}-{stop}-{n}.h5" for n, (start, stop) in enumerate(pairwise(cuts))]
    for part, (start, stop) in zip(parts, pairwise(cuts), strict=True):
        write_made(part, SAMPLES[start:stop])
    assert merge_shards(parts, tmp_path / "joined.h5", made_header(), tmp_path) == whole
    assert (tmp_path / "joined.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()


def test_a_missing_part_leaves_nothing_behind(tmp_path):
    """Half a shard is never published."""
    write_made(tmp_path / "part.h5", SAMPLES[:1])
    with pytest.raises(FileNotFoundError):
        merge_shards([tmp_path / "part.h5", tmp_path / "gone.h5"], tmp_path / "joined.h5", made_header(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["part.h5"]
