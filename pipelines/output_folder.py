"""The folder a build writes to: what it may hold, how it is taken, emptied and kept true to its manifest.

Holding the lock is left to the caller.
"""

from __future__ import annotations

import errno
import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

from datakit.errors import DatakitError, SettingsDiffer, ShardError, UsageError
from datakit.files import PART_PREFIX, check_writable, digest_json, write_json
from datakit.places import (
    Place,
    absolute,
    entries_in,
    exists,
    files_in,
    is_file,
    is_folder,
    is_stored,
    lies_in,
    make_folder,
    read_text,
    remove,
)
from datakit.shards.build_state import settings_body
from datakit.shards.manifest import ERROR_LOG, NAME, RECORDS, SETTINGS, SOURCES, read_manifest
from datakit.shards.view import is_view
from datakit.stores import StoreError, clear_halves
from datakit.tools import tool_versions
from datakit.wording import size_text

from .lock import HOLDER, LOCK
from .plan import PlannedShard
from .settings import BuildConfig, differences
from .shard_task import SCRATCH, read_record, record_path

logger = logging.getLogger(__name__)
DISK_RESERVE = 1.1  # triples and index take a few percent on top of the image bytes; leave room beyond


def settings_digest(config: BuildConfig) -> str:
    """SHA-256 over everything but the source that shapes a shard: settings and tool versions."""
    return digest_json(settings_of_run(config))


def check_output(config: BuildConfig) -> None:
    """Refuse an output folder that holds something else or was made with other settings; touch nothing.

    Raises:
        UsageError: `out` is a file, a folder of other things, or in a store that is not there or can only be read.
        DatakitError: it cannot be written.
        OSError: the store cannot be used.
        SettingsDiffer: made with other settings or tool versions; the message lists key: old -> new. Not where that
            build published nothing, see `may_be_replaced`.
    """
    out = config.out
    if not is_stored(out) and out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file, expected a folder")
    for root in (*(spec.root for spec in config.sources if spec.listing is None), *config.images.values()):
        if lies_in(out, root) and is_folder(root):
            elsewhere = (root if is_stored(root) else root.resolve()).parent / "shards"
            raise UsageError(
                f"--out {out}: lies in the source {root}, so its files would be listed among the photos; name a folder "
                f"elsewhere, such as {elsewhere}"
            )
    check_writable(out, f"--out {out}")
    if config.performance_report:
        check_writable(config.performance_report.parent, f"--performance-report {config.performance_report}")
    stored = read_settings(out)
    if stored is None:
        foreign = sorted(name for name in names_in(out) if not is_partial(name))
        if is_view(out):
            raise UsageError(f"--out {out}: is a view of other folders, which `datakit inspect {out}` names: name one "
                             "of these, or a new folder")  # fmt: skip
        if foreign:
            raise UsageError(
                f"--out {out}: holds {foreign[0]!r} but no {SETTINGS}, so it was not made by this command; name another"
            )
        return
    found = list(differences(stored, settings_of_run(config)))
    if found and not config.overwrite and not may_be_replaced(out):
        raise SettingsDiffer(
            f"{out}: made with other settings; nothing was touched\n  "
            + "\n  ".join(found)
            + "\ngive the settings it was made with, use another --out, or --overwrite to replace it"
        )


def names_in(out: Place) -> list[str]:
    """What lies in an output folder, if there is one."""
    try:
        return [entry.name for entry in entries_in(out)]
    except FileNotFoundError:
        return []


def may_be_replaced(out: Place) -> bool:
    """Whether a build of other settings ended in this folder of ours without publishing, or left no sample there.

    What ended without a manifest has told its failures in `errors.jsonl`; a build that was stopped has not, and its
    shards are kept for it to go on.
    """
    if exists(out / NAME):
        return False
    if is_file(out / ERROR_LOG):
        return True
    records = [read_record(out, f"{path.stem}.h5") for path in files_in(out / RECORDS, ".json")]
    return not any(record is None or record.entry.samples for record in records)


def is_partial(name: str) -> bool:
    """Whether a name in a folder without settings is what a run killed in its first moments leaves there."""
    return name in (LOCK, HOLDER, SCRATCH, RECORDS) or name.startswith(PART_PREFIX)


def settings_of_run(config: BuildConfig) -> dict[str, Any]:
    """What `settings.json` holds for this run."""
    return settings_body(config.settings.to_dict(), tool_versions())


