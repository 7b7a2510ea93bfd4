"""The manifest: the list of a folder's shards, written last, its presence the mark of completeness.

It carries its own digest, and per shard the size and SHA-256 that are checked before HDF5 opens a file.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from .. import places
from ..errors import ShardError, UsageError
from ..files import digest_json, write_json
from ..formats import MAX_PIXELS
from ..places import Place, is_stored
from ..stores import NO_BUCKET
from ..wording import no_such, plain_kind, printable, shorten
from .layout import other_format

FORMAT = "masktrack-datakit manifest"
VERSION = 1
VIEW_FORMAT = "masktrack-datakit view"  # of the manifest of a folder that names rows of others, see `view`
VIEW_VERSION = 1
NAME = "manifest.json"
ERROR_LOG = "errors.jsonl"
SETTINGS = "settings.json"  # what the next run of the build compares itself with
RECORDS = "records"  # one JSON per finished shard, what a resumed build trusts
SOURCES = "sources.json"  # where the sources lay on this machine, for what rebuilds triples
SHARDS = "a folder of shards, as `datakit build-shards` makes it"


class MissingShards(ShardError, UsageError):
    """There is no such folder."""


@dataclass(frozen=True)
class ShardEntry:
    """One shard as the manifest lists it.

    Attributes:
        file: name within the folder.
        source: label of the source it was cut from.
        plan_digest: SHA-256 over the records it was planned from.
        bytes, sha256: of the file.
        photos, samples, triples: counts.
        items: samples, failed and left-out items of its photos together.
    """

    file: str
    source: str
    plan_digest: str
    bytes: int
    sha256: str
    photos: int
    samples: int
    triples: int
    items: int


@dataclass(frozen=True)
class Manifest:
    """A complete folder of shards.

    Attributes:
        settings: resolved settings of the build.
        tools: versions of what shaped the bytes.
        sources: per label: layout, items, samples, failed, left_out, triples; notes, where there are any.
        shards: in order of source label and number.
        problems: counts of `errors.jsonl` by kind and reason.
        ledger_sha256: of `errors.jsonl`.
    """

    settings: dict[str, Any]
    tools: dict[str, str]
    sources: dict[str, dict[str, Any]]
    shards: tuple[ShardEntry, ...]
    problems: dict[str, int]
    ledger_sha256: str

    @property
    def triples(self) -> int:
        """Number of triples in all shards."""
        return sum(shard.triples for shard in self.shards)

    @property
    def max_pixels(self) -> int:
        """The most pixels that a photo of this build may have."""
        read = self.settings.get("read")
        found = read.get("max_pixels") if isinstance(read, dict) else None
        return max(found, MAX_PIXELS) if isinstance(found, int) else MAX_PIXELS

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form with its own digest."""
        body = {"format": FORMAT, "version": VERSION, **asdict(self), "shards": [asdict(s) for s in self.shards]}
        return {**body, "digest": digest_json(body)}


