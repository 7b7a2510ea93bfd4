"""`datakit build-shards --dry-run`: what a build would do and cost, from a probe, without touching its folder."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from datakit.datasets import Subset
from datakit.shards.manifest import RECORDS

from .drop_duplicates import plan_without_duplicates
from .output_folder import check_output, settings_digest
from .plan import Plan
from .settings import BuildConfig
from .shard_task import SCRATCH, ShardTask, build_shard, shard_header

PROBE_PHOTOS = 24  # per source: about a tenth of a second each


@dataclass(frozen=True)
class SourceEstimate:
    """What one source would give, extrapolated from its probe.

    Attributes:
        label, layout: of the source.
        photos, shards: counts, exact.
        listed_problems: items that listing already ruled out, exact.
        samples, triples, bytes, seconds: estimates; seconds on one worker.
    """

    label: str
    layout: str
    photos: int
    shards: int
    listed_problems: int
    samples: int
    triples: int
    bytes: int
    seconds: float


@dataclass(frozen=True)
class DryRun:
    """Estimates per source, and the room there is.

    Attributes:
        sources: one estimate per source.
        jobs: worker processes the time is divided by.
        free_bytes: on the disk of the output folder.
    """

    sources: tuple[SourceEstimate, ...]
    jobs: int
    free_bytes: int

    @property
    def bytes(self) -> int:
        """Estimated size of the folder."""
        return sum(source.bytes for source in self.sources)

    @property
    def fits(self) -> bool:
        """Whether there is room for it."""
        return self.bytes < self.free_bytes

    @property
    def seconds(self) -> float:
        """Estimated duration with all jobs."""
        return sum(source.seconds for source in self.sources) / self.jobs


def dry_run(config: BuildConfig) -> DryRun:
    """List and cut the sources, build a few evenly spread photos of each elsewhere, and extrapolate."""
    plan = plan_without_duplicates(config)
    check_output(config)
    sources = tuple(_probe(config, plan, label) for label in plan.readers)
    existing = next(path for path in (config.out, *config.out.absolute().parents) if path.exists())
    return DryRun(sources, config.jobs, shutil.disk_usage(existing).free)


def _probe(config: BuildConfig, plan: Plan, label: str) -> SourceEstimate:
    reader = plan.readers[label]
    mine = [shard for shard in plan.shards if shard.source == label]
    photos = len(reader)
    step = max(photos // PROBE_PHOTOS, 1)
    probe = Subset(reader, range(0, photos, step)[:PROBE_PHOTOS])
    with tempfile.TemporaryDirectory() as folder:
        for name in (RECORDS, SCRATCH):
            (Path(folder) / name).mkdir()
        started = time.perf_counter()
        settings, header = config.settings, shard_header(label, config.settings)
        task = ShardTask(Path(folder), "probe.h5", label, "", settings_digest(config), probe, settings, header)
        entry = build_shard(task).entry
        seconds = time.perf_counter() - started
    scale = photos / max(len(probe), 1)
    return SourceEstimate(
        label=label,
        layout=reader.layout,
        photos=photos,
        shards=len(mine),
        listed_problems=len(reader.problems),
        samples=round(entry.samples * scale),
        triples=round(entry.triples * scale),
        bytes=round(entry.bytes * scale),
        seconds=seconds * scale,
    )
