"""Objects that are not found: how they count as lost, are looked for, found again or given up."""

import math
from dataclasses import replace

import numpy as np
import pytest

from datakit.arrays import iou
from model.networks import build_network
from model.propagate import PropagateConfig, Propagator, surer
from tests.colour_net import PLAIN, ColourNet
from tests.model.discs import CONFIG, SIZE, disc, propagator, shot


def test_an_object_that_vanishes_is_found_again():
    """It is reported lost while away, leaves the other alone, and comes back elsewhere under its id."""
    red, green = disc(20, 20), disc(70, 70)
    carrier = propagator()
    carrier.step(shot(red=red, green=green), red + green * np.uint8(2))
    lost = []
    for _ in range(5):
        out = carrier.step(shot(green=green))
        lost.append(carrier.lost)
        assert iou((out == 2).view(np.uint8), green) > 0.9
    assert lost == [{1}] * 5

    class FindsRed(ColourNet):
        """As if it had learnt how object 1 looks."""

        def score(self, colours, guide):
            return 10 * (colours[:1] > 200).float() - 5

    carrier._net = FindsRed()
    back = disc(100, 20)
    carrier.step(shot(red=back, green=green))
    assert not carrier.lost & {1}


def test_the_window_of_a_lost_object_widens():
    """Frame by frame more of the frame is looked at, up to all of it."""
    carrier = propagator()
    carrier.step(shot(red=disc(20, 20, 6)), disc(20, 20, 6))
    sides = []
    for _ in range(8):
        track = carrier._states[1]
        box = carrier._window(carrier._guide(track.good), track.missing).box
        sides.append(box[2] - box[0])
        carrier.step(shot())
    assert sides[0] < sides[1] < sides[2]
    assert sides[-1] == SIZE[1]


@pytest.mark.parametrize("show_lost", [False, True])
def test_a_remnant_is_not_trusted_and_shown_only_where_asked_for(show_lost):
    """A mask that shrinks to a tenth at once: the frame shows no object, and the guide stays the whole one."""
    carrier = propagator(replace(CONFIG, show_lost=show_lost))
    carrier.step(shot(red=disc(60, 40)), disc(60, 40))
    remnant = disc(60, 40, 3)
    out = carrier.step(shot(red=remnant))
    assert (0 < out.sum() < 60) == show_lost
    assert carrier.lost == {1}
    assert iou(carrier.step(shot(red=disc(60, 40))), disc(60, 40)) > 0.9
    assert not carrier.lost


class Unsure(ColourNet):
    """Finds what the colour net finds, with a margin that one sets."""

    margins = 0.9

    def score(self, colours, guide):
        return (super().score(colours, guide) > 0) * (4 * math.atanh(self.margins)) - 2 * math.atanh(self.margins)


def test_an_object_that_the_network_is_not_sure_of_counts_as_lost():
    """It has no pixel until the network is surer by a tenth: 0.74 is enough to go on, and not to be found again."""
    net, mask, lost = Unsure(), disc(60, 40), []
    carrier = Propagator(net, PLAIN, replace(CONFIG, doubtful=0.65))
    carrier.step(shot(red=mask), mask)
    for net.margins in (0.95, 0.5, 0.74, 0.95, 0.74):
        found = carrier.step(shot(red=mask))
        lost.append(bool(carrier.lost))
        assert found.any() != lost[-1] and (carrier.margins[1] == 0) == lost[-1]
    assert lost == [False, True, True, False, False]
    assert iou(found, mask) > 0.9


@pytest.mark.parametrize("how", [{"doubtful": 0.0}, {"doubtful": 0.9, "show_lost": True}])
def test_a_network_may_be_followed_however_unsure(how):
    """Where no margin is asked for, and where what is lost is shown as well."""
    net, mask = Unsure(), disc(60, 40)
    net.margins = 0.1
    carrier = Propagator(net, PLAIN, replace(CONFIG, **how))
    carrier.step(shot(red=mask), mask)
    assert iou(carrier.step(shot(red=mask)), mask) > 0.9 and not carrier.lost


def test_a_box_is_answered_however_unsure():
    """A mask that may be wrong is more than the filled box."""
    net, mask = Unsure(), disc(60, 40)
    net.margins = 0.3
    found = Propagator(net, PLAIN, replace(CONFIG, doubtful=0.65)).box_mask(shot(red=mask), {1: (44, 24, 76, 56)})
    assert iou(found, mask) > 0.9


def test_one_may_ask_to_be_surer():
    """Where doubt counts at all; never beyond certainty."""
    assert surer(replace(CONFIG, doubtful=0.65), 0.1).doubtful == pytest.approx(0.75)
    assert surer(replace(CONFIG, doubtful=0.95), 0.1).doubtful == 1
    assert surer(replace(CONFIG, doubtful=0.0), 0.1).doubtful == 0


def test_each_network_says_what_it_is_followed_by():
    """Only one with a memory tells well enough what it lost."""
    asked = {name: Propagator(build_network(name), PLAIN).config.doubtful for name in ("lite", "lite-memory")}
    assert asked["lite"] == 0 < asked["lite-memory"]


def test_a_lost_object_can_be_given_up():
    """Without the option it is no longer looked for, and the frames after it are empty."""
    carrier = propagator(PropagateConfig(size=96, keep_lost=False))
    mask = disc(60, 40)
    carrier.step(shot(red=mask), mask)
    carrier.step(shot())
    assert not carrier.step(shot(red=mask)).any()
    assert carrier.lost == {1}
