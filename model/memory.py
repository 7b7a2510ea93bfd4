"""A memory of frames whose masks are known, and how a frame is compared with it, place by place.

A place of a frame is a cell of its feature at stride 16. What is remembered of one is a key, by which it is found
again, and a value, what the decoder shall know of it. How many frames are kept is left to `recollection`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SHARPNESS = 16.0  # at the start of training: what cosines are multiplied by before their softmax
_NEVER = -1e4  # added to what must not be read


class Memory(NamedTuple):
    """Remembered places of N objects; P of each, of one frame or of several.

    Attributes:
        keys: (N, C, P) of length 1.
        values: (N, D, P).
        share: (N, P) of a place that is object, 0..1; below 0 where the place is none (padding).
    """

    keys: Tensor
    values: Tensor
    share: Tensor

    @classmethod
    def joined(cls, frames: Sequence[Memory]) -> Memory:
        """All places of several frames, of the same objects."""
        return cls(*(torch.cat(parts, -1) for parts in zip(*frames, strict=True)))

    @classmethod
    def stacked(cls, objects: Sequence[Memory]) -> Memory:
        """One memory for several objects; where one has fewer places than another, none is read."""
        most = max(each.share.shape[-1] for each in objects)
        short = [most - each.share.shape[-1] for each in objects]
        parts = zip(*objects, strict=True)
        fills = (0.0, 0.0, -1.0)
        return cls(*(
            torch.cat([F.pad(tensor, (0, lacking), value=fill) for tensor, lacking in zip(tensors, short, strict=True)])
            for tensors, fill in zip(parts, fills, strict=True)
        ))  # fmt: skip


class MemoryReader(nn.Module):
    """Writes and reads a memory.

    What is read of a place: the values of the places like it, the share of object among these, and how like it is to
    the most similar place of the object, and of the ground.

    Args:
        channels: of the feature that keys and values are made of.
        key: channels of a key.
        value: channels of a value.

    Attributes:
        channels_read: of what `read` gives.

    Source: reading by similarity over space and time: STM, arXiv 1904.00607 §3.2; the two nearest similarities:
    FEELVOS, arXiv 1902.09513 §3.3.
    """

    def __init__(self, channels: int, key: int = 64, value: int = 64):
        super().__init__()
        self.key = nn.Conv2d(channels, key, 1)
        self.value = nn.Conv2d(channels + 1, value, 1)
        self.sharpness = nn.Parameter(torch.tensor([SHARPNESS]).log())
        self.channels_read = value + 3

    def write(self, feature: Tensor, mask: Tensor) -> Memory:
        """What is remembered of frames.

        Args:
            feature: (N, channels, h, w).
            mask: (N, 1, H, W) float 0..1, of the object.
        """
        share = F.adaptive_avg_pool2d(mask.to(feature.dtype), (feature.shape[2], feature.shape[3]))
        values = self.value(torch.cat([feature, share], 1)).flatten(2)
        return Memory(self._keys(feature), values, share.flatten(1))

    def read(self, feature: Tensor, memory: Memory) -> Tensor:
        """(N, channels_read, h, w): what the memory knows of every place of frames."""
        N, _, h, w = feature.shape
        alike = torch.bmm(memory.keys.transpose(1, 2), self._keys(feature))  # (N, P, h w), cosines
        share = memory.share[:, :, None]
        scores = alike * self.sharpness.exp() + (share < 0) * _NEVER
        weights = scores.float().softmax(1).to(memory.values.dtype)
        read = torch.bmm(memory.values, weights)
        among = torch.bmm(memory.share.clamp(min=0)[:, None], weights)
        nearest = [
            torch.where(chosen, alike, -torch.ones_like(alike)).amax(1, keepdim=True)
            for chosen in (share > 0.5, (share >= 0) & (share <= 0.5))
        ]
        return torch.cat([read, among, *nearest], 1).view(N, self.channels_read, h, w)

    def _keys(self, feature: Tensor) -> Tensor:
        return F.normalize(self.key(feature).flatten(2), dim=1)
