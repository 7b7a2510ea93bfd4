"""The light network with a memory: it knows its object from the frames whose masks were given, wherever it shows."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from .input_conv import StemInit
from .lite import Lite, PyramidHead
from .memory import Memory, MemoryReader

LEVEL = 2  # of the trunk's features: stride 16, 112 channels


class MemoryHead(PyramidHead):
    """The light network's pyramid, told at stride 16 what the memory knows; without a memory, the same as that."""

    def __init__(self, channels: tuple[int, ...], width: int, groups: int = 8):
        super().__init__(channels, width, groups)
        self.reader = MemoryReader(channels[LEVEL])
        self.tell = nn.Sequential(
            nn.Conv2d(width + self.reader.channels_read, width, 3, padding=1, bias=False),
            nn.GroupNorm(groups, width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 1),
        )

    def begin(self) -> None:
        """Let the memory add nothing until something is learnt."""
        nn.init.zeros_(self.tell[-1].weight)  # type: ignore[arg-type]

    def gather(self, level: int, feature: Tensor, coarser: Tensor | None, memory: Memory | None) -> Tensor:
        """As `PyramidHead`, and what the memory adds."""
        y = super().gather(level, feature, coarser, memory)
        if memory is None or level != LEVEL:
            return y
        told: Tensor = self.tell(torch.cat([y, self.reader.read(feature, memory)], 1))
        return y + told


class LiteMemory(Lite):
    """`Lite` with a memory, 3.5 M parameters. Its weights begin as `Lite`'s: what the memory adds is nothing at first.

    `forward` takes frames with guide masks, and what is remembered of their objects: a `Memory`, or inputs
    (N, M, 4, H, W) of M frames each, whose fourth channel holds the true masks.
    """

    margin: ClassVar[float] = 0.3
    doubtful: ClassVar[float] = 0.65
    remembers: ClassVar[bool] = True
    begins_as: ClassVar[str] = "lite"

    head: MemoryHead
    head_kind = MemoryHead

    def __init__(self, generator: torch.Generator, stem: StemInit = "gaussian", width: int = 96, drop: float = 0.0):
        super().__init__(generator, stem, width, drop)
        self.head.begin()

    def forward(self, x: Tensor, memory: Memory | Tensor | None = None) -> Tensor:
        """Logits, above 0 where foreground is likelier than background."""
        if isinstance(memory, Tensor):
            memory = Memory.joined([self.remember(each) for each in memory.unbind(1)])
        logits: Tensor = self.head(self.trunk(x), memory)
        return logits

    def remember(self, x: Tensor) -> Memory:
        """What is remembered of frames (N, 4, H, W) whose fourth channel holds the object's mask."""
        background, foreground = self.coding.mask_values
        with torch.no_grad():  # half the cost of a step in training
            feature = self.trunk(x)[LEVEL]
        return self.head.reader.write(feature, (x[:, 3:] - background) / (foreground - background))
