"""The long forms: twenty thousand mutants of a shard, a thousand flipped bits in a folder of them."""

import pytest

from tests.damage import damage, troubled_source
from tests.hostile_shards import fuzz

pytestmark = pytest.mark.torture


def test_twenty_thousand_mutants(tmp_path):
    """No mutant ends this process or is taken for the sound shard; about seven minutes."""
    outcomes, wrong = fuzz(tmp_path, 20_000, seed=1)
    print(outcomes)
    assert wrong == []
    assert outcomes.total() == 20_000


def test_a_thousand_flips_and_fifty_cuts(tmp_path, datakit):
    """All found, none blamed on another file, no crash; under a minute."""
    source = troubled_source(tmp_path / "ecssd")
    build = datakit("build-shards", source, "--out", tmp_path / "out", "--samples-per-shard", 5, "--max-error-rate", 1)
    assert build.exit_code == 0, build.output
    outcomes, wrong = damage(tmp_path / "out", 1000, 50, seed=1)
    print(outcomes)
    assert wrong == []
