"""Masks between drawings: which run makes which picture, what a correction changes, and what stays."""

from dataclasses import replace

import numpy as np
import pytest

from datakit.recent import Recent
from pipelines.annotate.gaps import Carrier, Gap, Leg, plan_legs
from pipelines.annotate.signs import signs
from tests.clips import Drifting, labels

OBJECT, OTHER = (np.where(labels() == number, number, 0).astype(np.uint8) for number in (1, 2))


class Forgetful(Recent):
    """Keeps nothing."""

    def put(self, key, value):
        return value


def drifting(close=False):
    """Drifts, however closely it looks."""
    return Drifting()


def shown(project, place):
    """Ids that a picture shows."""
    return set(np.unique(project.labels(place)).tolist()) - {0}


def carry(project, direction="both", at=0, stop=None):
    """Places in the order they were made, up to `stop` of them."""
    places = []
    for step, _ in Carrier(project, drifting).run(direction, at):
        places.append(step.place)
        if len(places) == stop:
            break
    return places


def test_a_gap_is_shared_by_both_runs():
    """Each makes the half that is nearer to its drawing, and is compared in the other."""
    assert plan_legs([2, 7], 10, "both", 3)[:2] == [
        Leg(Gap(2, 7), 2, range(3, 7), 2),
        Leg(Gap(2, 7), 7, range(6, 2, -1), 2),
    ]


@pytest.mark.parametrize(
    ("direction", "sources"), [("forwards", [2, 7]), ("backwards", [2, 7]), ("both", [2, 2, 7, 7])]
)
def test_a_direction_leaves_out_the_legs_of_the_other(direction, sources):
    """Forwards nothing is made before the first drawing."""
    legs = plan_legs([2, 7], 10, direction, 0)
    assert sorted(leg.source for leg in legs) == sources
    assert any(0 in leg.places for leg in legs) == (direction != "forwards")


def test_the_gap_one_looks_at_is_made_first():
    """Then the nearest."""
    assert [leg.gap for leg in plan_legs([2, 7], 10, "forwards", 8)] == [Gap(7, None), Gap(2, 7)]
    assert plan_legs([2, 7], 10, "both", 7)[0].gap == Gap(7, None)


def test_every_picture_is_made_and_none_that_was_drawn(project):
    """Of the drawing that is nearer."""
    project.draw(2, OBJECT)
    project.draw(7, OBJECT)
    assert set(carry(project)) == {0, 1, 3, 4, 5, 6, 8, 9}
    assert signs(project) == "mmdmmmmdmm"
    assert [project.row(place)["source"] for place in (1, 3, 4, 5, 6, 8)] == [2, 2, 2, 7, 7, 7]


def test_the_agreement_of_both_runs_is_noted(project):
    """Between two drawings only."""
    project.draw(2, OBJECT)
    project.draw(7, OBJECT)
    carry(project)
    found = [project.row(place).get("agreement") for place in (0, 3, 4, 5, 6, 9)]
    assert found[0] is None and found[-1] is None
    assert all(0 <= each < 1 for each in found[1:-1])


def test_what_is_up_to_date_is_not_made_again(project):
    """The second time there is nothing to do."""
    project.draw(2, OBJECT)
    project.draw(7, OBJECT)
    carry(project)
    assert carry(project) == []


def test_a_correction_makes_the_gaps_beside_it_anew_and_no_others(project):
    """And leaves what was drawn as it is."""
    for place in (0, 4, 9):
        project.draw(place, OBJECT)
    carry(project)
    before = {place: project.row(place) for place in range(10)}
    project.draw(6, np.roll(OBJECT, 3, 1))
    assert set(carry(project, at=6)) == {5, 7, 8}
    assert [place for place in range(10) if project.row(place) != before[place]] == [5, 7, 8]
    assert np.array_equal(project.labels(4), OBJECT)
    assert np.array_equal(project.labels(6), np.roll(OBJECT, 3, 1))


def test_a_run_that_was_stopped_goes_on_to_the_same_masks(project, tmp_path):
    """What was made before it stopped is kept."""
    project.draw(0, OBJECT)
    carry(project)
    whole = [project.labels(place) for place in range(10)]
    project.draw(0, np.roll(OBJECT, 1, 1))
    project.draw(0, OBJECT)
    for place in range(10):
        (project.folder / "made" / f"{place:05d}.png").unlink(missing_ok=True)
    project._rows.clear()
    assert carry(project, stop=4) == [1, 2, 3, 4]
    assert signs(project) == "dmmmm....."
    carry(project)
    assert all(np.array_equal(project.labels(place), whole[place]) for place in range(10))


def test_an_object_that_enters_later_is_not_looked_for_before(project):
    """In both directions; backwards it is, as was asked."""
    project.draw(0, OBJECT)
    project.draw(6, labels())
    carry(project)
    assert not any((project.labels(place) == 2).any() for place in range(6))
    carry(project, "backwards")
    assert (project.labels(4) == 2).any()


