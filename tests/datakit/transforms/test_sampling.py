"""Maps from pixels of a made picture to pixels of a source: exact, and the same for photo and mask."""

from __future__ import annotations

import numpy as np
import pytest

from datakit.transforms.sampling import PARTS, SamplingMap, composed, moved, reduced

IDENTITY = np.array([[1.0, 0, 0], [0, 1, 0]])
TURN = np.array([[0.7, 0.1, 20.3], [-0.1, 0.7, 30.0]])


def photo(size: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)


def test_the_identity_gives_the_picture_itself() -> None:
    source = photo((30, 50))
    way = SamplingMap.linear(IDENTITY, (30, 50))
    assert np.array_equal(way.image(source), source)
    assert np.array_equal(way.mask(source[..., 0].copy()), source[..., 0])


def test_coordinates_are_the_matrix_to_a_32nd() -> None:
    way = SamplingMap.linear(TURN, (48, 64))
    down, across = np.mgrid[:48, :64]
    expected = TURN[0, 0] * across + TURN[0, 1] * down + TURN[0, 2]
    assert np.abs(way.x - expected).max() <= 1 / PARTS
    assert np.array_equal(way.x * PARTS, np.rint(way.x * PARTS))


def test_a_bend_that_bends_nothing_is_the_matrix() -> None:
    straight, bent = (
        SamplingMap.linear(TURN, (61, 43)),
        SamplingMap.bent(TURN, (61, 43), lambda x, y: (x + 0 * y, y + 0 * x)),
    )
    assert np.abs(straight.x - bent.x).max() <= 2 / PARTS
    assert np.abs(straight.y - bent.y).max() <= 2 / PARTS
    assert bent.hidden is None


def test_what_a_bend_fetches_from_beyond_the_picture_is_hidden() -> None:
    way = SamplingMap.bent(IDENTITY, (40, 40), lambda x, y: (x + 0 * y + 10, y + 0 * x))
    assert way.hidden[:, 30:].all()
    assert not way.hidden[:, :29].any()
    assert (way.image(photo((40, 90)), (1, 2, 3))[:, 30:] == (1, 2, 3)).all()
    assert (way.mask(np.ones((40, 90), np.uint8), 7)[:, 30:] == 7).all()


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_a_reduced_source_is_read_at_the_same_places(factor: int) -> None:
    ramp = np.repeat(np.tile(np.arange(0, 256, 2, dtype=np.uint8), (64, 1))[..., None], 3, 2)
    small = ramp.reshape(64 // factor, factor, 128 // factor, factor, 3).mean((1, 3)).astype(np.uint8)
    whole = SamplingMap.linear(IDENTITY, (64, 128)).image(ramp).astype(int)
    part = SamplingMap.linear(reduced(IDENTITY, factor), (64, 128)).image(small).astype(int)
    inner = np.s_[factor:-factor, factor:-factor]
    assert np.abs(whole - part)[inner].max() <= 2


def test_a_cut_source_is_read_at_the_same_places() -> None:
    source = photo((60, 60))
    way = SamplingMap.linear(moved(IDENTITY, 10, 20), (40, 50))
    assert np.array_equal(way.image(source[20:, 10:].copy())[20:, 10:], source[20:40, 10:50])


def test_matrices_are_composed_first_to_last() -> None:
    point = np.array([3.0, 5.0, 1.0])
    both = composed(TURN, moved(IDENTITY, 2, -1)) @ point
    assert both == pytest.approx(TURN @ [*(moved(IDENTITY, 2, -1) @ point), 1])


@pytest.mark.parametrize("size", [8, 16, 32])
def test_photo_and_mask_lie_on_each_other_to_half_a_pixel(size: int) -> None:
    board = ((np.add.outer(np.arange(200) // size, np.arange(300) // size)) % 2).astype(np.uint8)
    way = SamplingMap.bent(
        TURN * [1, 1, 0.5], (160, 200), lambda x, y: (x + 4 * np.sin(y / 40), y + 3 * np.cos(x / 30))
    )
    grey = way.image(np.repeat(board[..., None] * 200, 3, 2))[..., 0]
    mask = way.mask(board)
    sure = (grey == 0) | (grey == 200)
    assert np.array_equal(grey[sure] > 100, mask[sure].astype(bool))
    assert ((grey > 100) != (mask == 1)).mean() < 0.01  # only where a pixel of the map lies on an edge


def test_a_part_is_read_as_in_the_whole():
    matrix = np.array([[0.8, 0.1, 3.0], [-0.1, 0.8, 5.0]])
    whole, part = SamplingMap.linear(matrix, (40, 50)), SamplingMap.linear(matrix, (40, 50), (7, 9, 31, 22))
    assert np.array_equal(part.x, whole.x[9:22, 7:31])
    assert np.array_equal(part.y, whole.y[9:22, 7:31])


def test_what_a_bend_fetches_from_beyond_may_be_read():
    """Moved by ten pixels: hidden where it is cut, else read from the source, which goes on there."""
    matrix = np.array([[1.0, 0, 20.0], [0, 1.0, 0.0]])
    source = np.arange(1, 101, dtype=np.uint8)[None].repeat(40, 0)

    def moved(x, y):
        return x - 10 + 0 * y, y + 0 * x

    cut, free = (SamplingMap.bent(matrix, (40, 40), moved, is_cut).mask(source) for is_cut in (True, False))
    assert not cut[:, :10].any()
    assert free[5].tolist() == list(range(11, 51))
    assert np.array_equal(cut[:, 10:], free[:, 10:])
