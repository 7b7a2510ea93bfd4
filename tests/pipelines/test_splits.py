"""Splits that become one source are told, with the sources to give."""

import pytest

from tests import tiny
from tests.runs import draw_source


def splits(root, *names):
    """A folder for each split, with three photos and masks."""
    for name in names:
        tiny.pairs(root / name)
    return root


@pytest.mark.parametrize("command", ["validate-source", "build-shards"])
def test_splits_of_one_source_are_told(datakit, tmp_path, command):
    """Counted, and how to keep them apart; those sources are good ones."""
    root = splits(tmp_path / "set", "train", "val")
    more = ("--out", tmp_path / "out", "--overwrite") if command == "build-shards" else ()
    result = datakit(command, f"mine={root}", *more)
    told = "mine: photos of several splits are one source: 3 of train and 3 of val; to keep them apart, "
    apart = f"mine-train={root / 'train'}", f"mine-val={root / 'val'}"
    assert f"{told}give each as a source of its own, {' '.join(apart)}" in result.stderr
    again = datakit(command, *apart, *more)
    assert "mine-train" in again.stdout and "several splits" not in again.stderr


def test_one_split_and_none_need_no_word(datakit, tmp_path):
    """As most sources are."""
    for root in (splits(tmp_path / "one", "train"), draw_source(tmp_path / "plain", 2)):
        assert "several splits" not in datakit("validate-source", root).stderr
