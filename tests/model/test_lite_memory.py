"""The light network with a memory."""

import pytest
import torch

from model.networks import build_network
from model.settings import TrainConfig
from model.train import fresh_network


def awake(seed=0):
    """A network whose memory says something, as it does after a step of training."""
    net = build_network("lite-memory", seed=seed).eval()
    torch.nn.init.normal_(net.head.tell[-1].weight, std=0.3, generator=torch.Generator().manual_seed(seed))
    return net


def frames(*shape, seed=0):
    x = torch.randn(*shape, 4, 64, 64, generator=torch.Generator().manual_seed(seed))
    x[..., 3, :, :] = x[..., 3, :, :].sign()
    return x


def test_fits_the_package():
    """At most eight million parameters, and sixteen megabytes in half precision."""
    values = sum(tensor.numel() for tensor in build_network("lite-memory").state_dict().values())
    assert 3.3e6 < values < 8e6


def test_it_begins_as_lite():
    """With the weights of `lite` it says what `lite` says, whatever it remembers."""
    lite, net = (fresh_network(TrainConfig(network=name, seed=0), "none") for name in ("lite", "lite-memory"))
    net.load_state_dict({**net.state_dict(), **lite.state_dict()})
    x = frames(2)
    with torch.no_grad():
        expected = lite.eval()(x)
        torch.testing.assert_close(net.eval()(x), expected)
        torch.testing.assert_close(net(x, frames(2, 1, seed=1)), expected)


def test_what_is_remembered_changes_the_answer():
    net, x = awake(), frames(1)
    with torch.no_grad():
        answers = [net(x), net(x, frames(1, 1, seed=1)), net(x, frames(1, 1, seed=2))]
    assert not torch.equal(answers[0], answers[1]) and not torch.equal(answers[1], answers[2])


def test_frames_as_input_are_remembered_first():
    """What training gives and what propagation gives are the same."""
    net, x, known = awake(), frames(2), frames(2, 3, seed=1)
    with torch.no_grad():
        pieces = [net.remember(known[:, n]) for n in range(3)]
        memory = type(pieces[0]).joined(pieces)
        torch.testing.assert_close(net(x, known), net(x, memory))


@pytest.mark.parametrize("part", ["head.reader.key", "head.reader.value", "head.reader.sharpness", "head.tell.0"])
def test_every_part_of_the_memory_learns(part):
    net = awake().train()
    net(frames(2), frames(2, 1, seed=1)).square().sum().backward()
    moved = [name for name, each in net.named_parameters() if each.grad is not None and each.grad.any()]
    assert any(name.startswith(part) for name in moved)
