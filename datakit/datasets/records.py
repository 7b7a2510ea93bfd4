"""Records of millions of photos in little memory: packed by blocks, unpacked when asked for.

A listed photo costs 12 bytes where names count up and 40 where they are hashes, against 430 as objects
(`benchmarks.plan`). The bytes are `marshal`'s, which writes the outlines of a million objects in a tenth of the time
that JSON needs, and every number as it is; blocks of short records are compressed.
"""

from __future__ import annotations

import marshal
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple, Self, overload

VERSION = 4  # of marshal's format: read by every Python from 3.4 on
BLOCK = 64  # records of a block at most: what is unpacked to look at one
FULL = 32_768  # bytes at which a block is closed earlier; such records hold outlines, which hardly shrink
LEVEL = 1  # of zlib: higher ones take longer and save 3 %
RUN = 1 << 15  # records that are sorted at once


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
    """A Sequence of Records in packed blocks; slices share them, and take along few others when they are pickled.

    Args:
        records: in order; taken one at a time, so a generator never stands in memory as a whole.
    """

    def __init__(self, records: Iterable[Record]):
        if isinstance(records, PackedRecords):
            self.__setstate__(records.__getstate__())
            return
        blocks: list[bytes] = []
        ends = array("Q")
        held: list[bytes] = []
        count = full = 0
        for count, record in enumerate(records, 1):
            held.append(marshal.dumps(tuple(record), VERSION))
            full += len(held[-1])
            if len(held) == BLOCK or full >= FULL:
                blocks.append(_packed(held, full))
                ends.append(count)
                held, full = [], 0
        if held:
            blocks.append(_packed(held, full))
            ends.append(count)
        self.__setstate__((blocks, ends, 0, count))

    def __getstate__(self) -> tuple[list[bytes], array[int], int, int]:
        return self._blocks, self._ends, self._start, self._stop

    def __setstate__(self, state: tuple[list[bytes], array[int], int, int]) -> None:
        self._blocks, self._ends, self._start, self._stop = state
        self._opened: tuple[int, list[bytes]] = (-1, [])

    def __len__(self) -> int:
        return self._stop - self._start

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Record | Self:
        chosen = range(self._start, self._stop)[index]
        if isinstance(chosen, int):
            number = bisect_right(self._ends, chosen)
            lines = self._lines(number)
            return Record(*marshal.loads(lines[chosen - self._ends[number]]))  # counted from the block's end
        if chosen.step != 1:
            return type(self)(self[at - self._start] for at in chosen)
        return self._part(chosen)

    def __iter__(self) -> Iterator[Record]:
        at = self._start
        for number in range(bisect_right(self._ends, at), len(self._blocks)):
            lines, end = _unpacked(self._blocks[number]), self._ends[number]
            for line in lines[at - end : self._stop - end if self._stop < end else None]:
                yield Record(*marshal.loads(line))
            at = end

    def _part(self, chosen: range) -> Self:
        part = type(self)(())
        if chosen:
            first, last = bisect_right(self._ends, chosen.start), bisect_right(self._ends, chosen.stop - 1) + 1
            before = self._ends[first - 1] if first else 0
            ends = array("Q", (end - before for end in self._ends[first:last]))
            part.__setstate__((self._blocks[first:last], ends, chosen.start - before, chosen.stop - before))
            if len(part) < ends[-1] // 2:  # of few photos, so that the others of their block do not travel along
                return type(self)(iter(part))
        return part

    def _lines(self, number: int) -> list[bytes]:
        """The packed records of a block, the last one looked at being kept open."""
        opened, lines = self._opened
        if opened != number:
            lines = _unpacked(self._blocks[number])
            self._opened = number, lines
        return lines


def sorted_records(records: Iterable[Record], unique: bool = True) -> PackedRecords:
    """Records by key, in little memory even where they come in another order.

    Args:
        records: in any order.
        unique: whether each key may come but once; those of one key stay in order.

    Raises:
        DuplicateKey: a key comes twice.
    """
    check = _each_once if unique else iter
    runs = [PackedRecords(check(run)) for run in _runs(iter(records))]
    return runs[0] if len(runs) == 1 else PackedRecords(check(merge(*runs, key=_key)))


class DuplicateKey(ValueError):
    """Two records have one key, which is the argument."""


def _runs(records: Iterator[Record]) -> Iterator[Iterator[Record]]:
    """Sorted runs, each to be read before the next: as long as every `RUN` records lie behind those before."""
    waiting = _sorted_few(records)

    def run() -> Iterator[Record]:
        nonlocal waiting
        last = ""
        while waiting and waiting[0].key >= last:
            yield from waiting
            last = waiting[-1].key
            waiting = _sorted_few(records)

    while waiting:
        yield run()


def _sorted_few(records: Iterator[Record]) -> list[Record]:
    return sorted(islice(records, RUN), key=_key)


def _key(record: Record) -> str:
    return record.key


def _each_once(records: Iterable[Record]) -> Iterator[Record]:
    last = None
    for record in records:
        if record.key == last:
            raise DuplicateKey(record.key)
        last = record.key
        yield record


def _packed(lines: list[bytes], full: int) -> bytes:
    """A block of records: a byte that says whether it is compressed, then their lines."""
    data = marshal.dumps(lines, VERSION)
    return b"\0" + data if full >= FULL else b"\1" + zlib.compress(data, LEVEL)


def _unpacked(block: bytes) -> list[bytes]:
    data = block[1:] if block[0] == 0 else zlib.decompress(block[1:])
    lines: list[bytes] = marshal.loads(data)
    return lines
