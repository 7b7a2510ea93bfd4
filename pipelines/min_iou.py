"""How many triples of a build lie below their recipe's `min_iou`, by the IoU that is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from datakit.places import Place
from datakit.samples import LOW_IOU
from datakit.shards.cache import Cache
from datakit.shards.manifest import Manifest
from datakit.shards.stored import open_shard
from datakit.transforms import TRANSFORMS


@dataclass(frozen=True)
class Below:
    """Triples below their recipe's `min_iou`.

    Attributes:
        counts: (source, recipe) -> triples below.
        floors: recipe -> its `min_iou`.
        outgrown: of them, those whose draw met it, before dilation.
    """

    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    floors: Mapping[str, float] = field(default_factory=dict)
    outgrown: int = 0

    @property
    def total(self) -> int:
        """In all."""
        return sum(self.counts.values())

    def to_dict(self) -> dict[str, dict[str, int]]:
        """Source -> recipe -> triples below."""
        sources: dict[str, dict[str, int]] = {}
        for (source, recipe), count in sorted(self.counts.items()):
            sources.setdefault(source, {})[recipe] = count
        return sources


def count_below(folder: Place, manifest: Manifest, cache: Cache | None = None) -> Below:
    """Count them in the tables of finished shards; nothing is stored, so no byte of a build depends on it.

    Args:
        folder: of shards.
        manifest: of them.
        cache: where what is read of a store is kept.

    Raises:
        ShardError: a shard cannot be read.
    """
    counts: Counter[tuple[str, str]] = Counter()
    floors: dict[str, float] = {}
    outgrown = 0
    for entry in manifest.shards:
        shard = open_shard(folder / entry.file, entry, manifest.max_pixels, cache)
        rows = zip(shard.triples["recipe"].tolist(), shard.triples["flags"].tolist(), shard.flags(), strict=True)
        for recipe, drawn, flags in rows:
            if LOW_IOU in flags.split(","):
                counts[entry.source, recipe.decode()] += 1
                outgrown += LOW_IOU not in drawn.decode().split(",")
        floors |= shard.floors
        shard.close()
    return Below(counts, floors, outgrown)


def below_line(below: Below, triples: int) -> str:
    """One line for people: how many, where, and why."""
    wheres = [f"{count} of {source} by {recipe}" for (source, recipe), count in sorted(below.counts.items())]
    floors = sorted({below.floors[recipe] for _, recipe in below.counts})
    missed = below.total - below.outgrown
    text = (
        f"{below.total} of {triples} guide masks overlap their target by less than min_iou "
        f"({', '.join(f'{floor:g}' for floor in floors)}): {', '.join(wheres)}."
    )
    if below.outgrown:
        text += f" {below.outgrown} did so only after dilation or box: objects that small need a larger --min-area."
    return text + (f" {missed} did so in every draw." if missed else "")


def judged_when(kinds: list[str]) -> str:
    """When `min_iou` is judged, for a recipe of such steps: ' (before dilation)'; '' where it is the stored IoU."""
    steps = [TRANSFORMS[kind] for kind in kinds]
    last = max((n for n, step in enumerate(steps, 1) if step.is_geometric), default=0)
    after = list(dict.fromkeys(step.noun or step.kind for step in steps[last:]))
    if not last:
        return " (not judged: no warp)"
    return f" (before {' and '.join(after)})" if after else ""
