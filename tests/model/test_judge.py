"""The judge takes a network that proves better in the video, and declines what is spoilt or proves nothing."""

import copy

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from model.inputs import UNIT_RGB
from model.judge import JudgeConfig, Trial, annotated_clips, chosen, judge, mixed_network
from model.networks import build_network
from model.propagate import PropagateConfig, Propagator
from model.segmenter import Segmenter
from tests.colour_net import PLAIN

QUICK = JudgeConfig(frames=6, every=2, clips=1, clip_frames=3)
CARRIED = PropagateConfig(size=64)
SIZE = (64, 96)


class RedNet(Segmenter):
    """Foreground is what is redder than a learnt limit; `wants` 1 for red, -1 for the opposite."""

    coding = UNIT_RGB
    stride = 1

    def __init__(self, limit, wants=1.0):
        super().__init__(nn.Identity(), nn.Identity())
        self.limit = nn.Parameter(torch.tensor(float(limit)))
        self.wants = nn.Parameter(torch.tensor(float(wants)))
        self.eval()

    def forward(self, x):
        return 20 * self.wants * (x[:, :1] - x[:, 1:2] - self.limit)


def video(count=7, objects=1):
    """A red disc that crosses dim noise, half of whose rows are reddish; its mask in the first frame."""
    rng, frames = np.random.default_rng(0), []
    for number in range(count):
        frame = rng.integers(60, 90, (*SIZE, 3)).astype(np.uint8)
        frame[::2, :, 0] += 50
        frames.append(cv2.circle(frame, (20 + 6 * number, 32), 12, (250, 20, 20), -1))
    labels = cv2.circle(np.zeros(SIZE, np.uint8), (20, 32), 12, 1, -1)
    if objects == 2:
        labels[40:60, 60:80] = 2
    return frames, labels


def verdict(net, fitted, config=QUICK, frames=None, seed=0):
    made, labels = video()
    return judge(net, fitted, frames or made, labels, CARRIED, config, PLAIN, seed)


def test_a_network_that_keeps_the_object_is_used():
    """The given one takes the reddish rows for the object and never comes back to it."""
    found = verdict(RedNet(0.1), RedNet(0.9))
    assert not found.declined and found.part in (0.5, 1)
    assert found.trials[-1].returned > 0.8 > found.trials[0].returned


def test_a_spoilt_network_is_declined():
    """The given one is used as it is, the very same."""
    net, spoilt = RedNet(0.9), RedNet(0.9, wants=-1)
    found = verdict(net, spoilt)
    assert found.declined and mixed_network(net, spoilt, found.part) is net
    assert found.to_dict()["declined"] is True


def test_half_the_way_is_used_where_the_whole_is_too_far():
    found = verdict(RedNet(0.1), RedNet(2.1))  # at 2.1 nothing is red enough
    assert found.part == 0.5
    assert mixed_network(RedNet(0.1), RedNet(2.1), found.part).limit.item() == pytest.approx(1.1)


def test_equal_networks_prove_nothing():
    net = RedNet(0.9)
    found = verdict(net, copy.deepcopy(net))
    assert found.declined and [each.agreement for each in found.trials] == [1, 1, 1]


def test_a_single_frame_proves_nothing():
    """There is no way to go and come back."""
    assert verdict(RedNet(0.1), RedNet(0.9), frames=video(1)[0]).declined


def test_no_more_frames_are_looked_at_than_asked():
    """What comes later may even be of another kind."""
    frames = [*video()[0][:4], *[np.zeros((*SIZE, 3), np.uint8)] * 3]
    config = JudgeConfig(frames=3, every=2, clips=1, clip_frames=3)
    assert verdict(RedNet(0.1), RedNet(0.9), config, frames).trials == (
        verdict(RedNet(0.1), RedNet(0.9), config, frames[:4]).trials
    )


@pytest.mark.parametrize(
    ("name", "options"), [("lite", {}), ("lite-memory", {}), ("deeplab-vgg16", {"head": "largefov"})]
)
def test_every_network_is_judged_and_twice_alike(name, options):
    """Also those with a memory; the networks themselves stay as they are."""
    net, fitted = (build_network(name, seed=seed, **options).eval() for seed in (1, 2))
    before = [tensor.clone() for tensor in fitted.state_dict().values()]
    config = JudgeConfig(frames=2, every=1, clips=1, clip_frames=2)
    one, two = (verdict(net, fitted, config) for _ in range(2))
    assert one.trials == two.trials and one.part == two.part
    assert all(torch.equal(*pair) for pair in zip(before, fitted.state_dict().values(), strict=True))


