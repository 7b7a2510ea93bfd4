"""Offline training: a network learns from shards to refine guide masks.

A step is a function of the configuration, the step's number and the weights before it, so a run that
goes on from a checkpoint makes the very losses it would have made. Which samples a step sees is left
to `dataset` and `sampler`, what lies in the run's folder to `run`, commands and signals to `pipelines`.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from datakit.errors import DatakitError, UsageError
from datakit.seeds import generator, key_hash

from .checkpoint import (
    BUNDLED,
    Checkpoint,
    checkpoint_path,
    fill,
    fill_optimizer,
    is_checkpoint,
    optimizer_tensors,
    read_checkpoint,
)
from .compute import Compute, Ranks, seeded
from .losses import segmentation_loss
from .networks import NETWORKS, build_network, freeze_norm, upsample
from .optimize import build_optimizer, ema_weights, poly_rate, set_rate, update_ema
from .pretrained import load_pretrained
from .segmenter import Segmenter
from .settings import TrainConfig

GROWN = 10  # pixels of the cut at most: about what propagation's dilation comes to, for objects of all sizes


def check_init(network: str, init: str) -> None:
    """Refuse a checkpoint of another network; only its header is read.

    Raises:
        UsageError: as said.
        CheckpointError: it cannot be read.
    """
    if init != BUNDLED and not is_checkpoint(init):
        return
    own = read_checkpoint(checkpoint_path(init, network), header_only=True).network["name"]
    if own not in (network, getattr(NETWORKS.get(network), "begins_as", None)):
        raise UsageError(
            f"--init {init}: holds the weights of the network {own}, and {network} is to be trained; give "
            f"--network {own}, or other weights: --init imagenet, or --init none"
        )


def fresh_network(config: TrainConfig, init: str) -> Segmenter:
    """The network of a configuration, its weights drawn from the seed and then filled as `init` says.

    Args:
        config: names the network.
        init: `none`, `bundled`, `imagenet`, a checkpoint of the same network or of the one it `begins_as`, or a file of
            pretrained trunk weights.

    Raises:
        DatakitError: the weights are not there or do not fit.
    """
    net = build_network(config.network, seed=config.seed, **config.options)
    if init == BUNDLED or is_checkpoint(init):
        path = checkpoint_path(init, config.network)
        found = read_checkpoint(path)
        if found.network["name"] == net.begins_as:
            found = replace(found, weights={**net.state_dict(), **found.weights})
        fill(net, found.weights, path)
    elif init != "none":
        load_pretrained(net, init)
    return net


@dataclass(frozen=True)
class Step:
    """What one optimiser step did.

    Attributes:
        step: its number, from 1.
        loss: mean over the batch before the step.
        rate: learning rate of the trunk's weights.
        samples: samples seen by all processes.
        waited: seconds spent waiting for samples.
        seconds: seconds in all.
    """

    step: int
    loss: float
    rate: float
    samples: int
    waited: float
    seconds: float


def own_masks_grown(config: TrainConfig, step: int) -> int | None:
    """By how many pixels the network's own masks grow that the step after `step` steps goes on from; None for others.

    The same for all processes and all parts of a step.
    """
    rng = generator(config.seed, "own masks", step)
    return int(rng.integers(GROWN + 1)) if rng.random() < config.own_masks else None


class Trainer:
    """A network in training: weights, optimiser, and the number of steps done.

    Args:
        config: what the run depends on.
        net: the network, with its weights at the start.
        compute: where it runs.
        ranks: the processes that share the run.
    """

    def __init__(self, config: TrainConfig, net: Segmenter, compute: Compute, ranks: Ranks | None = None):
        self.config, self.compute, self.ranks = config, compute, ranks or Ranks()
        self.net = compute.place(net).train()
        if config.freeze_norm:
            freeze_norm(self.net)
        self.optimizer = build_optimizer(self.net, config.optimizer)
        self.done = 0
        self._shared = self.net if self.ranks.world == 1 else DistributedDataParallel(self.net)

    def run(self, batches: Iterator[Mapping[str, Any]]) -> Iterator[Step]:
        """Train until the last iteration, a step at a time.

        Args:
            batches: endless, from the step after `done` on; each holds `input` (N, 4, S, S), `target` and
                `valid` (N, S, S), for networks with a memory `memory` (N, M, 4, S, S), this process's part of
                `batch / accumulate` samples.

        Raises:
            DatakitError: the loss is no number.
        """
        while self.done < self.config.iterations:
            yield self._step(batches)

    def _step(self, batches: Iterator[Mapping[str, Any]]) -> Step:
        config, began, waited, losses = self.config, time.perf_counter(), 0.0, []
        factor = poly_rate(self.done, config.iterations, config.optimizer.power, config.optimizer.warmup)
        set_rate(self.optimizer, factor)
        self.optimizer.zero_grad(set_to_none=True)
        with seeded(key_hash(f"{config.seed} {self.done} {self.ranks.rank}") >> 1, self.compute.device):
            for part in range(config.accumulate):
                asked = time.perf_counter()
                batch = next(batches)
                waited += time.perf_counter() - asked
                losses.append(self._backward(batch, is_last=part == config.accumulate - 1))
        loss = math.fsum(each.item() for each in losses)
        if not math.isfinite(loss):
            raise DatakitError(
                f"step {self.done + 1}: the loss is {loss}; go on from the last checkpoint with a lower learning rate "
                "(--set optimizer.learning_rate=…) or in --precision fp32"
            )
        if config.optimizer.clip:
            nn.utils.clip_grad_norm_(self.net.parameters(), config.optimizer.clip)
        self.optimizer.step()
        if config.optimizer.average:
            update_ema(self.optimizer, self.done, config.optimizer.average)
        self.done += 1
        rate = config.optimizer.learning_rate * factor
        return Step(self.done, loss, rate, config.batch, waited, time.perf_counter() - began)

    def _backward(self, batch: Mapping[str, Any], is_last: bool) -> Tensor:
        """Add one part's gradients; processes exchange theirs in the last."""
        config = self.config
        hold: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
        if isinstance(self._shared, DistributedDataParallel) and not is_last:
            hold = self._shared.no_sync()
        with hold:
            inputs = self.compute.send(batch["input"])
            memory = (batch["memory"].to(self.compute.device),) if "memory" in batch else ()
            if (radius := own_masks_grown(config, self.done)) is not None:
                inputs = self._self_condition(inputs, radius, memory)
            with self.compute.autocast():
                logits = self._shared(inputs, *memory)
            target, valid = (batch[name].to(self.compute.device) for name in ("target", "valid"))
            loss = segmentation_loss(logits, target, valid, config.loss) / config.accumulate
            loss.backward()
        return loss.detach()

    def _self_condition(self, inputs: Tensor, radius: int, memory: tuple[Tensor, ...] = ()) -> Tensor:
        """The same inputs with the masks the network makes of them, grown, as propagation feeds them to it."""
        coding, size = self.net.coding, (inputs.shape[-2], inputs.shape[-1])
        with torch.no_grad(), self.compute.autocast():
            found = upsample(self.net(inputs, *memory).float(), size) > 0
        grown = F.max_pool2d(found.float(), 2 * radius + 1, stride=1, padding=radius)
        background, foreground = coding.mask_values
        own = torch.lerp(torch.full_like(grown, background), torch.full_like(grown, foreground), grown)
        lost = ~found.flatten(1).any(1)[:, None, None, None]
        return torch.cat([inputs[:, :3], torch.where(lost, inputs[:, 3:], own)], 1)

    @contextlib.contextmanager
    def judging(self) -> Iterator[Segmenter]:
        """The network as it would be published, in eval mode; back in training mode afterwards."""
        self.net.eval()
        try:
            with ema_weights(self.optimizer):
                yield self.net
        finally:
            self.net.train()

    def checkpoint(self, about: Mapping[str, Any], with_optimizer: bool = True) -> Checkpoint:
        """All that is needed to go on, or only the network to use, with the weights that were judged."""
        with contextlib.nullcontext() if with_optimizer else ema_weights(self.optimizer):
            weights = {name: tensor.clone() for name, tensor in self.net.state_dict().items()}
        return Checkpoint(
            network={"name": self.config.network, **self.config.options},
            about={**about, "step": self.done, "config": self.config.to_dict()},
            weights=weights,
            optimizer=optimizer_tensors(self.net, self.optimizer) if with_optimizer else {},
        )

    def restore(self, checkpoint: Checkpoint, path: Any) -> None:
        """Go on from a checkpoint of `checkpoint`."""
        fill(self.net, checkpoint.weights, path)
        fill_optimizer(self.net, self.optimizer, checkpoint.optimizer)
        self.done = int(checkpoint.about["step"])
