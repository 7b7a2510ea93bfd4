"""Places: a path of this machine, or an address in a store such as `s3://bucket/x`, read and written the same way.

An address is a `upath.UPath`: it has the methods of `pathlib.Path` that are used here, and travels to workers with the
options it was opened with. What a store does otherwise than a disk is here: requests that fail in passing, listings,
objects that appear whole, digests kept beside them, uploads that were left half done.

Source: fsspec's interface, https://filesystem-spec.readthedocs.io; each store's own words stand in `STORES`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeGuard, TypeVar
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
SHA256 = "sha256"  # name of the metadata that holds an object's digest
TRIES = 6  # of a request that fails in passing
FIRST_WAIT = 0.5  # seconds before it is made again; doubled every time, 15 s in all
PART = 8 << 20  # bytes of a part, where an object of S3 goes up in parts: from twice as many bytes on
PIECE = 8 << 20  # bytes asked for at a time where a whole object is read
UNTOLD = 100_000  # bytes that a file is taken for where a listing tells no sizes, as those of web servers
# errors of a connection or of a store under load, by name, as their classes belong to libraries that may not be there
_PASSING = re.compile(
    "ClientOSError|ClientPayload|ConnectionClosed|ConnectionError|ConnectTimeout|Disconnected|EndpointConnection"
    "|FSTimeout|HTTPClientError|IncompleteRead|ReadTimeout|ResponseParser|ResponseStreaming|ServiceResponse"
    "|ServiceRequest|RetryError|TooManyRequests|ServiceUnavailable|InternalServerError"
)
_PASSING_NUMBERS = (errno.EBUSY, errno.EREMOTEIO if hasattr(errno, "EREMOTEIO") else errno.EIO, errno.ECONNRESET)

_options: dict[str, Any] = {}


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


def place_of(text: str | os.PathLike[str] | Place) -> Place:
    """The place that a user named.

    Args:
        text: a path, an address, or either as an object.

    Raises:
        UsageError: an address that holds a password or a signature, which would end up in manifests and messages.
        MissingExtra: what reads that store is not installed.
    """
    if isinstance(text, os.PathLike):
        return Path(text)
    if not isinstance(text, str):
        return text
    if not is_address(text):
        return Path(text).expanduser()
    scheme = text.partition("://")[0].lower()
    parts = urlsplit(text)
    if parts.username or parts.password or (scheme in READ_ONLY and parts.query):
        bare = f"{scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        raise UsageError(
            f"{bare}: was given with a name, password or signature in it; give the address without, and those by the "
            "environment or by --storage-option KEY=VALUE, so that they stand in no manifest and no message"
        )
    require("stores", f"{scheme}://")
    require(STORES[scheme], f"{scheme}://")
    from upath import UPath

    text = scheme + (unquote(text) if scheme in READ_ONLY else text)[len(scheme) :]  # `_key` quotes it again
    # listings kept by a client would hide what others write
    place: Place = UPath(text.rstrip("/") if parts.path.strip("/") else text, use_listings_cache=False, **_options)
    return place


def same_store(place: Place, text: str) -> Place:
    """Another address, opened with the options of one that is open."""
    return type(place)(text, **place.storage_options)  # type: ignore[attr-defined]


def is_stored(place: Place | str) -> TypeGuard[Place]:
    """Whether a place is an address in a store; a text is a path of this machine."""
    return not isinstance(place, str | Path)


def filesystem(place: Place) -> Any:
    """The fsspec file system of an address, one for each process: clients do not survive a fork."""
    import fsspec

    return fsspec.filesystem(place.protocol, **place.storage_options)  # type: ignore[attr-defined]


def beneath(folder: Place, path: str) -> Place | str:
    """A file in a folder, by its path from there: a text on a disk, which costs a tenth of a `Path`."""
    return folder / path.lstrip("/") if is_stored(folder) else f"{folder}/{path}"


def absolute(place: Place) -> Place:
    """A place by its whole path; an address is one already."""
    return place if is_stored(place) else place.absolute()


def lies_in(place: Place, folder: Place) -> bool:
    """Whether a place is a folder, or lies below it; a store has no links that could hide it."""
    if is_stored(place) != is_stored(folder):
        return False
    if is_stored(place):
        return f"{place}/".startswith(f"{str(folder).rstrip('/')}/")
    return place.resolve().is_relative_to(folder.resolve())


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


# ---- requests


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
            what = "no such bucket" if "bucket does not exist" in str(error) else "no such object"
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
    return any(_PASSING.search(kind.__name__) for kind in type(error).__mro__) or (
        getattr(error, "status", getattr(error, "code", 0)) in (429, 500, 502, 503, 504)
    )


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
    if isinstance(error, OSError) and error.errno:
        return StoreError(error.errno, text + f"the store says: {error.strerror or type(error).__name__}")
    return StoreError(errno.EIO, text + f"cannot be used ({type(error).__name__})")


# ---- reading


def exists(place: Place) -> bool:
    """Whether there is a file or folder at a place."""
    return patiently(place.exists, place) if is_stored(place) else place.exists()


def is_file(place: Place) -> bool:
    """Whether there is a file at a place."""
    return patiently(place.is_file, place) if is_stored(place) else place.is_file()


def is_folder(place: Place) -> bool:
    """Whether there is a folder at a place; in a store, an address below which something lies."""
    return patiently(place.is_dir, place) if is_stored(place) else place.is_dir()


def size_at(place: Place) -> int | None:
    """Bytes of a file; None where there is none."""
    try:
        found = patiently(lambda: filesystem(place).info(_key(place)), place) if is_stored(place) else None
        if found is not None:
            return int(found["size"]) if found["type"] == "file" else None
        return place.stat().st_size if place.is_file() else None
    except FileNotFoundError:
        return None


def read_bytes(place: Place, start: int | None = None, stop: int | None = None) -> bytes:
    """Bytes of a file, or a part of them.

    Args:
        place: the file.
        start, stop: of the part; both or neither.

    Raises:
        FileNotFoundError: there is none.
        StoreError: it cannot be read; also where it ends before `stop`.
    """
    if start is not None and stop is not None and stop <= start:
        return b""
    if is_stored(place):
        data: bytes = patiently(lambda: filesystem(place).cat_file(_key(place), start=start, end=stop), place)
    elif start is None:
        data = place.read_bytes()
    else:
        with place.open("rb") as file:
            file.seek(start)
            data = file.read((stop or 0) - start)
    if start is not None and stop is not None and len(data) != stop - start:
        raise EndsEarly.of(place, start + len(data), stop)
    return data


def read_some(place: Place, start: int, stop: int) -> bytes:
    """Bytes of an object from one place to another, fewer where it ends, more where its server knows no ranges.

    Raises: as `read_bytes`.
    """
    try:
        data: bytes = patiently(lambda: filesystem(place).cat_file(_key(place), start=start, end=stop), place)
    except StoreError as error:
        if "range is not" in str(error.__cause__) or getattr(error.__cause__, "status", 0) == 416:
            return b""  # no range can be asked of an empty object
        raise
    return data


def read_parts(parts: Sequence[tuple[Place, int, int]]) -> list[bytes]:
    """Parts of objects of one store, many requests in flight.

    Args:
        parts: of each the object, its first byte and the one behind its last.

    Raises:
        FileNotFoundError: an object is not there.
        StoreError: one cannot be read, or ends too early.
    """
    if not parts:
        return []
    places, starts, stops = zip(*parts, strict=True)
    client = filesystem(places[0])
    keys = [_key(place) for place in places]
    found: list[Any] = [None] * len(parts)

    def ask() -> None:
        open_ones = [n for n, data in enumerate(found) if not isinstance(data, bytes)]
        wanted = ([values[n] for n in open_ones] for values in (keys, starts, stops))
        got = client.cat_ranges(*wanted, on_error="return")
        for n, data in zip(open_ones, got, strict=True):
            found[n] = data
        for data in got:
            if isinstance(data, BaseException):
                raise data

    patiently(ask, places[0])
    for (place, start, stop), data in zip(parts, found, strict=True):
        if len(data) != stop - start:
            raise EndsEarly.of(place, start + len(data), stop)
    return found


def read_text(place: Place) -> str:
    """Text of a file in UTF-8; errors as `read_bytes`."""
    return read_bytes(place).decode("utf-8")


def sha256_at(place: Place) -> str:
    """SHA-256 of a file's bytes, in hex; all of them are read."""
    if not is_stored(place):
        with place.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest, size = hashlib.sha256(), size_at(place)
    if size is None:
        raise FileNotFoundError(errno.ENOENT, "no such object", str(place))
    for start in range(0, size, PIECE):
        digest.update(read_bytes(place, start, min(start + PIECE, size)))
    return digest.hexdigest()


