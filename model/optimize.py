"""Optimiser, learning-rate groups and schedule, and the running mean of the weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from datakit.config import setting, validate

MEAN = "mean"  # of a parameter, in the optimiser's state


@dataclass(frozen=True)
class OptimizerConfig:
    """How fast what learns; the defaults are those measured best for `lite`.

    Attributes:
        name: `adamw` or `sgd`.
        learning_rate: of the pretrained trunk's weights at the start.
        head_multiple: times that for the new layers.
        bias_multiple: times that for biases.
        weight_decay: of weights; biases and normalisation have none.
        momentum: of `sgd`.
        power: of the polynomial decay.
        warmup: steps over which the rate rises linearly from 0.
        average: the weights that are judged and published are a running mean over about 1 / (1 - average) steps; 0
            takes them as they are.
        clip: gradients are scaled down to this norm; 0 leaves them as they are.
    """

    name: str = setting("adamw", choices=("adamw", "sgd"))
    learning_rate: float = setting(0.45e-3, 0)
    head_multiple: float = setting(10 / 3, 0)
    bias_multiple: float = setting(1.0, 0)
    weight_decay: float = setting(0.01, 0)
    momentum: float = setting(0.9, 0, 1)
    power: float = setting(0.9, 0)
    warmup: int = setting(50, 0)
    average: float = setting(0.998, 0, 0.99999)
    clip: float = setting(0.0, 0)

    def __post_init__(self) -> None:
        validate(self, "optimizer")


def poly_rate(step: int, steps: int, power: float, warmup: int = 0) -> float:
    """Factor of the learning rate at `step` of `steps`: (1 - step / steps) ** power, after a linear rise.

    Source: arXiv 1606.00915 §4.1 ("poly" policy, power 0.9).
    """
    rise = min(1.0, (step + 1) / (warmup + 1))
    return float(rise * max(0.0, 1 - step / steps) ** power)


def build_optimizer(net: nn.Module, config: OptimizerConfig) -> torch.optim.Optimizer:
    """The optimiser of all parameters that are trained, in up to four groups: trunk or head, weight or bias.

    Source: biases at twice the rate and without decay, new layers at ten times: DeepLab's published solver.
    """
    groups = [{"params": params, **settings} for params, settings in _groups(net, config)]
    if config.name == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum)
    return torch.optim.AdamW(groups, lr=config.learning_rate)


def set_rate(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Every group's learning rate as `factor` of its own at the start."""
    for group in optimizer.param_groups:
        group["lr"] = group["start"] * factor


def _groups(net: nn.Module, config: OptimizerConfig) -> Iterator[tuple[list[nn.Parameter], dict[str, Any]]]:
    named = [(name, parameter) for name, parameter in net.named_parameters() if parameter.requires_grad]
    for in_head in (False, True):
        for is_bias in (False, True):
            params = [p for name, p in named if name.startswith("head.") == in_head and (p.ndim < 2) == is_bias]
            rate = config.learning_rate * (config.head_multiple if in_head else 1)
            rate *= config.bias_multiple if is_bias else 1
            if params:
                yield params, {"lr": rate, "start": rate, "weight_decay": 0.0 if is_bias else config.weight_decay}


def interpolate_weights(tuned: nn.Module, net: nn.Module, share: float) -> None:
    """Move every weight of `tuned` to the given share of its way from `net`'s.

    Source: Wortsman et al., arXiv 2109.01903 (WiSE-FT): between a general network and one fitted to a task, the
    weights half-way serve both.
    """
    with torch.no_grad():
        for fitted, given in zip(tuned.parameters(), net.parameters(), strict=True):
            fitted.lerp_(given, 1 - share)


def update_ema(optimizer: torch.optim.Optimizer, step: int, average: float) -> None:
    """Let the running mean of every parameter follow it; it lies in the optimiser's state, and so in checkpoints.

    Args:
        optimizer: after its step.
        step: steps done before this one; the first few weigh more, so that the start is forgotten.
        average: share of the mean that is kept.

    Source: Polyak averaging, as EfficientNet's own training does with 0.9999.
    """
    kept = min(average, (1 + step) / (10 + step))
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            state = optimizer.state[parameter]
            if MEAN in state:
                state[MEAN].lerp_(parameter.detach(), 1 - kept)
            else:
                state[MEAN] = parameter.detach().clone()


def load_ema(optimizer: torch.optim.Optimizer) -> None:
    """Give every parameter that has a running mean its values."""
    with torch.no_grad():
        for parameter in _with_mean(optimizer):
            parameter.copy_(optimizer.state[parameter][MEAN])


def _with_mean(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [p for group in optimizer.param_groups for p in group["params"] if MEAN in optimizer.state[p]]


@contextlib.contextmanager
def ema_weights(optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Inside, every parameter that has a running mean has its values."""
    params = _with_mean(optimizer)
    own = [parameter.detach().clone() for parameter in params]
    load_ema(optimizer)
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, values in zip(params, own, strict=True):
                parameter.copy_(values)
