"""The picture that is offered next."""

import numpy as np

from pipelines.annotate.offer import doubt, offered, worth
from pipelines.annotate.project import FROM
from tests.clips import labels

ONE_RUN = np.array([np.nan])


def test_doubt_falls_with_confidence_and_with_agreement():
    """None where both are whole; a mask that is hardly sure has lost more than one without a pixel."""
    steps = np.linspace(0.7, 1, 13)
    for fall in (doubt(steps, np.full(13, np.nan)), doubt(np.ones(13), steps), doubt(steps, np.ones(13))):
        assert (np.diff(fall) <= 0).all() and fall[0] > 0.1 and fall[-1] == 0
    assert 0.1 < doubt(np.zeros(1), ONE_RUN) < doubt(np.array([0.7]), ONE_RUN)


def test_one_run_that_is_not_sure_counts_as_much_as_two_that_disagree():
    """A confidence of 0.85 has lost more than an agreement of less than a half."""
    assert doubt(np.array([0.85]), ONE_RUN) > doubt(np.array([0.96]), np.array([0.4]))


def test_a_drawing_is_worth_most_in_the_middle_of_a_doubtful_stretch():
    """Not in the first picture of it, nor in a single one that is a little worse."""
    doubts = np.zeros(40)
    doubts[10:17], doubts[30] = 0.5, 0.6
    assert 12 <= worth(doubts, np.arange(40) == 0).argmax() <= 14


def test_doubt_beyond_the_next_drawing_does_not_count():
    """A correction does not reach there."""
    doubts = np.array([0, 0, 0.2, 0, 0.9, 0.9])
    assert worth(doubts, np.array([1, 0, 0, 1, 0, 0], bool))[1:3].sum() < 0.4


def test_the_offer_is_never_a_drawn_picture_and_none_where_nothing_was_made(project):
    """Nor where there is no doubt."""
    assert offered(project) is None
    project.draw(0, labels())
    for place in range(1, 10):
        project.keep_made(place, labels(), {FROM: "", "confidence": 0.5 if place in (4, 5, 6) else 1.0})
    assert offered(project) == 5
    project.draw(5, labels())
    assert offered(project) in (4, 6)
