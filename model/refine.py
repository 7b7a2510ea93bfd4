"""Refines one guide mask in one frame: cuts the window, runs the network, pastes the scores back.

What propagation does for every frame and `score` for every triple.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from datakit.arrays import Image, Mask
from datakit.transforms.crop import Window, cut_image, cut_mask, frame_window, object_window, paste_back

from .compute import Compute
from .inputs import pack_input
from .memory import Memory
from .segmenter import Segmenter

Config = TypeVar("Config", bound=Any)
OUTSIDE = -20.0  # score of what the network did not look at: surely background


@dataclass(frozen=True)
class RefineConfig:
    """What the network gets to see of a frame; `PropagateConfig` has its defaults from here (docs/decisions.md).

    Attributes:
        size: side in pixels of the square cut the network runs on.
        margin: room left around the guide mask on every side, as a multiple of its longer side; None as
            `Segmenter.margin` says.
        full_frame: look at the whole frame instead, its longer side at `size`.
        mirrored: look twice, the second time mirrored, and take the mean of both scores; None as
            `Segmenter.mirrored` says.
    """

    size: int = 352
    margin: float | None = None
    full_frame: bool = False
    mirrored: bool | None = None


def resolve_defaults(config: Config, net: Segmenter) -> Config:
    """A `RefineConfig` or `PropagateConfig` that leaves nothing to the network."""
    chosen = {"margin": net.margin, "mirrored": net.mirrored, "doubtful": net.doubtful}
    return replace(config, **{name: value for name, value in chosen.items() if getattr(config, name, value) is None})


def window_of(guide: Mask, config: RefineConfig) -> Window:
    """The part of the frame that is looked at: around the guide, or all of it where the guide is empty.

    Args:
        guide: (H, W) uint8 0/1.
        config: one that went through `resolve_defaults`.
    """
    if config.full_frame or not guide.any():
        return frame_window(guide.shape[:2], config.size)
    assert config.margin is not None
    return object_window(guide, guide.shape[:2], config.margin, config.size)


def refine(
    net: Segmenter,
    image: Image,
    guides: Sequence[Mask],
    config: RefineConfig,
    compute: Compute,
    memory: Memory | None = None,
) -> NDArray[np.float32]:
    """Scores of the accurate masks that belong to rough ones.

    Args:
        net: in eval mode, placed by `compute`.
        image: (H, W, 3) uint8 RGB.
        guides: K guide masks, each (H, W) uint8, 0 or 1.
        config: what the network looks at.
        compute: where it runs.
        memory: of the K objects, for a network that has one.

    Returns:
        (K, H, W) float32 logits: foreground above 0; `OUTSIDE` beyond the window.
    """
    config = resolve_defaults(config, net)
    windows = [window_of(guide, config) for guide in guides]
    return forward_pass(net, image, guides, windows, compute, config.mirrored, memory)


def remember(net: Segmenter, frames: Tensor, compute: Compute) -> Memory:
    """What a network remembers of frames whose masks are known.

    Args:
        net: one with a memory, in eval mode, placed by `compute`.
        frames: (K, M, 4, S, S) float32, M frames of each of K objects, their masks in the last channel.
        compute: where it runs.
    """
    with torch.inference_mode(), compute.autocast():
        return Memory.joined([net.remember(compute.send(each)) for each in frames.unbind(1)])


def forward_pass(
    net: Segmenter,
    image: Image,
    guides: Sequence[Mask],
    windows: Sequence[Window],
    compute: Compute,
    mirrored: bool | None,
    memory: Memory | None = None,
) -> NDArray[np.float32]:
    """As `refine`, through given windows, all of one size.

    Args:
        net, image, guides, compute, memory: as there.
        windows: one for each guide.
        mirrored: of a configuration that went through `resolve_defaults`.
    """
    cuts = {window: cut_image(image, window, net.coding.fill) for window in set(windows)}
    inputs = torch.stack([
        pack_input(cuts[window], cut_mask(guide, window), net.coding)
        for guide, window in zip(guides, windows, strict=True)
    ])  # fmt: skip
    with torch.inference_mode(), compute.autocast():
        looks = torch.cat([inputs, inputs.flip(-1)]) if mirrored else inputs
        known = () if memory is None else (Memory.stacked([memory, memory]) if mirrored else memory,)
        scores = net(compute.send(looks), *known)[:, 0].float().cpu()
        if mirrored:
            first, second = scores.chunk(2)
            scores = (first + second.flip(-1)) / 2
    return np.stack([
        paste_back(plane.numpy(), window, image.shape[:2], OUTSIDE)
        for plane, window in zip(scores, windows, strict=True)
    ])  # fmt: skip
