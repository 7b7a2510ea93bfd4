"""One shard file, opened for reading, and its triples decoded.

The index of a shard is read through h5py once and the file closed again; records are then
sliced out of a memory map, so no HDF5 handle lives on the hot path or crosses a fork.
"""

from __future__ import annotations

import json
import mmap
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..arrays import Image, Mask
from ..errors import ShardError
from ..formats import MAX_PIXELS
from ..hdf5 import opened
from ..headers import image_size
from ..images import check_decodable, decode_reduced
from ..rle import decode_rle
from ..samples import TRIPLE_COLUMNS, Photo, Triple, flags_of
from ..wording import counted
from . import layout, structure
from .open_files import who_writes

Check = Literal["masks", "all", "none"]
_NOT_A_SHARD = (OSError, LookupError, ValueError, TypeError, AttributeError, RuntimeError, OverflowError, MemoryError)


@dataclass(frozen=True)
class _Blob:
    start: int  # of the data within the file, in bytes
    offsets: NDArray[np.uint64]
    crc32: NDArray[np.uint32]


class Shard:
    """One open shard file: its tables in memory, its records behind a memory map.

    Whatever the file, opening it takes no more memory than its index, and ends in a shard that is laid out
    as the format says or in an error. HDF5 itself may fall over a file made for that: see docs/shard-format.md.

    Args:
        path: the file.
        max_pixels: refuse photos of more pixels, as the tables and the pictures' own headers say.

    Attributes:
        images, targets, triples: the tables of `layout`.
        table_crc32: name of a table -> CRC-32 of its bytes when it was written.
        settings: resolved settings of the build.
        parameter_names: recipe name -> names of the drawn numbers.
        floors: recipe name -> its `min_iou`, where the settings say.

    Raises:
        ShardError: not a shard of this version, or its parts do not fit together.
    """

    def __init__(self, path: Path, max_pixels: int = MAX_PIXELS):
        self.path = path
        self._file: Path = getattr(self, "_file", path)  # on this machine; of a shard in a store, the part that is read
        try:
            self._map_file()
            with opened(self._file, rdcc_nbytes=0) as file:
                self._read_attributes(structure.read_attributes(file))
                extents = structure.find_extents(file, len(self._map))
                self.table_crc32 = {name: structure.read_crc32(file, name) for name in layout.TABLES}
            self._read_index(extents)
            records = {kind: len(blob.crc32) for kind, blob in self._blobs.items()}
            structure.check_rows(self._tables, records, self.parameter_names, max_pixels)
        except _NOT_A_SHARD as error:
            if who := who_writes(self._file):
                raise ShardError(
                    f"{path}: is open for writing {who} ({error}); close it there and try again"
                ) from error
            raise ShardError(f"{path}: not a readable shard ({error}); check it with `datakit verify`") from error

    def __repr__(self) -> str:
        """One line: file, number of triples and photos."""
        return (
            f"Shard({str(self.path)!r}, {counted(len(self.triples), 'triple')} of {counted(len(self.images), 'photo')})"
        )

    def _map_file(self) -> None:
        if not self._file.is_file():
            raise ValueError("no such regular file")
        with self._file.open("rb") as handle:
            if handle.read(len(structure.SIGNATURE)) != structure.SIGNATURE:
                raise ValueError("does not begin as an HDF5 file does")
            self._map = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        self._view = memoryview(self._map)

    def _read_attributes(self, found: Mapping[str, Any]) -> None:
        kind, version = found["format"], found["version"]
        if (kind, version) != (layout.FORMAT, layout.VERSION):
            raise ShardError(f"{self.path}: {layout.other_format(kind, version, layout.FORMAT, layout.VERSION)}")
        self.source = str(found["source"])
        self.settings_digest = str(found["settings_digest"])
        self.settings: dict[str, Any] = json.loads(found["settings_json"])
        self.tools: dict[str, str] = json.loads(found["tools_json"])
        self.parameter_names: dict[str, list[str]] = json.loads(found["parameter_names_json"])
        if not all(isinstance(value, dict) for value in (self.settings, self.tools, self.parameter_names)):
            raise ValueError("an attribute ending in _json does not hold a JSON object")
        recipes = self.settings.get("recipes", ())
        self.floors = {str(each["name"]): float(each["min_iou"]) for each in recipes if "min_iou" in each}

    def _read_index(self, extents: Mapping[str, structure.Extent]) -> None:
        values = {path: self._values(extent) for path, extent in extents.items() if not path.endswith("/data")}
        self._tables = {name: values[name] for name in layout.TABLES}
        self.images, self.targets, self.triples = self._tables.values()
        self._blobs = {}
        for kind in layout.KINDS:
            data, offsets, crc32 = extents[f"{kind}/data"], values[f"{kind}/offsets"], values[f"{kind}/crc32"]
            structure.check_offsets(kind, offsets, crc32, data.rows)
            self._blobs[kind] = _Blob(data.start, offsets, crc32)

    def _values(self, extent: structure.Extent) -> NDArray[Any]:
        if not extent.rows:
            return np.zeros(0, extent.dtype)
        return np.frombuffer(self._map, extent.dtype, extent.rows, extent.start).copy()

    def record(self, kind: str, row: int, check: bool = False) -> memoryview:
        """The encoded bytes of one record, without copying.

        Args:
            kind: `images`, `targets`, `ignores` or `deformed`.
            row: row within its kind.
            check: compare the record's CRC-32 first.

        Raises:
            ShardError: the CRC-32 does not fit.
        """
        blob = self._blobs[kind]
        start, stop = blob.start + int(blob.offsets[row]), blob.start + int(blob.offsets[row + 1])
        record = self._view[start:stop]
        if check and zlib.crc32(record) != blob.crc32[row]:
            raise ShardError(f"{self.path}: {kind}[{row}]: CRC-32 does not fit, the record is damaged; "
                             "find and repair it with `datakit verify --repair`")  # fmt: skip
        return record

    def table(self, name: str) -> NDArray[Any]:
        """One of the tables by its name in the file."""
        return self._tables[name]

    def flags(self) -> list[str]:
        """Remarks on every triple as people see them, see `samples.flags_of`; the table holds the draws' own."""
        columns = (self.triples[name].tolist() for name in ("recipe", "iou", "flags"))
        return [
            flags_of(flags.decode(), iou, self.floors.get(recipe.decode()))
            for recipe, iou, flags in zip(*columns, strict=True)
        ]

    def offsets(self, kind: str) -> NDArray[np.uint64]:
        """(n + 1,) uint64: record `i` of a kind lies between `offsets[i]` and `offsets[i + 1]` of its data."""
        return self._blobs[kind].offsets

    def size(self, image_row: int) -> tuple[int, int]:
        """(H, W) of a photo."""
        image = self.images[image_row]
        return int(image["height"]), int(image["width"])

    def close(self) -> None:
        """Give the memory map back."""
        self._view.release()
        self._map.close()


