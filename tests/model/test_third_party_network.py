"""A network of another package: registered, trained a step, saved, loaded, and propagated with."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from datakit.errors import UsageError
from model.checkpoint import Checkpoint, load_network, write_checkpoint
from model.compute import Compute
from model.inputs import InputCoding
from model.networks import NETWORKS, build_network, register_network
from model.pretrained import load_pretrained
from model.propagate import Propagator
from model.segmenter import Segmenter
from model.settings import TrainConfig
from model.train import Trainer


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
