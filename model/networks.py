"""The networks by name, and how to build one; their layers are in `lite` and `deeplab`.

A network of another package joins by `register_network`, or by an entry point of the group
`masktrack_datakit.networks` whose name is the network's and whose object builds it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from datakit.errors import UsageError
from datakit.registry import Registry

from .deeplab import DeepLab
from .inputs import InputCoding
from .lite import Lite
from .lite_memory import LiteMemory
from .segmenter import Segmenter

GROUP = "masktrack_datakit.networks"

Builder = Callable[..., Segmenter]


def _check(name: str, builder: Builder) -> None:
    """Whether something can build a network: it takes a generator first, and only options after it."""
    if not callable(builder):
        raise UsageError(f"network {name!r}: {builder!r} cannot be called; give a Segmenter class or a function")
    try:
        parameters = list(inspect.signature(builder).parameters.values())
    except ValueError:  # classes written in C
        parameters = []
    if not parameters or any(each.default is each.empty for each in parameters[1:]):
        raise UsageError(f"network {name!r}: its builder takes a torch.Generator, then only options with defaults")
    if isinstance(builder, type):
        if not issubclass(builder, Segmenter):
            raise UsageError(f"network {name!r}: {builder.__name__} is not derived from model.segmenter.Segmenter")
        if not isinstance(getattr(builder, "coding", None), InputCoding) or not hasattr(builder, "stride"):
            raise UsageError(f"network {name!r}: {builder.__name__} needs a `coding` (an InputCoding) and a `stride`")


NETWORKS: Registry[Builder] = Registry("network", GROUP, _check)


def register_network(name: str, builder: Builder) -> Builder:
    """Make a network known to training, checkpoints and propagation.

    Args:
        name: stored in checkpoints.
        builder: a subclass of `Segmenter`, or a function that gives one; called with a torch.Generator, the source of
            its random weights, and with the options of `--set network.OPTION`, which all have defaults. The class
            says how its input is coded (`coding`) and at which stride its logits come.

    Raises:
        UsageError: the name is taken or no name, or the builder is not of that form.
    """
    return NETWORKS.add(name, builder)


register_network("lite", Lite)
register_network("lite-memory", LiteMemory)
register_network("deeplab-vgg16", DeepLab)


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
        why = f"; {NETWORKS.failed[name]}" if name in NETWORKS.failed else ""
        raise UsageError(f"no network is called {name!r}; choose one of {', '.join(sorted(NETWORKS))}{why}; one of "
                         "another package is there once that is installed")  # fmt: skip
    builder = NETWORKS[name]
    known = list(inspect.signature(builder).parameters)[1:]
    if unknown := sorted(set(options) - set(known)):
        raise UsageError(f"network {name!r} has no option {unknown[0]!r}; it has {', '.join(known)}")
    with torch.random.fork_rng(devices=[]):
        return builder(torch.Generator().manual_seed(seed), **options)


def coding_of(name: str) -> InputCoding:
    """How a registered network's input is coded; one that a function builds is built for it.

    Args:
        name: of `NETWORKS`.

    Raises:
        UsageError: unknown name, or the network says no coding.
    """
    coding = getattr(NETWORKS.get(name), "coding", None) or build_network(name).coding
    return coding


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
