"""Stores that are named by an address such as `s3://bucket/x`: their clients, and what they do otherwise than a disk.

Requests that fail in passing, errors that say what a store says, objects that are made only once, digests that are kept
beside objects, and uploads that were left half done. Files and folders, wherever they lie, are left to `places`.

Source: fsspec's interface, https://filesystem-spec.readthedocs.io; each store's own words stand in `STORES`.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote, unquote, urlsplit

from .errors import DatakitError, UsageError
from .extras import require

Place: TypeAlias = Path  # an address is none, but has its methods; so every `Path` of a place may be one
Result = TypeVar("Result")

# scheme -> the extra that brings its client; stores that can be written keep `SHA256` as metadata where they can
STORES: Mapping[str, str] = {
    "s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "az": "azure", "abfs": "azure", "abfss": "azure",
    "http": "http", "https": "http", "memory": "stores",
}  # fmt: skip
READ_ONLY = ("http", "https")
NO_BUCKET = "no such bucket"
SHA256 = "sha256"  # name of the metadata that holds an object's digest
TRIES = 6  # of a request that fails in passing
FIRST_WAIT = 0.5  # seconds before it is made again; doubled every time, 15 s in all
PART = 8 << 20  # bytes of a part, where an object of S3 goes up in parts: from twice as many bytes on
# errors of a connection or of a store under load, by name, as their classes belong to libraries that may not be there
_PASSING = re.compile(
    "ClientOSError|ClientPayload|ConnectionClosed|ConnectionError|ConnectTimeout|Disconnected|EndpointConnection"
    "|FSTimeout|HTTPClientError|IncompleteRead|ReadTimeout|ResponseParser|ResponseStreaming|ServiceResponse"
    "|ServiceRequest|RetryError|TooManyRequests|ServiceUnavailable|InternalServerError"
)
PASSING_STATUS = (429, 500, 502, 503, 504)
_PASSING_NUMBERS = (errno.EBUSY, errno.EREMOTEIO if hasattr(errno, "EREMOTEIO") else errno.EIO, errno.ECONNRESET)

_options: dict[str, Any] = {}
_used: set[str] = set()  # names of options that an address was opened with


class StoreError(DatakitError, OSError):
    """A store refuses, or does not answer; the text names the place and the way out."""

    def __str__(self) -> str:
        return str(self.args[-1])


class EndsEarly(StoreError):
    """A file has fewer bytes than were to be read."""

    @classmethod
    def of(cls, place: Place, found: int, expected: int) -> EndsEarly:
        """The error that says where it ends and what was expected."""
        return cls(errno.EIO, f"{place}: ends after {found} bytes, expected {expected} at least")


def use_storage_options(options: Mapping[str, Any]) -> None:
    """Open every address of this process from now on with these options of fsspec, such as `endpoint_url`."""
    _options.clear()
    _options.update(options)
    _used.clear()


def unused_options() -> list[str]:
    """Names of the options that no address was opened with so far."""
    return sorted(_options.keys() - _used)


def parse_storage_options(texts: Sequence[str]) -> dict[str, Any]:
    """`KEY=VALUE` as options of fsspec: a value that is JSON (`true`, `3`, `{"a": 1}`) is taken as such, else as text.

    Raises:
        UsageError: a text has no `=`; its value is not repeated, since it may be a secret.
    """
    found: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise UsageError("--storage-option: expected KEY=VALUE, such as endpoint_url=http://host:9000")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found


def is_address(text: str) -> bool:
    """Whether a text is an address of a store that can be read."""
    return "://" in text and text.partition("://")[0].lower() in STORES


def open_address(text: str) -> Place:
    """The place of an address, with the options that were said for all.

    Raises:
        UsageError: it holds a password or a signature, which would end up in manifests and messages.
        MissingExtra: what reads that store is not installed.
    """
    scheme = text.partition("://")[0].lower()
    parts = urlsplit(text)
    if parts.username or parts.password or (scheme in READ_ONLY and parts.query):
        bare = f"{scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        raise UsageError(
            f"{bare}: was given with a name, password or signature in it; give the address without, and those by the "
            "environment or by --storage-option KEY=VALUE, so that they stand in no manifest and no message"
        )
    if scheme != "memory" and not parts.netloc:
        raise UsageError(
            f"{text}: names no {'server' if scheme in READ_ONLY else 'bucket'}; expected {scheme}://NAME/PATH"
        )
    require("stores", f"{scheme}://")
    require(STORES[scheme], f"{scheme}://")
    from upath import UPath

    text = scheme + (unquote(text) if scheme in READ_ONLY else text)[len(scheme) :]  # `key_of` quotes it again
    # listings kept by a client would hide what others write
    _used.update(_options)
    place: Place = UPath(text.rstrip("/") if parts.path.strip("/") else text, use_listings_cache=False, **_options)
    return place


def same_store(place: Place, text: str) -> Place:
    """Another address, opened with the options of one that is open."""
    return type(place)(text, **place.storage_options)  # type: ignore[attr-defined]


def filesystem(place: Place) -> Any:
    """The fsspec file system of an address, one for each process: clients do not survive a fork."""
    import fsspec

    return fsspec.filesystem(place.protocol, **place.storage_options)  # type: ignore[attr-defined]


def check_writable_store(place: Place, named: str) -> None:
    """Refuse an address that nothing can be written to.

    Args:
        place: the address.
        named: option and value as the user gave them.

    Raises:
        UsageError: it can only be read.
    """
    if place.protocol in READ_ONLY:  # type: ignore[attr-defined]
        raise UsageError(f"{named}: can only be read; name a folder, or an address of s3://, gs:// or az://")


def patiently(call: Callable[[], Result], place: Place) -> Result:
    """The result of a request, made again where it fails in passing.

    Args:
        call: makes the request.
        place: that it is about, for messages.

    Raises:
        FileNotFoundError, FileExistsError: as the store says.
        StoreError: no rights, no such store, or it stays away.
    """
    wait = FIRST_WAIT
    for left in range(TRIES - 1, -1, -1):
        try:
            return call()
        except FileNotFoundError as error:
            what = NO_BUCKET if "bucket does not exist" in str(error) else "no such object"
            raise FileNotFoundError(errno.ENOENT, what, str(place)) from error
        except (FileExistsError, IsADirectoryError, NotADirectoryError):
            raise
        except Exception as error:  # clients raise classes of their own libraries
            if not (left and _is_passing(error)):
                raise _told(error, place) from error
        time.sleep(wait)
        wait *= 2
    raise AssertionError("unreachable")


def _is_passing(error: BaseException) -> bool:
    """Whether a request that failed so may succeed in a moment."""
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    if isinstance(error, OSError) and error.errno in _PASSING_NUMBERS:
        return True
    number = getattr(error, "status" if hasattr(error, "status") else "code", 0)
    return number in PASSING_STATUS or any(_PASSING.search(kind.__name__) for kind in type(error).__mro__)


def _told(error: Exception, place: Place) -> StoreError:
    """An error of a store as one sentence; what the client itself said may hold a signed address."""
    text = f"{place}: "
    if "NoCredentials" in type(error).__name__ or "credentials" in str(error).lower():
        return StoreError(
            errno.EACCES,
            text + "no credentials were found; give them as the store's own tools take them (for S3 "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile), or --storage-option anon=true for open data",
        )
    if isinstance(error, PermissionError) or getattr(error, "status", 0) in (401, 403):
        return StoreError(errno.EACCES, text + "the store refuses it: the credentials give no right to this")
    if _is_passing(error):
        return StoreError(
            errno.EIO,
            text + f"the store does not answer after {TRIES} tries; check the address, the network and "
            "--storage-option endpoint_url, and run the same command again",
        )
    if isinstance(error, TypeError | ValueError):
        return StoreError(errno.EINVAL, text + _option_fault(error))
    if isinstance(error, OSError) and error.errno:
        return StoreError(error.errno, text + f"the store says: {error.strerror or type(error).__name__}")
    return StoreError(errno.EIO, text + f"cannot be used ({type(error).__name__})")


def _option_fault(error: TypeError | ValueError) -> str:
    """What a client does not take, by the name of the option alone: its value may be a secret."""
    named = re.search(r"argument '(\w+)'", str(error))
    if named and named[1] in _options:
        return f"--storage-option {named[1]}: this store's client has no such option"
    endpoint = _options.get("endpoint_url") or os.environ.get("AWS_ENDPOINT_URL") or "http://"
    if not str(endpoint).startswith(("http://", "https://")):
        return "--storage-option endpoint_url: expected an address that begins with http:// or https://"
    given = f"; look at --storage-option {', '.join(sorted(_options))}" if _options else ""
    return f"its client refuses what it is given ({type(error).__name__}){given}"


def known_sha256(place: Place) -> str | None:
    """The SHA-256 that was kept with an object when it was written, without reading it; None where there is none."""
    client = filesystem(place)
    try:
        if place.protocol in ("s3", "s3a"):  # type: ignore[attr-defined]
            kept = patiently(lambda: client.metadata(key_of(place)), place)
        else:
            kept = patiently(lambda: client.info(key_of(place)), place).get("metadata") or {}
    except FileNotFoundError:
        return None
    found = kept.get(SHA256)
    return str(found) if found else None


def upload(path: Path, place: Place, sha256: str) -> None:
    """Put a file of this machine in a store; it appears when its last byte is there, its digest kept beside it.

    Args:
        path: the file.
        place: where to.
        sha256: of its bytes.

    Raises:
        StoreError: it cannot be written.
    """
    kept: dict[str, Any] = {}
    if place.protocol in ("s3", "s3a"):  # type: ignore[attr-defined]
        kept = {"Metadata": {SHA256: sha256}, "chunksize": PART}
    elif place.protocol in ("gs", "gcs"):  # type: ignore[attr-defined]
        kept = {"metadata": {SHA256: sha256}}
    patiently(lambda: filesystem(place).put_file(str(path), key_of(place), **kept), place)


def create(place: Place, data: bytes) -> bool:
    """Make an object unless there is one; whether this call made it. Of several at once, one does.

    A store without conditional writes makes it in any case.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        patiently(lambda: filesystem(place).pipe_file(key_of(place), data, mode="create"), place)
    except FileExistsError:
        return False
    except OSError as error:
        if _is_precondition(error):
            return False
        if error.errno != errno.ENOSYS:
            raise
        patiently(lambda: filesystem(place).pipe_file(key_of(place), data), place)
    return True


