"""From a guide mask to scores in the frame, with a network that does something exact."""

import numpy as np
import pytest
import torch

from datakit.transforms.crop import cut_image
from model.compute import Compute
from model.inputs import UNIT_RGB
from model.refine import OUTSIDE, RefineConfig, refine, window_of
from model.segmenter import Segmenter

CPU = Compute("cpu", "fp32", False)


class Copier(Segmenter):
    """Gives its guide mask back, as scores of ±8 at stride 4."""

    coding = UNIT_RGB
    stride = 4

    def __init__(self):
        super().__init__(torch.nn.Identity(), torch.nn.Identity())

    def forward(self, x):
        return torch.nn.functional.avg_pool2d(x[:, 3:], 4) * 8


class Green(Copier):
    """Foreground is what is green."""

    def forward(self, x):
        return torch.nn.functional.avg_pool2d(x[:, 1:2] - x[:, 0:1], 4) * 8 - 1


class Seen(Copier):
    """Remembers how many looks every pass was."""

    def __init__(self):
        super().__init__()
        self.looks = []

    def forward(self, x):
        self.looks.append(len(x))
        return super().forward(x)


class SeenTwice(Seen):
    """One whose default is two."""

    mirrored = True


def square(x0=60, y0=30, side=40, size=(120, 160)):
    mask = np.zeros(size, np.uint8)
    mask[y0 : y0 + side, x0 : x0 + side] = 1
    return mask


def overlap(a, b):
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize(
    "config", [RefineConfig(128), RefineConfig(96, margin=0.2), RefineConfig(160, full_frame=True)]
)
def test_a_copied_mask_comes_back_where_it_was(config):
    """Cutting, coding, running and pasting lose no more than the stride does."""
    mask = square()
    scores = refine(Copier(), np.zeros((120, 160, 3), np.uint8), [mask], config, CPU)
    assert scores.shape == (1, 120, 160)
    assert scores.dtype == np.float32
    assert overlap(scores[0] > 0, mask.astype(bool)) > 0.9


def test_image_and_mask_are_looked_at_through_the_same_window():
    """A green square is found where it is, though the guide mask is off."""
    image = np.full((120, 160, 3), 100, np.uint8)
    truth = square(70, 40)
    image[truth > 0] = (0, 255, 0)
    scores = refine(Green(), image, [square(60, 30)], RefineConfig(160), CPU)
    assert overlap(scores[0] > 0, truth.astype(bool)) > 0.9


def test_nothing_is_found_outside_the_window():
    """What the network did not see is background."""
    scores = refine(Copier(), np.zeros((120, 160, 3), np.uint8), [square(0, 0, 20)], RefineConfig(64, 0.1), CPU)
    assert scores[0, 100, 150] == OUTSIDE


def test_several_objects_share_a_pass_and_stay_apart():
    """K guide masks, K planes, each as if alone."""
    image, masks = np.zeros((120, 160, 3), np.uint8), [square(10, 10), square(100, 60)]
    together = refine(Copier(), image, masks, RefineConfig(128), CPU)
    alone = [refine(Copier(), image, [mask], RefineConfig(128), CPU)[0] for mask in masks]
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize(("net", "default"), [(Seen, 1), (SeenTwice, 2)])
def test_a_network_is_looked_through_as_its_default_is_unless_told(net, default):
    """Once or twice, whatever is chosen."""
    net = net()
    for chosen in (None, False, True):
        refine(net, np.zeros((120, 160, 3), np.uint8), [square()], RefineConfig(64, mirrored=chosen), CPU)
    assert net.looks == [default, 1, 2]


def test_objects_with_one_window_share_its_cut(monkeypatch):
    """The whole frame is made small once, however many objects are in it."""
    cuts = []
    monkeypatch.setattr("model.refine.cut_image", lambda *given: cuts.append(given) or cut_image(*given))
    image, masks = np.zeros((120, 160, 3), np.uint8), [square(10, 10), square(100, 60)]
    for config, count in ((RefineConfig(64, full_frame=True), 1), (RefineConfig(64), 2)):
        refine(Copier(), image, masks, config, CPU)
        assert len(cuts) == count
        cuts.clear()


def test_an_empty_rough_mask_is_looked_for_in_the_whole_frame():
    """No error, and a window that shows everything."""
    window = window_of(np.zeros((120, 160), np.uint8), RefineConfig(128))
    assert window.box[0] <= 0
    assert window.box[2] >= 160
