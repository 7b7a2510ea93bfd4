"""Run-length strings are COCO's, and whatever is broken is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco_mask

from datakit.rle import decode_rle, encode_rle, polygons_to_mask

MASKS = arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.integers(0, 1))


@given(MASKS)
def test_rle_round_trip_is_exact_and_is_cocos(mask: np.ndarray) -> None:
    """Any mask comes back, and pycocotools reads the same from the string."""
    data = encode_rle(mask)
    again = decode_rle(data, mask.shape)
    assert np.array_equal(again, mask) and again.dtype == np.uint8 and again.flags.c_contiguous
    assert np.array_equal(coco_mask.decode({"size": list(mask.shape), "counts": data}), mask)


@pytest.mark.parametrize("data", [b"", b"zzzzz", b"\x00\x01", b"\xff\xff", b"012", b"ooooooooo0", "é".encode()])
def test_broken_rle_is_refused(data: bytes) -> None:
    """Too few runs would give uninitialised memory, so the sum is checked."""
    with pytest.raises(ValueError, match=r"run|add up"):
        decode_rle(data, (20, 30))


@given(MASKS, st.data())
def test_cut_rle_is_refused(mask: np.ndarray, data: st.DataObject) -> None:
    """No proper beginning of a string passes for the mask."""
    whole = encode_rle(mask)
    with pytest.raises(ValueError, match=r"run|add up"):
        decode_rle(whole[: data.draw(st.integers(0, len(whole) - 1))], mask.shape)


def test_polygon_is_drawn_as_pycocotools_draws_it() -> None:
    """Two polygons give their union."""
    mask = polygons_to_mask([[1, 1, 5, 1, 5, 4, 1, 4], [8, 8, 12, 8, 12, 11, 8, 11]], (20, 20))
    assert mask.flags.c_contiguous and mask[2, 2] == mask[9, 9] == 1 and mask.sum() == 24
