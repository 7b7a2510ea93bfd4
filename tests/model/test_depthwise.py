"""`model.depthwise`: the usual convolution, with gradients that are as exact as the precision allows."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from model.depthwise import depthwise

CASES = [(1, 3), (1, 5), (2, 3), (2, 5)]


def made(stride, kernel):
    """Input, weights, and what flows back; the numbers of `stride` and `kernel`."""
    generator = torch.Generator().manual_seed(kernel)
    x = torch.randn(2, 8, 20, 17, generator=generator, requires_grad=True)
    weight = torch.randn(8, 1, kernel, kernel, generator=generator, requires_grad=True)
    return x, weight, {"stride": (stride, stride), "padding": (kernel // 2, kernel // 2)}


def gradients(y, *of):
    """Of a sum in which no two places count alike."""
    return torch.autograd.grad((y.float() * torch.arange(y.numel()).view(y.shape).sin()).sum(), of)


@pytest.mark.parametrize(("stride", "kernel"), CASES)
def test_it_is_the_convolution_of_torch(stride, kernel):
    """Outside autocast to the bit, gradients too."""
    x, weight, how = made(stride, kernel)
    y, expected = depthwise(x, weight, **how), F.conv2d(x, weight, groups=8, **how)
    assert torch.equal(y, expected)
    assert all(map(torch.equal, gradients(y, x, weight), gradients(expected, x, weight)))


@pytest.mark.parametrize(("stride", "kernel"), CASES)
def test_under_autocast_it_gives_what_autocast_gives(stride, kernel):
    """The same bf16 outputs; gradients within bf16's rounding of those in fp32, in the type of what they belong to."""
    x, weight, how = made(stride, kernel)
    with torch.autocast("cpu", torch.bfloat16):
        y, expected = depthwise(x, weight, **how), F.conv2d(x, weight, groups=8, **how)
    assert y.dtype == torch.bfloat16 and torch.equal(y, expected)
    exact = gradients(F.conv2d(x, weight, groups=8, **how), x, weight)
    for found, true in zip(gradients(y, x, weight), exact, strict=True):
        assert found.dtype == true.dtype
        assert (found - true).abs().max() <= 0.02 * true.abs().max()  # 0.016 on a processor without bf16


def test_weights_that_are_frozen_get_no_gradient():
    """The input alone, as where a trunk is held."""
    x, weight, how = made(2, 5)
    with torch.autocast("cpu", torch.bfloat16):
        y = depthwise(x, weight.detach(), **how)
    assert gradients(y, x)[0].shape == x.shape
