"""A shard in a store: opened by two requests, its photos read one by one when they are needed, and kept in a cache.

The first request gets the beginning of the file, which says where the photos end; the second all that lies behind them:
masks, offsets and tables. From then on it is read like any other.
"""

from __future__ import annotations

import os
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import ShardError
from ..formats import MAX_PIXELS
from ..places import Place, is_stored, read_bytes, read_parts
from ..stores import EndsEarly
from . import layout, structure
from .cache import Cache
from .manifest import ShardEntry
from .shard import Shard

HEADS = (16 << 10, 1 << 20, 16 << 20)  # bytes asked for, until they say where the photos lie; the first does as a rule
HELD = 64  # photos of a shard in memory, where the cache cannot keep them
REPLACED = "its bytes are not those that were published: the object was replaced or damaged; open the folder anew, or "
AGAIN = "check it with `datakit verify`"


class StoredShard(Shard):
    """One shard of a store.

    Args:
        place: its address.
        entry: what the manifest says of it.
        cache: where what was read is kept.
        max_pixels: as `Shard`.

    Raises:
        ShardError: it is missing, truncated, replaced, or no shard.
        StoreError: the store does not answer, or the cache's disk is full.
    """

    def __init__(self, place: Place, entry: ShardEntry, cache: Cache, max_pixels: int = MAX_PIXELS):
        self._entry, self._max_pixels = entry, max_pixels
        kept = cache.of(entry.sha256)
        self._place = place
        try:
            self._file = kept.index(self._fill_index)
        except FileNotFoundError:
            raise ShardError(f"{place}: is missing, the manifest lists it; run `datakit build-shards` again") from None
        super().__init__(place, max_pixels)
        blob = self._blobs[layout.IMAGES]
        self._photos = kept.photos(int(blob.offsets[-1]), len(blob.crc32))
        self._held: OrderedDict[int, bytes] = OrderedDict()

    def record(self, kind: str, row: int, check: bool = False) -> memoryview:
        """As `Shard.record`; a photo is read from the store where it is not kept, and always checked."""
        if kind != layout.IMAGES:
            return super().record(kind, row, check)
        blob = self._blobs[kind]
        start, stop = int(blob.offsets[row]), int(blob.offsets[row + 1])
        if row in self._photos:
            data = self._photos.part(start, stop)
            if zlib.crc32(data) == blob.crc32[row]:
                return data
        if row not in self._held:
            self.keep(row, read_parts([self._part(row)])[0])
        return self._photos.part(start, stop) if row in self._photos else memoryview(self._held[row])

    def missing(self, rows: Iterable[int]) -> list[WantedPhoto]:
        """Photos among these that must be read from the store."""
        absent = sorted({row for row in rows if row not in self._photos and row not in self._held})
        return [WantedPhoto(self, row, *self._part(row)) for row in absent]

    def keep(self, row: int, data: bytes) -> None:
        """Take a photo that was read.

        Raises:
            ShardError: its CRC-32 does not fit.
        """
        blob = self._blobs[layout.IMAGES]
        if zlib.crc32(data) != blob.crc32[row]:
            raise ShardError(f"{self.path}: images[{row}]: {REPLACED}{AGAIN}")
        if not self._photos.keep(row, int(blob.offsets[row]), data):
            while len(self._held) >= HELD:
                self._held.popitem(last=False)
            self._held[row] = data

    def close(self) -> None:
        """As `Shard.close`."""
        self._photos.close()
        super().close()

    def _part(self, row: int) -> tuple[Place, int, int]:
        blob = self._blobs[layout.IMAGES]
        return self._place, blob.start + int(blob.offsets[row]), blob.start + int(blob.offsets[row + 1])

    def _fill_index(self, part: Path) -> None:
        """Write all but the photos to a sparse file as long as the shard, and make sure that it is what was built."""
        place, size = self._place, self._entry.bytes
        try:
            photos = self._read_head(part)
            with part.open("r+b") as file:
                os.pwrite(file.fileno(), read_bytes(place, photos.stop, size), photos.stop)
        except EndsEarly as error:
            raise ShardError(f"{error}; it is truncated: run `datakit build-shards` again") from error
        try:
            self._check(Shard(part, self._max_pixels))
        except ShardError as error:
            why = str(error).removeprefix(f"{part}: ")
            raise ShardError(f"{place}: {why}; {REPLACED}{AGAIN}") from error

    def _read_head(self, part: Path) -> structure.Extent:
        """Where the photos lie; the beginning of the file is then written."""
        size = self._entry.bytes
        for length in HEADS:
            head = read_bytes(self._place, 0, min(length, size))
            with part.open("wb") as file:
                file.write(head)
                file.truncate(size)
            found = structure.find_photos(part, size)
            if found is not None and found.start <= len(head):
                return found
            if length >= size:
                break
        raise ShardError(
            f"{self._place}: not a readable shard (its beginning does not say where its photos lie); {AGAIN}"
        )

    def _check(self, shard: Shard) -> None:
        """Make sure that tables and masks are those that were written.

        Raises:
            ShardError: they are not.
        """
        tables_fit = all(zlib.crc32(shard.table(name).tobytes()) == crc32 for name, crc32 in shard.table_crc32.items())
        if not tables_fit or len(shard.triples) != self._entry.triples:
            raise ShardError("its tables are others than were written")
        for kind in layout.KINDS:
            if kind != layout.IMAGES:
                for row in range(len(shard.offsets(kind)) - 1):
                    shard.record(kind, row, check=True)


def open_shard(place: Place, entry: ShardEntry, max_pixels: int = MAX_PIXELS, cache: Cache | None = None) -> Shard:
    """A shard, on a disk or in a store.

    Args:
        place: where it lies.
        entry: what the manifest says of it.
        max_pixels: as `Shard`.
        cache: where what is read of a store is kept, by default in the folder that `Cache` takes.

    Raises:
        ShardError, StoreError: as `Shard` and `StoredShard`.
    """
    if not is_stored(place):
        return Shard(place, max_pixels)
    return StoredShard(place, entry, Cache() if cache is None else cache, max_pixels)


class WantedPhoto(NamedTuple):
    """A photo that must be read: of which shard, which one, and where it lies."""

    shard: StoredShard
    row: int
    place: Place
    start: int
    stop: int


def fetch(wanted: Sequence[WantedPhoto]) -> None:
    """Read photos of any shards of one store, many requests in flight.

    Raises:
        ShardError: one is not what was published.
        OSError: one cannot be read.
    """
    for photo, data in zip(wanted, read_parts([photo[2:] for photo in wanted]), strict=True):
        photo.shard.keep(photo.row, data)
