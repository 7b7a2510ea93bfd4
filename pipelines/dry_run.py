"""`datakit build-shards --dry-run`: what a build would do and cost, from a probe, without touching its folder."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from datakit.datasets import Subset
from datakit.errors import ItemError, TooManyFailed
from datakit.places import is_stored
from datakit.shards.manifest import RECORDS

from .cost import Cost, source_cost, total_cost
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
        items, failed: estimates, of what the build counts so.
        seen_failed: items that listing and probe found to fail; the build has these at least.
        reasons: why they do, and how many of each.
        cost: bytes and requests.
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
    items: int
    failed: int
    seen_failed: int
    reasons: dict[str, int]
    cost: Cost


@dataclass(frozen=True)
class DryRun:
    """Estimates per source, the room there is, and whether the build would be refused for what fails.

    Attributes:
        sources: one estimate per source.
        jobs: worker processes the time is divided by.
        free_bytes: on the disk of the output folder; None in a store, which has as much as is paid for.
        on_error, max_error_rate: of the build, see `BuildConfig`.
    """

    sources: tuple[SourceEstimate, ...]
    jobs: int
    free_bytes: int | None
    on_error: Literal["skip", "fail"]
    max_error_rate: float

    @property
    def bytes(self) -> int:
        """Estimated size of the folder."""
        return sum(source.bytes for source in self.sources)

    @property
    def fits(self) -> bool:
        """Whether there is room for it."""
        return self.free_bytes is None or self.bytes < self.free_bytes

    @property
    def seconds(self) -> float:
        """Estimated duration with all jobs."""
        return self.work / self.jobs

    @property
    def work(self) -> float:
        """Estimated seconds on one worker."""
        return sum(source.seconds for source in self.sources)

    @property
    def cost(self) -> Cost:
        """Bytes and requests of all sources."""
        return total_cost(source.cost for source in self.sources)

    @property
    def refused(self) -> Literal["no", "likely", "yes"]:
        """Whether more items fail than are allowed: `yes` where those already seen are too many."""
        items = sum(source.items for source in self.sources)
        allowed = 0.0 if self.on_error == "fail" else self.max_error_rate * items
        if sum(source.seen_failed for source in self.sources) > allowed:
            return "yes"
        return "likely" if sum(source.failed for source in self.sources) > allowed else "no"

    @property
    def exit_code(self) -> int:
        """1 where there is no room, else what the build would end with for what is seen to fail, else 0."""
        if not self.fits:
            return 1
        ends_with = TooManyFailed.exit_code if self.on_error == "skip" else ItemError.exit_code
        return ends_with if self.refused == "yes" else 0

    @property
    def reasons(self) -> dict[str, int]:
        """Why items seen so far fail, the commonest first."""
        counts: Counter[str] = Counter()
        for source in self.sources:
            counts.update(source.reasons)
        return dict(counts.most_common())


def dry_run(config: BuildConfig) -> DryRun:
    """List and cut the sources, build a few evenly spread photos of each elsewhere, and extrapolate."""
    plan = plan_without_duplicates(config)
    check_output(config)
    sources = tuple(_probe(config, plan, label) for label in plan.readers)
    free = None
    if not is_stored(config.out):
        existing = next(path for path in (config.out, *config.out.absolute().parents) if path.exists())
        free = shutil.disk_usage(existing).free
    return DryRun(sources, config.jobs, free, config.on_error, config.max_error_rate)


def _probe(config: BuildConfig, plan: Plan, label: str) -> SourceEstimate:
    reader = plan.readers[label]
    mine = [shard for shard in plan.shards if shard.source == label]
    photos = len(reader)
    listings = {spec.label for spec in config.sources if spec.listing}
    step = max(photos // PROBE_PHOTOS, 1)
    probe = Subset(reader, range(0, photos, step)[:PROBE_PHOTOS])
    with tempfile.TemporaryDirectory() as folder:
        for name in (RECORDS, SCRATCH):
            (Path(folder) / name).mkdir()
        started = time.perf_counter()
        settings, header = config.settings, shard_header(label, config.settings)
        task = ShardTask(Path(folder), "probe.h5", label, "", settings_digest(config), probe, settings, header)
        record = build_shard(task)
        seconds = time.perf_counter() - started
    entry, scale = record.entry, photos / max(len(probe), 1)
    listed, probed = ([p.reason for p in found if p.kind == "failed"] for found in (reader.problems, record.problems))
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
        items=len(reader.problems) + round(entry.items * scale),
        failed=len(listed) + round(len(probed) * scale),
        seen_failed=len(listed) + len(probed),
        reasons=dict(Counter(listed + probed)),
        cost=source_cost(reader, mine, probe, round(entry.bytes * scale), label in listings),
    )
