"""Mask files give the values they store, or say what is wrong with them."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from datakit.errors import ItemError
from datakit.mask_files import MaskFile, read_mask
from tests import tiny

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


def save(path: Path, image: PillowImage.Image, **settings: object) -> Path:
    """Written by Pillow, in the format of the suffix."""
    image.save(path, **settings)
    return path


def plane_of(path: Path) -> tuple[list[int], str]:
    """(values, coding) of a mask file whose foreground is `tiny.mask(1)`."""
    mask = read_mask(path, path.name, 10_000_000)
    values = [int(mask.plane[tiny.mask(1) == side].max()) for side in (0, 1)]
    assert mask.plane.shape == tiny.SIZE and mask.source_crc32 == zlib.crc32(path.read_bytes())
    return values, mask.coding


def test_mask_codings_are_told_apart(tmp_path: Path) -> None:
    """Grey of any value, bilevel, RGB, RGBA, 16-bit, cut-out and palettes give the plane they store."""
    plane = tiny.mask(1)
    opaque = np.dstack([plane * 255] * 3 + [np.full_like(plane, 255)])
    cut_out = np.dstack([np.full_like(plane, 255)] * 3 + [plane * 255])
    grey_palette, order = [255, 255, 255, 0, 0, 0], np.where(plane, 0, 1).astype(np.uint8)
    cases = {
        tiny.write_grey(tmp_path / "01.png", plane): ([0, 1], "grey"),
        tiny.write_grey(tmp_path / "255.png", plane * np.uint8(255)): ([0, 255], "grey"),
        tiny.write_grey(tmp_path / "deep.png", plane * np.uint16(65535)): ([0, 65535], "grey"),
        save(tmp_path / "bilevel.png", PillowImage.fromarray(plane > 0)): ([0, 255], "grey"),
        save(tmp_path / "rgb.png", PillowImage.fromarray(opaque[..., :3])): ([0, 255], "grey"),
        save(tmp_path / "rgb.bmp", PillowImage.fromarray(opaque[..., :3])): ([0, 255], "grey"),
        save(tmp_path / "rgba.png", PillowImage.fromarray(opaque)): ([0, 255], "grey"),
        save(tmp_path / "cut.png", PillowImage.fromarray(cut_out)): ([0, 255], "grey"),
        tiny.write_palette(tmp_path / "ids.png", plane * np.uint8(2)): ([0, 2], "palette"),
        tiny.write_palette(tmp_path / "inverted.png", order, grey_palette): ([0, 255], "grey"),
    }
    for path, expected in cases.items():
        assert plane_of(path) == expected, path.name


def test_colour_mask_keeps_its_colours(tmp_path: Path) -> None:
    """A mask of coloured pixels is no plane; what they mean is left to others."""
    mask = read_mask(tiny.write_picture(tmp_path / "a.png", tiny.picture(1)), "a.png", 10_000_000)
    assert (
        mask.coding == "colour" and (mask.plane[..., :3] == tiny.picture(1)).all() and (mask.plane[..., 3] == 255).all()
    )


def test_mask_carries_its_own_orientation_unapplied(tmp_path: Path) -> None:
    """The plane is as stored; the mask's own EXIF is handed on."""
    path = tiny.write_rotated_jpeg(tmp_path / "a.jpg", tiny.mask(1) * np.uint8(255), 6)
    mask = read_mask(path, "a.jpg", 10_000_000)
    assert mask.orientation == 6 and mask.plane.shape == tiny.SIZE
