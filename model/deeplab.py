"""The paper's network: DeepLab-v2 on VGG16 with a four-channel input convolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from datakit.errors import UsageError

from .backbones import VGG16, kaiming_init
from .input_conv import StemInit, inflate_input_conv
from .inputs import CAFFE_BGR
from .segmenter import Segmenter

# MaskTrack takes "the training and test parameters of DeepLabv2-VGG" and does not say which head: the VGG model that
# was published with DeepLab-v2 is ASPP-L, hence the default. Source: arXiv 1606.00915 §3.2.
HEADS = {"aspp": (6, 12, 18, 24), "largefov": (12,)}
NEW_SIGMA = 0.01


class DilatedHead(nn.Module):
    """VGG's fully connected layers as convolutions, once for each dilation; the logits are summed.

    Each branch is fc6 (3x3, dilated), fc7 (1x1) and fc8 (1x1 to one logit) with dropout after the first two.
    """

    def __init__(self, inputs: int, dilations: tuple[int, ...], dropout: float, width: int = 1024):
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(inputs, width, 3, padding=dilation, dilation=dilation),
                nn.ReLU(inplace=True),
                nn.Dropout(dropout),
                nn.Conv2d(width, width, 1),
                nn.ReLU(inplace=True),
                nn.Dropout(dropout),
                nn.Conv2d(width, 1, 1),
            )
            for dilation in dilations
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to (N, 1, h, w) logits."""
        return torch.stack([branch(x) for branch in self.branches]).sum(dim=0)


class DeepLab(Segmenter):
    """DeepLab-v2 on VGG16; logits at stride 8, 38 M parameters with `aspp` and 20 M with `largefov`."""

    coding = CAFFE_BGR
    stride = 8

    def __init__(
        self, generator: torch.Generator, stem: StemInit = "gaussian", head: str = "aspp", dropout: float = 0.5
    ):
        if head not in HEADS:
            raise UsageError(f"head is {head!r}; choose {' or '.join(HEADS)}")
        trunk = VGG16()
        super().__init__(trunk, DilatedHead(trunk.channels[0], HEADS[head], dropout))
        kaiming_init(self.trunk, generator)
        inflate_input_conv(trunk.stem, self.coding, stem, generator)
        for layer in self.head.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=NEW_SIGMA, generator=generator)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
