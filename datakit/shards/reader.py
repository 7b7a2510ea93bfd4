"""Read shards: a picklable, fork- and spawn-safe Sequence of Triples.

The index of a shard is read through h5py once and the file closed again; records are then
sliced out of a memory map, so no HDF5 handle lives on the hot path or crosses a fork.
"""

from __future__ import annotations

import bisect
import json
import mmap
import os
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, overload

import h5py
import numpy as np
from numpy.typing import NDArray

from ..arrays import Mask
from ..deformations import Recipe
from ..errors import ShardError
from ..images import decode_picture, decode_rle
from ..samples import Triple
from . import layout
from .manifest import read_manifest

Check = Literal["masks", "all", "none"]


@dataclass(frozen=True)
class _Blob:
    start: int  # of the data within the file, in bytes
    offsets: NDArray[np.uint64]
    crc32: NDArray[np.uint32]


class Shard:
    """One open shard file: its tables in memory, its records behind a memory map.

    Args:
        path: the file.

    Attributes:
        images, targets, triples: the tables of `layout`.
        table_crc32: name of a table -> CRC-32 of its bytes when it was written.
        settings: resolved settings of the build.
        parameter_names: recipe name -> names of the drawn numbers.

    Raises:
        ShardError: not a shard of this version, or its parts do not fit together.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            with h5py.File(path, "r", locking=False, rdcc_nbytes=0) as file:
                self._read_attributes(file)
                self.images = file[layout.IMAGE_TABLE][()]
                self.targets = file[layout.TARGET_TABLE][()]
                self.triples = file[layout.TRIPLE_TABLE][()]
                self.table_crc32 = {name: int(file[name].attrs["crc32"]) for name in layout.TABLES}
                self._blobs = {kind: _read_blob(file, kind) for kind in layout.KINDS}
        except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise ShardError(f"{path}: not a readable shard ({error}); check it with `datakit verify`") from error
        with path.open("rb") as handle:
            self._map = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        self._view = memoryview(self._map)

    def _read_attributes(self, file: h5py.File) -> None:
        found = file.attrs.get("format"), file.attrs.get("version")
        if found != (layout.FORMAT, layout.VERSION):
            raise ShardError(f"{self.path}: is {found}, expected {(layout.FORMAT, layout.VERSION)}")
        self.source = str(file.attrs["source"])
        self.settings: dict[str, Any] = json.loads(file.attrs["settings_json"])
        self.tools: dict[str, str] = json.loads(file.attrs["tools_json"])
        self.parameter_names: dict[str, list[str]] = json.loads(file.attrs["parameter_names_json"])

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
        tables: dict[str, NDArray[Any]] = {
            layout.IMAGE_TABLE: self.images,
            layout.TARGET_TABLE: self.targets,
            layout.TRIPLE_TABLE: self.triples,
        }
        return tables[name]

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


def _read_blob(file: h5py.File, kind: str) -> _Blob:
    data = file[f"{kind}/data"]
    offsets, crc32 = file[f"{kind}/offsets"][()], file[f"{kind}/crc32"][()]
    if data.dtype != np.uint8 or len(offsets) != len(crc32) + 1 or int(offsets[-1]) != data.shape[0]:
        raise ValueError(f"{kind}: data, offsets and crc32 do not fit together")
    return _Blob(data.id.get_offset() or 0, offsets, crc32)


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
        ShardError: a checked CRC-32 does not fit, the target is empty, or sizes disagree.
    """
    entry = shard.triples[row]
    image_row, target_row = int(entry["image_row"]), int(entry["target_row"])
    size = shard.size(image_row)
    masks = check != "none"
    image = decode_picture(shard.record(layout.IMAGES, image_row, check == "all"))
    target = decode_rle(shard.record(layout.TARGETS, target_row, masks), size)
    deformed = decode_rle(shard.record(layout.DEFORMED, row, masks), size)
    sample = shard.targets[target_row]
    ignore_row = int(sample["ignore_row"])
    ignore = decode_rle(shard.record(layout.IGNORES, ignore_row, masks), size) if ignore_row >= 0 else None
    if image.shape[:2] != size:
        raise ShardError(f"{shard.path}: triples[{row}]: image decodes to {image.shape[:2]}, the table says {size}")
    if masks and not target.any():
        raise ShardError(f"{shard.path}: triples[{row}]: the target is empty; rebuild the shard")
    return _triple(shard, entry, image, deformed, target, ignore)


