"""The network as annotation needs it: propagators, the mask in a box, and what it learns from drawings."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from datakit.arrays import Box, Image, Labels
from datakit.errors import DatakitError, UsageError
from datakit.files import file_sha256

from ..propagate.network import WEIGHTS

if TYPE_CHECKING:
    from model.segmenter import Segmenter

CLOSE = 448  # pixels of the window between two drawings, where masks cannot go far astray (docs/decisions.md)
PRESET = "several"  # of the online stage

logger = logging.getLogger(__name__)


class Masker(Protocol):
    """What makes masks; tests have one that needs no weights."""

    @property
    def name(self) -> str:
        """What masks depend on beside drawings, as a short text."""

    @property
    def remembers(self) -> bool:
        """Whether it has a memory of pictures."""

    @property
    def learned(self) -> int:
        """Of how many drawings it has learned; 0 where it is as it was given."""

    @property
    def steps(self) -> int:
        """Optimiser steps of a lesson."""

    @property
    def remark(self) -> str:
        """What a user is to know of it; empty where there is nothing."""

    def fresh(self, close: bool) -> Any:
        """A `model.propagate.Propagator` that knows no object; `close` looks more closely, and takes longer."""

    def box(self, image: Image, number: int, box: Box) -> Labels:
        """(H, W) uint8: an object of which a box is known, under its id."""

    def learn(self, drawings: Sequence[tuple[Image, Labels]], left: Callable[[int], None]) -> None:
        """Fit the network to drawings.

        Args:
            drawings: (H, W, 3) uint8 RGB with (H, W) uint8 object ids each.
            left: told after each step how many are left; whatever it raises ends this, and nothing has changed.
        """

    def forget(self) -> None:
        """Be as it was given."""


class NetworkMasker:
    """A network of ours; see `Masker`.

    Args:
        weights: `bundled`, `lite-memory` or a checkpoint file.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        threads: of torch; 0 for all cores but one, which the page and its pictures need.
        kept: file that holds what it learns, also from an earlier session; None to keep it in memory alone.

    Raises:
        UsageError: the weights are that very file.
        DatakitError: the weights cannot be read, or the device is not there.
    """

    def __init__(self, weights: str | Path = WEIGHTS, device: str = "auto", threads: int = 0, kept: Path | None = None):
        import numpy as np
        import torch

        from model.checkpoint import checkpoint_path, load_network, read_checkpoint
        from model.compute import Compute
        from model.online import ONLINE
        from model.propagate import Propagator

        torch.set_num_threads(threads or max(1, (os.cpu_count() or 1) - 1))
        path, self._kept = checkpoint_path(weights), kept
        if kept is not None and kept.exists() and path.resolve() == kept.resolve():
            raise UsageError(
                f"--weights {path}: is what this project has learned, and used anyway; leave --weights out, or copy it"
            )
        self._network, self._sha256 = read_checkpoint(path, header_only=True).network, file_sha256(path)
        net, _ = load_network(weights)
        self._compute = Compute.chosen(net, device)
        self._given = self._compute.place(net)
        self._boxes = Propagator(self._given, self._compute)
        self._lesson = ONLINE[PRESET]
        self.remembers, self.steps = net.remembers, self._lesson.iterations
        self._use(self._given)
        self._recall()
        self.box(np.zeros((64, 64, 3), np.uint8), 1, (16, 16, 48, 48))  # the first forward pass takes longest

    def _use(self, net: Segmenter, learned: int = 0, digest: str = "") -> None:
        from model.propagate import PropagateConfig, Propagator

        sizes = (PropagateConfig(), PropagateConfig(size=CLOSE))
        self._propagators = [Propagator(net, self._compute, config) for config in sizes]
        self.learned, self.remark = learned, ""
        self.name = "+".join(filter(None, (f"{self._sha256[:12]}@{CLOSE}", digest[:12])))

    def _recall(self) -> None:
        """Use what an earlier session has learned, if that began with the same weights."""
        from model.checkpoint import load_network

        if self._kept is None or not self._kept.exists():
            return
        try:
            net, about = load_network(self._kept)
            lesson = about["learned"]
            began, learned, size = lesson["from"], int(lesson["drawings"]), lesson.get("size")
        except (DatakitError, LookupError, TypeError, ValueError, AttributeError) as error:
            self.remark = f"{self._kept}: cannot be read ({error}); masks are made as if nothing had been learned."
        else:
            if began == self._sha256 and size == self._lesson.view.size:
                self._use(self._compute.place(net), learned, file_sha256(self._kept))
                return
            how = "from other weights than these" if began != self._sha256 else "as an earlier version does"
            self.remark = f"{self._kept}: was learned {how}; masks are made as if nothing had been learned."
        logger.warning(self.remark)

    def fresh(self, close: bool) -> Any:
        """As `Masker.fresh`."""
        return self._propagators[close].fresh()

    def box(self, image: Image, number: int, box: Box) -> Labels:
        """As `Masker.box`; by the network as it was given, which knows all kinds of objects.

        Raises:
            UsageError: the box does not lie in the picture.
        """
        return self._boxes.fresh().box_mask(image, {number: box})

    def learn(self, drawings: Sequence[tuple[Image, Labels]], left: Callable[[int], None]) -> None:
        """As `Masker.learn`: always from the network as it was given.

        Raises:
            UsageError: no drawing shows an object.
            DatakitError: what was learned cannot be kept.

        Source: arXiv 1612.02646 §5.4, where the network is fine-tuned on all annotated frames.
        """
        from model.online import fine_tune

        config, count = self._lesson, len(drawings)
        tuned = fine_tune(
            self._given, drawings, config, 0, self._compute, lambda step: left(config.iterations - step.step)
        )
        digest = f"{count}:{tuned.losses[-1]}" if self._kept is None else self._keep(self._kept, tuned.net, count)
        self._use(tuned.net, count, digest)

    def _keep(self, path: Path, net: Segmenter, count: int) -> str:
        """Write what was learned; the SHA-256 of the file, which the same lesson makes again."""
        from model.checkpoint import Checkpoint, CheckpointError, write_checkpoint

        about = {"learned": {"from": self._sha256, "drawings": count, "size": self._lesson.view.size}}
        try:
            write_checkpoint(path, Checkpoint(self._network, about, net.state_dict()))
        except CheckpointError as error:
            why = error.__cause__ or error
            raise DatakitError(f"{path}: cannot be written ({why}); free some space and learn again") from error
        return file_sha256(path)

    def forget(self) -> None:
        """As `Masker.forget`."""
        if self._kept is not None:
            self._kept.unlink(missing_ok=True)
        self._use(self._given)
