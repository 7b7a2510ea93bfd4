"""What is remembered of the objects of a video."""

import numpy as np
import pytest

from model import recollection as module
from model.propagate import PropagateConfig
from model.recollection import MOST_GIVEN, Recollection
from tests.colour_net import PLAIN
from tests.model.test_lite_memory import awake

PLACES = 4 * 4  # of a frame of 64 pixels at stride 16


@pytest.fixture
def recollection():
    return Recollection(awake(), PLAIN, PropagateConfig(margin=0.4, size=64, memories=2, sure=0.0))


def frame(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)


def labels(*ids):
    made = np.zeros((48, 64), np.uint8)
    for number in ids:
        made[10:30, 10 * number : 10 * number + 8] = number
    return made


def places(memory):
    return [(row >= 0).sum().item() for row in memory.share]


def test_it_is_bounded(recollection):
    """However many frames are given and found."""
    for seed in range(20):
        recollection.give(frame(seed), labels(1), [1])
        recollection.add(frame(seed), labels(1), [1])
    assert places(recollection.of([1])) == [(MOST_GIVEN + 2) * PLACES]


def test_the_first_given_frame_is_never_forgotten(recollection):
    recollection.give(frame(0), labels(1), [1])
    first = recollection.of([1]).keys.clone()
    for seed in range(1, 20):
        recollection.give(frame(seed), labels(1), [1])
    assert np.array_equal(recollection.of([1]).keys[..., :PLACES], first)


def test_an_object_that_enters_later_has_a_memory_of_its_own(recollection):
    recollection.give(frame(0), labels(1), [1])
    recollection.add(frame(1), labels(1), [1])
    recollection.give(frame(2), labels(1, 2), [2])
    assert places(recollection.of([1, 2])) == [2 * PLACES, PLACES]


def test_an_object_that_is_not_seen_leaves_nothing(recollection):
    recollection.give(frame(0), labels(1, 2), [1, 2])
    recollection.add(frame(1), labels(2), [1, 2])
    assert places(recollection.of([1, 2])) == [PLACES, 2 * PLACES]


def test_a_mask_that_is_not_found_again_is_not_kept():
    """By a network of random weights, unless any answer will do."""
    for sure, expected in ((0.95, PLACES), (0.0, 2 * PLACES)):
        recollection = Recollection(awake(), PLAIN, PropagateConfig(margin=0.4, size=64, sure=sure))
        recollection.give(frame(0), labels(1), [1])
        recollection.add(frame(1), labels(1), [1])
        assert places(recollection.of([1])) == [expected]


def test_a_given_frame_is_known_again_by_the_next_run(recollection, monkeypatch):
    """It is not looked at by the network a second time; another mask on it is."""
    looks, remember = [], type(recollection._net).remember
    monkeypatch.setattr(type(recollection._net), "remember", lambda net, x: looks.append(len(x)) or remember(net, x))
    recollection.give(frame(0), labels(1, 2), [1, 2])
    again = recollection.fresh()
    again.give(frame(0), labels(1, 2), [1, 2])
    assert looks == [2]
    assert all(map(np.array_equal, again.of([1, 2]), recollection.of([1, 2])))
    recollection.fresh().give(frame(0), labels(2), [2])
    assert looks == [2, 1]


def test_what_is_known_again_is_bounded(monkeypatch):
    """By its bytes."""
    monkeypatch.setattr(module, "KNOWN_BYTES", 1)
    recollection = Recollection(awake(), PLAIN, PropagateConfig(margin=0.4, size=64))
    for seed in range(3):
        recollection.give(frame(seed), labels(1), [1])
    assert len(recollection._writer._known) == 1
