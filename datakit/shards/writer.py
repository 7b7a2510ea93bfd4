"""Write one shard: records collected, one HDF5 file written beside, synced, hashed, then renamed.

Nothing appears under the final name before it is whole. Which samples go into which shard
is the pipeline's business; shards that become one are put together in `merge`.
"""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from ..arrays import area
from ..files import canonical_json, digest_json, file_sha256, replacing
from ..rle import encode_rle
from ..samples import TRIPLE_COLUMNS, Column, Sample, Triple
from . import layout

HELD_BYTES = 64 << 20  # of records of one kind in memory; a shard's photos as a rule
PIECE_BYTES = 4 << 20


@dataclass(frozen=True)
class ShardHeader:
    """What a shard says about itself in its attributes.

    Attributes:
        source: label of the source.
        settings: resolved settings of the build, JSON-able.
        tools: versions of what shaped the bytes.
        parameter_names: recipe name -> names of the drawn numbers.
    """

    source: str
    settings: Mapping[str, Any]
    tools: Mapping[str, str]
    parameter_names: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class ShardStats:
    """What was written: size, digest and counts, as they enter the manifest."""

    bytes: int
    sha256: str
    photos: int
    samples: int
    triples: int


class Records(Protocol):
    """Encoded records of one kind, to be written end to end."""

    @property
    def offsets(self) -> Sequence[int] | NDArray[np.uint64]:
        """Where each record begins, and where the last one ends."""

    @property
    def crc32(self) -> Sequence[int] | NDArray[np.uint32]:
        """Of each record."""

    def pieces(self) -> Iterator[bytes | NDArray[np.uint8]]:
        """All bytes in order, a few megabytes at a time."""


def publish_shard(
    path: Path, header: ShardHeader, blobs: Mapping[str, Records], tables: Mapping[str, NDArray[Any]], scratch: Path
) -> ShardStats:
    """Write a shard beside, sync and hash it, and give it its final name.

    Args:
        path: final name.
        header: what the shard says about itself.
        blobs: records by kind, in the order of `layout.KINDS`.
        tables: rows by name, in the order of `layout.TABLES`.
        scratch: folder for the part file, on the same file system.

    Raises:
        OSError: the disk is full or read-only; nothing is left behind.
    """
    with replacing(path, scratch) as part:
        with h5py.File(part, "w", libver=layout.LIBVER) as file:
            file.attrs["format"] = layout.FORMAT
            file.attrs["version"] = layout.VERSION
            file.attrs["source"] = header.source
            file.attrs["settings_json"] = canonical_json(header.settings)
            file.attrs["settings_digest"] = digest_json(header.settings)
            file.attrs["tools_json"] = canonical_json(header.tools)
            file.attrs["parameter_names_json"] = canonical_json(header.parameter_names)
            file.attrs["conventions"] = layout.CONVENTIONS
            for kind, blob in blobs.items():
                data, position = file.create_dataset(f"{kind}/data", shape=(blob.offsets[-1],), dtype="u1"), 0
                for piece in blob.pieces():
                    data[position : position + len(piece)] = np.frombuffer(piece, np.uint8)
                    position += len(piece)
                file.create_dataset(f"{kind}/offsets", data=np.asarray(blob.offsets, "<u8"))
                file.create_dataset(f"{kind}/crc32", data=np.asarray(blob.crc32, "<u4"))
            for name, table in tables.items():
                file.create_dataset(name, data=table).attrs["crc32"] = np.uint32(zlib.crc32(table.tobytes()))
        size, digest = part.stat().st_size, file_sha256(part)
    return ShardStats(size, digest, *(len(tables[name]) for name in layout.TABLES))