@contextlib.contextmanager
def local_copy(place: Place) -> Iterator[Path]:
    """A file on this machine with the bytes of a place: itself, or a copy that is removed afterwards.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read, or there is no room for it.
    """
    if not is_stored(place):
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="datakit-") as scratch:
        path = Path(scratch) / place.name
        patiently(lambda: filesystem(place).get_file(_key(place), str(path)), place)
        yield path


def known_sha256(place: Place) -> str | None:
    """The SHA-256 that was kept with an object when it was written, without reading it; None where there is none."""
    client = filesystem(place)
    try:
        if place.protocol in ("s3", "s3a"):  # type: ignore[attr-defined]
            kept = patiently(lambda: client.metadata(_key(place)), place)
        else:
            kept = patiently(lambda: client.info(_key(place)), place).get("metadata") or {}
    except FileNotFoundError:
        return None
    found = kept.get(SHA256)
    return str(found) if found else None


class StoreEntry(NamedTuple):
    """What a folder of a store holds, as `os.DirEntry` has it."""

    name: str
    within: Place
    size: int
    folder: bool

    @property
    def path(self) -> Place:
        """Where it lies; made when asked for, as that takes 0.1 ms."""
        return self.within / self.name

    def is_dir(self) -> bool:
        """Whether something lies below it."""
        return self.folder

    def is_symlink(self) -> bool:
        """No store has links."""
        return False

    def stat(self) -> os.stat_result:
        """Its size, and nothing else."""
        return os.stat_result((0, 0, 0, 0, 0, 0, self.size, 0, 0, 0))


