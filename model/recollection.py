"""What is remembered of the objects of a video: the frames whose masks were given, and a few later ones.

Bounded, however long the video is. All of it follows from frames and label maps, so a run that was killed goes on by
looking at those frames again.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from datakit.arrays import Image, Labels, Mask
from datakit.recent import Recent
from datakit.transforms.crop import cut_image, cut_mask, object_window

from .compute import Compute
from .inputs import pack_input
from .memory import Memory
from .networks import upsample
from .objects import mask_of
from .refine import remember
from .segmenter import Segmenter

if TYPE_CHECKING:
    from .propagate import PropagateConfig

MOST_GIVEN = 8  # frames whose masks were given: the first, and the latest ones
KNOWN_BYTES = 64_000_000  # of memories that are known again; 0.4 MB for a given frame and object at most


@dataclass
class _Kept:
    """Frames kept of one object: the first that was given, the latest given ones, the latest others."""

    first: Memory
    given: deque[Memory] = field(default_factory=lambda: deque(maxlen=MOST_GIVEN - 1))
    own: deque[Memory] = field(default_factory=deque)


class Writer:
    """Writes memories, and knows those again that it wrote lately: every run through a film begins with some of these.

    Args:
        net: with a memory, in eval mode, placed by `compute`.
        compute: where it runs.
    """

    def __init__(self, net: Segmenter, compute: Compute):
        self._net, self._compute = net, compute
        self._known: Recent[list[Memory]] = Recent(
            KNOWN_BYTES, lambda memories: sum(part.nbytes for memory in memories for part in memory)
        )

    def write(self, inputs: Tensor) -> list[Memory]:
        """One memory for each of (N, 4, S, S) inputs."""
        if not len(inputs):
            return []
        memory = remember(self._net, inputs[:, None], self._compute)
        return [Memory(*(part[n : n + 1] for part in memory)) for n in range(len(inputs))]

    def write_once(self, inputs: Tensor) -> list[Memory]:
        """As `write`, for inputs that may come again: the very same ones are looked up."""
        digest = hashlib.blake2b(inputs.numpy().tobytes(), digest_size=16).digest()
        known = self._known.get(digest)
        return self._known.put(digest, self.write(inputs)) if known is None else known


class Recollection:
    """Keeps the memory of every object.

    Args:
        net: with a memory, in eval mode, placed by `compute`.
        compute: where it runs.
        config: of the propagation: size, margin, and how many frames of its own are kept.
        writer: that of another film or run with the same network; None for one of its own.
    """

    def __init__(self, net: Segmenter, compute: Compute, config: PropagateConfig, writer: Writer | None = None):
        self._net, self._compute, self._config = net, compute, config
        self._writer = writer or Writer(net, compute)
        self._kept: dict[int, _Kept] = {}

    def fresh(self) -> Recollection:
        """One that knows no object yet, and what was written before."""
        return Recollection(self._net, self._compute, self._config, self._writer)

    def give(self, frame: Image, labels: Labels, ids: Sequence[int]) -> None:
        """Remember a frame with the masks that were given for some objects."""
        seen, inputs = self._inputs(frame, labels, ids)
        for number, memory in zip(seen, self._writer.write_once(inputs), strict=True):
            if number in self._kept:
                self._kept[number].given.append(memory)
            else:
                self._kept[number] = _Kept(memory, own=deque(maxlen=self._config.memories))

    def add(self, frame: Image, labels: Labels, ids: Sequence[int]) -> None:
        """Remember a frame with masks that the network found itself, where it is sure; the oldest is forgotten.

        It is sure of a mask that it finds again where it looks with that mask as its guide, and remembers no more than
        what was given.
        """
        seen, inputs = self._inputs(frame, labels, ids)
        if not seen:
            return
        given = Memory.stacked([Memory.joined([self._kept[n].first, *self._kept[n].given]) for n in seen])
        with torch.inference_mode(), self._compute.autocast():
            logits = self._net(self._compute.send(inputs), given)
        found = upsample(logits.float().cpu(), (inputs.shape[2], inputs.shape[3]))[:, 0] > 0
        mask = inputs[:, 3] == self._net.coding.mask_values[1]
        alike = (found & mask).sum((1, 2)) / (found | mask).sum((1, 2)).clamp(min=1)
        sure = [n for n in range(len(seen)) if alike[n] >= self._config.sure]
        if sure:
            for n, memory in zip(sure, self._writer.write(inputs[sure]), strict=True):
                self._kept[seen[n]].own.append(memory)

    def of(self, ids: Sequence[int]) -> Memory:
        """What is remembered of some objects, for `Segmenter.forward`."""
        kept = [self._kept[number] for number in ids]
        return Memory.stacked([Memory.joined([each.first, *each.given, *each.own]) for each in kept])

    def _inputs(self, frame: Image, labels: Labels, ids: Sequence[int]) -> tuple[list[int], Tensor]:
        """The objects that are seen, and (N, 4, S, S) of each its window with its mask."""
        masks = {number: mask for number in ids if (mask := mask_of(labels, number)).any()}
        inputs = [self._input(frame, mask) for mask in masks.values()]
        return list(masks), torch.stack(inputs) if inputs else torch.empty(0)

    def _input(self, frame: Image, mask: Mask) -> Tensor:
        size = frame.shape[0], frame.shape[1]
        assert self._config.margin is not None
        window = object_window(mask, size, self._config.margin, self._config.size)
        coding = self._net.coding
        return pack_input(cut_image(frame, window, coding.fill), cut_mask(mask, window), coding)
