"""`datakit train --network lite-memory`: from clips of the photos of shards, and begun from the weights of `lite`."""

import json

import pytest
from click.testing import CliRunner
from safetensors.torch import load_file

from model.checkpoint import bundled_path
from pipelines.cli import cli
from tests.small_shards import write_shards
from tests.small_training import TINY_RUN

SMALL = (*TINY_RUN, "--network", "lite-memory", "--iterations", 2, "--set", "clips.frames=4")


def train(shards, out, *more, code=0):
    done = CliRunner().invoke(cli, list(map(str, ("train", shards, "--out", out, *SMALL, *more))))
    assert done.exit_code == code, done.stderr
    return done


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Six photos of two objects each."""
    return write_shards(tmp_path_factory.mktemp("memory") / "shards", objects=2)


@pytest.fixture(scope="module")
def run(shards, tmp_path_factory):
    out = tmp_path_factory.mktemp("memory") / "run"
    return out, train(shards, out, "--init", bundled_path("lite"), "--json")


def test_it_is_judged_on_clips_of_photos_held_back(run):
    out, done = run
    assert 0 <= json.loads(done.stdout)["validation"]["output_iou"] <= 1
    assert (out / "pictures/000002.png").is_file()


def test_it_begins_with_the_weights_of_lite(run):
    """All that `lite` has is there, moved by two steps at most; the memory is new."""
    last, lite = load_file(run[0] / "last.safetensors"), load_file(bundled_path("lite"))
    assert set(lite) < set(last)
    far = max((last[name] - tensor.float()).abs().max() for name, tensor in lite.items() if tensor.is_floating_point())
    assert 0 < far < 0.1


def test_its_weights_segment_a_video(run, datakit, tmp_path):
    """`propagate --weights` takes them as any others."""
    assert datakit("sample-data", tmp_path / "data", "--photos", 1).exit_code == 0
    clip = tmp_path / "data/davis/JPEGImages/480p/crossing"
    mask = tmp_path / "data/davis/Annotations/480p/crossing/00000.png"
    words = ("--mask", mask, "--out", tmp_path / "out", "--no-overlay", "--size", 64, "--stop", 8)
    done = datakit("propagate", clip, *words, "--weights", run[0] / "best.safetensors")
    assert done.exit_code == 0, done.stderr
    assert len(list((tmp_path / "out/crossing").glob("*.png"))) == 8


def test_other_weights_are_refused(shards, tmp_path):
    """`lite` has no memory to begin with."""
    done = train(shards, tmp_path / "run", "--network", "deeplab-vgg16", "--init", bundled_path("lite"), code=2)
    assert "holds the weights of the network lite" in done.stderr


def test_where_nothing_is_held_back_it_goes_through(shards, tmp_path):
    done = train(shards, tmp_path / "run", "--set", "validation_share=0", "--iterations", 1)
    assert "nothing to judge by" in done.stderr
