"""The paper's network."""

import pytest
import torch
from torch import nn

from datakit.errors import UsageError
from model.deeplab import DilatedHead
from model.networks import build_network


@pytest.mark.parametrize(("head", "dilations"), [("aspp", [6, 12, 18, 24]), ("largefov", [12])])
def test_heads_have_the_dilations_of_deeplab(head, dilations):
    """ASPP has four branches and LargeFOV one; fc6, fc7 and fc8 in each, dropout after the first two."""
    net = build_network("deeplab-vgg16", head=head)
    branches = [[layer for layer in branch if isinstance(layer, nn.Conv2d)] for branch in net.head.branches]
    assert [fc6.dilation[0] for fc6, _, _ in branches] == dilations
    assert {tuple((c.out_channels, c.kernel_size[0]) for c in branch) for branch in branches} == {
        ((1024, 3), (1024, 1), (1, 1))
    }
    assert [layer.p for layer in net.modules() if isinstance(layer, nn.Dropout)] == [0.5, 0.5] * len(dilations)


def test_aspp_is_the_default():
    """The published VGG model of DeepLab-v2 is ASPP."""
    assert len(build_network("deeplab-vgg16").head.branches) == 4


def test_new_layers_are_gaussian():
    """N(0, 0.01) weights and zero biases."""
    for layer in build_network("deeplab-vgg16", head="largefov").head.modules():
        if isinstance(layer, nn.Conv2d):
            assert layer.weight.std().item() == pytest.approx(0.01, rel=0.1)
            assert not layer.bias.any()


def test_branches_are_summed():
    """The logits of a head are those of its branches, added."""
    head = DilatedHead(4, (1, 2), dropout=0.5, width=8).eval()
    x = torch.randn(1, 4, 9, 9)
    torch.testing.assert_close(head(x), head.branches[0](x) + head.branches[1](x))


def test_a_branch_sees_as_far_as_its_dilation():
    """One pixel reaches the eight places at the dilation around it, and itself."""
    head = DilatedHead(1, (3,), dropout=0.0, width=4).eval()
    impulse = torch.zeros(1, 1, 13, 13)
    impulse[..., 6, 6] = 1
    for layer in head.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.constant_(layer.weight, 1.0)
            nn.init.constant_(layer.bias, 0.0)
    places = head(impulse)[0, 0].nonzero().tolist()
    assert places == [[row, column] for row in (3, 6, 9) for column in (3, 6, 9)]


def test_dropout_is_an_option():
    """Without it training is a function of its input."""
    net = build_network("deeplab-vgg16", head="largefov", dropout=0.0).train()
    x = torch.randn(1, 4, 32, 32)
    assert torch.equal(net(x), net(x))


def test_unknown_head_is_refused():
    """The message lists the known ones."""
    with pytest.raises(UsageError, match="choose aspp or largefov"):
        build_network("deeplab-vgg16", head="psp")
