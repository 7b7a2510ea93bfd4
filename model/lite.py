"""The light network: EfficientNet-lite0 with a small feature pyramid, made for CPUs."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .backbones import EfficientNetLite0, kaiming_init
from .input_conv import StemInit, inflate_input_conv
from .inputs import UNIT_RGB
from .memory import Memory
from .segmenter import Segmenter


class PyramidHead(nn.Module):
    """From the coarsest feature to the finest: enlarge, add the trunk's feature, filter.

    Group normalisation, since a head that starts from nothing needs some, and must not depend on the batch: it is then
    the same for one frame, for ten, on two machines, and when the trunk's statistics are frozen.
    """

    def __init__(self, channels: tuple[int, ...], width: int, groups: int = 8):
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(inputs, width, 1) for inputs in channels)
        self.smooth = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in channels)
        self.norm = nn.ModuleList(nn.GroupNorm(groups, width) for _ in channels)
        self.logit = nn.Conv2d(width, 1, 1)

    def forward(self, features: list[Tensor], memory: Memory | None = None) -> Tensor:
        """Features, finest first, to (N, 1, h, w) logits of the finest feature's size; `memory` is for `gather`."""
        x = None
        for level in reversed(range(len(features))):
            y = self.gather(level, features[level], x, memory)
            x = F.relu(self.norm[level](self.smooth[level](y)), inplace=True)
        logits: Tensor = self.logit(x)
        return logits

    def gather(self, level: int, feature: Tensor, coarser: Tensor | None, memory: Memory | None) -> Tensor:
        """(N, width, h, w): what a level knows before it is filtered; a pyramid without a memory makes nothing of one.

        Args:
            level: of the pyramid, 0 for the finest.
            feature: (N, C, h, w) of the trunk.
            coarser: (N, width, h', w') of the level before; None for the coarsest.
            memory: of each of the N objects; None for none.
        """
        y: Tensor = self.lateral[level](feature)
        if coarser is None:
            return y
        return y + F.interpolate(coarser, size=y.shape[2:], mode="bilinear", align_corners=False)


class Lite(Segmenter):
    """EfficientNet-lite0 with a pyramid of `width` channels; logits at stride 4, 3.3 M parameters.

    `drop` is the share of samples that skip the trunk's last residual in training.
    """

    coding = UNIT_RGB
    stride = 4
    spare_cores = 1
    mirrored = True
    head_kind: ClassVar[type[PyramidHead]] = PyramidHead

    def __init__(self, generator: torch.Generator, stem: StemInit = "gaussian", width: int = 96, drop: float = 0.0):
        trunk = EfficientNetLite0(drop)
        super().__init__(trunk, self.head_kind(trunk.channels, width))
        kaiming_init(self, generator)
        inflate_input_conv(trunk.stem, self.coding, stem, generator)
