"""Label Studio's brush streams give the pixels that its own library decodes."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray

from datakit.datasets.outlines import BrokenOutline
from datakit.datasets.tools.label_studio_brush import brush_mask

# `brush.encode_rle` of label-studio-sdk 2.1.2: a disc with a hole, and half a disc with a row of softer pixels.
HARD = (
    "AAAIwDkb/wF3AMN/+TwDEf/kcAxX/4/AMZ/+NwDHf/jMAv/98Aw3/4zAL//fAMN/+MwC//3wDDf/jMAv/98Aw3/4zAMd/+MwDHf/"
    "jcAxn/4/AMV/+RwDEf/k8Aw3/8BCwAA="
)
SOFT = (
    "AAACgDkb/wEjAAP8AAAB4f8AAAB4f8AAAB4f8AAAB4f8AAAB4f8AAAB4f8AAABwP/D4AB/gAAAPD/gAAAPD/gAAAPD/gAAAPD/gA"
    "AAPD/gAAAPD/gAAAPD/gAAAOB/4bAAP8AAAB4f8AAABwAkD/AAAAcA8A/wAAAHAeAP8AAABwHkD/AAAAcDIA/wAAAHA/gP8AAAB4"
    "f8AAABwP/C4AB/gAAAPD/gAAAPD/gAAAPD/gAAAPD/gAAAPD/gAAAPD/gAAAPD/gAAAPD/gAAAPD/gAAAOB/4XAAP8AAAB4f8AAA"
    "B4f8AAAB4f8AAAB4f8AAAB4f8AAAB4f8AAAB4f8AAAB4f8AAAB4f8AAABwP/C4AB/gAAAPD/gAAAPD/gAAAPD/gAAAPD/gAAAPD/"
    "gAAAPD/gAAAPD/gAAAPD/gAAAPD/gAAAOB/g"
)


def stream(alpha: NDArray[np.uint8], widths: tuple[int, int, int, int] = (3, 4, 8, 16), word: int = 8) -> bytes:
    """RGBA values, their alpha as given, as blocks of one value or of equal ones."""
    values = np.repeat(alpha.ravel(), 4)
    bits = f"{len(values):032b}{word - 1:05b}" + "".join(f"{width - 1:04b}" for width in widths)
    starts = np.flatnonzero(np.diff(values, prepend=-1))
    for start, length in zip(starts, np.diff(starts, append=len(values)), strict=True):
        while length:
            index = next((at for at, width in enumerate(widths) if length <= 1 << width), 3)
            part = min(length, 1 << widths[index])
            bits += f"1{index:02b}{part - 1:0{widths[index]}b}{values[start]:08b}"
            length -= part
    return int(bits + "0" * (-len(bits) % 8), 2).to_bytes((len(bits) + 7) // 8)


@pytest.mark.parametrize(
    ("text", "size", "expected"),
    [(HARD, (20, 28), (169, 1272585991)), (SOFT, (10, 16), (54, 328970416))],
    ids=["hard", "soft"],
)
def test_streams_of_the_library_give_its_pixels(text: str, size: tuple[int, int], expected: tuple[int, int]) -> None:
    """Checked with label-studio-sdk 2.1.2: `brush.decode_rle`, alpha above 0; a soft rim counts, a hole does not."""
    mask = brush_mask(base64.b64decode(text), size)
    assert (int(mask.sum()), zlib.crc32(mask.tobytes())) == expected


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (40, 60)])
@pytest.mark.parametrize("widths", [(3, 4, 8, 16), (1, 2, 5, 9), (16, 16, 16, 16)])
def test_runs_of_any_width_are_read(size: tuple[int, int], widths: tuple[int, int, int, int]) -> None:
    """Alpha of every value but 0 is mask."""
    alpha = np.random.default_rng(3).choice(np.array([0, 1, 128, 255], np.uint8), size)
    alpha[: size[0] // 2] = 0
    assert np.array_equal(brush_mask(stream(alpha, widths), size), alpha > 0)


@pytest.mark.parametrize("cut", [0, 3, 4, 6, 7, 20, -1])
def test_a_cut_stream_is_refused(cut: int) -> None:
    """Wherever it ends."""
    data = stream(np.eye(20, dtype=np.uint8))
    with pytest.raises(BrokenOutline, match=r"`rle` ends after \d+ bytes, before its mask does"):
        brush_mask(data[:cut], (20, 20))


def test_a_stream_of_another_photo_is_refused() -> None:
    """Before memory is taken for what it claims to hold."""
    data = stream(np.ones((20, 20), np.uint8))
    with pytest.raises(BrokenOutline, match="holds 1600 values of 8 bits, expected 1680"):
        brush_mask(data, (20, 21))
    with pytest.raises(BrokenOutline, match="holds 4294967295 values"):
        brush_mask(b"\xff" * 40, (20, 20))


def test_a_stream_of_wider_values_is_refused() -> None:
    """Label Studio writes bytes."""
    with pytest.raises(BrokenOutline, match="of 16 bits, expected 4 of 8"):
        brush_mask(stream(np.ones((1, 1), np.uint8), word=16), (1, 1))


def test_runs_that_do_not_add_up_are_refused() -> None:
    """The last one gives more values than are left."""
    whole = stream(np.ones((8, 8), np.uint8))
    more = int.from_bytes(whole[:4]) - 4
    with pytest.raises(BrokenOutline, match="`rle` gives 256 values, expected 252"):
        brush_mask(more.to_bytes(4) + whole[4:], (9, 7))