def _triple(
    shard: Shard, entry: Any, image: NDArray[np.uint8], deformed: Mask, target: Mask, ignore: Mask | None
) -> Triple:
    recipe = entry["recipe"].decode()
    return Triple(
        key=entry["key"].decode(),
        sample_key=shard.targets[entry["target_row"]]["key"].decode(),
        image=image,
        deformed=deformed,
        target=target,
        ignore=ignore,
        recipe=recipe,
        kind=entry["kind"].decode(),
        variant=int(entry["variant"]),
        object_id=int(entry["object_id"]),
        parameters=entry["parameters"][: len(shard.parameter_names[recipe])].copy(),
        iou=float(entry["iou"]),
        area_ratio=float(entry["area_ratio"]),
        redraws=int(entry["redraws"]),
        flags=entry["flags"].decode(),
    )


class ShardReader(Sequence[Triple]):
    """All triples of a finished folder of shards, in order of source, shard and row.

    Pickles to its arguments; every process opens the shards it needs when it needs them.

    Args:
        folder: a folder that `datakit build-shards` finished.
        check: which CRC-32 are compared on every read: `masks` (their cost is nothing), `all`, or `none`.
        max_open: number of shards kept open at once.

    Attributes:
        recipes: recipe name -> Recipe, as built.

    Raises:
        ShardError: no manifest, a damaged one, or a shard file of another size than it says.
    """

    def __init__(self, folder: str | os.PathLike[str], check: Check = "masks", max_open: int = 64):
        self.folder = Path(folder)
        self.check: Check = check
        self.max_open = max_open
        self.manifest = read_manifest(self.folder)
        self.recipes = {r["name"]: Recipe.from_dict(r) for r in self.manifest.settings["recipes"]}
        self._ends = np.cumsum([shard.triples for shard in self.manifest.shards]).tolist()
        self._open: OrderedDict[int, Shard] = OrderedDict()
        self._pid = os.getpid()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": OrderedDict(), "_pid": -1}

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> Triple: ...
    @overload
    def __getitem__(self, index: slice) -> list[Triple]: ...
    def __getitem__(self, index: int | slice) -> Triple | list[Triple]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return decode_triple(*self.locate(index), check=self.check)

    def raw(self, index: int) -> tuple[memoryview, memoryview, memoryview]:
        """Encoded bytes (image, deformed, target) of one triple, neither copied nor checked."""
        return open_parts(*self.locate(index))

    def locate(self, index: int) -> tuple[Shard, int]:
        """The open shard and the row within it of triple number `index`.

        Raises:
            IndexError: out of range.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"triple {index} of {len(self)}")
        index %= len(self)
        number = bisect.bisect_right(self._ends, index)
        return self.shard(number), index - (self._ends[number - 1] if number else 0)

    def shard(self, number: int) -> Shard:
        """Shard number `number` of the manifest, opened when first needed."""
        if self._pid != os.getpid():  # after a fork: the parent's maps are the parent's
            self._open, self._pid = OrderedDict(), os.getpid()
        if number not in self._open:
            while len(self._open) >= self.max_open:
                self._open.popitem(last=False)
            self._open[number] = self._open_shard(number)
        self._open.move_to_end(number)
        return self._open[number]

    def _open_shard(self, number: int) -> Shard:
        entry = self.manifest.shards[number]
        path = self.folder / entry.file
        found = path.stat().st_size if path.is_file() else None
        if found != entry.bytes:
            state = "is missing" if found is None else f"has {found} bytes"
            raise ShardError(f"{path}: {state}, the manifest says {entry.bytes}; run `datakit build-shards` again")
        return Shard(path)

    def shards(self) -> Iterator[Shard]:
        """Every shard in order, opened one at a time."""
        return (self.shard(number) for number in range(len(self.manifest.shards)))

    @property
    def keys(self) -> list[str]:
        """Key of every triple, in order."""
        return [key.decode() for shard in self.shards() for key in shard.triples["key"]]
