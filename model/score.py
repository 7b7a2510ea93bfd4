"""Scores a network on triples: mean IoU of guide masks and of its output, in total and per source and kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np

from datakit.arrays import Mask, iou
from datakit.keys import source_of
from datakit.samples import Triple

from .compute import Compute
from .dataset import TripleDataset
from .memory_dataset import ClipTriple, MemoryDataset
from .refine import RefineConfig, refine, remember
from .segmenter import Segmenter


@dataclass
class Tally:
    """Sums of IoU over triples.

    Attributes:
        count: triples.
        input: sum of the guide masks' IoU with their targets.
        output: sum of the network's.
    """

    count: int = 0
    input: float = 0.0
    output: float = 0.0

    def add(self, input_iou: float, output_iou: float) -> None:
        """Count one triple."""
        self.count += 1
        self.input += input_iou
        self.output += output_iou

    def to_dict(self) -> dict[str, float | int]:
        """Means; NaN over nothing never appears, a tally begins with its first triple."""
        return {"triples": self.count, "input_iou": self.input / self.count, "output_iou": self.output / self.count}


@dataclass
class IouGains:
    """Mean IoU of rough inputs and of outputs.

    Attributes:
        total: over all triples.
        parts: (source, kind) -> over its triples.
    """

    total: Tally = field(default_factory=Tally)
    parts: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))

    def add(self, triple: Triple, input_iou: float, output_iou: float) -> None:
        """Count one triple."""
        self.total.add(input_iou, output_iou)
        self.parts[source_of(triple.key), triple.kind].add(input_iou, output_iou)

    @property
    def gain(self) -> float:
        """Mean IoU of the output less that of the input."""
        return (self.total.output - self.total.input) / self.total.count

    def to_dict(self) -> dict[str, Any]:
        """`input_iou`, `output_iou`, and the same under `sources`, source -> kind."""
        sources: dict[str, dict[str, Any]] = defaultdict(dict)
        for (source, kind), tally in sorted(self.parts.items()):
            sources[source][kind] = tally.to_dict()
        return {**self.total.to_dict(), "gain": self.gain, "sources": dict(sources)}


def score(net: Segmenter, triples: Iterable[Triple], config: RefineConfig, compute: Compute) -> IouGains:
    """Refine guide masks and compare with their targets, at the photo's own size, the ignore region left out.

    Args:
        net: in eval mode, placed by `compute`.
        triples: at least one.
        config: what the network sees of a photo.
        compute: where it runs.
    """
    scores = IouGains()
    for triple, output in refined(net, triples, config, compute):
        scores.add(triple, _iou(triple.guide, triple), _iou(output, triple))
    return scores


def refined(
    net: Segmenter, triples: Iterable[Triple], config: RefineConfig, compute: Compute
) -> Iterator[tuple[Triple, Mask]]:
    """Every triple with the (H, W) uint8 mask the network makes of its rough one."""
    for triple in triples:
        memory = remember(net, triple.remembered[None], compute) if isinstance(triple, ClipTriple) else None
        logits = refine(net, triple.image, [triple.guide], config, compute, memory)[0]
        yield triple, (logits > 0).view(np.uint8)


def _iou(mask: Mask, triple: Triple) -> float:
    """IoU with the target, outside the ignore region."""
    if triple.ignore is None:
        return iou(mask, triple.target)
    counted = triple.ignore == 0
    return iou(mask[counted][None], triple.target[counted][None])


class Stored(Sequence[Triple]):
    """Stored triples of a dataset, evenly spread over it.

    Args:
        dataset: where they come from.
        limit: at most so many; None for all.

    Attributes:
        available: how many there are without the limit.
    """

    def __init__(self, dataset: TripleDataset | MemoryDataset, limit: int | None = None):
        self._dataset, self.available = dataset, len(dataset)
        self._indices = _spread(len(dataset), limit or len(dataset))

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, index: int) -> Triple: ...
    @overload
    def __getitem__(self, index: slice) -> list[Triple]: ...
    def __getitem__(self, index: int | slice) -> Triple | list[Triple]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return self._dataset.triple(self._indices[index])

    def spread(self, count: int) -> list[Triple]:
        """A few of them, evenly spread."""
        return [self[i] for i in _spread(len(self), count)]


def _spread(total: int, count: int) -> list[int]:
    chosen: list[int] = np.linspace(0, total - 1, min(count, total)).round().astype(int).tolist()
    return chosen
