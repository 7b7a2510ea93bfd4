"""Which photos go into which shard, decided before any work: a pure function of a source's records.

So a shard depends on its own source alone, and adding or dropping a source leaves every other file equal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from datakit.datasets import Resize, SourceSpec, open_dataset, recognise
from datakit.errors import UsageError
from datakit.files import canonical_json
from datakit.samples import Problem

from .settings import BuildConfig, BuildSettings


@dataclass(frozen=True)
class PlannedShard:
    """One shard to be: records `start` to `stop` of one source.

    Attributes:
        file: name of the shard file.
        source: label.
        start, stop: half-open range of the source's records.
        bytes: of the image files in it.
        digest: SHA-256 over its records; another digest means other photos.
    """

    file: str
    source: str
    start: int
    stop: int
    bytes: int
    digest: str


@dataclass(frozen=True)
class Plan:
    """All sources, listed and cut.

    Attributes:
        readers: label -> reader of the photos to build.
        shards: in order of label and number.
    """

    readers: dict[str, Any]
    shards: tuple[PlannedShard, ...]

    @property
    def photos(self) -> int:
        """Number of photos in all shards."""
        return sum(shard.stop - shard.start for shard in self.shards)

    @property
    def problems(self) -> list[Problem]:
        """Items that listing already ruled out, in order of key."""
        found = [problem for reader in self.readers.values() for problem in reader.problems]
        return sorted(found, key=lambda problem: (problem.key, problem.stage, problem.reason))


def make_plan(config: BuildConfig, tell: Callable[[str], None] = lambda _: None) -> Plan:
    """List every source and cut it into shards.

    Args:
        config: what to build.
        tell: takes one line for every layout that was guessed.

    Raises:
        UsageError: two sources share a label, or a source cannot be read.
    """
    check_labels(config)
    readers: dict[str, Any] = {}
    for spec in sorted(config.sources, key=lambda spec: spec.label):
        layout = tell_guess(spec, config, tell)
        readers[spec.label] = open_source(spec._replace(layout=layout), config)
    shards = [shard for reader in readers.values() for shard in cut(reader, config.settings)]
    return Plan(readers, tuple(shards))


def check_labels(config: BuildConfig) -> None:
    """Refuse labels that are used twice or belong to no source.

    Raises:
        UsageError: as said.
    """
    labels = sorted(spec.label for spec in config.sources)
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice:
        raise UsageError(f"two sources are labelled {twice!r}; give one another label: LABEL=ROOT")
    unknown = sorted(set(config.images) - set(labels))
    if unknown:
        raise UsageError(f"--images names {unknown[0]!r}, which is no source; the sources are {', '.join(labels)}")


def tell_guess(spec: SourceSpec, config: BuildConfig, tell: Callable[[str], None]) -> str | None:
    """Name the layout a bare root is taken for, and why; gives the layout, None where `--images` makes it any pair.

    Raises:
        UsageError: no layout fits.
    """
    if spec.layout is not None or spec.label in config.images:
        return spec.layout
    layout, why = recognise(spec.root)
    tell(why)
    return layout


def open_source(spec: SourceSpec, config: BuildConfig) -> Any:
    """The reader of one source with limit and image size applied."""
    settings, images = config.settings, config.images.get(spec.label)
    # Absolute, since a worker may stand in another folder.
    images = images.absolute() if images else None
    reader: Any = open_dataset(spec.label, spec.root.absolute(), spec.layout, images, settings.read)
    if settings.image_size or settings.image_codec != "source":
        reader = Resize(reader, settings.image_size, settings.image_codec)
    return limited(reader, settings.limit)


def limited(reader: Any, limit: int | None) -> Any:
    """The first `limit` photos of a reader, with everything listing had to say about it."""
    if limit is None or limit >= len(reader):
        return reader
    part, problems = reader[:limit], reader.problems
    part.problems = problems
    return part


def cut(reader: Any, settings: BuildSettings) -> Iterator[PlannedShard]:
    """Cut one source into shards, between photos, by source bytes or by the samples listing expects."""
    most = settings.samples_per_shard or settings.shard_bytes
    start = size = full = number = 0
    digest = hashlib.sha256()
    for index, record in enumerate(reader.records):
        digest.update(canonical_json(record).encode() + b"\n")
        size += record.size
        full += reader.listed_samples(record) if settings.samples_per_shard else record.size
        if full >= most or index + 1 == len(reader.records):
            file = f"{reader.label}-{number:05d}.h5"
            yield PlannedShard(file, reader.label, start, index + 1, size, digest.hexdigest())
            start, size, full, number, digest = index + 1, 0, 0, number + 1, hashlib.sha256()


def largest_first(shards: Sequence[PlannedShard]) -> list[PlannedShard]:
    """The order of work that leaves workers idle least: big shards first."""
    return sorted(shards, key=lambda shard: (-shard.bytes, shard.file))
