"""Files that are either whole or not there: write beside, sync, rename; digests and canonical JSON."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import looking, reading
from .errors import DatakitError, UsageError
from .places import Place, is_file, is_stored, make_folder, remove, write_bytes
from .stores import StoreError, check_writable_store, upload

PART_PREFIX = ".part-"
EXPORT_MANIFEST, EXPORT_FORMAT = "export.json", "masktrack-datakit export"  # what `datakit export` lists its files in
EXPORT_PLANS = "plans.jsonl"  # beside it: how each video was made, where it was made of stills
EXPORT_LISTS = (EXPORT_MANIFEST, EXPORT_PLANS)
_TAIL = 16_384  # bytes: what an export's manifest holds behind its list of files
# kept, since making one for each of a million records takes as long as its work
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
# s3://bucket/x, also behind LABEL= or LABEL:LAYOUT=; a path collapses the two slashes
ADDRESS = re.compile(r"(?:[^/=]*=)?([A-Za-z][A-Za-z0-9+.-]+):/{1,3}([^/].*)?")


def check_local(text: str, what: str) -> None:
    """Refuse an address such as `s3://bucket/x` where a path of this machine is expected.

    Args:
        text: as the user wrote it, also as LABEL=ROOT.
        what: it is given for, for the message.

    Raises:
        UsageError: it is an address.
    """
    found = ADDRESS.match(text) if "://" in text else None
    if found is None:
        return
    scheme, rest = found[1].lower(), found[2] or ""
    if scheme == "file":
        raise UsageError(f"{what} {text}: give the path itself: /{rest}")
    way_out = "copy them here first (or the finished folder there afterwards), e.g. with `rclone copy`, or mount them"
    if scheme in ("http", "https", "ftp"):
        way_out = "download it first, unpack it if it is an archive,"
    raise UsageError(
        f"{what} {text}: takes a path of this machine, no {scheme}:// address; {way_out} and give the path. Sources, "
        "--images, folders of shards, listings, weights, the VIDEO of propagate and what commands write may be s3://, "
        "gs://, az://, or https:// to read"
    )


def check_writable(path: Place, named: str) -> None:
    """Refuse an output that cannot be written, before the work for it begins; nothing is left behind.

    Args:
        path: a folder to be written into, or to be made; an address, too.
        named: option and value as the user gave them; they open the message.

    Raises:
        UsageError: a store that can only be read, or has no such bucket.
        DatakitError: as said.
    """
    if is_stored(path):
        _check_store(path, named)
        return
    standing = next(each for each in (path, *path.absolute().parents) if each.exists())
    try:
        if not standing.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "is a file")
        Path(tempfile.mkdtemp(prefix=PART_PREFIX, dir=standing)).rmdir()
    except OSError as error:
        why = {
            errno.EROFS: "it is on a read-only file system; name a folder on another disk",
            errno.EACCES: "you have no right to write there; change its permissions, or name another folder",
            errno.EPERM: "you have no right to write there; change its permissions, or name another folder",
            errno.ENOTDIR: "it is a file; name a folder",
            errno.ENOENT: "the system makes no files there; name another folder",
            errno.ENOSPC: "the disk is full; make room, or name a folder on another disk",
        }.get(error.errno or 0, f"no file can be made there ({error.strerror}); name another folder")
        raise DatakitError(f"{named}: {standing} cannot be written: {why}") from None


def _check_store(folder: Place, named: str) -> None:
    """As `check_writable`, of an address."""
    check_writable_store(folder, named)
    probe = folder / f"{PART_PREFIX}{uuid.uuid4().hex}"
    try:
        write_bytes(probe, b"")
    except FileNotFoundError as error:
        raise UsageError(f"{named}: {error.strerror}; make the bucket first, or name another") from None
    except StoreError as error:
        raise StoreError(error.errno, f"{named}: " + str(error).removeprefix(f"{probe}: ")) from None
    remove(probe)
    if is_file(folder):
        raise UsageError(f"{named}: is an object, expected a folder")


@contextlib.contextmanager
def replacing(path: Place, scratch: Path | None = None) -> Iterator[Path]:
    """A temporary name beside `path` that takes its place when the body ends well, and vanishes when it does not.

    The file and its folder are synced to disk, so after a crash `path` is either the old file or the whole new one.
    A file for a store is made on this machine, and put there at the end.

    Args:
        path: final name; its folder is made where it is missing.
        scratch: folder of the temporary file, on the same file system; default the folder of `path`.
    """
    if is_stored(path):
        with tempfile.TemporaryDirectory(prefix="datakit-") as here:
            part = Path(here) / path.name
            yield part
            upload(part, path, file_sha256(part))
        return
    if scratch is None:
        make_folder(path.parent)
    folder = Path(tempfile.mkdtemp(prefix=PART_PREFIX, dir=scratch or path.parent))
    try:
        part = folder / path.name
        yield part
        put_in_place(part, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put_in_place(part: Path, path: Path) -> None:
    """Give a finished file its final name, in one step and on disk; both on one file system."""
    _sync(part)
    part.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Place, text: str) -> None:
    """Replace the text of `path` (UTF-8) in one step."""
    if is_stored(path):
        write_bytes(path, text.encode())
        return
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Place, value: Any) -> None:
    """Replace `path` by `value` as readable JSON."""
    write_text(path, json_text(value))


def json_text(value: Any) -> str:
    """Readable JSON, equal for equal values: sorted keys, two spaces, a final newline."""
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical_json(value: Any) -> str:
    """JSON text that is equal for equal values: sorted keys, no spaces, no NaN."""
    return _CANONICAL.encode(value)


def digest_json(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`, in hex."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def is_export_manifest(path: Path) -> bool:
    """Whether a file is the list that an export of ours has written, told from its last kilobytes: keys are sorted."""
    try:
        if not looking.is_file(path) or (not is_stored(path) and path.is_symlink()):
            return False
        return f'"format": "{EXPORT_FORMAT}"'.encode() in b"".join(reading.read_ends(path, _TAIL))
    except OSError:
        return False
