"""Which parameter learns how fast."""

import pytest
import torch
from torch import nn

from model.optimize import OptimizerConfig, build_optimizer, poly_rate, set_rate


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Conv2d(4, 2, 1)
        self.head = nn.Conv2d(2, 1, 1)


def test_polynomial_decay_by_hand():
    """All of the rate at the start, (1/2) ** 0.9 half-way, nothing at the end."""
    assert poly_rate(0, 20_000, 0.9) == 1
    assert poly_rate(10_000, 20_000, 0.9) == pytest.approx(0.5**0.9)
    assert poly_rate(20_000, 20_000, 0.9) == 0


def test_warmup_rises_linearly():
    """With a warm-up of 4 the first step has a fifth of the rate, the fifth all of it."""
    assert poly_rate(0, 10**9, 0.9, 4) == pytest.approx(1 / 5)
    assert poly_rate(4, 10**9, 0.9, 4) == pytest.approx(1)


def test_deeplab_multiples():
    """New layers learn ten times as fast, biases twice as fast and without decay."""
    config = OptimizerConfig("sgd", 1e-3, head_multiple=10, bias_multiple=2, weight_decay=5e-4)
    net = Net()
    groups = build_optimizer(net, config).param_groups
    by_parameter = {id(group["params"][0]): (group["lr"], group["weight_decay"]) for group in groups}
    assert by_parameter[id(net.trunk.weight)] == pytest.approx((1e-3, 5e-4))
    assert by_parameter[id(net.trunk.bias)] == pytest.approx((2e-3, 0))
    assert by_parameter[id(net.head.weight)] == pytest.approx((1e-2, 5e-4))
    assert by_parameter[id(net.head.bias)] == pytest.approx((2e-2, 0))


def test_every_parameter_is_in_one_group():
    """None is forgotten, none is stepped twice."""
    net = Net()
    params = [p for group in build_optimizer(net, OptimizerConfig()).param_groups for p in group["params"]]
    assert sorted(map(id, params)) == sorted(map(id, net.parameters()))


def test_rates_fall_together():
    """Setting the factor twice does not compound."""
    optimizer = build_optimizer(Net(), OptimizerConfig(learning_rate=1e-3, head_multiple=4))
    for factor in (0.5, 0.25):
        set_rate(optimizer, factor)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([2.5e-4, 2.5e-4, 1e-3, 1e-3])


def test_sgd_by_hand():
    """One step of SGD with momentum and decay on one weight."""
    net = Net()
    with torch.no_grad():
        net.head.weight.fill_(1.0)
    optimizer = build_optimizer(net, OptimizerConfig("sgd", 0.1, head_multiple=1, weight_decay=0.5))
    net.head.weight.grad = torch.ones_like(net.head.weight)
    optimizer.step()
    assert net.head.weight.flatten().tolist() == pytest.approx([1 - 0.1 * 1.5] * 2)
