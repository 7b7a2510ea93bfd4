"""The networks by name, and how to build one; their layers are in `lite` and `deeplab`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from datakit.errors import UsageError

from .deeplab import DeepLab
from .lite import Lite
from .segmenter import Segmenter

NETWORKS: dict[str, Callable[..., Segmenter]] = {"lite": Lite, "deeplab-vgg16": DeepLab}


def build_network(name: str, seed: int = 0, **options: Any) -> Segmenter:
    """A network with random weights, a function of its name, options and seed; the global generator is left alone.

    Args:
        name: of `NETWORKS`.
        seed: of all weights.
        options: the network's own, for example `stem="zero"`.

    Returns:
        The network, in training mode; `pretrained.load_pretrained` fills its trunk.

    Raises:
        UsageError: unknown name or option.
    """
    if name not in NETWORKS:
        raise UsageError(f"no network is called {name!r}; choose one of {', '.join(sorted(NETWORKS))}")
    known = list(inspect.signature(NETWORKS[name]).parameters)[1:]
    if unknown := sorted(set(options) - set(known)):
        raise UsageError(f"network {name!r} has no option {unknown[0]!r}; it has {', '.join(known)}")
    with torch.random.fork_rng(devices=[]):
        return NETWORKS[name](torch.Generator().manual_seed(seed), **options)


def upsample(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Logits (N, 1, h, w) at the (H, W) of the network's input, bilinear: (N, 1, H, W)."""
    return F.interpolate(logits, size=size, mode="bilinear", align_corners=False)


def freeze_norm(net: Segmenter) -> Segmenter:
    """Keep every batch normalisation at its stored statistics from now on, also after `net.train()`.

    Their scale and shift stay trainable; layers that know no batch are not touched.
    """
    net.norm_frozen = True
    net.train(net.training)
    return net
