"""Whether the masks of a finished build look inverted: ground painted as object, up to every border of the photo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from datakit.places import Place
from datakit.rle import decode_rle
from datakit.shards.cache import Cache
from datakit.shards.layout import TARGETS
from datakit.shards.manifest import Manifest, ShardEntry
from datakit.shards.stored import open_shard
from datakit.validate import touches_all_borders

MOST_SHARDS = 8  # of a source that are looked into
MOST_MASKS = 8  # of each of them
SHARE = 0.5  # of the masks looked at, beyond which a word is due
FEWEST = 3  # masks that tell anything of a source

T = TypeVar("T")


def look_inverted(folder: Place, manifest: Manifest, cache: Cache | None = None) -> dict[str, tuple[int, int]]:
    """Look at a few masks of each source; nothing is stored, so no byte of a build depends on it.

    Args:
        folder: of shards.
        manifest: of them.
        cache: where what is read of a store is kept.

    Returns:
        Label -> how many masks touch all four borders, and of how many looked at; only of sources where most do.

    Raises:
        ShardError: a shard cannot be read.
    """
    found = {}
    for label in manifest.sources:
        mine = [entry for entry in manifest.shards if entry.source == label and entry.samples]
        seen = [
            touches for entry in _spread(mine, MOST_SHARDS) for touches in _of_shard(folder, manifest, entry, cache)
        ]
        if len(seen) >= FEWEST and sum(seen) > SHARE * len(seen):
            found[label] = sum(seen), len(seen)
    return found


def _of_shard(folder: Place, manifest: Manifest, entry: ShardEntry, cache: Cache | None) -> list[bool]:
    shard = open_shard(folder / entry.file, entry, manifest.max_pixels, cache)
    found = []
    for row in _spread(range(len(shard.targets)), MOST_MASKS):
        size = shard.size(int(shard.targets["image_row"][row]))
        found.append(touches_all_borders(decode_rle(shard.record(TARGETS, row), size)))
    shard.close()
    return found


def _spread(items: Sequence[T], most: int) -> Sequence[T]:
    """At most so many of the items, evenly."""
    return items[:: -(-len(items) // most)] if items else items


def inverted_line(label: str, touching: int, seen: int) -> str:
    """One line for people: what was seen, and what to do."""
    return (
        f"{touching} of {seen} masks looked at in {label} touch all four borders: are they inverted? "
        "`datakit validate-source --preview` draws them; if so, save them with objects white on black (255 minus "
        "each value) and build again"
    )
