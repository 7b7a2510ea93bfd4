"""Places: a path of this machine, or an address in a store such as `s3://bucket/x`, read and written the same way.

An address is a `upath.UPath`: it has the methods of `pathlib.Path` that are used here, and travels to workers with the
options it was opened with. What makes a request stands here and in `stores`; names are made as of any path.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeGuard
from urllib.parse import unquote

from .stores import READ_ONLY, EndsEarly, StoreError, filesystem, is_address, key_of, open_address, patiently
from .stores import Place as Place

CONTENT_TAGS = ("ETag", "etag", "md5Hash", "content_md5", "created")  # of an object, by what each store calls it
PIECE = 8 << 20  # bytes asked for at a time where a whole object is read
UNTOLD = 100_000  # bytes that a file is taken for where a listing tells no sizes, as those of web servers


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
    return open_address(text) if is_address(text) else Path(text).expanduser()


def each_of(places: str | os.PathLike[str] | Place | Iterable[str | os.PathLike[str] | Place]) -> list[Any]:
    """One place or several, as a list; an address that is open is no `os.PathLike`."""
    is_one = isinstance(places, str | os.PathLike) or hasattr(places, "joinpath")
    return [places] if is_one else list(places)  # type: ignore[arg-type]


def is_stored(place: Place | str) -> TypeGuard[Place]:
    """Whether a place is an address in a store; a text is a path of this machine."""
    return not isinstance(place, str | Path)


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


def is_same(place: Place, other: Place) -> bool:
    """Whether two places are one."""
    return lies_in(place, other) and lies_in(other, place)


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
        found = patiently(lambda: filesystem(place).info(key_of(place)), place) if is_stored(place) else None
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
        data: bytes = patiently(lambda: filesystem(place).cat_file(key_of(place), start=start, end=stop), place)
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
    if stop <= start:
        return b""
    try:
        data: bytes = patiently(lambda: filesystem(place).cat_file(key_of(place), start=start, end=stop), place)
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
    keys = [key_of(place) for place in places]
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
        download(place, path)
        yield path


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


Entry: TypeAlias = os.DirEntry[str] | StoreEntry


def entries_in(folder: Place | str) -> list[Entry]:
    """What lies in a folder, in no order.

    Raises:
        OSError: it is none, or cannot be listed.
    """
    if isinstance(folder, str | Path):
        with os.scandir(folder) as here:
            return list(here)
    key = key_of(folder).rstrip("/")
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
    return [(path, int(about.get("size") or 0)) for path, about in _below(folder)]


def objects_below(folder: Place, skip: str) -> dict[str, list[Any]]:
    """Path from there -> bytes, and what the store calls its content, of every object below an address.

    Args:
        folder: the address.
        skip: name of a folder in it that is left out.

    Raises:
        OSError: it cannot be listed.
    """
    found = {}
    for path, about in _below(folder):
        tag = next((about[key] for key in CONTENT_TAGS if about.get(key)), "")
        if path and not path.endswith("/") and not path.startswith(f"{skip}/"):
            found[path] = [int(about.get("size") or 0), str(tag)]
    return found


def _below(folder: Place) -> Iterator[tuple[str, dict[str, Any]]]:
    """Path from there, and what the store says, of every object below an address."""
    start = len(key_of(folder).strip("/")) + 1
    found = patiently(lambda: filesystem(folder).find(key_of(folder), detail=True), folder)
    yield from ((name.lstrip("/")[start:], about) for name, about in found.items())


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


def download(place: Place, path: Path) -> None:
    """Copy an object to a file of this machine, whose folder is made where it is missing.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read, or there is no room for it.
    """
    make_folder(path.parent)
    patiently(lambda: filesystem(place).get_file(key_of(place), str(path)), place)


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
    patiently(lambda: filesystem(place).pipe_file(key_of(place), data), place)


def remove(place: Place) -> None:
    """Remove a file or an object; nothing happens where there is none."""
    if not is_stored(place):
        place.unlink(missing_ok=True)
        return
    try:
        patiently(lambda: filesystem(place).rm_file(key_of(place)), place)
    except FileNotFoundError:
        return
