"""The picture of results: a row for each triple, put in place whole."""

import cv2
import numpy as np
import pytest

from datakit.preview.results import MARGIN, ROW, ROW_GAP, TOP
from datakit.shards import ShardReader
from model.checkpoint import load_network
from model.compute import Compute
from model.refine import RefineConfig
from pipelines.results import draw_results
from tests.drawn import draw_weights
from tests.small_shards import write_shards


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    """A network that was never trained."""
    return load_network(str(draw_weights(tmp_path_factory.mktemp("weights"), "lite")))[0]


def test_every_triple_has_a_row(net, tmp_path):
    """In a folder that is made, without a trace of the file it was written as."""
    triples = ShardReader(write_shards(tmp_path / "shards"))[:2]
    path = tmp_path / "pictures" / "000010.png"
    compute = Compute.chosen(net, "cpu", "fp32")
    draw_results(net, triples, RefineConfig(size=64, mirrored=False), compute, path, "two")
    assert list(path.parent.iterdir()) == [path]
    assert cv2.imread(str(path)).shape[0] == TOP + 2 * ROW + MARGIN - ROW_GAP
    assert np.ptp(cv2.imread(str(path))) > 0
