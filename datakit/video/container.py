"""What an MP4 or QuickTime file says of its film: codec, frames stored, and frames that its edit list shows.

Cutting a film without encoding it anew leaves the frames before the cut in the file, back to a key frame, and an
edit list that hides them. Players and FFmpeg follow it; the number of frames in the header counts them all.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

MOST_INDEX = 256_000_000  # bytes of an index that are read; hours of film have a few million
CONTAINERS = (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip")  # boxes such a file begins with


@dataclass(frozen=True)
class FilmIndex:
    """The index of an MP4 or QuickTime file.

    Attributes:
        found: whether there is one; a recording or copy that was cut may lack it.
        codec: four characters that name the codec of the film; empty where there is none.
        stored: frames in the file.
        shown: frames that the edit list shows, in presentation order; equal to `stored` without one.
    """

    found: bool
    codec: str = ""
    stored: int = 0
    shown: int = 0


def read_index(path: Path) -> FilmIndex | None:
    """The index of an MP4 or QuickTime file; None where the file is of another kind, or has its index in pieces.

    Source: ISO/IEC 14496-12, 8.2 to 8.6; times as FFmpeg takes them: a frame is shown whose presentation time lies
    in an edit.
    """
    try:
        with path.open("rb") as file:
            moov = _find_index(file)
        return None if moov is None else _film(moov) if moov else FilmIndex(False)
    except (OSError, struct.error, ValueError, IndexError, OverflowError):
        return None


def _find_index(file: BinaryIO) -> bytes | None:
    """Content of the box `moov`; empty where such a file lacks it, None where it is no such file."""
    size = file.seek(0, 2)
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length, name, skip = int.from_bytes(head[:4], "big"), head[4:8], 8
        if at == 0 and name not in CONTAINERS:
            return None
        if length == 1:
            length, skip = int.from_bytes(head[8:16], "big"), 16
        length = length or size - at
        if name == b"moov":
            if not skip <= length <= min(MOST_INDEX, size - at):
                return b"" if length > size - at else None
            file.seek(at + skip)
            return file.read(length - skip)
        if length < skip:
            return None
        at += length
    return b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        length, name, skip = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if length == 1:
            length, skip = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        length = length or len(data) - at
        if length < skip:
            return
        yield name, data[at + skip : at + length]
        at += length


def _inside(data: bytes, *names: bytes) -> bytes:
    """Content of a box within boxes; empty where it is not there."""
    for name in names:
        data = next((content for found, content in _boxes(data) if found == name), b"")
    return data


def _film(moov: bytes) -> FilmIndex | None:
    """The film of most frames in an index; None where its frames are told elsewhere, in fragments."""
    if _inside(moov, b"mvex"):
        return None
    films = [FilmIndex(True)]
    for name, track in _boxes(moov):
        if name != b"trak" or _inside(track, b"mdia", b"hdlr")[8:12] != b"vide":
            continue
        table = _inside(track, b"mdia", b"minf", b"stbl")
        codec = _inside(table, b"stsd")[12:16].decode("latin-1")
        times = _times(table)
        films.append(FilmIndex(True, codec, len(times), _shown(times, moov, track)))
    return max(films, key=lambda film: (bool(film.codec), film.stored))


def _times(table: bytes) -> NDArray[np.int64]:
    """Presentation time of every frame, in the film's own units."""
    counts, steps = _runs(_inside(table, b"stts"))
    lengths = np.repeat(steps, counts)
    times = np.cumsum(lengths) - lengths
    counts, offsets = _runs(_inside(table, b"ctts"))
    later = np.repeat(offsets, counts)[: len(times)]
    times[: len(later)] += later
    return times


def _runs(table: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Counts and values of a table of runs; values are signed, as writers use them in either version."""
    entries = np.frombuffer(table[8 : 8 + 8 * int.from_bytes(table[4:8], "big")], ">i4").reshape(-1, 2)
    if entries[:, 0].sum(dtype=np.int64) > MOST_INDEX or (entries[:, 0] < 0).any():
        raise ValueError("more frames than any film has")
    return entries[:, 0].astype(np.int64), entries[:, 1].astype(np.int64)


def _shown(times: NDArray[np.int64], moov: bytes, track: bytes) -> int:
    """How many frames lie in the edits of a track; all of them where it has none."""
    table = _inside(track, b"edts", b"elst")
    header, film = _inside(moov, b"mvhd"), _inside(track, b"mdia", b"mdhd")
    if not table or not len(times):
        return len(times)
    form = ">Qqi" if table[0] == 1 else ">Iii"
    unit, units = _timescale(film), _timescale(header)
    shown = 0
    for number in range(int.from_bytes(table[4:8], "big")):
        length, start, _ = struct.unpack_from(form, table, 8 + number * struct.calcsize(form))
        if start < 0:  # an empty edit: the film begins later
            continue
        # rounded as FFmpeg does; a length of 0 reaches to the end
        stop = start + (length * unit + units // 2) // units if length else int(times.max()) + 1
        shown += int(((times >= start) & (times < stop)).sum())
    return shown


def _timescale(header: bytes) -> int:
    return max(1, int.from_bytes(header[20:24] if header[:1] == b"\x01" else header[12:16], "big"))
