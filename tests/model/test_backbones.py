"""Layers of the trunks; that whole trunks equal the originals stands in test_pretrained."""

import pytest
import torch
import torch.nn.functional as F

from model.backbones import VGG16, EfficientNetLite0, SameConv2d, kaiming_init


@pytest.mark.parametrize("size", [(8, 8), (7, 9), (8, 5), (1, 2)])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (3, 2), (5, 1), (5, 2)])
def test_same_padding_puts_the_odd_one_at_the_end(kernel, stride, size):
    """As padding by hand to ceil(size / stride), with the smaller half first."""
    conv = SameConv2d(2, 3, kernel, stride)
    x = torch.randn(1, 2, *size)
    pads = []
    for length in reversed(size):
        total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
        pads += [total // 2, total - total // 2]
    expected = F.conv2d(F.pad(x, pads), conv.weight, conv.bias, stride)
    assert conv(x).shape[2:] == tuple(-(-length // stride) for length in size)
    torch.testing.assert_close(conv(x), expected)


@pytest.mark.parametrize("trunk", [EfficientNetLite0, VGG16])
def test_features_are_as_described(trunk):
    """`channels` and `strides` tell the shapes of the features."""
    features = trunk().eval()(torch.randn(1, 3, 45, 70))
    features = features if isinstance(features, list) else [features]
    expected = [(1, c, -(-45 // s), -(-70 // s)) for c, s in zip(trunk.channels, trunk.strides, strict=True)]
    assert [tuple(feature.shape) for feature in features] == expected


def test_random_trunk_keeps_the_signal_alive():
    """With frozen statistics nothing rescales the signal, so the weights have to."""
    trunk = EfficientNetLite0().eval()
    kaiming_init(trunk, torch.Generator().manual_seed(0))
    coarsest = trunk(torch.randn(1, 3, 64, 64))[-1]
    assert 1e-3 < coarsest.std().item() < 1e3
