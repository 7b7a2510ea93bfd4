"""`datakit verify --repair`: damaged files of a finished folder restored to the very bytes the manifest names.

A shard is built anew from its source, beside, and takes the old one's place only if its SHA-256 is the
manifest's. Whatever cannot be restored is refused by name, with what has changed since.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from datakit.datasets import AnyReader, SourceSpec, open_source
from datakit.errors import DatakitError, Problem, ShardError
from datakit.files import put_in_place, write_text
from datakit.keys import without_view
from datakit.places import Place, absolute, is_stored, local_copy
from datakit.shards.build_state import record_name, settings_digest, settings_text
from datakit.shards.examine import OPEN
from datakit.shards.manifest import (
    ERROR_LOG,
    NAME,
    RECORDS,
    SETTINGS,
    Manifest,
    ShardEntry,
    read_manifest,
    write_manifest,
)
from datakit.shards.sandbox import SandboxedVerifier
from datakit.shards.verify import Finding, verify
from datakit.stores import upload
from datakit.tools import tool_versions

from .cluster import run_tasks
from .inspect_shards import moved_sources
from .interrupt import terminable
from .lock import Hold
from .plan import cut
from .publish import error_log_text
from .settings import BuildSettings, differences
from .shard_task import SCRATCH, ShardRecord, ShardTask, build_shard, read_record, scenes, shard_header, write_record
from .store_lock import hold_folder

AS_PUBLISHED = "the file is as it was published, so the error was already in the build; build anew"
IN_USE = "is open for writing elsewhere, not damaged; close it there and verify again"
NAMED = 3  # changed photos named per shard; one is enough to know, three show a pattern


@dataclass(frozen=True)
class Repair:
    """What a repair did.

    Attributes:
        repaired: files that are again as published.
        refused: file -> why it was left as it is.
        remaining: what `verify` still finds.
    """

    repaired: tuple[str, ...]
    refused: Mapping[str, str]
    remaining: tuple[Finding, ...]


@dataclass(frozen=True)
class RepairConfig:
    """How to repair.

    Attributes:
        folder: a finished folder of shards, on a disk or in a store.
        sources: where sources lie now; those not named are looked for where they lay when it was built.
        images: label -> image folder, as for the build.
        jobs: processes.
        deep: examine the records of sound shards as well.
    """

    folder: Place
    sources: Sequence[SourceSpec] = ()
    images: Mapping[str, Path] = field(default_factory=dict)
    jobs: int = 1
    deep: bool = False


def repair_shards(config: RepairConfig) -> Repair:
    """Find what is damaged, restore what can be, and verify again.

    Args:
        config: what, and where from.

    Raises:
        Locked: another run holds the folder.
        OSError: the disk is full or read-only; no file is left half done.
    """
    folder = config.folder
    with terminable(), hold_folder(folder) as hold:
        found = verify(folder, config.jobs, config.deep)
        if not found:
            return Repair((), {}, ())
        try:
            manifest = read_manifest(folder)
        except ShardError:
            why = "run the same `datakit build-shards` again: it keeps every whole shard and writes the manifest anew"
            return Repair((), {NAME: why}, tuple(found))
        damaged = {finding.shard for finding in found if finding.place == "file"}
        session = RepairSession(config, manifest, hold)
        try:
            repaired = list(session.restore(damaged))
        finally:
            shutil.rmtree(session.scratch, ignore_errors=True)
        as_published = [finding for finding in found if finding.shard not in damaged]
        again = verify(folder, config.jobs)
        remaining = [*again, *(finding for finding in as_published if finding not in again)]
    in_use = {finding.shard for finding in found if finding.place == OPEN}
    untouched = {finding.shard: IN_USE if finding.shard in in_use else AS_PUBLISHED for finding in as_published}
    return Repair(tuple(repaired), session.refused | untouched, tuple(remaining))


class RepairSession:
    """One repair under way: opens each source once, and keeps what had to be refused."""

    def __init__(self, config: RepairConfig, manifest: Manifest, hold: Hold):
        self.folder = absolute(config.folder)
        self.scratch = Path(tempfile.mkdtemp()) if is_stored(self.folder) else self.folder / SCRATCH
        self._hold = hold
        self.refused: dict[str, str] = {}
        self._config = config
        self._manifest = manifest
        self._settings = BuildSettings.from_dict(manifest.settings)
        self._readers: dict[str, AnyReader] = {}
        self._damaged: set[str] = set()

    def restore(self, damaged: set[str]) -> Iterator[str]:
        """Restore files of the folder, yielding the name of each that is done."""
        self._damaged = damaged
        if NAME in damaged:  # its values are whole, or it could not have been read
            write_manifest(self.folder, self._manifest)
            yield NAME
        if SETTINGS in damaged:
            write_text(self.folder / SETTINGS, settings_text(self._manifest))
            yield SETTINGS
        ours = {name for entry in self._manifest.shards for name in (entry.file, record_name(entry.file))}
        changed = "; ".join(differences(self._manifest.tools, tool_versions(), "version of"))
        if changed:
            why = f"made with other tools ({changed}); install those to repair it, or build anew"
            self.refused |= dict.fromkeys(sorted(damaged & {*ours, ERROR_LOG}), why)
        else:
            yield from self._rebuild()
            yield from self._restore_error_log()
        for name in sorted(damaged - {*ours, ERROR_LOG, SETTINGS, NAME}):
            self.refused[name] = "does not belong to this build; move it elsewhere"

    def _names(self, entry: ShardEntry) -> list[str]:
        """The shard and its record, where damaged."""
        return [name for name in (entry.file, record_name(entry.file)) if name in self._damaged]

    def _refuse(self, entry: ShardEntry, why: str) -> None:
        self.refused |= dict.fromkeys(self._names(entry), why)

    def _rebuild(self) -> Iterator[str]:
        """Build the damaged shards beside, and put those in place that have the published bytes."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        for folder in (self.scratch, self.scratch / SCRATCH, self.scratch / RECORDS):
            folder.mkdir()
        entries = {entry.file: entry for entry in self._manifest.shards if self._names(entry)}
        tasks = [task for task in map(self._task, entries.values()) if task]
        restored: list[str] = []

        def done(task: ShardTask, record: ShardRecord) -> None:
            restored.extend(self._put_back(task, record, entries[task.file]))

        run_tasks(build_shard, tasks, ShardTask.name, done, jobs=self._config.jobs, scratch=self.scratch / SCRATCH)
        yield from sorted(restored)

    def _task(self, entry: ShardEntry) -> ShardTask | None:
        """The task that makes a shard anew; None, and a reason in `refused`, where its source is not as it was."""
        try:
            reader = self._reader(entry.source)
        except (DatakitError, OSError) as error:
            self._refuse(entry, str(error))
            return None
        planned = next((shard for shard in cut(reader, self._settings) if shard.file == entry.file), None)
        if planned is None:
            self._refuse(entry, f"source {entry.source!r} has changed since: it is too small now to fill it")
            return None
        part = reader[planned.start : planned.stop]
        if planned.digest != entry.plan_digest:
            self._refuse(entry, self._what_changed(entry, part))
            return None
        return ShardTask(
            folder=self.scratch,
            file=entry.file,
            source=entry.source,
            plan_digest=entry.plan_digest,
            settings_digest=settings_digest(self._manifest),
            reader=part,
            settings=self._settings,
            header=shard_header(entry.source, self._settings),
        )

    def _put_back(self, task: ShardTask, record: ShardRecord, entry: ShardEntry) -> list[str]:
        rebuilt = self.scratch / entry.file
        if record.entry != entry:
            rebuilt.unlink()
            self._refuse(entry, self._what_changed(entry, task.reader))
            return []
        names = self._names(entry)
        self._hold.confirm()
        if entry.file in names and is_stored(self.folder):
            upload(rebuilt, self.folder / entry.file, entry.sha256)
        elif entry.file in names:
            put_in_place(rebuilt, self.folder / entry.file)
        if record_name(entry.file) in names:
            write_record(self.folder, record)
        return names

    def _reader(self, label: str) -> AnyReader:
        if label not in self._readers:
            specs = moved_sources(self.folder, self._config.sources, self._config.images)
            if label not in specs:
                raise DatakitError(f"where source {label!r} lies is not known; say --source {label}=ROOT")
            spec, images = specs[label]
            spec = with_layout(spec, self._manifest.sources.get(label, {}).get("layout"))
            self._readers[label] = open_source(spec, self._settings.source_options(images))
        return self._readers[label]

    def _what_changed(self, entry: ShardEntry, part: AnyReader) -> str:
        """Why the source no longer gives this shard, naming the photos where the shard can still be read."""
        before = None
        place = self.folder / entry.file
        with contextlib.suppress(FileNotFoundError), SandboxedVerifier() as child, local_copy(place) as path:
            before = child.source_crc32(path)
        if before is None:
            return (
                f"source {entry.source!r} has changed since, somewhere from {part.records[0].key} to "
                f"{part.records[-1].key}; the shard can no longer be read, so it is not known which"
            )
        changed = list(changes(before, part)) or ["other files, or files in another order"]
        more = f" and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
        return f"source {entry.source!r} has changed since: {'; '.join(changed[:NAMED])}{more}"

    def _restore_error_log(self) -> Iterator[str]:
        """Write the error log anew from listing and records, if that is again what was published."""
        if ERROR_LOG not in self._damaged:
            return
        try:
            text = error_log_text(list(self._problems()))
        except (DatakitError, OSError) as error:
            self.refused[ERROR_LOG] = str(error)
            return
        if hashlib.sha256(text.encode()).hexdigest() != self._manifest.ledger_sha256:
            self.refused[ERROR_LOG] = "a source has changed since: other files of it cannot be used now"
            return
        write_text(self.folder / ERROR_LOG, text)
        yield ERROR_LOG

    def _problems(self) -> Iterator[Problem]:
        for label in self._manifest.sources:
            yield from self._reader(label).problems
        for entry in self._manifest.shards:
            record = read_record(self.folder, entry.file)
            if record is None or record.entry != entry:
                raise DatakitError(f"needs {record_name(entry.file)}, which is not there or damaged too")
            yield from record.problems


def changes(before: Mapping[str, Mapping[str, int]], part: AnyReader) -> Iterator[str]:
    """What a source gives otherwise than a shard remembers, a phrase for each photo or annotation.

    Args:
        before: `images` and `targets` -> key -> CRC-32 of the source file, as the shard stores them.
        part: reader of the photos that the shard was planned from.
    """
    images: dict[str, int] = {}
    targets: dict[str, int] = {}
    for scene in scenes(part, fail_fast=False):
        for sample in scene.samples:
            images[scene.key] = sample.photo.source_crc32
            targets[sample.key] = sample.source_crc32
    for what, old, new in (("photo", before["images"], images), ("annotation", before["targets"], targets)):
        old = {without_view(key): crc32 for key, crc32 in old.items()}  # views of a photo share its file
        for key in sorted({*old, *new}):
            if old.get(key) != new.get(key):
                state = (
                    "is gone or cannot be used" if key not in new else "was not there" if key not in old else "differs"
                )
                yield f"the {what} of {key} {state}"


def with_layout(spec: SourceSpec, layout: str | None) -> SourceSpec:
    """A source with the layout it was built by, where the user names none."""
    return spec._replace(layout=spec.layout or layout)
