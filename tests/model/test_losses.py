"""What a mask costs."""

import math

import pytest
import torch

from model.losses import LossConfig, segmentation_loss, shrink, soft_iou

PLAIN = LossConfig(overlap=0)


def planes(*rows):
    return torch.tensor([rows], dtype=torch.float32)


def test_cross_entropy_is_that_of_the_sigmoid():
    """A score of 0 everywhere costs log 2, whatever the target."""
    loss = segmentation_loss(torch.zeros(1, 1, 2, 2), planes([0, 1], [1, 0]), torch.ones(1, 2, 2), PLAIN)
    assert loss.item() == pytest.approx(math.log(2))


def test_void_pixels_cost_nothing():
    """A wrong score where nothing is judged changes nothing."""
    logits = torch.tensor([[[[9.0, 9.0], [-9.0, -9.0]]]])
    target, valid = planes([1, 0], [0, 0]), planes([1, 0], [1, 1])
    right = torch.tensor([[[[9.0, -9.0], [-9.0, -9.0]]]])
    for config in (PLAIN, LossConfig()):
        wrong_loss = segmentation_loss(logits, target, valid, config)
        assert wrong_loss.item() == pytest.approx(segmentation_loss(right, target, valid, config).item())


def test_every_sample_counts_the_same():
    """The loss of a batch is the mean of its samples' losses, however few pixels one judges."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 1, 4, 4, generator=generator)
    target = (torch.rand(3, 16, 16, generator=generator) > 0.5).float()
    valid = torch.ones(3, 16, 16)
    valid[1, :12] = 0
    alone = [segmentation_loss(logits[i : i + 1], target[i : i + 1], valid[i : i + 1], LossConfig()) for i in range(3)]
    assert segmentation_loss(logits, target, valid, LossConfig()).item() == pytest.approx(
        sum(alone).item() / 3, rel=1e-6
    )


def test_a_sample_without_judged_pixels_is_finite():
    """Nothing to judge costs no cross-entropy instead of a division by zero."""
    loss = segmentation_loss(torch.randn(1, 1, 2, 2), torch.zeros(1, 8, 8), torch.zeros(1, 8, 8), LossConfig())
    assert loss.item() == pytest.approx(0, abs=1e-6)


def test_soft_iou_is_iou_on_zeros_and_ones():
    """Up to the one pixel that is added to both."""
    a, b = torch.tensor([[1.0, 1, 0, 0]]), torch.tensor([[1.0, 0, 1, 0]])
    assert soft_iou(a, b).item() == pytest.approx((1 + 1) / (3 + 1))
    assert soft_iou(torch.zeros(1, 4), torch.zeros(1, 4)).item() == 1


def test_at_output_stride_targets_are_taken_not_averaged():
    """A shrunk mask holds pixels of the mask."""
    plane = torch.zeros(1, 16, 16)
    plane[:, :, 4:12] = 1
    assert set(shrink(plane, (2, 2)).unique().tolist()) <= {0.0, 1.0}
    at_stride = LossConfig(overlap=0, full_size=False)
    loss = segmentation_loss(torch.full((1, 1, 2, 2), 20.0), torch.ones(1, 16, 16), torch.ones(1, 16, 16), at_stride)
    assert loss.item() == pytest.approx(0, abs=1e-6)
