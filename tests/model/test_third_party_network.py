"""A network of another package: registered or installed, trained a step, saved, loaded, and propagated with."""

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from datakit.errors import UsageError
from model.checkpoint import Checkpoint, load_network, read_checkpoint, write_checkpoint
from model.compute import Compute
from model.inputs import InputCoding
from model.networks import NETWORKS, build_network, coding_of, register_network
from model.pretrained import load_pretrained
from model.propagate import Propagator
from model.segmenter import Segmenter
from model.settings import TrainConfig
from model.train import Trainer
from tests.small_shards import disc, write_shards
from tests.small_training import TINY_RUN
from tests.third_party import Installation, install

INSTALLED = """
import torch
from torch import nn

from model.inputs import CAFFE_BGR
from model.segmenter import Segmenter


class Plain(Segmenter):
    coding = CAFFE_BGR
    stride = 4

    def __init__(self, generator: torch.Generator, width: int = 4):
        super().__init__(nn.Conv2d(4, width, 5, stride=4, padding=2), nn.Conv2d(width, 1, 1))
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.003, generator=generator)
"""


class Small(Segmenter):
    """Two convolutions."""

    coding = InputCoding((128.0,) * 3, (64.0,) * 3, "RGB", (-1.0, 1.0))
    stride = 2

    def __init__(self, generator: torch.Generator, width: int = 4):
        super().__init__(nn.Conv2d(4, width, 3, stride=2, padding=1), nn.Conv2d(width, 1, 1))
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.3, generator=generator)


@pytest.fixture
def small() -> Iterator[str]:
    """The name of a network that is registered for one test."""
    register_network("small", Small)
    yield "small"
    del NETWORKS["small"]


def test_it_trains_saves_loads_and_propagates(small, tmp_path):
    """Through the same functions as our own networks."""
    net = build_network(small, seed=1, width=6)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    config = replace(TrainConfig(), iterations=1, batch=2)
    batch = {
        "input": torch.rand(2, 4, 32, 32),
        "target": torch.ones(2, 32, 32, dtype=torch.uint8),
        "valid": torch.ones(2, 32, 32, dtype=torch.uint8),
    }
    trainer = Trainer(config, net, Compute.chosen(net, "cpu"))
    assert len(list(trainer.run(iter([batch] * config.accumulate)))) == 1
    assert any((tensor != before[name]).any() for name, tensor in net.state_dict().items())
    path = tmp_path / "small.safetensors"
    write_checkpoint(path, Checkpoint({"name": small, "width": 6}, {}, net.state_dict()))
    loaded, _ = load_network(path)
    assert isinstance(loaded, Small)
    for name, tensor in loaded.state_dict().items():
        torch.testing.assert_close(tensor, net.state_dict()[name], rtol=0, atol=0)
    labels = np.zeros((48, 64), np.uint8)
    labels[10:30, 20:40] = 3
    propagator = Propagator.from_pretrained(path, device="cpu")
    first, second = (propagator.step(np.full((48, 64, 3), 90, np.uint8), given) for given in (labels, None))
    np.testing.assert_array_equal(first, labels)
    assert second.shape == (48, 64) and set(np.unique(second)) <= {0, 3}


def test_a_function_that_builds_one_says_its_coding_too():
    """By what it builds."""
    register_network("made", lambda generator, width=4: Small(generator, width))
    try:
        assert coding_of("made") == Small.coding
    finally:
        del NETWORKS["made"]


def test_an_installed_network_goes_the_whole_way(tmp_path):
    """Named on the command line: trained, read from its checkpoint, propagated with; without its package, told so."""
    ours = install(tmp_path / "site", "plain-net", "networks", "plain", "plain_net:Plain", INSTALLED)
    shards, run, out = write_shards(tmp_path / "shards"), tmp_path / "run", tmp_path / "masks"
    trained = ours.run("train", shards, "--out", run, "--network", "plain", "--set", "network.width=6", *TINY_RUN,
                       "--iterations", 2)  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    weights = run / "best.safetensors"
    assert read_checkpoint(weights).network == {"name": "plain", "width": 6}
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(2):
        cv2.imwrite(str(frames / f"{number:05d}.png"), np.full((60, 80, 3), 50 + number, np.uint8))
    cv2.imwrite(str(tmp_path / "mask.png"), disc(0))
    words = ("propagate", frames, "--mask", tmp_path / "mask.png", "--weights", weights, "--out", out)
    done = ours.run(*words)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in out.rglob("0*.png")) == ["00000.png", "00001.png"]
    without = Installation().run(*words[:-1], tmp_path / "none")
    assert without.returncode != 0 and "no network is called 'plain'" in without.stderr
    assert not list(tmp_path.glob("none/**/*.png"))


def test_a_checkpoint_of_a_network_that_is_not_there_says_what_to_do(small, tmp_path):
    """It names the network."""
    net = build_network(small)
    path = tmp_path / "small.safetensors"
    write_checkpoint(path, Checkpoint({"name": small}, {}, net.state_dict()))
    entry = NETWORKS[small]
    del NETWORKS[small]
    try:
        with pytest.raises(Exception, match=r"no network is called 'small'.* is there once that is installed"):
            load_network(path)
    finally:
        register_network(small, entry)


class NoCoding(Segmenter):
    stride = 2

    def __init__(self, generator: torch.Generator):
        super().__init__(nn.Identity(), nn.Identity())


@pytest.mark.parametrize(("builder", "said"), [
    (3, "cannot be called"),
    (nn.Conv2d, "only options with defaults"),
    (dict, "takes a torch.Generator|not derived"),
    (NoCoding, "needs a `coding`"),
])  # fmt: skip
def test_what_cannot_be_a_network_is_refused_at_registration(builder, said):
    """Not in the middle of a run."""
    with pytest.raises(UsageError, match=said):
        register_network("bad", builder)
    assert "bad" not in NETWORKS


def test_a_name_that_is_taken_is_refused():
    """Checkpoints tell networks by name."""
    with pytest.raises(UsageError, match="one of that name already"):
        register_network("lite", Small)


def test_its_trunk_has_no_pretrained_weights_of_ours(small):
    """The message names the trunk and the way out."""
    with pytest.raises(UsageError, match=r"trunk Conv2d, only for .*--init none"):
        load_pretrained(build_network(small), "imagenet")
