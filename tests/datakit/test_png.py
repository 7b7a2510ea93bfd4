"""Masks inflated in one go have the pixels any other decoder gives them, and all other files are left alone."""

import struct
import zlib
from io import BytesIO
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image as PillowImage

from datakit import mask_files
from datakit.errors import ItemError
from datakit.png import inflate_png

COLOURS = bytes(range(30, 39))


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk with its length and CRC."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def filtered(plane, filters) -> bytes:
    """Rows with the filters of the PNG specification, chapter 9: none, sub, up, average, Paeth."""
    around = np.pad(plane.astype(int), ((1, 0), (1, 0)))
    left, above, corner = around[1:, :-1], around[:-1, 1:], around[:-1, :-1]
    far = np.abs(np.stack([above - corner, left - corner, left + above - 2 * corner]))
    paeth = np.choose(far.argmin(axis=0), [left, above, corner])  # the first of the nearest
    guesses = np.stack([0 * left, left, above, (left + above) // 2, paeth])
    rows = (plane - guesses[filters, np.arange(len(plane))]).astype(np.uint8)
    return np.column_stack([np.array(filters, np.uint8), rows]).tobytes()


def png(rows: bytes, size, palette: bytes | None = None, cuts=(), extra=b"", header=(8, 0, 0), level=6) -> bytes:
    """A PNG of filtered rows; IDAT is cut at `cuts`, `extra` are chunks before it, `header` is depth … interlacing."""
    packed = zlib.compress(rows, level)
    depth, colour, interlaced = header
    ends = sorted({min(cut, len(packed)) for cut in (0, *cuts, len(packed))})
    head = struct.pack(">IIBBBBB", size[1], size[0], depth, 3 if palette else colour, 0, 0, interlaced)
    parts = [chunk(b"IHDR", head), chunk(b"PLTE", palette) if palette else b"", extra]
    parts += [chunk(b"IDAT", packed[a:b]) for a, b in pairwise(ends)]
    return b"".join((b"\x89PNG\r\n\x1a\n", *parts, chunk(b"IEND", b"")))


def read(tmp_path_factory, data: bytes) -> mask_files.MaskFile:
    """The mask of these bytes."""
    path = tmp_path_factory.getbasetemp() / "mask.png"
    path.write_bytes(data)
    return mask_files.read_mask(path, "mask.png", 10_000_000)


PLANES = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda size: arrays(np.uint8, size, elements=st.sampled_from([0, 1, 2, 127, 128, 254, 255]))
)


@settings(deadline=None)
@given(plane=PLANES, data=st.data(), cuts=st.lists(st.integers(0, 200), max_size=3), level=st.sampled_from([0, 1, 9]))
def test_grey_pixels_are_the_same_whatever_the_filters(tmp_path_factory, plane, data, cuts, level):
    """All five filters in any order, IDAT in any pieces: what was filtered comes back, as OpenCV has it."""
    filters = data.draw(st.lists(st.integers(0, 4), min_size=len(plane), max_size=len(plane)))
    file = png(filtered(plane, filters), plane.shape, cuts=cuts, level=level)
    assert inflate_png(file) is not None
    assert np.array_equal(cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED), plane)
    mask = read(tmp_path_factory, file)
    assert mask.coding == "grey" and np.array_equal(mask.plane, plane) and mask.plane.dtype == np.uint8


@settings(deadline=None)
@given(plane=PLANES, data=st.data())
def test_palette_indices_are_the_same_whatever_the_filters(tmp_path_factory, plane, data):
    """As Pillow has them, indices beyond the end of the palette included."""
    filters = data.draw(st.lists(st.integers(0, 4), min_size=len(plane), max_size=len(plane)))
    file = png(filtered(plane, filters), plane.shape, palette=COLOURS)
    assert inflate_png(file) is not None
    assert np.array_equal(np.asarray(PillowImage.open(BytesIO(file))), plane)
    mask = read(tmp_path_factory, file)
    assert mask.coding == "palette" and np.array_equal(mask.plane, plane)


