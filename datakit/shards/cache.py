"""What was read of stored shards, kept on a disk of this machine: bounded, and shared by any number of processes.

A folder for each shard, named by its SHA-256: `index.h5`, the shard without its photos, a sparse file that HDF5 reads;
`photos`, sparse too, where each photo lies as in the shard; `have`, a byte for each photo, 1 when it is whole.
What was not used for longest goes first, photos before indexes; whoever has a file open keeps it until it closes it.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import mmap
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import UsageError
from ..files import check_writable, replacing

FOLDER_VARIABLE, SIZE_VARIABLE = "DATAKIT_CACHE", "DATAKIT_CACHE_SIZE"
SIZE = 20_000_000_000  # bytes, where nobody says so
LOOKED_EVERY = 0.02  # of the size is added by this process before it looks again how full the cache is
LEFT = 0.9  # of the size is left when something must go, so that it need not every time
BLOCK = 512  # bytes of what `stat` counts
INDEX, PHOTOS, HAVE = "index.h5", "photos", "have"

logger = logging.getLogger(__name__)


class Cache:
    """A folder that holds what was read of stored shards.

    Args:
        folder: default what `DATAKIT_CACHE` says, or `~/.cache/masktrack-datakit`.
        size: most bytes it may take; default what `DATAKIT_CACHE_SIZE` says, or 20 GB.

    Raises:
        DatakitError: the folder cannot be written.
        UsageError: the size is none.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, size: int | None = None):
        home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        given = folder or os.environ.get(FOLDER_VARIABLE)
        self.folder = Path(given or Path(home) / "masktrack-datakit").expanduser().absolute()
        self.size = size or _size_given()
        self._added = self.size  # so that the first addition looks
        check_writable(self.folder, f"--cache {self.folder}" if given else f"cache {self.folder} (say --cache DIR)")
        self.folder.mkdir(parents=True, exist_ok=True)

    def of(self, sha256: str) -> CachedShard:
        """What is kept of one shard."""
        return CachedShard(self, self.folder / sha256[:2] / sha256)

    def add(self, count: int) -> None:
        """Note that so many bytes were added; make room when that is many."""
        self._added += count
        if self._added >= LOOKED_EVERY * self.size:
            self._added = 0
            self.make_room()

    def make_room(self, size: int | None = None) -> None:
        """Remove what was not used for longest until no more than `size` bytes are taken, by default the cache's own.

        Where another process is at it, this one does not wait.
        """
        from filelock import FileLock, Timeout

        size = self.size if size is None else size
        with contextlib.suppress(Timeout), FileLock(self.folder / ".lock", timeout=0):
            kept = sorted(self._kept(), key=lambda each: each.used)
            taken = sum(each.photos + each.index_bytes for each in kept)
            if taken <= size:
                return
            parts = [(each.folder, [HAVE, PHOTOS], each.photos) for each in kept]
            parts += [(each.folder, [INDEX], each.index_bytes) for each in kept]
            for folder, names, count in parts:
                if taken <= LEFT * size:
                    return
                for name in names:
                    (folder / name).unlink(missing_ok=True)
                taken -= count
                with contextlib.suppress(OSError):  # another file is left in it
                    folder.rmdir()

    def _kept(self) -> Iterator[_Kept]:
        for folder in self.folder.glob("??/*"):
            with contextlib.suppress(OSError):  # gone meanwhile
                index, photos = (sum(_taken(folder / name) for name in names) for names in ((INDEX,), (PHOTOS, HAVE)))
                yield _Kept(folder, folder.stat().st_mtime, index, photos)


class _Kept(NamedTuple):
    """One shard's folder: when it was last opened (s), and the bytes its files take."""

    folder: Path
    used: float
    index_bytes: int
    photos: int


def _taken(path: Path) -> int:
    """Bytes that a sparse file takes; 0 where there is none."""
    try:
        return path.stat().st_blocks * BLOCK
    except FileNotFoundError:
        return 0


def _size_given() -> int:
    text = os.environ.get(SIZE_VARIABLE, "")
    if text and not (text.isdecimal() and int(text)):
        raise UsageError(f"{SIZE_VARIABLE}={text}: expected a number of bytes")
    return int(text) if text else SIZE


class CachedShard:
    """What is kept of one shard."""

    def __init__(self, cache: Cache, folder: Path):
        self._cache, self._folder = cache, folder

    def index(self, fill: Callable[[Path], None]) -> Path:
        """The file of the shard without its photos, made by `fill` where it is not there yet.

        Raises:
            OSError: the disk is full, or cannot be written.
        """
        path = self._folder / INDEX
        self._folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):  # of another user: it only ages sooner
            os.utime(self._folder)
        if not path.is_file():
            try:
                self._make(path, fill)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                self._cache.make_room(0)  # of another size than it says, or the disk is full of other things
                self._make(path, fill)
            self._cache.add(_taken(path))
        return path

    def _make(self, path: Path, fill: Callable[[Path], None]) -> None:
        try:
            with replacing(path) as part:
                fill(part)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                place = self._cache.folder
                text = f"the disk of the cache {place} is full; make room, or name a folder elsewhere by --cache DIR"
                raise OSError(errno.ENOSPC, text) from error
            raise

    def photos(self, length: int, count: int) -> CachedPhotos:
        """The photos that are kept.

        Args:
            length: of all photos, in bytes.
            count: of photos.
        """
        return CachedPhotos(self._cache, self._folder, length, count)


class CachedPhotos:
    """Photos of one shard, at the places they have in it.

    Where the disk is full they are not kept, which is told once; reading goes on.
    """

    _told = False

    def __init__(self, cache: Cache, folder: Path, length: int, count: int):
        self._cache, self._folder, self._length, self._count = cache, folder, length, count
        self._data_file = self._have_file = -1
        self._data: mmap.mmap | bytes = b""
        self._have: mmap.mmap | None = None
        self._open()

    def __contains__(self, row: int) -> bool:
        return self._have is not None and self._have[row] == 1

    def part(self, start: int, stop: int) -> memoryview:
        """Bytes of a photo that is there."""
        return memoryview(self._data)[start:stop]

    def keep(self, row: int, start: int, data: bytes) -> bool:
        """Keep a photo; whether that could be done."""
        if self._have is None or os.fstat(self._data_file).st_nlink == 0:  # removed by a process that made room
            self.close()
            self._open()
        if self._have is None:
            return False
        try:
            os.pwrite(self._data_file, data, start)
            os.pwrite(self._have_file, b"\1", row)
        except OSError as error:
            self._tell(error)
            return False
        self._cache.add(len(data))
        return True

    def close(self) -> None:
        """Give files back; what was handed out stays readable until it is let go of."""
        for handle in (self._data_file, self._have_file):
            if handle >= 0:
                os.close(handle)
        self._data_file = self._have_file = -1
        self._have = None

    def _open(self) -> None:
        if not self._length:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._data_file, self._data = _mapped(self._folder / PHOTOS, self._length)
            self._have_file, self._have = _mapped(self._folder / HAVE, self._count)
        except OSError as error:
            self._tell(error)

    def _tell(self, error: OSError) -> None:
        if not CachedPhotos._told:
            CachedPhotos._told = True
            logger.warning(f"cache {self._cache.folder}: {error.strerror}; photos are read without being kept")


def _mapped(path: Path, length: int) -> tuple[int, mmap.mmap]:
    """A file of that length, made where it is not there, and its bytes; both open."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if os.fstat(handle).st_size != length:
            os.ftruncate(handle, length)
        return handle, mmap.mmap(handle, length, access=mmap.ACCESS_READ)
    except BaseException:
        os.close(handle)
        raise
