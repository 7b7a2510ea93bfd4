"""The same encoded triples in other containers, each read in its own way at random.

A peer is a function that writes the records into a folder and one that opens it and gives
`read(index) -> (image, guide mask, target)` as bytes. The bytes are equal for all, so that the
container alone differs. Needs the extra `bench`, and for webdataset the last release with its
indexed reader: pip install --no-deps webdataset==0.2.111 litdata.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Record = tuple[bytes, bytes, bytes]
Read = Callable[[int], Any]
FIELDS = ("jpg", "rough", "target")
PER_TAR = 500


def write_files(folder: Path, records: Sequence[Record]) -> None:
    """Three files per triple."""
    for index, record in enumerate(records):
        for field, content in zip(FIELDS, record, strict=True):
            (folder / f"{index:06d}.{field}").write_bytes(content)


def open_files(folder: Path) -> Read:
    """Read the three files."""
    stems = sorted({path.name.partition(".")[0] for path in folder.iterdir()})
    names = [[str(folder / f"{stem}.{field}") for field in FIELDS] for stem in stems]

    def content(name: str) -> bytes:
        with open(name, "rb") as file:  # noqa: PTH123, quicker than Path, and the peer deserves it
            return file.read()

    return lambda index: [content(name) for name in names[index]]


def write_tar(folder: Path, records: Sequence[Record]) -> None:
    """webdataset's tar shards."""
    for first in range(0, len(records), PER_TAR):
        with tarfile.open(folder / f"{first:06d}.tar", "w") as tar:
            for index, record in enumerate(records[first : first + PER_TAR], first):
                for field, content in zip(FIELDS, record, strict=True):
                    info = tarfile.TarInfo(f"{index:06d}.{field}")
                    info.size = len(content)
                    tar.addfile(info, BytesIO(content))


def open_tar(folder: Path) -> Read:
    """webdataset's memory-mapped indexed tar."""
    from wids.wids_mmtar import MMIndexedTar

    tars = [MMIndexedTar(str(path), verbose=False) for path in sorted(folder.glob("*.tar"))]

    def read(index: int) -> Any:
        tar, row = tars[index // PER_TAR], 3 * (index % PER_TAR)
        return [tar.get_at_index(row + field)[1] for field in range(3)]

    return read


def _same(record: Record) -> dict[str, bytes]:
    return dict(zip(FIELDS, record, strict=True))


def write_litdata(folder: Path, records: Sequence[Record]) -> None:
    """litdata's chunks, of its default 64 MB."""
    from litdata.streaming import Cache

    cache = Cache(str(folder), chunk_bytes=64 << 20)
    for index, record in enumerate(records):
        cache[index] = _same(record)
    cache.done()
    cache.merge()


def open_litdata(folder: Path) -> Read:
    """litdata's own reader, from local disk."""
    from litdata import StreamingDataset

    dataset = StreamingDataset(str(folder))
    return lambda index: dataset[index].values()


def write_groups(folder: Path, records: Sequence[Record]) -> None:
    """One HDF5 group per triple."""
    with h5py.File(folder / "groups.h5", "w") as file:
        for index, record in enumerate(records):
            group = file.create_group(f"{index:06d}")
            for field, content in zip(FIELDS, record, strict=True):
                group[field] = np.frombuffer(content, np.uint8)


def open_groups(folder: Path) -> Read:
    """Look the group up and read its three data sets."""
    file = h5py.File(folder / "groups.h5")

    def read(index: int) -> Any:
        group = file[f"{index:06d}"]
        return [group[field][()] for field in FIELDS]

    return read


def write_vlen(folder: Path, records: Sequence[Record]) -> None:
    """Three HDF5 data sets of variable-length bytes."""
    with h5py.File(folder / "vlen.h5", "w") as file:
        for field, column in zip(FIELDS, zip(*records, strict=True), strict=True):
            dataset = file.create_dataset(field, (len(records),), h5py.vlen_dtype(np.uint8))
            for index, content in enumerate(column):
                dataset[index] = np.frombuffer(content, np.uint8)


def open_vlen(folder: Path) -> Read:
    """Index the three data sets."""
    file = h5py.File(folder / "vlen.h5")
    datasets = [file[field] for field in FIELDS]
    return lambda index: [dataset[index] for dataset in datasets]


PEERS: dict[str, tuple[Callable[[Path, Sequence[Record]], None], Callable[[Path], Read]]] = {
    "folder of files": (write_files, open_files),
    "webdataset, indexed": (write_tar, open_tar),
    "litdata": (write_litdata, open_litdata),
    "HDF5, group per sample": (write_groups, open_groups),
    "HDF5, vlen": (write_vlen, open_vlen),
}