def write_manifest(folder: Place, manifest: Manifest) -> None:
    """Publish the folder: put `manifest.json` in place in one step."""
    write_json(folder / NAME, manifest.to_dict())


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest of a folder of shards.

    Raises:
        MissingShards: there is no such folder; a `ShardError` and a `UsageError`, exit code 2.
        ShardError: there is none (not a shard folder, or a build that has not finished), it is damaged
            (its digest does not fit), it is of another version, or it is that of a view, which has no shards.
    """
    body = read_body(folder)
    if is_view_body(body):
        raise ShardError(f"{folder}: is a view and holds no shards of its own; give a folder that it is a view of, "
                         f"`datakit inspect {folder}` names them")  # fmt: skip
    return manifest_of(folder, body)


def read_body(folder: Path) -> dict[str, Any]:
    """What the manifest of a folder of shards, or of a view, says; format, version and digest are checked.

    Raises:
        MissingShards, ShardError: as `read_manifest`.
    """
    path = folder / NAME
    try:
        data = places.read_bytes(path)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        if is_stored(folder) and error.strerror == NO_BUCKET:
            raise MissingShards(f"{folder}: {NO_BUCKET}; expected {SHARDS}") from error
        raise (ShardError if places.exists(folder) else MissingShards)(_no_manifest(folder)) from error
    except OSError as error:
        if is_stored(folder):
            raise  # it says what the store says
        raise ShardError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        body: dict[str, Any] = json.loads(data.decode())
        digest, body_format, version = body["digest"], body["format"], body["version"]
        fits = digest_json({name: value for name, value in body.items() if name != "digest"}) == digest
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ShardError(f"{path}: damaged, not a manifest ({error!r}); run `datakit build-shards` again") from error
    known = (VIEW_FORMAT, VIEW_VERSION) if is_view_body(body) else (FORMAT, VERSION)
    if (body_format, version) != known:
        raise ShardError(f"{path}: {other_format(body_format, version, *known)}")
    if not fits:
        again = "make the view again" if is_view_body(body) else "run `datakit build-shards` again"
        raise ShardError(f"{path}: damaged, its digest does not fit its content; {again}")
    return body


def is_view_body(body: Mapping[str, Any]) -> bool:
    """Whether a manifest is that of a view."""
    return bool(body["format"] == VIEW_FORMAT)


def _no_manifest(folder: Path) -> str:
    """What a path without a manifest is, and what to do about it."""
    if places.is_file(folder):
        suffixed = folder.suffix == ".h5"
        return f"{folder}: is a file; give its folder, {folder.parent}" if suffixed else no_such(folder, SHARDS)
    if not places.is_folder(folder):
        if is_stored(folder):
            return f"{folder}: there is nothing; expected {SHARDS}"
        hint = "; that is a source: build it first, and give the folder of --out" if "=" in folder.name else ""
        return no_such(folder, SHARDS) + hint
    if told := _refusal(folder):
        return f"{folder}: no {NAME}, the last build did not publish: {told}"
    names = {entry.name for entry in places.entries_in(folder)}
    if names & {SETTINGS, RECORDS} or any(name.endswith(".h5") for name in names):
        return (
            f"{folder}: no {NAME}, the build has not finished; run the same `datakit build-shards` again to finish it"
        )
    return (
        f"{folder}: holds no shards; if it is a source, build first: `datakit build-shards {folder} --out shards`, and "
        "give the folder of --out"
    )


def _refusal(folder: Path) -> str:
    """Why a build ended without publishing, of its error log; empty where there is none, or nothing in it."""
    counts: Counter[str] = Counter()
    try:
        for line in places.read_text(folder / ERROR_LOG).splitlines():
            problem = json.loads(line)
            counts[f"{plain_kind(problem['kind'])}: {problem['reason']}"] += 1
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        counts.clear()
    if not counts:
        return ""
    # what failed comes before what was left out, and is to blame
    told = sorted(counts.items(), key=lambda each: (each[0].startswith("left"), -each[1]))
    reasons = shorten([printable(f"{count} {reason}") for reason, count in told])
    way_out = "mend the source and run the same `datakit build-shards` again"
    if any(reason.startswith("failed") for reason in counts):
        way_out += ", or with `--max-error-rate 1` for what can be read"
    return f"{reasons}; all of them stand in {folder / ERROR_LOG}; {way_out}"


def manifest_of(folder: Path, body: Mapping[str, Any]) -> Manifest:
    """The manifest of a folder of shards, of what `read_body` gave.

    Raises:
        ShardError: a field is missing, too many or of another type.
    """
    path = folder / NAME
    values = {name: value for name, value in body.items() if name not in ("format", "version", "digest")}
    try:
        shards = tuple(ShardEntry(**shard) for shard in values.pop("shards"))
        manifest = Manifest(**values, shards=shards)
        _check_types(manifest)
    except (TypeError, KeyError) as error:
        raise ShardError(f"{path}: fields do not fit version {VERSION} ({error})") from error
    for name in [shard.file for shard in shards]:
        if Path(name).name != name or not name.endswith(".h5"):
            raise ShardError(f"{path}: names {name!r} as a shard, expected a file of this folder that ends in .h5")
    return manifest


def _check_types(manifest: Manifest) -> None:
    kinds = {"str": str, "int": int, "dict[str, Any]": dict, "dict[str, str]": dict, "dict[str, int]": dict,
             "dict[str, dict[str, Any]]": dict, "tuple[ShardEntry, ...]": tuple}  # fmt: skip
    parts: list[Manifest | ShardEntry] = [manifest, *manifest.shards]
    for part in parts:
        for field in fields(part):
            value = getattr(part, field.name)
            if (
                not isinstance(value, kinds[str(field.type)])
                or isinstance(value, bool)
                or (isinstance(value, int) and value < 0)
            ):
                raise TypeError(f"{field.name} is {value!r}, expected {field.type}")