Entry: TypeAlias = "os.DirEntry[str] | StoreEntry"


def entries_in(folder: Place | str) -> list[Entry]:
    """What lies in a folder, in no order.

    Raises:
        OSError: it is none, or cannot be listed.
    """
    if isinstance(folder, str | Path):
        with os.scandir(folder) as here:
            return list(here)
    key = _key(folder).rstrip("/")
    is_page = folder.protocol in READ_ONLY
    found = patiently(lambda: filesystem(folder).ls(key + "/" * is_page, detail=True), folder)
    entries: list[Entry] = []
    for each in found:
        above, _, name = str(each["name"]).rstrip("/").rpartition("/")
        # an object called as the folder itself is what consoles make of an empty folder; a page links to other places
        if not name or f"{above}/{name}" == key or (is_page and (above != key or name[0] in "?#")):
            continue
        size = each.get("size")
        entries.append(
            StoreEntry(
                unquote(name) if is_page else name,
                folder,
                UNTOLD if size is None and each["type"] == "file" else int(size or 0),
                each["type"] == "directory",
            )
        )
    return entries


def files_below(folder: Place) -> list[tuple[str, int]]:
    """Path from there, and bytes, of every object below an address; a path that ends in '/' marks an empty folder.

    Raises:
        OSError: it cannot be listed.
    """
    start = len(_key(folder).strip("/")) + 1
    found = patiently(lambda: filesystem(folder).find(_key(folder), detail=True), folder)
    return [(name.lstrip("/")[start:], int(about.get("size") or 0)) for name, about in found.items()]


def path_of(entry: Entry) -> Place:
    """Where an entry lies."""
    return entry.path if isinstance(entry, StoreEntry) else Path(entry.path)


def files_in(folder: Place, suffix: str = "", prefix: str = "") -> list[Place]:
    """Files of a folder whose names begin and end so, in order of name; none where there is no folder."""
    try:
        entries = entries_in(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    chosen = [each for each in entries if each.name.startswith(prefix) and each.name.endswith(suffix)]
    return [path_of(each) for each in sorted(chosen, key=lambda each: each.name) if not each.is_dir()]


# ---- writing


def make_folder(place: Place) -> None:
    """Make a folder where there is none, with those above it; a store needs none."""
    if not is_stored(place):
        place.mkdir(parents=True, exist_ok=True)


def write_bytes(place: Place, data: bytes) -> None:
    """Put an object in place, whole or not at all.

    Raises:
        StoreError: it cannot be written.
    """
    patiently(lambda: filesystem(place).pipe_file(_key(place), data), place)


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
    patiently(lambda: filesystem(place).put_file(str(path), _key(place), **kept), place)


def create(place: Place, data: bytes) -> bool:
    """Make an object unless there is one; whether this call made it. Of several at once, one does.

    A store without conditional writes makes it in any case.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        patiently(lambda: filesystem(place).pipe_file(_key(place), data, mode="create"), place)
    except FileExistsError:
        return False
    except OSError as error:
        if _is_precondition(error):
            return False
        if error.errno != errno.ENOSYS:
            raise
        write_bytes(place, data)
    return True


def _is_precondition(error: BaseException | None) -> bool:
    """Whether a store says that an object is there already; s3fs gives that no class of its own."""
    while error is not None:
        if getattr(error, "response", None) and "PreconditionFailed" in str(error):
            return True
        error = error.__cause__
    return False


def remove(place: Place) -> None:
    """Remove a file or an object; nothing happens where there is none."""
    if not is_stored(place):
        place.unlink(missing_ok=True)
        return
    try:
        patiently(lambda: filesystem(place).rm_file(_key(place)), place)
    except FileNotFoundError:
        return


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
    bucket, _, prefix = _key(folder).partition("/")
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


def _key(place: Place) -> str:
    """What the client of its store calls an address."""
    path = str(place.path)  # type: ignore[attr-defined]
    if place.protocol not in READ_ONLY:  # type: ignore[attr-defined]
        return path
    start = path.find("/", path.find("://") + 3)  # of the path behind the server's name
    return path if start < 0 else path[:start] + quote(path[start:])
