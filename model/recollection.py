"""What is remembered of the objects of a video: the frames whose masks were given, and a few later ones.

Bounded, however long the video is. All of it follows from frames and label maps, so a run that was killed goes on by
looking at those frames again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from datakit.arrays import Image, Labels, Mask
from datakit.transforms.crop import cut_image, cut_mask, object_window

from .compute import Compute
from .inputs import pack_input
from .memory import Memory
from .objects import mask_of
from .refine import remember
from .segmenter import Segmenter

if TYPE_CHECKING:
    from .propagate import PropagateConfig

MOST_GIVEN = 8  # frames whose masks were given: the first, and the latest ones


@dataclass
class _Kept:
    """Frames kept of one object: the first that was given, the latest given ones, the latest others."""

    first: Memory
    given: deque[Memory] = field(default_factory=lambda: deque(maxlen=MOST_GIVEN - 1))
    own: deque[Memory] = field(default_factory=deque)


class Recollection:
    """Writes and keeps the memory of every object.

    Args:
        net: with a memory, in eval mode, placed by `compute`.
        compute: where it runs.
        config: of the propagation: size, margin, and how many frames of its own are kept.
    """

    def __init__(self, net: Segmenter, compute: Compute, config: PropagateConfig):
        self._net, self._compute, self._config = net, compute, config
        self._kept: dict[int, _Kept] = {}

    def give(self, frame: Image, labels: Labels, ids: Sequence[int]) -> None:
        """Remember a frame with the masks that were given for some objects."""
        for number, memory in self._written(frame, labels, ids).items():
            if number in self._kept:
                self._kept[number].given.append(memory)
            else:
                self._kept[number] = _Kept(memory, own=deque(maxlen=self._config.memories))

    def add(self, frame: Image, labels: Labels, ids: Sequence[int]) -> None:
        """Remember a frame with masks that the network found itself; the oldest of these is forgotten."""
        for number, memory in self._written(frame, labels, ids).items():
            self._kept[number].own.append(memory)

    def of(self, ids: Sequence[int]) -> Memory:
        """What is remembered of some objects, for `Segmenter.forward`."""
        kept = [self._kept[number] for number in ids]
        return Memory.stacked([Memory.joined([each.first, *each.given, *each.own]) for each in kept])

    def _written(self, frame: Image, labels: Labels, ids: Sequence[int]) -> Mapping[int, Memory]:
        """Of each object that is seen."""
        seen = {number: mask for number in ids if (mask := mask_of(labels, number)).any()}
        if not seen:
            return {}
        inputs = torch.stack([self._input(frame, mask) for mask in seen.values()])
        memory = remember(self._net, inputs[:, None], self._compute)
        return {number: Memory(*(part[n : n + 1] for part in memory)) for n, number in enumerate(seen)}

    def _input(self, frame: Image, mask: Mask) -> torch.Tensor:
        size = frame.shape[0], frame.shape[1]
        window = object_window(mask, size, self._config.margin, self._config.size)
        coding = self._net.coding
        return pack_input(cut_image(frame, window, coding.fill), cut_mask(mask, window), coding)