class RecordBuffer:
    """Records of one kind: in memory up to `HELD_BYTES`, then in an unnamed file, so that memory stays flat."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._held: list[bytes | memoryview] = []
        self._held_bytes = 0
        self._spool: IO[bytes] | None = None
        self.offsets: list[int] = [0]
        self.crc32: list[int] = []

    def append(self, record: bytes | memoryview) -> int:
        self._held.append(record)
        self._held_bytes += len(record)
        if self._held_bytes > HELD_BYTES:
            self._spill()
        self.offsets.append(self.offsets[-1] + len(record))
        self.crc32.append(zlib.crc32(record))
        return len(self.crc32) - 1

    def _spill(self) -> None:
        if self._spool is None:
            self._spool = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115, closed by the writer
        self._spool.writelines(self._held)
        self._held, self._held_bytes = [], 0

    def pieces(self) -> Iterator[bytes]:
        """All records, end to end, a few megabytes at a time."""
        if self._spool is not None:
            self._spool.seek(0)
            while piece := self._spool.read(PIECE_BYTES):
                yield piece
        gathered, size = [], 0
        for record in self._held:
            gathered.append(record)
            size += len(record)
            if size >= PIECE_BYTES:
                yield b"".join(gathered)
                gathered, size = [], 0
        if gathered:
            yield b"".join(gathered)

    def close(self) -> None:
        if self._spool is not None:
            self._spool.close()


class ShardWriter:
    """Collects samples with their triples and publishes them as one shard file.

    A context manager: leaving it by an exception removes everything it made.

    Args:
        path: final name of the shard; its folder must exist.
        header: what the shard says about itself.
        scratch: folder for the spool and the part file, on the same file system as `path`; default its folder.
    """

    def __init__(
        self, path: str | os.PathLike[str], header: ShardHeader, scratch: str | os.PathLike[str] | None = None
    ):
        self.path = Path(path)
        self._header = header
        self._scratch = Path(scratch or self.path.parent)
        self._blobs = {kind: RecordBuffer(self._scratch) for kind in layout.KINDS}
        self._rows: dict[str, list[dict[str, Any]]] = {name: [] for name in layout.TABLES}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for blob in self._blobs.values():
            blob.close()

    def add(self, sample: Sample, triples: Sequence[Triple]) -> None:
        """Append one sample with its triples; its photo is stored once, when its first sample comes.

        Samples of one photo must come one after the other.
        """
        photo, images = sample.photo, self._rows[layout.IMAGE_TABLE]
        if not images or images[-1]["key"] != sample.photo_key:
            self._blobs[layout.IMAGES].append(photo.encoded)
            images.append({
                "key": sample.photo_key, "height": photo.size[0], "width": photo.size[1],
                "normalised": photo.normalised, "source_crc32": photo.source_crc32,
            })  # fmt: skip
        image_row = len(images) - 1
        target_row = self._blobs[layout.TARGETS].append(encode_rle(sample.mask))
        ignore_row = -1
        if sample.ignore is not None:
            ignore_row = self._blobs[layout.IGNORES].append(encode_rle(sample.ignore))
        self._rows[layout.TARGET_TABLE].append({
            "key": sample.key, "image_row": image_row, "object_id": sample.object_id, "area": area(sample.mask),
            "ignore_row": ignore_row, "source_crc32": sample.source_crc32,
        })  # fmt: skip
        for triple in triples:
            self._blobs[layout.DEFORMED].append(encode_rle(triple.guide))
            row = {column.name: getattr(triple, column.attribute) for column in TRIPLE_COLUMNS if column.attribute}
            self._rows[layout.TRIPLE_TABLE].append({**row, "image_row": image_row, "target_row": target_row})

    def publish(self) -> ShardStats:
        """Give what was added its final name.

        Raises:
            OSError: the disk is full or read-only; nothing is left behind.
        """
        numbers = max((len(names) for names in self._header.parameter_names.values()), default=0)
        tables = {name: _table(layout.COLUMNS[name], rows, numbers) for name, rows in self._rows.items()}
        return publish_shard(self.path, self._header, self._blobs, tables, self._scratch)


def _table(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], numbers: int) -> NDArray[Any]:
    """Rows as they lie in the file; `numbers` is how many parameters a row has room for."""
    values = {column.name: [row[column.name] for row in rows] for column in columns}
    widths = dict.fromkeys((column.name for column in columns if column.is_wide), numbers)
    for column in columns:
        if column.is_text:
            values[column.name] = [text.encode() for text in values[column.name]]
            if column.is_wide:
                widths[column.name] = max(map(len, values[column.name]), default=1)
    table = np.zeros(len(rows), layout.row_dtype(columns, widths))
    for column in columns:
        if column.shape:
            table[column.name] = np.nan
            for cells, drawn in zip(table[column.name], values[column.name], strict=True):
                cells[: len(drawn)] = drawn
        else:
            table[column.name] = values[column.name]
    return table
