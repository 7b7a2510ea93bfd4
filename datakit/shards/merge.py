"""Shards of neighbouring photos made one: byte for byte what a single writer would have made of all of them.

So the photos of one shard can be worked on by several processes. The parts are files of ours and trusted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from . import layout
from .writer import PIECE_BYTES, ShardHeader, ShardStats, publish_shard


def merge_shards(parts: Sequence[Path], path: Path, header: ShardHeader, scratch: Path) -> ShardStats:
    """Publish one shard of the content of several, in their order; no photo may be in two of them.

    Args:
        parts: shard files, at least one.
        path: final name.
        header: of the shard to be; the parts were written with the same.
        scratch: folder for the part file, on the same file system as `path`.

    Raises:
        OSError: a part is not there, or the disk is full or read-only; nothing is left behind.
    """
    with ExitStack() as stack:
        files = [stack.enter_context(h5py.File(part, "r")) for part in parts]
        blobs = {kind: _Joined(files, kind) for kind in layout.KINDS}
        tables = {name: _joined_table(files, name, blobs) for name in layout.TABLES}
        return publish_shard(path, header, blobs, tables, scratch)


class _Joined:
    """Records of one kind of several files; `starts` is the number of each file's first."""

    def __init__(self, files: Sequence[h5py.File], kind: str):
        self._data = [file[f"{kind}/data"] for file in files]
        offsets = [file[f"{kind}/offsets"][()] for file in files]
        before = np.cumsum([0] + [each[-1] for each in offsets], dtype=np.uint64)
        later = [each[1:] + start for each, start in zip(offsets, before[:-1], strict=True)]
        self.offsets: NDArray[np.uint64] = np.concatenate([before[:1], *later])
        self.crc32: NDArray[np.uint32] = np.concatenate([file[f"{kind}/crc32"][()] for file in files])
        self.starts = np.cumsum([0] + [len(each) for each in later])[:-1]

    def pieces(self) -> Iterator[NDArray[np.uint8]]:
        """All bytes in order, a few megabytes at a time."""
        for data in self._data:
            for start in range(0, len(data), PIECE_BYTES):
                yield data[start : start + PIECE_BYTES]


def _joined_table(files: Sequence[h5py.File], name: str, blobs: Mapping[str, _Joined]) -> NDArray[Any]:
    columns, parts = layout.COLUMNS[name], [file[name][()] for file in files]
    for column in columns:
        if column.refers_to:
            for part, start in zip(parts, blobs[column.refers_to].starts, strict=True):
                rows = part[column.name]
                rows[rows >= 0] += int(start)  # -1 stays, it stands for none
    each = [layout.widths_of(part.dtype, columns) for part in parts]
    widths = {column: max(one[column] for one in each) for column in each[0]}
    table = np.zeros(sum(map(len, parts)), layout.row_dtype(columns, widths))
    for column in columns:
        table[column.name] = np.concatenate([part[column.name] for part in parts])
    return table
