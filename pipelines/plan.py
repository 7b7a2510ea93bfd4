"""Which photos go into which shard, decided before any work: a pure function of a source's records.

So a shard depends on its own source alone, and adding or dropping a source leaves every other file equal.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit.datasets import AnyReader, ReadOptions, SourceSpec, open_source, recognise
from datakit.datasets.sources import check_root, derived_label_notice, looks_like
from datakit.errors import Problem, UsageError
from datakit.files import canonical_json
from datakit.store_memory import remembered

from .settings import BuildConfig, BuildSettings

logger = logging.getLogger(__name__)


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

    readers: dict[str, AnyReader]
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


def make_plan(config: BuildConfig) -> Plan:
    """List every source and cut it into shards.

    Args:
        config: what to build.

    Raises:
        UsageError: two sources share a label, or a source cannot be read.
    """
    return plan_readers(open_readers(config), config.settings)


def open_readers(config: BuildConfig) -> dict[str, AnyReader]:
    """Label -> reader of every source, in order of label.

    Raises:
        UsageError: as `make_plan`.
    """
    check_labels(config.sources, config.images)
    readers: dict[str, AnyReader] = {}
    for spec in sorted(config.sources, key=lambda spec: spec.label):
        images = config.images.get(spec.label)
        with remembered():  # both look into the same folders
            spec = recognised(spec, images, config.settings.read)
            readers[spec.label] = open_source(spec, config.settings.source_options(images))
    return readers


def plan_readers(readers: dict[str, AnyReader], settings: BuildSettings) -> Plan:
    """The plan of sources that are open."""
    return Plan(readers, tuple(shard for reader in readers.values() for shard in cut(reader, settings)))


def check_labels(sources: Collection[SourceSpec], images: Mapping[str, Path]) -> None:
    """Refuse labels that are used twice, and picture folders whose label belongs to no source.

    Raises:
        UsageError: as said.
    """
    labels = sorted(spec.label for spec in sources)
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice:
        raise UsageError(f"two sources are labelled {twice!r}; give one another label: LABEL=ROOT")
    unknown = sorted(set(images) - set(labels))
    if unknown:
        raise UsageError(f"--images names {unknown[0]!r}, which is not a source; the sources are {', '.join(labels)}")


def recognised(spec: SourceSpec, images: Path | None, read: ReadOptions) -> SourceSpec:
    """The source with its layout, told together with what a guess rests on.

    Args:
        spec: the source as named.
        images: its picture folder, where the user named one.
        read: what masks are said to be called.

    Raises:
        UsageError: the root is missing, or no layout fits.
    """
    if spec.listing is not None:
        return spec
    check_root(spec.root)
    if notice := derived_label_notice(spec):
        logger.info(notice)
    if spec.layout is not None:
        if images is None and (other := looks_like(spec)):
            logger.info(other)
        return spec
    layout, why = recognise(spec.root, read.mask_name(spec.label), images)
    logger.info(why)
    return spec._replace(layout=layout)


def cut(reader: AnyReader, settings: BuildSettings) -> Iterator[PlannedShard]:
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
