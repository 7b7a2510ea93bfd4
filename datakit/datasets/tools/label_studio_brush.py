"""Label Studio's brush: the stream of bits in which it packs a painted mask.

32 bits count of values, 5 bits width of a value less one, four times 4 bits width of a length less one; then
blocks: 1 bit whether a value repeats, 2 bits which width its length has, the length less one, and one value or
as many as the length says. Values are the bytes of RGBA pixels, row by row; the mask is where alpha is above 0.

Source: label-studio-sdk, converter/brush.py; thi.ng/rle-pack.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Mask
from ..outlines import BrokenOutline
from ..shapes import Size

CHANNELS = 4
WORD = 8  # bits of a value; Label Studio writes no other


class _Bits:
    """Bytes read bit by bit."""

    def __init__(self, data: bytes):
        self._data = data + bytes(8)  # so that 64 bits stand behind every place
        self._end = 8 * len(data)
        self._at = 0

    def number(self, bits: int) -> int:
        """The next bits, at most 32, as a number."""
        start = self._move(bits)
        word = int.from_bytes(self._data[start >> 3 : (start >> 3) + 8])
        return word >> (64 - (start & 7) - bits) & ((1 << bits) - 1)

    def bytes(self, count: int) -> bytes:
        """The next bytes, which need not begin where a byte of the stream does."""
        start = self._move(8 * count)
        word = int.from_bytes(self._data[start >> 3 : (start >> 3) + count + 1])
        return (word >> (8 - (start & 7)) & ((1 << 8 * count) - 1)).to_bytes(count)

    def _move(self, bits: int) -> int:
        start = self._at
        self._at += bits
        if self._at > self._end:
            raise BrokenOutline("broken run lengths", f"`rle` ends after {self._end // 8} bytes, before its mask does")
        return start


def brush_mask(data: bytes, size: Size) -> Mask:
    """The mask of (H, W) pixels, 0 or 1, in a stream.

    Raises:
        BrokenOutline: it is none, is cut, or is of another size.
    """
    bits = _Bits(data)
    count, word = bits.number(32), bits.number(5) + 1
    widths = [bits.number(4) + 1 for _ in range(4)]
    expected = CHANNELS * size[0] * size[1]
    if count != expected or word != WORD:
        found = f"`rle` holds {count} values of {word} bits, expected {expected} of {WORD} for a photo of {size}"
        raise BrokenOutline("broken run lengths", found)
    values = np.zeros(count, np.uint8)
    at = 0
    while at < count:
        repeats, width = bits.number(1), widths[bits.number(2)]
        end = at + bits.number(width) + 1
        if end > count:
            raise BrokenOutline("broken run lengths", f"`rle` gives {end} values, expected {count}")
        values[at:end] = bits.number(WORD) if repeats else np.frombuffer(bits.bytes(end - at), np.uint8)
        at = end
    alpha = values.reshape(*size, CHANNELS)[:, :, CHANNELS - 1]
    return (alpha > 0).astype(np.uint8)
