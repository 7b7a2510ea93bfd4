"""The widened first convolution."""

import pytest
import torch
from torch import nn

from datakit.errors import UsageError
from model.input_conv import inflate_input_conv
from model.inputs import CAFFE_BGR, UNIT_RGB


def conv(channels=3):
    return nn.Conv2d(channels, 64, 3, padding=1)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("init", ["gaussian", "zero"])
def test_colours_keep_their_filters(init):
    """Where the mask channel is zero, a widened convolution answers as before."""
    narrow = conv()
    x = torch.randn(2, 3, 8, 8)
    before = narrow(x)
    wide = inflate_input_conv(narrow, CAFFE_BGR, init, seeded())
    assert wide.in_channels == 4 and wide.weight.requires_grad
    torch.testing.assert_close(wide(torch.cat([x, torch.zeros(2, 1, 8, 8)], dim=1)), before)


def test_zero_ignores_the_mask():
    """With zero filters no mask changes the answer."""
    wide = inflate_input_conv(conv(), CAFFE_BGR, "zero", seeded())
    x = torch.randn(1, 4, 8, 8)
    other = torch.cat([x[:, :3], -x[:, 3:]], dim=1)
    assert torch.equal(wide(x), wide(other))


@pytest.mark.parametrize(("coding", "sigma"), [(CAFFE_BGR, 1e-4), (UNIT_RGB, 1e-2)])
def test_gaussian_answers_alike_for_any_coding(coding, sigma):
    """Sigma is 1e-4 for a mask of ±100, as in the ports, and in proportion for another."""
    wide = inflate_input_conv(conv(), coding, "gaussian", seeded())
    assert wide.weight[:, 3].std().item() == pytest.approx(sigma, rel=0.1)


def test_seed_decides():
    """Equal seeds draw equal filters, others do not."""
    first, again, other = (
        inflate_input_conv(conv(), UNIT_RGB, "gaussian", seeded(seed)).weight[:, 3] for seed in (1, 1, 2)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_wide_convolution_is_not_widened_again():
    """A second mask channel would be a mistake."""
    with pytest.raises(ValueError, match="reads 4 channels"):
        inflate_input_conv(conv(4), CAFFE_BGR, "zero", seeded())


def test_unknown_init_is_refused():
    """The message lists the known ones."""
    with pytest.raises(UsageError, match="choose gaussian or zero"):
        inflate_input_conv(conv(), CAFFE_BGR, "uniform", seeded())