def test_an_object_goes_on_below_a_drawing_that_says_nothing_of_it(project):
    """Two objects drawn in two pictures, before any propagation; a change of the first is carried through, too."""
    project.draw(0, OBJECT)
    project.draw(5, OTHER)
    carry(project, at=8)
    assert [set(np.unique(project.labels(place))) - {0} for place in (3, 4, 5, 6, 9)] == [
        {1},
        {1},
        {1, 2},
        {1, 2},
        {1, 2},
    ]
    project.draw(0, np.roll(OBJECT, 5, 0))
    assert signs(project)[6:] == "oooo"


def test_an_object_goes_on_below_the_very_next_drawing(project):
    """Where no picture lies between the two; the second time there is nothing to do."""
    project.draw(0, OBJECT)
    project.draw(1, OTHER)
    carry(project)
    assert [shown(project, place) for place in (1, 2, 9)] == [{1, 2}] * 3
    assert carry(project) == []


def test_a_drawing_that_is_taken_back_shows_all_that_the_network_makes_there(project):
    """Not only what goes on below it; and says how sure that is, and that it is to be made again."""
    project.draw(0, labels())
    project.draw(4, np.roll(OBJECT, 9, 1), settled={1})
    carry(project)
    assert np.array_equal(project.labels(4) == 1, np.roll(OBJECT, 9, 1) == 1)
    project.undraw(4)
    assert shown(project, 4) == {1, 2}
    assert project.row(4)["confidence"] < 1
    assert signs(project)[4] == "o"


def test_a_drawing_below_which_an_object_goes_on_is_told_of(project):
    """Once, so that its thumbnail is fetched again; the steps that are left come to none."""
    project.draw(0, OBJECT)
    project.draw(4, OTHER)
    steps = [(step.place, left) for step, left in Carrier(project, drifting).run("both", 0)]
    assert [place for place, _ in steps].count(4) == 1
    assert steps[-1][1] == 0 and min(left for _, left in steps) == 0


def test_objects_go_on_below_a_drawing_also_where_runs_are_not_compared(project):
    """Though the run that carries them there decides only the first half of the gap."""
    project.draw(0, labels())
    project.draw(4, np.roll(OBJECT, 9, 1), settled={1})
    for _ in Carrier(project, drifting, compares=False).run("both", 0):
        pass
    assert [shown(project, place) for place in (3, 4, 9)] == [{1, 2}] * 3


def test_what_goes_on_below_neighbouring_drawings_comes_to_an_end(project):
    """Three objects, two of them over each other where both go on; and the next time there is nothing to do."""
    third = project.add_object()
    for place, drawn in ((0, OBJECT), (4, (OTHER > 0) * third), (5, np.roll(OBJECT, 3, 1) * 2)):
        project.draw(place, drawn.astype(np.uint8), settled=())
    assert len(carry(project, stop=100)) < 100
    assert carry(project) == []


def test_an_object_that_enters_right_after_a_drawing_is_not_looked_for_before(project):
    """In both directions."""
    project.draw(4, OBJECT)
    project.draw(5, labels())
    carry(project)
    assert [shown(project, place) for place in (0, 4, 5, 9)] == [{1}, {1}, {1, 2}, {1, 2}]


def test_an_object_that_comes_back_while_it_runs_is_taken_in(project):
    """Masks made before are made anew, those after hold it."""
    project.draw(0, labels())
    project.remove_object(2)
    steps = Carrier(project, drifting).run("both", 0)
    for _ in range(3):
        next(steps)
    project.remove_object(2, removed=False)
    list(steps)
    assert [shown(project, place) for place in (1, 5, 9)] == [{1, 2}] * 3 and signs(project) == "dmmmmmmmmm"


@pytest.mark.parametrize("at", [0, 9])
def test_backwards_an_object_goes_on_below_earlier_drawings(project, at):
    """From wherever one looks, and so does another drawing of it."""
    for place, drawn in ((0, OBJECT), (4, OBJECT), (9, labels())):
        project.draw(place, drawn)
    carry(project, "backwards", at=at)
    assert [shown(project, place) for place in (1, 4, 6)] == [{1, 2}] * 3
    before = project.labels(2)
    assert signs(project) == "dmmmdmmmmd"
    project.draw(9, np.where(OBJECT > 0, OBJECT, np.roll(OTHER, 6, 0)))
    assert signs(project) == "dooodooood"  # also those before the drawing that says nothing of it
    carry(project, "backwards", at=at)
    assert not np.array_equal(project.labels(2), before)
    project.draw(9, OBJECT)
    carry(project, "forwards")
    assert [shown(project, place) for place in (0, 4, 6)] == [{1}] * 3


