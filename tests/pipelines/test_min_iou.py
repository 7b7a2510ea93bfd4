"""`min_iou`: said for what it is, and triples below it counted by the IoU that is stored."""

import json

import cv2
import h5py
import numpy as np
import pytest

from datakit.shards import ShardReader
from datakit.shards.verify import verify
from pipelines.min_iou import judged_when
from tests.runs import draw_source


@pytest.fixture
def tiny(tmp_path):
    """Twelve photos of which five show an object of 4x4 pixels, which a dilation by 5 pixels outgrows."""
    root = draw_source(tmp_path / "ecssd")
    for number in range(5):
        mask = np.zeros((48, 64), np.uint8)
        mask[20:24, 30:34] = 255
        cv2.imwrite(str(root / "ground_truth_mask" / f"{number:04d}.png"), mask)
    return root


def test_the_table_counts_what_lies_below(datakit, tiny, tmp_path):
    """The same number in the build's table, its JSON, `inspect`, and over the reader's triples."""
    out = tmp_path / "out"
    built = datakit("-v", "build-shards", tiny, "--out", out)
    assert "min_iou 0.3 (before dilation)" in built.stderr
    assert (
        "10 of 24 guide masks overlap their target by less than min_iou (0.3): 10 of ecssd by masktrack."
        in built.stdout
    )
    assert "10 did so only after dilation or box: objects that small need a larger --min-area." in built.stdout
    again = json.loads(datakit("build-shards", tiny, "--out", out, "--json").stdout)
    assert again["below_min_iou"] == {"ecssd": {"masktrack": 10}}
    groups = json.loads(datakit("inspect", out, "--json").stdout)["groups"]
    assert sum(count for flag, count in groups[-1]["flags"].items() if "low-iou" in flag) == 10
    triples = list(ShardReader(out))
    assert [("low-iou" in triple.flags) for triple in triples] == [triple.iou < 0.3 for triple in triples]


def test_a_build_with_none_below_says_nothing(datakit, source, tmp_path):
    """No line for what is as it should be."""
    assert "min_iou" not in datakit("build-shards", source, "--out", tmp_path / "out").stdout


def test_shards_keep_the_draw_s_own_remark(datakit, tiny, tmp_path):
    """The column is as it was written ever since; verifying and comparing go on to agree."""
    out = tmp_path / "out"
    assert datakit("build-shards", tiny, "--out", out).exit_code == 0
    with h5py.File(out / "ecssd-00000.h5", "r") as file:
        stored = [flags.decode() for flags in file["triples"]["flags"]]
    assert stored == [triple.draw_flags for triple in ShardReader(out)]
    assert not any("low-iou" in flags for flags in stored)
    assert verify(out, deep=True) == []
    assert "24 of 24 identical" in datakit("inspect", out, "--random", 24).stdout
    assert "10 of them flagged" in datakit("preview-deformations", out, "--out", tmp_path / "p.html").output


@pytest.mark.parametrize(("kinds", "when"), [
    (["affine", "tps", "dilate"], " (before dilation)"),
    (["affine", "dilate", "tps"], ""),
    (["affine", "dilate", "box"], " (before dilation and box)"),
    (["dilate"], " (not judged: no warp)"),
    ([], " (not judged: no warp)"),
])  # fmt: skip
def test_when_it_is_judged(kinds, when):
    """Up to the last warp."""
    assert judged_when(kinds) == when
