"""J and F against slow and obvious second implementations, statistics against the definition, both against DAVIS."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from datakit.mask_files import read_mask
from datakit.metrics import Measures, contour, measure, statistics

DATA = os.environ.get("DATAKIT_TEST_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="DATAKIT_TEST_DATA names no folder of real data")
OFFICIAL = Path(DATA or "") / "davis2016" / "official"
masks = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 1))


@st.composite
def pairs(draw):
    """Two masks of one size."""
    first = draw(masks)
    return first, draw(arrays(np.uint8, first.shape, elements=st.integers(0, 1)))


def slow_contour(mask):
    """The definition pixel by pixel: differs from right, below or both at once, none of them beyond the frame."""
    height, width = mask.shape
    points = set()
    for y in range(height):
        for x in range(width):
            right, below = min(x + 1, width - 1), min(y + 1, height - 1)
            around = (mask[y, right], mask[below, x], mask[below, right])
            if any(value != mask[y, x] for value in around):
                points.add((x, y))
    return points


def slow_f(mask, target, radius):
    """Every contour pixel looks for the nearest one of the other contour."""
    found, true = slow_contour(mask), slow_contour(target)
    if not found and not true:
        return 1.0
    if not found or not true:
        return 0.0

    def share(points, others):
        near = [min((x - a) ** 2 + (y - b) ** 2 for a, b in others) <= radius**2 for x, y in points]
        return sum(near) / len(near)

    precision, recall = share(found, true), share(true, found)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def square(top, left, side=10, size=(60, 80)):
    mask = np.zeros(size, np.uint8)
    mask[top : top + side, left : left + side] = 1
    return mask


@given(pairs(), st.integers(1, 4))
@settings(max_examples=150)
def test_f_is_that_of_the_slow_definition(pair, radius):
    """Bit by bit, wherever the masks touch the frame, for several radii."""
    tolerance = (radius - 0.5) / math.hypot(*pair[0].shape)
    assert slow_f(*pair, radius) == measure(*pair, tolerance=tolerance).F


@given(masks)
@settings(max_examples=100)
def test_contour_is_that_of_the_slow_definition(mask):
    """The same pixels, those of the frame's last row and column included."""
    assert {(int(x), int(y)) for y, x in np.argwhere(contour(mask))} == slow_contour(mask)


@given(pairs())
@settings(max_examples=100)
def test_measuring_a_part_of_the_frame_changes_nothing(pair):
    """Both measures are those of the whole frame, though only the part around the masks is looked at."""
    padded = [np.pad(mask, ((0, 40), (30, 0))) for mask in pair]
    radius = math.ceil(0.008 * math.hypot(*padded[0].shape))
    intersection, union = (pair[0] & pair[1]).sum(), (pair[0] | pair[1]).sum()
    assert measure(*padded) == (intersection / union if union else 1.0, slow_f(*padded, radius))


@given(pairs())
@settings(max_examples=50)
def test_both_are_symmetric_and_1_of_equal_masks(pair):
    """Which of the two is the prediction does not matter."""
    assert measure(*pair) == measure(*pair[::-1])
    assert measure(pair[0], pair[0]) == (1.0, 1.0)


def test_empty_masks():
    """Nothing where nothing is: 1. Nothing where something is, or the other way round: 0."""
    empty, full, some = np.zeros((60, 80), np.uint8), np.ones((60, 80), np.uint8), square(5, 5)
    assert measure(empty, empty) == (1.0, 1.0)
    assert measure(empty, some) == measure(some, empty) == (0.0, 0.0)
    assert measure(full, full) == (1.0, 1.0)
    assert measure(full, empty) == (0.0, 1.0)  # a mask that fills the frame has no contour either
    assert measure(full, some) == (100 / 4800, 0.0)


