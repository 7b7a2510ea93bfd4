"""What is read of many masks by their runs is what each says when it is decoded."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datakit.arrays import area, iou
from datakit.rle import decode_rle, encode_rle
from datakit.shards import runs
from datakit.shards.runs import overlaps, read_runs


def joined(strings, sizes):
    """Runs of strings that lie one behind the other."""
    offsets = np.cumsum([0, *map(len, strings)]).astype(np.uint64)
    return read_runs(memoryview(b"".join(strings)), offsets, np.array([H * W for H, W in sizes], np.int64))


def is_sound(text, size):
    try:
        decode_rle(text, size)
    except ValueError:
        return False
    return True


@st.composite
def masks(draw):
    """Masks of several sizes, smooth and noisy, empty and full."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    found = []
    for _ in range(draw(st.integers(1, 6))):
        size = tuple(rng.integers(1, 40, 2))
        noise = rng.random(size)
        found.append((noise < draw(st.sampled_from([0, 0.02, 0.5, 1]))).astype(np.uint8))
    return found


@given(masks())
def test_areas_are_those_of_the_pixels(planes):
    found = joined([encode_rle(mask) for mask in planes], [mask.shape for mask in planes])
    assert found.sound.all()
    assert found.areas.tolist() == [area(mask) for mask in planes]


@given(masks(), st.integers(0, 2**32 - 1))
def test_overlaps_are_those_of_the_pixels(planes, seed):
    """Several masks over one, in any order."""
    rng = np.random.default_rng(seed)
    partners = rng.integers(0, len(planes), 7)
    over = [(rng.random(planes[n].shape) < 0.4).astype(np.uint8) for n in partners]
    mine = joined([encode_rle(mask) for mask in over], [mask.shape for mask in over])
    theirs = joined([encode_rle(mask) for mask in planes], [mask.shape for mask in planes])
    both = overlaps(mine, theirs, partners)
    assert both.tolist() == [area(mask & planes[n]) for mask, n in zip(over, partners, strict=True)]
    either = mine.areas + theirs.areas[partners] - both
    for mask, n, a, b in zip(over, partners, both, either, strict=True):
        assert not b or a / b == iou(mask, planes[n])


@given(masks(), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 200), st.integers(0, 255)), max_size=4))
def test_what_cannot_be_decoded_is_pointed_at_and_spoils_nothing_else(planes, changes):
    """Bytes of any value at any place, strings cut off and empty."""
    strings, sizes = [bytearray(encode_rle(mask)) for mask in planes], [mask.shape for mask in planes]
    for which, at, value in changes:
        text = strings[which % len(strings)]
        if at >= 150:
            del text[at % (len(text) + 1) :]
        elif text:
            text[at % len(text)] = value
    found = joined(list(map(bytes, strings)), sizes)
    sound = [is_sound(bytes(text), size) for text, size in zip(strings, sizes, strict=True)]
    assert found.sound.tolist() == sound
    whole = [n for n, is_whole in enumerate(sound) if is_whole]
    assert found.areas[whole].tolist() == [area(decode_rle(bytes(strings[n]), sizes[n])) for n in whole]
    assert not found.areas[~found.sound].any()


def test_parts_are_read_as_the_whole(monkeypatch):
    """A shard's strings are more than stand in memory at once."""
    rng = np.random.default_rng(0)
    planes = [(rng.random((30, 20)) < 0.3).astype(np.uint8) for _ in range(20)]
    strings, sizes = [encode_rle(mask) for mask in planes], [mask.shape for mask in planes]
    whole = joined(strings, sizes)
    monkeypatch.setattr(runs, "CHUNK", 500)
    parts = joined(strings, sizes)
    for name in ("lengths", "first", "sound", "ends", "areas"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


@pytest.mark.parametrize("strings", [[], [b""], [b"", b"0"]])
def test_nothing_is_no_mask(strings):
    """None at all, and empty strings."""
    found = joined(strings, [(1, 1)] * len(strings))
    assert not found.areas.any() and not found.sound[: len(strings) - 1].any()
    assert overlaps(found, found, np.arange(len(strings))).tolist() == [0] * len(strings)
