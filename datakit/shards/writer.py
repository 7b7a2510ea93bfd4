"""Write one shard: records spooled to disk, one HDF5 file written beside, synced, hashed, then renamed.

Nothing appears under the final name before it is whole. Which samples go into which shard
is the pipeline's business.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import h5py
import numpy as np

from ..files import canonical_json, digest_json, file_sha256, replacing
from ..images import encode_rle
from ..samples import Sample, Triple
from . import layout

COPY_BYTES = 4 << 20


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


class _Blob:
    """Records of one kind, appended to an unnamed spool file so that memory stays flat."""

    def __init__(self, folder: Path):
        self._spool: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115, closed by the writer
        self.offsets = [0]
        self.crc32: list[int] = []

    def append(self, record: bytes | memoryview) -> int:
        self._spool.write(record)
        self.offsets.append(self.offsets[-1] + len(record))
        self.crc32.append(zlib.crc32(record))
        return len(self.crc32) - 1

    def store(self, file: h5py.File, kind: str) -> None:
        """Write `<kind>/data`, `/offsets` and `/crc32`; the data contiguous, copied in pieces."""
        data = file.create_dataset(f"{kind}/data", shape=(self.offsets[-1],), dtype="u1")
        self._spool.seek(0)
        position = 0
        while piece := self._spool.read(COPY_BYTES):
            data[position : position + len(piece)] = np.frombuffer(piece, np.uint8)
            position += len(piece)
        file.create_dataset(f"{kind}/offsets", data=np.asarray(self.offsets, "<u8"))
        file.create_dataset(f"{kind}/crc32", data=np.asarray(self.crc32, "<u4"))

    def close(self) -> None:
        self._spool.close()


class ShardWriter:
    """Collects samples with their triples and publishes them as one shard file.

    A context manager: leaving it by an exception removes everything it made.

    Args:
        path: final name of the shard; its folder must exist.
        header: what the shard says about itself.
        scratch: folder for the spool and the part file, on the same file system as `path`; default its folder.
    """

    def __init__(self, path: Path, header: ShardHeader, scratch: Path | None = None):
        self.path = path
        self._header = header
        self._scratch = scratch or path.parent
        self._blobs = {kind: _Blob(self._scratch) for kind in layout.KINDS}
        self._images: list[tuple[Any, ...]] = []
        self._targets: list[tuple[Any, ...]] = []
        self._triples: list[tuple[Any, ...]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for blob in self._blobs.values():
            blob.close()

    def add(self, sample: Sample, triples: Sequence[Triple]) -> None:
        """Append one sample with its triples; its photo is stored once, when its first sample comes.

        Samples of one photo must come one after the other.
        """
        image_row = self._image_row(sample)
        target_row = self._blobs[layout.TARGETS].append(encode_rle(sample.mask))
        ignore_row = -1
        if sample.ignore is not None:
            ignore_row = self._blobs[layout.IGNORES].append(encode_rle(sample.ignore))
        area = int(np.count_nonzero(sample.mask.view(np.bool_)))
        crc32 = sample.source_crc32
        self._targets.append((sample.key, image_row, sample.object_id, area, ignore_row, crc32))
        for triple in triples:
            self._blobs[layout.DEFORMED].append(encode_rle(triple.deformed))
            self._triples.append(_triple_row(triple, image_row, target_row))

    def _image_row(self, sample: Sample) -> int:
        photo = sample.photo
        if not self._images or self._images[-1][0] != sample.photo_key:
            self._blobs[layout.IMAGES].append(photo.encoded)
            self._images.append((sample.photo_key, *photo.size, photo.normalised, photo.source_crc32))
        return len(self._images) - 1

    def publish(self) -> ShardStats:
        """Write the file beside, sync and hash it, and give it its final name.

        Raises:
            OSError: the disk is full or read-only; nothing is left behind.
        """
        with replacing(self.path, self._scratch) as part:
            with h5py.File(part, "w", libver=layout.LIBVER) as file:
                self._store(file)
            size, digest = part.stat().st_size, file_sha256(part)
        return ShardStats(size, digest, len(self._images), len(self._targets), len(self._triples))

    def _store(self, file: h5py.File) -> None:
        names = self._header.parameter_names
        file.attrs["format"] = layout.FORMAT
        file.attrs["version"] = layout.VERSION
        file.attrs["source"] = self._header.source
        file.attrs["settings_json"] = canonical_json(self._header.settings)
        file.attrs["settings_digest"] = digest_json(self._header.settings)
        file.attrs["tools_json"] = canonical_json(self._header.tools)
        file.attrs["parameter_names_json"] = canonical_json(names)
        file.attrs["conventions"] = layout.CONVENTIONS
        for kind, blob in self._blobs.items():
            blob.store(file, kind)
        images = layout.image_dtype(_width(self._images, 0), _width(self._images, 3))
        targets = layout.target_dtype(_width(self._targets, 0))
        columns = max((len(row) for row in names.values()), default=0)
        triples = layout.triple_dtype(
            _width(self._triples, 0), _width(self._triples, 1), _width(self._triples, 10), columns
        )
        _store_table(file, layout.IMAGE_TABLE, _table(self._images, images))
        _store_table(file, layout.TARGET_TABLE, _table(self._targets, targets))
        _store_table(file, layout.TRIPLE_TABLE, _table(self._triples, triples))


def _store_table(file: h5py.File, name: str, table: np.ndarray[Any, Any]) -> None:
    file.create_dataset(name, data=table).attrs["crc32"] = np.uint32(zlib.crc32(table.tobytes()))


def _triple_row(triple: Triple, image_row: int, target_row: int) -> tuple[Any, ...]:
    return (
        triple.key,
        triple.recipe,
        triple.kind,
        triple.variant,
        triple.object_id,
        image_row,
        target_row,
        triple.iou,
        triple.area_ratio,
        triple.redraws,
        triple.flags,
        triple.parameters,
    )


def _width(rows: Sequence[tuple[Any, ...]], column: int) -> int:
    return max((len(row[column].encode()) for row in rows), default=1)


def _table(rows: Sequence[tuple[Any, ...]], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    table = np.zeros(len(rows), dtype)
    for column, name in enumerate(dtype.names or ()):
        field = dtype[name]
        if field.subdtype is not None:
            table[name] = np.nan
            for row, values in enumerate(rows):
                table[name][row, : len(values[column])] = values[column]
        elif field.kind == "S":
            table[name] = [row[column].encode() for row in rows]
        else:
            table[name] = [row[column] for row in rows]
    return table