def open_parts(shard: Shard, row: int) -> tuple[memoryview, memoryview, memoryview]:
    """Encoded (image, deformed, target) of one triple of a shard, as they lie in the file."""
    triple = shard.triples[row]
    return (
        shard.record(layout.IMAGES, int(triple["image_row"])),
        shard.record(layout.DEFORMED, row),
        shard.record(layout.TARGETS, int(triple["target_row"])),
    )


def decode_triple(shard: Shard, row: int, check: Check = "masks") -> Triple:
    """Decode one triple of a shard.

    Raises:
        ShardError: a checked CRC-32 does not fit, a record cannot be decoded, the target is empty, or sizes disagree.
    """
    entry = shard.triples[row]
    image_row, target_row = int(entry["image_row"]), int(entry["target_row"])
    size = shard.size(image_row)
    masks = check != "none"
    try:
        image = decode_image(shard, image_row, check == "all")
        target, ignore = decode_target(shard, target_row, size, masks)
        guide = decode_rle(shard.record(layout.DEFORMED, row, masks), size)
    except ValueError as error:
        raise ShardError(f"{shard.path}: triples[{row}]: {error}; look closer with `datakit verify --deep`") from error
    if masks and not target.view(np.bool_).any():
        raise ShardError(f"{shard.path}: triples[{row}]: the target is empty; rebuild the shard")
    return _triple(shard, entry, image, guide, target, ignore)


