"""The base class of the networks: a pretrained trunk with a four-channel input convolution, and a new head."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .inputs import InputCoding
from .memory import Memory


class Segmenter(nn.Module):
    """(N, 4, H, W) float to foreground logits (N, 1, ceil(H / stride), ceil(W / stride)); any size.

    One logit says the same as the paper's softmax over two classes, whose difference it is.

    Attributes:
        trunk: the part with pretrained weights, and the stem.
        head: the new part, from the trunk's features to logits.
        coding: how `inputs.pack_input` makes this network's input.
        stride: of the logits, in input pixels.
        channels_last_on: devices on which channels-last was measured faster than contiguous (docs/decisions.md).
        spare_cores: cores that torch leaves alone where one object is followed: small layers gain less from a further
            core than the reading and writing that goes on beside them (docs/decisions.md).
        margin: room that propagation and `score` leave around the guide mask unless told, as a multiple of its longer
            side (docs/decisions.md).
        mirrored: whether propagation and `score` look a second time, mirrored, unless told (docs/decisions.md).
        doubtful: an object of which it is less sure than this counts as lost in propagation, unless told; 0: however
            sure (docs/decisions.md).
        remembers: whether it has a memory: `remember(x)` gives a `memory.Memory`, and `forward(x, memory)` reads it.
        begins_as: network whose weights it can begin with; what those lack adds nothing at first.
        norm_frozen: batch normalisation stays at its stored statistics, also in training.
    """

    coding: ClassVar[InputCoding]
    stride: ClassVar[int]
    channels_last_on: ClassVar[frozenset[str]] = frozenset({"cpu", "cuda"})
    spare_cores: ClassVar[int] = 0
    margin: ClassVar[float] = 0.4
    mirrored: ClassVar[bool] = False
    doubtful: ClassVar[float] = 0.0
    remembers: ClassVar[bool] = False
    begins_as: ClassVar[str | None] = None

    def __init__(self, trunk: nn.Module, head: nn.Module):
        super().__init__()
        self.trunk = trunk
        self.head = head
        self.norm_frozen = False

    def forward(self, x: Tensor) -> Tensor:
        """Logits, above 0 where foreground is likelier than background."""
        logits: Tensor = self.head(self.trunk(x))
        return logits

    def remember(self, x: Tensor) -> Memory:
        """What is remembered of frames (N, 4, H, W) whose fourth channel holds the object's mask."""
        raise NotImplementedError(f"{type(self).__name__} has no memory")

    def train(self, mode: bool = True) -> Segmenter:
        """As `nn.Module.train`, but frozen normalisation stays in evaluation mode."""
        super().train(mode)
        if self.norm_frozen:
            for layer in self.modules():
                if isinstance(layer, _BatchNorm):
                    layer.eval()
        return self