def _is_precondition(error: BaseException | None) -> bool:
    """Whether a store says that an object is there already; s3fs gives that no class of its own."""
    while error is not None:
        if getattr(error, "response", None) and "PreconditionFailed" in str(error):
            return True
        error = error.__cause__
    return False


@dataclass(frozen=True)
class HalfUpload:
    """An upload to S3 that was begun and never completed; its parts are paid for until it is aborted."""

    bucket: str
    key: str
    number: str


def half_uploads(folder: Place) -> list[HalfUpload]:
    """Uploads that were left half done below an address of S3; other stores drop theirs by themselves after a week."""
    if folder.protocol not in ("s3", "s3a"):  # type: ignore[attr-defined]
        return []
    bucket, _, prefix = key_of(folder).partition("/")
    ask = {"Bucket": bucket, "Prefix": prefix.rstrip("/") + "/"}
    found: list[HalfUpload] = []
    more: dict[str, Any] = {}
    while True:
        page = patiently(partial(filesystem(folder).call_s3, "list_multipart_uploads", **ask, **more), folder)
        found += [HalfUpload(bucket, each["Key"], each["UploadId"]) for each in page.get("Uploads") or ()]
        if not page.get("IsTruncated"):
            return found
        more = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}


def clear_halves(folder: Place) -> int:
    """Abort the uploads that a killed run left half done below an address; how many there were."""
    halves = half_uploads(folder)
    for half in halves:
        about = {"Bucket": half.bucket, "Key": half.key, "UploadId": half.number}
        with contextlib.suppress(FileNotFoundError):  # somebody else has, or it was completed
            patiently(partial(filesystem(folder).call_s3, "abort_multipart_upload", **about), folder)
    return len(halves)


def key_of(place: Place) -> str:
    """What the client of its store calls an address."""
    path = str(place.path)  # type: ignore[attr-defined]
    if place.protocol not in READ_ONLY:  # type: ignore[attr-defined]
        return path
    start = path.find("/", path.find("://") + 3)  # of the path behind the server's name
    return path if start < 0 else path[:start] + quote(path[start:])