def decode_target(shard: Shard, row: int, size: tuple[int, int], check: bool = True) -> tuple[Mask, Mask | None]:
    """Target and ignore region of one sample of a shard, (H, W) uint8 0/1 each; None where everything counts.

    Raises:
        ValueError: a record cannot be decoded.
        ShardError: the CRC-32 was to be checked and does not fit.
    """
    target = decode_rle(shard.record(layout.TARGETS, row, check), size)
    ignore_row = int(shard.targets["ignore_row"][row])
    return target, decode_rle(shard.record(layout.IGNORES, ignore_row, check), size) if ignore_row >= 0 else None


def decode_image(shard: Shard, row: int, check: bool = False, factor: int = 1) -> Image:
    """(ceil(H / factor), ceil(W / factor), 3) uint8 RGB of one photo of a shard, as large as the table says.

    Args:
        shard: which one.
        row: of its table of photos.
        check: compare the record's CRC-32 first.
        factor: of `images.decode_reduced`.

    Raises:
        ValueError: it is of another size, which is found before it is decoded, or no picture.
        ShardError: the CRC-32 was to be checked and does not fit.
    """
    record, size = _framed(shard, row, check)
    image = decode_reduced(record, factor)
    expected = -(-size[0] // factor), -(-size[1] // factor)
    if image.shape[:2] != expected:
        raise ValueError(f"images[{row}]: decodes to {image.shape[:2]}, expected {expected} as the table says")
    return image


def check_image(shard: Shard, row: int) -> None:
    """Make sure that `decode_image` would give a picture, in less time: see `images.check_decodable`.

    Raises:
        ValueError: as there.
    """
    record, size = _framed(shard, row)
    try:
        check_decodable(record, size)
    except ValueError as error:
        raise ValueError(f"images[{row}]: the table says {size}, but there are {error}") from None


def _framed(shard: Shard, row: int, check: bool = False) -> tuple[memoryview, tuple[int, int]]:
    """Bytes and size of a photo whose own header says the same as the table."""
    record, size = shard.record(layout.IMAGES, row, check), shard.size(row)
    if (found := image_size(record)) != size:
        raise ValueError(f"images[{row}]: the picture is {found}, the table says {size}")
    return record, size


def _triple(
    shard: Shard, entry: Any, image: NDArray[np.uint8], guide: Mask, target: Mask, ignore: Mask | None
) -> Triple:
    row = _values(layout.TRIPLE_TABLE, entry)
    photo = _values(layout.IMAGE_TABLE, shard.images[row["image_row"]])
    names = shard.parameter_names[row["recipe"]]
    row["parameters"] = np.array(row["parameters"][: len(names)])
    return Triple(
        **{column.attribute: row[column.name] for column in TRIPLE_COLUMNS if column.attribute},
        sample_key=shard.targets["key"][row["target_row"]].decode(),
        photo=Photo.decoded(image, shard.record(layout.IMAGES, row["image_row"]), photo["normalised"],
                            photo["source_crc32"]),
        guide=guide,
        target=target,
        ignore=ignore,
        flags=flags_of(row["flags"], row["iou"], shard.floors.get(row["recipe"])),
        parameter_names=tuple(names),
    )  # fmt: skip


def _values(table: str, entry: Any) -> dict[str, Any]:
    """A row of a table as plain values by column; one conversion costs a third of asking for each."""
    columns = zip(layout.COLUMNS[table], entry.item(), strict=True)
    return {column.name: value.decode() if column.is_text else value for column, value in columns}
