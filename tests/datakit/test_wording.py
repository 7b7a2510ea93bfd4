"""Numbers with their nouns."""

import pytest

from datakit.wording import counted


@pytest.mark.parametrize(("count", "text"), [(0, "0 shards"), (1, "1 shard"), (2, "2 shards"), (6363, "6363 shards")])
def test_one_has_no_s(count, text):
    """All others have."""
    assert counted(count, "shard") == text
