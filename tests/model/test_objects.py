"""Objects meet in one label map: nothing overlaps, one object is a threshold, ids are kept."""

import numpy as np
import pytest

from model.objects import join, mask_of, mean_margins, object_ids, probabilities


def scores(*planes):
    return np.array(planes, np.float32).reshape(len(planes), 1, -1)


def slow_join(planes, ids):
    """Soft aggregation as it is written down: softmax over the odds of every object and of the background."""
    p = 1 / (1 + np.exp(-planes.astype(np.float64)))
    p = np.concatenate([np.prod(1 - p, axis=0)[None], p]).clip(1e-12, 1 - 1e-12)
    odds = p / (1 - p)
    return odds / odds.sum(axis=0), np.array([0, *ids])[odds.argmax(axis=0)]


def test_one_object_is_a_threshold_at_zero():
    """A score above 0 is the object, 0 is not."""
    assert join(scores([-1, 0, 0.01, 9]), [7]).tolist() == [[0, 0, 7, 7]]


def test_the_more_certain_of_two_objects_gets_the_pixel():
    """Where both claim a pixel, the higher score has it; equal scores go to the first."""
    assert join(scores([3, 1, 2], [1, 3, 2]), [4, 9]).tolist() == [[4, 9, 4]]


def test_two_that_half_claim_a_pixel_win_it_from_the_background():
    """Two objects at p = 0.4 leave the background 0.36."""
    half = np.log(0.4 / 0.6)
    assert join(scores([half]), [1]).item() == 0
    assert join(scores([half], [half - 0.1]), [1, 2]).item() == 1


def test_objects_far_from_doubt_meet_as_those_in_doubt():
    """Certain, impossible and infinite scores, on both sides of a half; of equals the first, whichever they are."""
    inf = np.inf
    first = [0, 0, -inf, inf, 9, -9, 2, -0.1]
    second = [0, -9, -inf, -inf, 90, 0.1, 3, -2]
    third = [0, -9, 0, 2, 90, -9, 3, -0.1]
    assert join(scores(first, second, third), [5, 6, 7]).tolist() == [[5, 5, 0, 5, 6, 6, 6, 5]]


@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_joining_is_soft_aggregation(count):
    """Labels and probabilities equal those of the formula as written."""
    planes = np.random.default_rng(count).normal(-2, 3, (count, 20, 30)).astype(np.float32)
    ids = list(range(3, 3 + count))
    expected, labels = slow_join(planes, ids)
    assert np.array_equal(join(planes, ids), labels)
    assert np.allclose(probabilities(planes), expected, atol=1e-5)


def test_very_many_faint_claims_do_not_add_up_to_an_object():
    """With all 254 ids, a score below the shortcut's bound never wins."""
    planes = np.full((254, 1, 1), -6.001, np.float32)
    assert join(planes, range(1, 255)).item() == slow_join(planes, range(1, 255))[1].item() == 0


def test_probabilities_of_certain_scores_are_finite():
    """Far from 0 nothing overflows, and the sum stays 1."""
    shares = probabilities(scores([-200, 200, 0], [-200, 200, -200]))
    assert np.isfinite(shares).all()
    assert np.allclose(shares.sum(axis=0), 1)
    assert shares[0, 0, 0] == pytest.approx(1)


def test_no_object_is_an_empty_label_map():
    """Nothing to join is background everywhere."""
    assert not join(np.zeros((0, 2, 3), np.float32), []).any()


def test_ids_are_those_that_occur():
    """Ascending, without 0."""
    assert object_ids(np.array([[0, 254, 3]], np.uint8)) == (3, 254)
    assert mask_of(np.array([[0, 254, 3]], np.uint8), 3).tolist() == [[0, 0, 1]]


def test_the_margin_is_how_far_above_a_half_an_object_is():
    """The mean of 2 p - 1 over its pixels; nothing for an object without one."""
    p = np.array([[0.9, 0.6, 0.2]])
    scores = np.log(p / (1 - p))[None].astype(np.float32).repeat(2, axis=0)
    found = mean_margins(scores, np.array([[1, 1, 0]], np.uint8), [1, 2])
    assert found[1] == pytest.approx((0.8 + 0.2) / 2) and found[2] == 0.0


def test_pixels_won_below_a_half_count_as_doubtful():
    """Soft aggregation gives an object such; they do not make the mean negative."""
    assert mean_margins(np.full((1, 2, 2), -0.1, np.float32), np.ones((2, 2), np.uint8), [1]) == {1: 0.0}
