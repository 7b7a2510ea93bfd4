"""The networks by name, and what one does to any of them; their layers are left to `lite` and `deeplab`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from datakit.errors import UsageError

from .lite import Lite

NETWORKS: dict[str, Callable[..., nn.Module]] = {"lite": Lite}


def build_network(name: str, seed: int = 0, **options: Any) -> nn.Module:
    """A network with random weights, a function of its name, options and seed; the global generator is left alone.

    Args:
        name: of `NETWORKS`.
        seed: of all weights.
        options: the network's own, for example `stem="zero"`.

    Returns:
        A module with `trunk` (pretrained part, `pretrained.load_pretrained` fills it), `head` (new part), `coding` (how
        `inputs.pack_input` makes its input) and `stride`; (N, 4, H, W) float to logits
        (N, 1, ceil(H / stride), ceil(W / stride)), above 0 where foreground is likelier than background.

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


def freeze_norm(net: nn.Module) -> nn.Module:
    """Keep every batch normalisation at its stored statistics from now on, also after `net.train()`.

    Their scale and shift stay trainable. Layers that know no batch are not touched.
    """
    for layer in net.modules():
        if isinstance(layer, _BatchNorm):
            layer.eval()
            layer.train = lambda mode=True, layer=layer: layer
    return net
