"""Optimiser and learning rates: which parameter learns how fast, and how that falls over the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from datakit.deformations.ranges import setting, settle


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
    clip: float = setting(0.0, 0)

    def __post_init__(self) -> None:
        settle(self, "optimizer")


def poly_rate(step: int, steps: int, power: float, warmup: int = 0) -> float:
    """Factor of the learning rate at `step` of `steps`: (1 - step / steps) ** power, after a linear rise.

    Source: arXiv 1606.00915 §4.1 ("poly" policy, power 0.9).
    """
    rise = min(1.0, (step + 1) / (warmup + 1))
    return rise * max(0.0, 1 - step / steps) ** power


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
