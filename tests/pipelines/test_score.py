"""The command that judges a network on shards: what it looks at, and what it tells."""

import json

import pytest

from tests.drawn import draw_weights
from tests.small_shards import write_shards

QUICK = ("--size", 64, "--threads", 1, "--precision", "fp32")


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Six photos of one disc each, masks and boxes."""
    return write_shards(tmp_path_factory.mktemp("score") / "shards")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Network -> file of weights that were never trained."""
    folder = tmp_path_factory.mktemp("weights")
    return {
        "lite": draw_weights(folder, "lite"),
        "deeplab-vgg16": draw_weights(folder, "deeplab-vgg16", head="largefov"),
    }


def told(datakit, shards, weights, *more):
    found = datakit("score", shards, "--weights", weights, *QUICK, "--json", *more)
    assert found.exit_code == 0, found.output
    return {name: value for name, value in json.loads(found.stdout).items() if name != "seconds"}


@pytest.mark.parametrize(
    ("name", "default", "other"), [("lite", True, "--once"), ("deeplab-vgg16", False, "--mirrored")]
)
def test_a_network_is_judged_as_it_propagates_unless_told(datakit, shards, drawn, name, default, other):
    """What was looked at is told, and the other choice is the only difference."""
    found = told(datakit, shards, drawn[name], "--limit", 3)
    changed = told(datakit, shards, drawn[name], "--limit", 3, other)
    assert (found["view"]["mirrored"], changed["view"]["mirrored"]) == (default, not default)
    assert found["view"] | {"mirrored": not default} == changed["view"]
    assert found["input_iou"] == changed["input_iou"]


def test_sources_are_told_apart(datakit, shards, drawn):
    """A row for each source and kind, and one for all."""
    found = datakit("score", shards, "--weights", drawn["lite"], *QUICK)
    assert found.exit_code == 0, found.output
    rows = [line.split()[:2] for line in found.stdout.splitlines()]
    assert ["made", "mask"] in rows and ["made", "box"] in rows and any(row[0] == "total" for row in rows)


def test_a_picture_shows_some(datakit, shards, drawn, tmp_path):
    """A PNG, where it was asked for."""
    told(datakit, shards, drawn["lite"], "--limit", 2, "--picture", tmp_path / "some.png")
    assert (tmp_path / "some.png").read_bytes().startswith(b"\x89PNG")


def test_the_picture_is_named_below_the_scores(datakit, shards, drawn, tmp_path):
    """With its size."""
    more = ("--limit", 2, "--picture", tmp_path / "some.png")
    found = datakit("score", shards, "--weights", drawn["lite"], *QUICK, *more)
    assert found.stdout.splitlines()[-1].startswith(f"{tmp_path / 'some.png'}: 0.")
