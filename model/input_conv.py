"""Inflates the first convolution from three input channels to four; the pretrained filters stay as they are."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from datakit.errors import UsageError

from .inputs import InputCoding

MASK_RESPONSE = 0.01

StemInit = Literal["gaussian", "zero"]


def inflate_input_conv(conv: nn.Conv2d, coding: InputCoding, init: StemInit, generator: torch.Generator) -> nn.Conv2d:
    """Give a convolution over three colours a fourth input channel, in place.

    The new filters are drawn from N(0, (0.01 / mask amplitude)²) or are zero. The paper's sigma is not stated; its two
    public ports use 1e-4 where the mask is ±100, and dividing by the amplitude keeps the response the same
    for a mask of ±1.

    Args:
        conv: reads 3 channels in one group.
        coding: of the network, for the amplitude of its mask channel.
        init: "gaussian" or "zero".
        generator: draws the new filters.

    Returns:
        The same module, reading 4 channels; the filters of the first three are unchanged.

    Raises:
        UsageError: unknown `init`.

    Source: arXiv 1612.02646 §4: gaussian initialisation, "also tried zero initialization, but observed no difference".
    """
    if conv.in_channels != 3 or conv.groups != 1:
        raise ValueError(
            f"convolution reads {conv.in_channels} channels in {conv.groups} groups, expected 3 channels in 1 group"
        )
    if init not in ("gaussian", "zero"):
        raise UsageError(f"stem is {init!r}; choose gaussian or zero")
    sigma = MASK_RESPONSE / coding.mask_amplitude if init == "gaussian" else 0.0
    colours = conv.weight.detach()
    guide = torch.randn(colours[:, :1].shape, generator=generator, dtype=colours.dtype) * sigma
    conv.weight = nn.Parameter(torch.cat([colours, guide], dim=1))
    conv.in_channels = 4
    return conv