def read_settings(out: Place) -> dict[str, Any] | None:
    """What `settings.json` of an output folder holds; None where there is none."""
    path = out / SETTINGS
    if not is_file(path):
        return None
    try:
        stored = json.loads(read_text(path))
        return settings_body(stored["settings"], stored["tools"])
    except (ValueError, KeyError, TypeError) as error:
        raise DatakitError(
            f"{path}: damaged ({error!r}); mend it with `datakit verify {out} --repair`, or name another --out"
        ) from error


def prepare_output(config: BuildConfig) -> None:
    """Make the locked folder ready: clear what a killed run left half done, note settings and roots."""
    out = config.out
    check_output(config)  # again, now that nobody else can change it
    stored = read_settings(out)
    differs = stored is not None and any(differences(stored, settings_of_run(config)))
    if differs and not config.overwrite:
        logger.info(f"{out}: an earlier build with other settings published nothing here; its folder is taken over")
    if stored is not None and (differs or config.overwrite):
        clear(out)
    clean_partials(out)
    write_json(out / SETTINGS, settings_of_run(config))  # first: it says that the folder is ours
    for folder in (out / SCRATCH, out / RECORDS):
        make_folder(folder)
    roots = {
        spec.label: {
            "root": str(absolute(spec.root)),
            "layout": spec.layout,
            "images": str(absolute(config.images[spec.label])) if spec.label in config.images else None,
            **({"listing": str(spec.listing)} if spec.listing else {}),
        }
        for spec in config.sources
    }
    write_json(out / SOURCES, roots)


def clean_partials(out: Place) -> None:
    """Remove what a killed run left half written; nothing of it ever had a final name."""
    if is_stored(out):
        clear_uploads(out)
        for probe in files_in(out, prefix=PART_PREFIX):
            remove(probe)
        return
    for half in (out / SCRATCH, *out.glob(f"{PART_PREFIX}*"), *(out / RECORDS).glob(f"{PART_PREFIX}*")):
        shutil.rmtree(half, ignore_errors=True)


def clear_uploads(out: Place) -> None:
    """Abort uploads to a store that were left half done; where it does not let us, say what does."""
    try:
        clear_halves(out)
    except StoreError as error:
        if error.errno not in (errno.EACCES, errno.ENOSYS):
            raise
        logger.warning(
            f"{out}: what killed runs leave half uploaded cannot be seen with these credentials, or in this store; "
            "let the bucket's lifecycle rules abort such uploads after some days"
        )


def clear(out: Place) -> None:
    """Remove everything of ours from an output folder: the manifest first, what says that it is ours last."""
    remove(out / NAME)
    for path in [*own_files(out), *files_in(out / RECORDS)]:
        remove(path)
    if not is_stored(out):
        for folder in (RECORDS, SCRATCH):
            shutil.rmtree(out / folder, ignore_errors=True)
    for name in (SOURCES, ERROR_LOG, SETTINGS):
        remove(out / name)


def own_files(out: Place) -> list[Place]:
    """Shards of an output folder that a record speaks of; another file of that ending is somebody else's."""
    recorded = {f"{record.stem}.h5" for record in files_in(out / RECORDS, ".json")}
    return [path for path in files_in(out, ".h5") if path.name in recorded]


def stale_files(out: Place, named: set[str]) -> Iterator[Place]:
    """Shards of ours, each followed by its record, that are not among those named."""
    for path in own_files(out):
        if path.name not in named:
            yield from (path, record_path(out, path.name))


def check_space(config: BuildConfig, todo: Sequence[PlannedShard]) -> None:
    """Refuse to start what cannot fit.

    Raises:
        DatakitError: the disk has less room than the shards to do will take; a store has as much as is paid for.
    """
    if is_stored(config.out):
        return
    needed = int(sum(shard.bytes for shard in todo) * DISK_RESERVE)
    free = shutil.disk_usage(config.out).free
    if needed > free:
        raise DatakitError(
            f"{config.out}: about {size_text(needed)} needed and {size_text(free)} free; "
            "free some space, name another --out, or store smaller images with --image-size"
        )


def invalidate_manifest(config: BuildConfig, todo: Sequence[PlannedShard]) -> None:
    """Withdraw a manifest one of whose files is about to change: it must never name what is not there."""
    try:
        named = {shard.file for shard in read_manifest(config.out).shards}
    except ShardError:
        named = {shard.file for shard in todo}
    if any(shard.file in named for shard in todo):
        remove(config.out / NAME)
        remove(config.out / ERROR_LOG)  # this run has told nothing yet
