"""Records of millions of photos in little memory: each kept as one string of bytes, unpacked when asked for.

A listed photo costs some 190 bytes so, against 430 as objects (docs/decisions.md). The bytes are `marshal`'s, which
writes the outlines of a million objects in a tenth of the time that JSON needs, and every number as it is.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self, overload

VERSION = 4  # of marshal's format: read by every Python from 3.4 on


class Record(NamedTuple):
    """One photo before it is opened.

    Attributes:
        key: `label/name`, NFC, unique within the reader.
        image: path of the picture, relative to the image root, '/'-separated.
        annotation: what the layout needs to find the masks: str, int, float, list, dict or None, as JSON has them.
        size: bytes of the image file, for cutting shards.
    """

    key: str
    image: str
    annotation: Any
    size: int


class PackedRecords(Sequence[Record]):
    """A Sequence of Records, each held as bytes; slices share them.

    Args:
        records: in order; taken one at a time, so a generator never stands in memory as a whole.
    """

    def __init__(self, records: Iterable[Record]):
        self._lines: list[bytes]
        self._lines = records._lines if isinstance(records, PackedRecords) else [_packed(each) for each in records]

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Record | Self:
        if not isinstance(index, slice):
            return Record(*marshal.loads(self._lines[index]))
        part = type(self)(())
        part._lines = self._lines[index]
        return part


def _packed(record: Record) -> bytes:
    return marshal.dumps(tuple(record), VERSION)
