"""Mask files give the values they store, or say what is wrong with them."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from datakit.errors import ItemError
from datakit.mask_files import MaskFile, read_mask

COLOURS = bytes(range(30, 39))
PLANE = np.arange(80, dtype=np.uint8).reshape(8, 10) // 9


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG with its length and CRC."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(plane: NDArray[np.uint8], palette: bytes | None = None, extra: bytes = b"", filters: int = 0) -> bytes:
    """A PNG of grey values or palette indices; `extra` are chunks before the rows, `filters` what each row claims."""
    rows = np.column_stack([np.full(len(plane), filters, np.uint8), plane]).tobytes()
    head = struct.pack(">2I5B", *plane.shape[::-1], 8, 3 if palette else 0, 0, 0, 0)
    chunks = [chunk(b"IHDR", head), chunk(b"PLTE", palette) if palette else b"", extra]
    return b"".join((b"\x89PNG\r\n\x1a\n", *chunks, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")))


def read(folder: Path, data: bytes) -> MaskFile:
    """The mask of these bytes."""
    path = folder / "mask.png"
    path.write_bytes(data)
    return read_mask(path, "mask.png", 10_000_000)


@pytest.mark.parametrize(("palette", "coding"), [(None, "grey"), (COLOURS, "palette")])
def test_chunks_that_change_no_pixel_do_no_harm(tmp_path: Path, palette: bytes | None, coding: str) -> None:
    """DAVIS's masks carry the time they were written."""
    extra = chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"tEXt", b"Comment\0x") + chunk(b"tIME", bytes(7))
    mask = read(tmp_path, png(PLANE, palette, extra))
    assert mask.coding == coding and mask.plane.dtype == np.uint8 and np.array_equal(mask.plane, PLANE)


def test_indices_beyond_the_end_of_a_palette_are_kept(tmp_path: Path) -> None:
    """A palette of three colours, and ids up to eight."""
    mask = read(tmp_path, png(PLANE, COLOURS))
    assert mask.palette.shape == (3, 4) and mask.plane.max() == 8


def test_a_palette_of_greys_gives_grey_values(tmp_path: Path) -> None:
    """Index 1 of black, white, black is 255."""
    mask = read(tmp_path, png(PLANE % 3, b"\0\0\0\xff\xff\xff\0\0\0"))
    assert mask.coding == "grey" and np.array_equal(mask.plane, (PLANE % 3 == 1) * 255)


@pytest.mark.parametrize("palette", [None, COLOURS])
def test_rows_that_cannot_be_decoded_are_a_damaged_image(tmp_path: Path, palette: bytes | None) -> None:
    """A PNG knows filters 0 to 4."""
    with pytest.raises(ItemError) as caught:
        read(tmp_path, png(PLANE, palette, filters=7))
    assert caught.value.problem.reason == "damaged image"


@pytest.mark.parametrize("palette", [None, COLOURS])
def test_the_pixels_may_be_written_to(tmp_path: Path, palette: bytes | None) -> None:
    """Whoever decoded them."""
    read(tmp_path, png(PLANE, palette)).plane[:] = 0