def test_several_objects_and_void_are_judged():
    """Each counts as much, the larger of them too; void is no object."""
    frames, labels = video(objects=2)
    labels[0] = 255
    found = judge(RedNet(0.1), RedNet(0.9), frames, labels, CARRIED, QUICK, PLAIN)
    assert all(0 <= each.returned <= 1 for each in found.trials)


def test_the_object_that_agrees_least_is_told():
    """Of two; a single one cannot take another's place, so nothing is told of it."""
    frames, labels = video(objects=2)
    both = judge(RedNet(0.1), RedNet(0.9), frames, labels, CARRIED, QUICK, PLAIN).trials[-1]
    assert both.least < both.agreement
    assert verdict(RedNet(0.1), RedNet(0.9)).trials[-1].least == 1


class Counted(list):
    """Frames of which each is counted when it is asked for."""

    def __init__(self, frames):
        super().__init__(frames)
        self.asked = []

    def __getitem__(self, index):
        self.asked.append(index)
        return super().__getitem__(index)


def test_frames_are_asked_for_once_and_no_further_than_is_looked(monkeypatch):
    """So that a long film is never in memory at its own size."""
    monkeypatch.setattr("model.judge.LONGEST", 48)
    frames = Counted(video()[0])
    verdict(RedNet(0.1), RedNet(0.9), JudgeConfig(frames=4, every=2, clips=0), frames=frames)
    assert frames.asked == [0, 1, 2, 3, 4]


def test_a_long_frame_is_judged_small(monkeypatch):
    """Memory for the frames stays bounded; the verdict is of the same kind."""
    seen = []
    monkeypatch.setattr("model.judge.LONGEST", 48)
    step = Propagator.step
    monkeypatch.setattr(
        Propagator, "step", lambda self, frame, *rest: seen.append(frame.shape) or step(self, frame, *rest)
    )
    verdict(RedNet(0.1), RedNet(0.9), JudgeConfig(frames=6, every=2, clips=0))
    assert set(seen) == {(32, 48, 3)}


def test_clips_of_the_frame_show_its_objects():
    """As many as asked, of the same draws every time."""
    frames, labels = video()
    one, two = (annotated_clips(frames[0], labels, JudgeConfig(clips=2, clip_frames=3), 4) for _ in range(2))
    assert [len(shown) for shown, _ in one] == [3, 3] and one[0][0][0].shape == (384, 384, 3)
    assert all(np.array_equal(a, b) and truth[0].any() for (a, truth), (b, _) in zip(one, two, strict=True))


def trial(part, gain=0.0, met=None, clips=0.8, agreement=1.0, least=1.0):
    """A candidate that comes back better than 0.5 by `gain`, and meets its way there better than 0.5 by `met`."""
    return Trial(part, clips, 0.5 + gain, 0.5 + (gain if met is None else met), agreement, least)


@pytest.mark.parametrize(
    ("candidate", "used"),
    [
        (trial(1, gain=0.2, agreement=0.7), True),  # 0.1 asked for
        (trial(1, gain=0.08, agreement=0.7), False),  # departs without proof
        (trial(1, gain=0.2, met=-0.1, agreement=0.7), False),  # comes back another way than it went
        (trial(1, gain=0.4, clips=0.7, agreement=0.9), False),  # forgets the object elsewhere
        (trial(1, gain=0.4, clips=0.78, agreement=0.9), True),  # hardly
        (trial(1, gain=0.08, clips=0.83, agreement=0.7), True),  # what it gains on the clips is proof as well
        (trial(1, gain=-0.1, clips=0.85, agreement=0.7), False),
        (trial(1, gain=0, agreement=1), False),  # the same masks
        (trial(1, gain=0.4, agreement=0.7, least=0.45), False),  # one object is found elsewhere altogether
        (trial(1, gain=0.4, agreement=0.7, least=0.55), True),
    ],
)
def test_who_departs_must_prove_it(candidate, used):
    given = trial(0)
    assert chosen([given, candidate], JudgeConfig()) is (candidate if used else given)


def test_of_several_the_one_that_gains_most_for_what_it_departs_is_used():
    trials = [trial(0), trial(0.5, gain=0.3, agreement=0.8), trial(1, gain=0.4, agreement=0.6)]
    assert chosen(trials, JudgeConfig()) is trials[1]


def test_a_mixed_network_lies_between():
    net, fitted = RedNet(0), RedNet(1)
    assert mixed_network(net, fitted, 0.25).limit.item() == 0.25
    assert mixed_network(net, fitted, 0) is net and mixed_network(net, fitted, 1) is fitted