@pytest.mark.parametrize("size", [(480, 854), (600, 800), (720, 1280), (1080, 1920), (240, 427), (2160, 3840)])
def test_contours_match_up_to_eight_thousandths_of_the_diagonal(size):
    """A line that far away matches wholly, one pixel further not at all."""
    reach = math.ceil(0.008 * float(np.linalg.norm(size)))
    target = np.zeros(size, np.uint8)
    target[:, : size[1] // 2] = 1
    for shift, expected in ((reach, 1.0), (reach + 1, 0.0)):
        assert expected == measure(np.roll(target, shift, 1) | target, target).F


def test_void_pixels_are_not_judged():
    """What is predicted or missed there counts for nothing; the rest does."""
    target, ignore = square(20, 20), np.zeros((60, 80), np.uint8)
    wrong = target | square(20, 40)
    assert measure(wrong, target).J == 0.5
    ignore[:, 35:] = 1
    assert measure(wrong, target, ignore) == (1.0, 1.0)
    ignore[:] = 1
    assert measure(wrong, target * 0, ignore) == (1.0, 1.0)


def test_j_is_intersection_over_union():
    """Also of masks that lie apart, or within one another."""
    assert measure(square(0, 0), square(0, 5)).J == 50 / 150
    assert measure(square(0, 0), square(40, 60)) == (0.0, 0.0)
    assert measure(square(5, 5, 4), square(3, 3)).J == 16 / 100


def eight_bit_decay(values):
    """The reference's decay as it is written, its 8-bit ends of the bins included."""
    ends = (np.round(np.linspace(1, len(values), 5) + 1e-10) - 1).astype(np.uint8)
    bins = [values[ends[i] : ends[i + 1] + 1] for i in range(4)]
    return np.mean(bins[0]) - np.mean(bins[3])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 38, 48, 99, 254, 255])
def test_statistics_of_short_sequences_are_the_references(count):
    """Mean, share above one half, first bin minus last."""
    values = np.random.default_rng(count).random(count)
    found = statistics(values)
    assert found.mean == pytest.approx(values.mean(), abs=1e-12)
    assert found.recall == sum(value > 0.5 for value in values) / count
    assert found.decay == pytest.approx(eight_bit_decay(values), abs=1e-12)


@pytest.mark.parametrize(("count", "last"), [(256, 191), (257, 192), (300, 224), (1000, 749), (5000, 3749)])
def test_decay_of_long_sequences_compares_the_first_quarter_with_the_last(count, last):
    """Beyond 255 frames, where 8-bit ends of bins wrap around."""
    values = np.linspace(1, 0, count) ** 2
    first = round(1 + (count - 1) / 4 + 1e-10)
    assert statistics(values).decay == pytest.approx(values[:first].mean() - values[last:].mean(), abs=1e-12)
    assert statistics(np.arange(count) / count).decay == pytest.approx(-0.75, abs=0.01)


def test_half_is_not_recalled():
    """A frame counts as recalled above one half, not at it."""
    assert statistics(np.array([0.5, 0.5000001])).recall == 0.5


@needs_data
@pytest.mark.parametrize("measure_name", ["J", "F"])
def test_statistics_are_the_official_ones_of_every_method(measure_name):
    """Mean, recall and decay of 21 methods on 20 sequences, from the published values of single frames."""
    official = json.loads((OFFICIAL / "davis16_val_official_JFT.json").read_text())
    methods = {name: entry[measure_name] for name, entry in official.items() if measure_name in entry}
    assert len(methods) == 21
    for name, sequences in methods.items():
        for sequence, entry in sequences.items():
            expected = (entry["mean"], entry["recall"], entry["decay"])
            assert statistics(np.array(entry["raw"])) == pytest.approx(expected, abs=1e-6), (name, sequence)


@needs_data
@pytest.mark.parametrize("sequence", ["bmx-trees", "kite-surf", "motocross-jump"])
def test_j_and_f_are_those_of_the_reference_code(sequence):
    """Every frame of real masks, ids merged, the first and last frame too; `pipelines/evaluate` has all ten."""
    golden = json.loads((OFFICIAL / "golden_JF_osvos_masks.json").read_text())[sequence]
    root = Path(DATA) / "davis2016"
    for number, expected in enumerate(zip(golden["J"], golden["F"], strict=True)):
        files = (root / "osvos_results" / sequence, root / "Annotations/480p" / sequence)
        found = [read_mask(file / f"{number:05d}.png", "", 10**7).plane > 0 for file in files]
        assert measure(*(plane.view(np.uint8) for plane in found)) == pytest.approx(Measures(*expected), abs=1e-6)
