"""What holds for every network of the table."""

import math

import pytest
import torch
from torch import nn

from datakit.errors import UsageError
from model.inputs import CODINGS, InputCoding
from model.networks import NETWORKS, build_network, coding_of, freeze_norm, upsample

every_network = pytest.mark.parametrize("name", NETWORKS)


@every_network
@pytest.mark.parametrize("size", [(32, 32), (33, 47), (64, 90)])
def test_any_size_gives_logits_at_the_stride(name, size):
    """ceil(H / stride) x ceil(W / stride), one logit each."""
    net = build_network(name).eval()
    with torch.no_grad():
        logits = net(torch.randn(2, 4, *size))
    assert logits.shape == (2, 1, *(math.ceil(length / net.stride) for length in size))
    assert logits.isfinite().all()


@every_network
def test_has_what_callers_rely_on(name):
    """Coding, stride, trunk with a four-channel stem, head; and no parameter outside of them."""
    net = build_network(name)
    assert isinstance(net.coding, InputCoding)
    assert net.trunk.stem.in_channels == 4
    assert {name.partition(".")[0] for name, _ in net.named_parameters()} == {"trunk", "head"}


@every_network
def test_a_name_gives_the_coding_of_the_network(name):
    """The one that is built by that name."""
    assert coding_of(name) == build_network(name).coding


def test_the_table_of_codings_by_trunk_still_says_the_same():
    """For one more version; README and notebooks of users have it."""
    assert {"efficientnet-lite0": coding_of("lite"), "vgg16": coding_of("deeplab-vgg16")} == CODINGS


def test_the_coding_of_an_unknown_network_is_refused():
    """With the message that building it gives."""
    with pytest.raises(UsageError, match="no network is called 'unet'"):
        coding_of("unet")


@every_network
def test_every_parameter_learns(name):
    """A loss on the logits moves each of them."""
    net = build_network(name).train()
    x = torch.randn(2, 4, 33, 47)
    x[:, 3] *= 100
    memory = ()
    if net.remembers:
        memory = (x[:, None],)
        nn.init.normal_(net.head.tell[-1].weight)  # it begins at zero, behind which nothing learns
    net(x, *memory).square().sum().backward()
    still = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert not still


@every_network
def test_weights_are_a_function_of_the_seed(name):
    """And drawing them leaves the global generator where it was."""
    before = torch.random.get_rng_state()
    first, again, other = (build_network(name, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["trunk.stem.weight"], other["trunk.stem.weight"])
    head = next(key for key in first if key.startswith("head") and key.endswith("weight") and first[key].ndim == 4)
    assert not torch.equal(first[head], other[head])


@every_network
def test_stem_is_an_option(name):
    """With zero filters the mask has no say at first."""
    net = build_network(name, stem="zero").eval()
    x = torch.randn(1, 4, 32, 32)
    other = torch.cat([x[:, :3], -x[:, 3:]], dim=1)
    assert torch.equal(net(x), net(other))


def test_frozen_statistics_survive_training():
    """After `freeze_norm`, `train()` and a step, the running statistics are those before; scales still learn."""
    net = freeze_norm(build_network("lite"))
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    net.train()
    net(torch.randn(2, 4, 32, 32)).sum().backward()
    assert net.training and net.head.training
    assert before and all(torch.equal(buffer, before[name]) for name, buffer in net.named_buffers())
    assert net.trunk.stem_norm.weight.grad is not None


def test_statistics_move_unless_frozen():
    """The counterpart: without freezing, a step in training changes them."""
    net = build_network("lite").train()
    before = net.trunk.stem_norm.running_mean.clone()
    net(torch.randn(2, 4, 32, 32))
    assert not torch.equal(net.trunk.stem_norm.running_mean, before)


@pytest.mark.parametrize("training", [True, False])
def test_freezing_keeps_the_mode(training):
    """Only the normalisation changes its mode."""
    net = build_network("lite").train(training)
    freeze_norm(net)
    assert net.training is training
    assert not any(layer.training for layer in net.modules() if isinstance(layer, nn.BatchNorm2d))


def test_upsample_is_bilinear_between_pixel_centres():
    """Half-pixel centres: the outermost quarter repeats the border, the rest is in between."""
    row = upsample(torch.tensor([[[[0.0, 4.0]]]]), (1, 4))
    assert row.flatten().tolist() == [0.0, 1.0, 3.0, 4.0]


def test_unknown_network_is_refused():
    """The message lists the known ones."""
    with pytest.raises(UsageError, match="deeplab-vgg16, lite"):
        build_network("unet")


@pytest.mark.parametrize("option", ["depth", "generator", "self"])
def test_unknown_option_is_refused(option):
    """The message lists the network's own."""
    with pytest.raises(UsageError, match="it has stem, width"):
        build_network("lite", **{option: 3})
