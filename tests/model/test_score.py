"""Mean IoU of rough inputs and of outputs."""

import numpy as np
import pytest

from datakit.shards import ShardReader
from model.compute import Compute
from model.dataset import TripleDataset
from model.networks import coding_of
from model.refine import RefineConfig
from model.score import Stored, score
from tests.model.test_refine import Copier
from tests.small_shards import write_shards

CPU = Compute("cpu", "fp32", False)


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Six photos of one disc each, masks and boxes."""
    return write_shards(tmp_path_factory.mktemp("score") / "shards")


def test_the_input_is_judged_as_the_shards_say(shards):
    """`input_iou` is the mean of the triples' own IoU, in total and per kind."""
    reader = ShardReader(shards)
    found = score(Copier(), reader, RefineConfig(128), CPU).to_dict()
    assert found["input_iou"] == pytest.approx(np.mean([triple.iou for triple in reader]))
    for kind in ("mask", "box"):
        stored = np.mean([triple.iou for triple in reader if triple.kind == kind])
        assert found["sources"]["made"][kind]["input_iou"] == pytest.approx(stored)


def test_a_network_that_copies_gains_nothing(shards):
    """What the no-deformation ablation must come to."""
    found = score(Copier(), ShardReader(shards), RefineConfig(256), CPU)
    assert abs(found.gain) < 0.02


def test_void_is_not_judged(tmp_path):
    """Where the shards say ignore, a mask may be anything."""
    ignore = write_shards(tmp_path / "void", ignore=True)
    reader = ShardReader(ignore)
    half = reader[0].ignore == 0
    expected = np.mean([
        (t.guide & t.target)[half].sum() / (t.guide | t.target)[half].sum() for t in reader
    ])  # fmt: skip
    assert score(Copier(), reader, RefineConfig(128), CPU).to_dict()["input_iou"] == pytest.approx(expected)


def test_stored_triples_are_spread_evenly(shards):
    """A limit takes from everywhere, ends included, and never twice."""
    dataset = TripleDataset(shards, coding_of("lite"), split="all")
    stored = Stored(dataset, 5)
    keys = [triple.key for triple in stored]
    assert len(set(keys)) == len(stored) == 5
    assert keys[0] == dataset.triple(0).key
    assert keys[-1] == dataset.triple(len(dataset) - 1).key
    assert len(Stored(dataset, 10**6)) == len(Stored(dataset)) == len(dataset)
