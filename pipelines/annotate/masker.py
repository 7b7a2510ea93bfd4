"""The network as annotation needs it: propagators that know no object yet, and the mask in a box."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

from datakit.arrays import Box, Image, Labels
from datakit.files import file_sha256

from ..propagate.network import WEIGHTS

CLOSE = 448  # pixels of the window between two drawings, where masks cannot go far astray (docs/decisions.md)


class Masker(Protocol):
    """What makes masks; tests have one that needs no weights."""

    @property
    def name(self) -> str:
        """What masks depend on beside drawings, as a short text."""

    @property
    def remembers(self) -> bool:
        """Whether it has a memory of pictures."""

    def fresh(self, close: bool) -> Any:
        """A `model.propagate.Propagator` that knows no object; `close` looks more closely, and takes longer."""

    def box(self, image: Image, number: int, box: Box) -> Labels:
        """(H, W) uint8: an object of which a box is known, under its id."""


class NetworkMasker:
    """A network of ours; see `Masker`.

    Args:
        weights: `bundled`, `lite-memory` or a checkpoint file.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        threads: of torch; 0 for all cores but one, which the page and its pictures need.

    Raises:
        DatakitError: the weights cannot be read, or the device is not there.
    """

    def __init__(self, weights: str | Path = WEIGHTS, device: str = "auto", threads: int = 0):
        import numpy as np
        import torch

        from model.checkpoint import checkpoint_path, load_network
        from model.compute import Compute
        from model.propagate import PropagateConfig, Propagator

        torch.set_num_threads(threads or max(1, (os.cpu_count() or 1) - 1))
        net, _ = load_network(weights)
        compute = Compute.chosen(net, device)
        self._propagator = Propagator(compute.place(net), compute)
        self._close = Propagator(net, compute, PropagateConfig(size=CLOSE))
        self.remembers = net.remembers
        self.name = f"{file_sha256(checkpoint_path(weights))[:12]}@{CLOSE}"
        self.box(np.zeros((64, 64, 3), np.uint8), 1, (16, 16, 48, 48))  # the first forward pass takes longest

    def fresh(self, close: bool) -> Any:
        """As `Masker.fresh`."""
        return (self._close if close else self._propagator).fresh()

    def box(self, image: Image, number: int, box: Box) -> Labels:
        """As `Masker.box`.

        Raises:
            UsageError: the box does not lie in the picture.
        """
        return self._propagator.fresh().box_mask(image, {number: box})