def test_backwards_a_change_is_carried_below_neighbouring_drawings(project):
    """As if they were one."""
    for place, drawn in ((4, OBJECT), (5, OBJECT), (9, labels())):
        project.draw(place, drawn)
    carry(project, "backwards")
    before = project.labels(2)
    project.draw(9, np.where(OBJECT > 0, OBJECT, np.roll(OTHER, 6, 0)))
    carry(project, "backwards")
    assert shown(project, 2) == {1, 2} and not np.array_equal(project.labels(2), before)


def test_an_object_that_comes_back_is_carried_where_it_was_hidden(project):
    """What was made meanwhile is out of date."""
    project.draw(0, labels())
    project.remove_object(2)
    carry(project)
    assert signs(project) == "dmmmmmmmmm"
    project.remove_object(2, removed=False)
    assert signs(project) == "dooooooooo"
    carry(project)
    assert shown(project, 5) == {1, 2}
    project.remove_object(2)
    assert signs(project) == "dmmmmmmmmm"


def test_an_object_that_was_erased_is_not_carried_on(project):
    """From the drawing that shows it no more."""
    project.draw(0, labels())
    carry(project)
    project.draw(5, OBJECT)
    carry(project)
    assert [(project.labels(place) == 2).any() for place in (1, 5, 6, 9)] == [True, False, False, False]


def test_an_object_that_a_picture_is_accepted_without_is_gone(project):
    """Though no drawing ever showed it there."""
    project.draw(0, labels())
    project.draw(5, OBJECT, settled={1, 2})
    carry(project)
    assert [(project.labels(place) == 2).any() for place in (2, 5, 6, 9)] == [True, False, False, False]


def test_agreement_leaves_out_objects_that_one_run_cannot_know(project):
    """Here one that enters later, and one that goes on below a drawing."""
    project.draw(0, OBJECT)
    project.draw(9, np.where(labels(3) == 2, 2, 0).astype(np.uint8))
    carry(project)
    assert {project.row(place)["agreement"] for place in range(1, 9)} == {None}
    assert all(project.row(place)["confidence"] < 1 for place in range(1, 9))  # of the run that knows what is shown
    assert carry(project) == []


def test_a_network_with_a_memory_is_shown_the_other_drawings_first(project):
    """The nearest last, and then that from which it goes on."""
    shown = []

    class Remembering(Drifting):
        def replay(self, made, mask=None, frame=None):
            if mask is not None:
                shown.append(int(np.flatnonzero(made.any(0))[0]) - 5)
            super().replay(made, mask, frame)

    for place in (0, 4, 9):
        project.draw(place, np.roll(OBJECT, place, 1))
    next(Carrier(project, lambda close: Remembering(), memory=True).run("forwards", 4))
    assert shown == [9, 0, 4] or shown == [0, 9, 4]


def test_a_drawn_picture_is_read_once_however_many_legs_are_shown_it(project):
    """In a film each would have to be sought anew, and what is kept of one is soon gone."""
    read = []

    class Remembering(Drifting):
        def replay(self, made, mask=None, frame=None):
            if mask is not None:
                frame()
            super().replay(made, mask, frame)

    def noted(place):
        read.append(place)
        return project.media.read(place)

    for place in (0, 4, 9):
        project.draw(place, OBJECT)
    media = replace(project.media, read=noted, _kept=Forgetful(0))
    list(Carrier(project, lambda close: Remembering(), memory=True, media=media).run("forwards", 0))
    assert [read.count(place) for place in (0, 4, 9)] == [1, 1, 1]


def test_it_looks_closely_between_two_drawings(project):
    """Where masks are held at both ends."""
    asked = []

    def fresh(close):
        asked.append(close)
        return Drifting()

    for place in (2, 7):
        project.draw(place, OBJECT)
    made = [step.place for step, _ in Carrier(project, fresh).run("forwards", 3)]
    assert (made, asked) == ([3, 4, 5, 6, 8, 9], [True, False])


def test_a_drawing_that_changes_meanwhile_is_gone_on_from(project):
    """What was made of the old one is made again, without being asked."""
    project.draw(0, OBJECT)
    places = []
    for step, _ in Carrier(project, drifting).run("both", 0):
        places.append(step.place)
        if len(places) == 3:
            project.draw(6, OBJECT)
    assert places[3] == 7
    assert signs(project) == "dmmmmmdmmm"


@pytest.mark.parametrize(("direction", "first"), [("backwards", 4), ("forwards", 6), ("both", 6)])
def test_it_begins_on_the_side_of_the_drawing_that_it_is_asked_for(project, direction, first):
    """Looked at is the drawing between two gaps."""
    for place in (1, 5, 9):
        project.draw(place, labels(place))
    assert carry(project, direction, at=5, stop=1) == [first]
