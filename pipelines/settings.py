"""What a build depends on: settings that shape bytes, apart from the options that only say how to run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from datakit.datasets import ReadOptions, SourceOptions, SourceSpec
from datakit.places import Place
from datakit.transforms import Recipe

from .scaling import WorkerRange

DIGEST = re.compile("[0-9a-f]{32,}")  # by which files are known


@dataclass(frozen=True)
class BuildSettings:
    """Everything that shapes the bytes of a shard, beside the source itself.

    Attributes:
        recipes: one or more, of different names.
        seed: root seed of every draw.
        read: how annotations become masks.
        image_size: longest side in pixels of stored images and masks; None keeps the source's.
        image_codec: `source` (bytes untouched where possible), `png` or `jpeg:QUALITY`.
        shard_bytes: a shard is cut when the image files in it reach this many bytes.
        samples_per_shard: cut when a shard has this many samples instead, as far as listing knows them.
        limit: only the first so many photos of every source.
        dropped_duplicates: photos left out because another shows the same: none (``), of `equal` files, or `near` ones
            as well.
    """

    recipes: tuple[Recipe, ...]
    seed: int = 0
    read: ReadOptions = field(default_factory=ReadOptions)
    image_size: int | None = None
    image_codec: str = "source"
    shard_bytes: int = 64_000_000
    samples_per_shard: int | None = None
    limit: int | None = None
    dropped_duplicates: Literal["", "equal", "near"] = ""

    def source_options(self, images: Path | None = None) -> SourceOptions:
        """How sources are opened; `images` is the picture folder of one that does not lie in its layout's place."""
        return SourceOptions(self.read, images, self.image_size, self.image_codec, self.limit)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form, as stored in shards and the manifest; `dropped_duplicates` only where photos are left out."""
        younger = {"dropped_duplicates": self.dropped_duplicates} if self.dropped_duplicates else {}
        return {
            "recipes": [recipe.to_dict() for recipe in self.recipes],
            "seed": self.seed,
            "read": self.read.to_dict(),
            "image_size": self.image_size,
            "image_codec": self.image_codec,
            "shard_bytes": None if self.samples_per_shard else self.shard_bytes,
            "samples_per_shard": self.samples_per_shard,
            "limit": self.limit,
            **younger,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> BuildSettings:
        """The settings a shard or manifest was made with."""
        known = dict(stored)
        known["recipes"] = tuple(Recipe.from_dict(recipe) for recipe in known["recipes"])
        known["read"] = ReadOptions(**known["read"])
        known["shard_bytes"] = known["shard_bytes"] or cls.shard_bytes
        return cls(**known)


@dataclass(frozen=True)
class BuildConfig:
    """One run of `build-shards`: what to build and how to run it.

    Attributes:
        sources: where the photos are.
        images: label -> image folder, where a layout does not find it by itself.
        out: folder of shards, on a disk or in a store.
        settings: what shapes the bytes.
        jobs: worker processes on this machine; 1 runs without a cluster.
        scheduler: address of a running Dask scheduler to use instead, or the name of a queueing system.
        adaptive: how many workers there may be, by the work left.
        overwrite: remove what an earlier run with other settings left in `out`.
        on_error: `skip` records a failed item and goes on, `fail` stops at the first.
        max_error_rate: fraction of failed items over all items beyond which nothing is published.
        performance_report: HTML file for Dask's own report.
    """

    sources: tuple[SourceSpec, ...]
    out: Place
    settings: BuildSettings
    images: Mapping[str, Path] = field(default_factory=dict)
    jobs: int = 1
    scheduler: str | None = None
    adaptive: WorkerRange | None = None
    overwrite: bool = False
    on_error: Literal["skip", "fail"] = "skip"
    max_error_rate: float = 0.01
    performance_report: Path | None = None


def differences(old: Any, new: Any, path: str = "", also: str = "") -> Iterator[str]:
    """Lines `key: old -> new` for every leaf in which two JSON-able values differ.

    Args:
        old: the one.
        new: the other.
        path: of both in what holds them.
        also: what `--set` calls the step of a recipe they are, which is told, too: `tps`.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from differences(
                old.get(key), new.get(key), f"{path}.{key}" if path else key, f"{also}.{key}" if also else ""
            )
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            name = after.get("name", index) if isinstance(after, Mapping) else index
            yield from differences(before, after, f"{path}[{name}]", _step_label(old, new, index))
    elif old != new:
        yield f"{path}{f' (--set {also})' if also else ''}: {_shown(old)} -> {_shown(new)}"


def _step_label(old: Sequence[Any], new: Sequence[Any], index: int) -> str:
    """What `--set` calls a step of a recipe, as `Recipe.labels` does; '' where the steps up to it differ in kind."""
    kinds = [each.get("kind") if isinstance(each, Mapping) else None for each in new[: index + 1]]
    if None in kinds or kinds != [each.get("kind") for each in old[: index + 1] if isinstance(each, Mapping)]:
        return ""
    count = kinds.count(kinds[-1])
    return f"{kinds[-1]}#{count}" if count > 1 else str(kinds[-1])


def _shown(value: Any) -> str:
    if isinstance(value, str) and DIGEST.fullmatch(value):
        return f"content {value[:8]}…"
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return "[" + ", ".join(str(item.get("name", item.get("kind", "?"))) for item in value) + "]"
    return "nothing" if value is None else repr(value)
