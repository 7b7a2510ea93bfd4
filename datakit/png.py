"""Everyday PNG masks with their compression taken off in one go: by rows, as decoders do it, it is most of their work.

A mask is runs of one byte. The zlib in OpenCV copies them byte by byte, and the zlib-ng in Pillow has to stop at
every row; given the room for the whole picture it takes a sixteenth of the time. What the rows then mean is left to
`images`, and so is every other kind of PNG.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from zlib_ng import zlib_ng

from .headers import PNG_START

# depth, colour type, compression, filters and interlacing, as a header says them: 8 bits of grey, or of palette index
KINDS = {b"\x08\x00\x00\x00\x00": False, b"\x08\x03\x00\x00\x00": True}
SILENT = frozenset((b"gAMA", b"pHYs", b"tEXt", b"tIME"))  # chunks that change no value of a pixel
LARGEST = 1 << 24  # pixels; beyond, several copies of a picture would be felt
STORED = 0xFFFF  # bytes, the most of a block without compression


@dataclass(frozen=True, slots=True)
class PlainPng:
    """A PNG of one byte a pixel, not interlaced, without transparency.

    Attributes:
        size: (H, W).
        palette: red, green, blue of index 0, of index 1 …; None where pixels are grey values.
        rows: H times a byte that names the row's filter, and W bytes to which it was applied.
    """

    size: tuple[int, int]
    palette: bytes | None
    rows: bytes

    def stored(self) -> bytes:
        """The rows as a zlib stream without compression, for a decoder that undoes the filters."""
        parts: list[bytes | memoryview] = [b"\x78\x01"]
        rows = memoryview(self.rows)
        for start in range(0, len(rows), STORED):
            block = rows[start : start + STORED]
            parts += [struct.pack("<?HH", start + STORED >= len(rows), len(block), len(block) ^ 0xFFFF), block]
        return b"".join((*parts, zlib_ng.adler32(rows).to_bytes(4, "big")))


def inflate_png(data: bytes) -> PlainPng | None:
    """The parts of a mask's file; None for any other picture, and for one with the slightest fault."""
    is_palette = KINDS.get(data[24:29])
    if is_palette is None:
        return None
    try:
        (_, header), *middle, _ = _chunks(data)
        width, height = struct.unpack(">II5x", header)
        palette, packed = _content(middle, is_palette)
        expected = height * (1 + width)
        stream = zlib_ng.decompressobj()
        rows = stream.decompress(packed, expected + 1) if 0 < width * height <= LARGEST else b""
    except (ValueError, struct.error, zlib_ng.error):  # type: ignore[misc]  # so its stub
        return None
    # the end of the stream, which proves the sum of its bytes, is only seen where there was room for one byte more
    return PlainPng((height, width), palette, rows) if len(rows) == expected and stream.eof else None


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of every chunk up to the end of the picture, each proved by its CRC.

    Raises:
        ValueError: this is no PNG, or a damaged one.
    """
    if not data.startswith(PNG_START + b"\0\0\0\x0dIHDR"):
        raise ValueError("no PNG")
    at, kind = len(PNG_START), b""
    while kind != b"IEND":
        start, end = at + 8, at + 8 + int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : start]
        if len(data) < end + 4 or zlib_ng.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            raise ValueError("a chunk is cut or damaged")
        yield kind, data[start:end]
        at = end + 4


def _content(chunks: list[tuple[bytes, bytes]], is_palette: bool) -> tuple[bytes | None, bytes]:
    """Palette and compressed rows, from the chunks between header and end.

    Raises:
        ValueError: a chunk is missing, out of place, or might change pixels.
    """
    told = [(kind, body) for kind, body in chunks if kind not in SILENT]
    palette = told.pop(0) if is_palette and told else (b"PLTE", None)
    if palette[0] != b"PLTE" or not told or any(kind != b"IDAT" for kind, _ in told):
        raise ValueError("other chunks than those of a mask")
    if palette[1] is not None and len(palette[1]) not in range(3, 769, 3):
        raise ValueError("a palette of broken colours")
    return palette[1], b"".join(body for _, body in told)