PLANE = np.arange(80, dtype=np.uint8).reshape(8, 10) // 9
ROWS = filtered(PLANE, [0, 1, 2, 3, 4, 4, 3, 2])
LEFT_ALONE = {
    "16 bits": png(bytes(8 * 21), PLANE.shape, header=(16, 0, 0)),
    "1 bit": png(bytes(8 * 3), PLANE.shape, header=(1, 0, 0)),
    "colours": png(bytes(8 * 31), PLANE.shape, header=(8, 2, 0)),
    "alpha": png(bytes(8 * 21), PLANE.shape, header=(8, 4, 0)),
    "interlaced": png(bytes(80 + 20), PLANE.shape, header=(8, 0, 1)),
    "transparent grey": png(ROWS, PLANE.shape, extra=chunk(b"tRNS", b"\0\0")),
    "transparent index": png(ROWS, PLANE.shape, COLOURS, extra=chunk(b"tRNS", b"\0")),
    "EXIF": png(ROWS, PLANE.shape, extra=chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\0")),
    "palette of 1 1/3 colours": png(ROWS, PLANE.shape, COLOURS[:4]),
    "rows in two places": png(ROWS, PLANE.shape, extra=chunk(b"IDAT", b"") + chunk(b"sBIT", b"\x08")),
    "a row too few": png(ROWS[:-11], PLANE.shape),
    "a row too many": png(ROWS + ROWS[:11], PLANE.shape),
    "cut": png(ROWS, PLANE.shape)[:-3],
    "no rows": png(ROWS, PLANE.shape)[:33] + chunk(b"IEND", b""),
    "no width": png(b"\0" * 8, (8, 0)),
    "more than memory": png(ROWS, (1 << 31, 1 << 31)),
    "no PNG": b"P5 1 1 255 \0",
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_all_but_everyday_masks_are_left_to_other_decoders(name):
    """Depth, colours, transparency, interlacing, EXIF, and whatever is broken."""
    assert inflate_png(LEFT_ALONE[name]) is None


def test_chunks_that_change_no_pixel_do_no_harm(tmp_path_factory):
    """DAVIS's masks carry the time they were written."""
    extra = chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"tEXt", b"Comment\0x") + chunk(b"tIME", bytes(7))
    file = png(ROWS, PLANE.shape, extra=extra)
    assert inflate_png(file) is not None
    assert np.array_equal(read(tmp_path_factory, file).plane, PLANE)
    assert np.array_equal(cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED), PLANE)


def test_a_palette_of_greys_gives_grey_values(tmp_path_factory):
    """Index 1 of black, white, black is 255."""
    mask = read(tmp_path_factory, png(filtered(PLANE % 3, [0] * 8), PLANE.shape, b"\0\0\0\xff\xff\xff\0\0\0"))
    assert mask.coding == "grey" and np.array_equal(mask.plane, (PLANE % 3 == 1) * 255)


@pytest.mark.parametrize("palette", [None, COLOURS])
def test_every_flipped_bit_is_noticed(palette):
    """CRCs and the sum of the rows prove each byte: the next decoder judges the file."""
    file = png(ROWS, PLANE.shape, palette)
    for place in range(8 * len(file)):
        damaged = bytearray(file)
        damaged[place // 8] ^= 1 << place % 8
        assert inflate_png(bytes(damaged)) is None, place


@pytest.mark.parametrize("palette", [None, COLOURS])
def test_a_filter_that_does_not_exist_is_a_damaged_image(tmp_path_factory, palette):
    """No decoder takes it."""
    with pytest.raises(ItemError) as caught:
        read(tmp_path_factory, png(b"\x07" + ROWS[1:], PLANE.shape, palette))
    assert caught.value.problem.reason == "damaged image"


def test_the_pixels_may_be_written_to(tmp_path_factory):
    """As those of OpenCV."""
    read(tmp_path_factory, png(ROWS, PLANE.shape)).plane[:] = 0
