"""What a build costs where its source and its shards lie in a store that counts: bytes, requests, hours of workers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from math import ceil
from typing import Any

from datakit.datasets import AnyReader
from datakit.places import size_at
from datakit.stores import PART
from datakit.wording import size_text

from .plan import PlannedShard

LISTED = 1000  # names that a store gives for one request
WORKERS = 100  # that the time is told for


@dataclass(frozen=True)
class Cost:
    """Bytes and requests of a build, estimated but for the bytes of photos.

    Attributes:
        read_bytes: of photos and of the files of their masks.
        write_bytes: of shards.
        read_requests: one for each photo and mask file.
        write_requests: one for each part of a shard, two to begin and end one of several parts, one for its record.
        list_requests: one for 1 000 names; none where a file lists them.
    """

    read_bytes: int = 0
    write_bytes: int = 0
    read_requests: int = 0
    write_requests: int = 0
    list_requests: int = 0

    @property
    def requests(self) -> int:
        """All of them."""
        return self.read_requests + self.write_requests + self.list_requests


def source_cost(
    reader: AnyReader, shards: Sequence[PlannedShard], probe: AnyReader, written: int, is_listed: bool
) -> Cost:
    """The cost of one source.

    Args:
        reader: of it.
        shards: planned of it.
        probe: some of its photos, whose mask files are looked at.
        written: estimated bytes of its shards.
        is_listed: whether a file lists its photos.
    """
    scale = len(reader) / max(len(probe), 1)
    sizes = [_size(probe, path) for record in probe.records for path in probe.annotation_files(record)]
    files = len(reader) + round(len(sizes) * scale)
    shard_bytes = written / max(len(shards), 1)
    parts = ceil(shard_bytes / PART) if shard_bytes >= 2 * PART else 1
    return Cost(
        read_bytes=sum(shard.bytes for shard in shards) + round(sum(sizes) * scale),
        write_bytes=written,
        read_requests=files,
        write_requests=len(shards) * (parts + 2 * (parts > 1) + 1),
        list_requests=0 if is_listed else ceil(files / LISTED),
    )


def total_cost(costs: Iterable[Cost]) -> Cost:
    """The sum of several."""
    return Cost(*map(sum, zip(*map(astuple, [*costs, Cost()]), strict=True)))


def worker_hours(seconds: float) -> float:
    """Hours that `WORKERS` workers take for what one does in so many seconds."""
    return seconds / WORKERS / 3600


def cost_line(cost: Cost, seconds: float) -> str:
    """One line for people."""
    return (
        f"to read {size_text(cost.read_bytes)} in {cost.read_requests} requests, to write "
        f"{size_text(cost.write_bytes)} in {cost.write_requests}, to list {cost.list_requests}; "
        f"about {worker_hours(seconds):.2g} h with {WORKERS} workers"
    )


def cost_json(cost: Cost, seconds: float) -> dict[str, Any]:
    """The same for scripts."""
    return {**vars(cost), "requests": cost.requests, f"hours_{WORKERS}_workers": worker_hours(seconds)}


def _size(reader: AnyReader, path: str) -> int:
    try:
        return size_at(reader.root / path) or 0
    except OSError:  # which reading will name
        return 0
