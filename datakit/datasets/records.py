"""Records of millions of photos in little memory: each kept as one line of JSON, unpacked when asked for.

A listed photo costs some 190 bytes so, against 430 as objects (docs/decisions.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self, overload

from ..files import canonical_json


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
    """A Sequence of Records, each held as its canonical JSON; slices share the lines.

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
            return Record(*json.loads(self._lines[index]))
        part = type(self)(())
        part._lines = self._lines[index]
        return part


def _packed(record: Record) -> bytes:
    return canonical_json(record).encode()
