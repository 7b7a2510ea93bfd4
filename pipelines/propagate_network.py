"""The network's part of a propagation: weights, boxes, online stage, and a label map for every frame.

What happens in a frame is left to `model.propagate`, the order of the frames to `propagate_passes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from datakit.arrays import Image, Labels
from datakit.files import file_sha256
from datakit.frames import Frames

from .propagate_passes import Step, Written, plan_passes, run_passes
from .propagate_start import Start

Tell = Callable[[str], None]


@dataclass(frozen=True)
class NetworkChoice:
    """What segments the frames.

    Attributes:
        weights: `bundled` or a checkpoint file.
        given: settings of `model.propagate.PropagateConfig` that are not its defaults.
        online: fine-tune on the annotated frames first.
        flow: `none`, `dis`, or a folder of .flo files.
        crf: sharpen every frame by a dense CRF.
        seed: root of all chance in the online stage.
        device, precision: see `model.compute.Compute.chosen`.
        threads: of torch; 0 leaves its own choice.
    """

    weights: str = "bundled"
    given: Mapping[str, Any] = field(default_factory=dict)
    online: bool = False
    flow: str = "none"
    crf: bool = False
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0


class Engine(Protocol):
    """What makes label maps; tests have one that needs no weights."""

    def settings(self) -> dict[str, Any]:
        """What label maps depend on, as plain values."""

    def run(self, frames: Frames, start: Start, written: Written, scratch: Path) -> Iterator[Step]:
        """Every frame once.

        Args:
            frames: the video.
            start: what is given of its objects.
            written: gives what an earlier run has made of a frame; asked in order, until it gives None.
            scratch: folder for what a resumed run must not make again.
        """


def open_engine(choice: NetworkChoice, tell: Tell) -> Engine:
    """The network as chosen.

    Raises:
        DatakitError: weights that cannot be read, an extra that is not installed.
    """
    return NetworkEngine(choice, tell)


class NetworkEngine:
    """A network of ours and its settings; see `Engine`."""

    def __init__(self, choice: NetworkChoice, tell: Tell):
        import torch

        from model.checkpoint import load_network
        from model.compute import Compute
        from model.propagate import PropagateConfig

        self.choice, self.tell = choice, tell
        self.config = PropagateConfig(**choice.given)
        self.net, _ = load_network(choice.weights)
        if choice.threads:
            torch.set_num_threads(choice.threads)
        self.compute = Compute.chosen(self.net, choice.device, choice.precision)
        self.net = self.compute.place(self.net)

    def settings(self) -> dict[str, Any]:
        """As `Engine.settings`."""
        import torch

        from datakit import __version__
        from model.checkpoint import checkpoint_path

        return {
            "weights": file_sha256(checkpoint_path(self.choice.weights)),
            "propagate": asdict(self.config),
            "online": {"seed": self.choice.seed} if self.choice.online else None,
            "flow": self.choice.flow,
            "crf": self.choice.crf,
            "compute": {"device": self.compute.device.partition(":")[0], "precision": self.compute.precision},
            "tools": {"datakit": __version__, "torch": torch.__version__},
        }

    def run(self, frames: Frames, start: Start, written: Written, scratch: Path) -> Iterator[Step]:
        """As `Engine.run`."""
        from model.propagate import Propagator

        self.tell(f"{len(frames)} frames of {frames.size[1]}x{frames.size[0]}; {self.compute.told()}")
        propagator = Propagator(self.net, self.compute, self.config)
        masks = start_masks(propagator, frames, start)
        yield from run_passes(plan_passes(len(frames), masks), propagator.fresh, frames, written, no_flow)


def start_masks(propagator: Any, frames: Frames, start: Start) -> dict[int, Labels]:
    """Place -> label map of everything that is given; the network makes masks of boxes, beside masks that are given."""
    masks = dict(start.masks)
    for place, boxes in start.boxes.items():
        boxed = propagator.box_mask(frames[place], boxes)
        masks[place] = np.where(masks[place] > 0, masks[place], boxed) if place in masks else boxed
    return masks


def no_flow(_place: int) -> Image | None:
    """Of a propagation that looks at no movement."""
    return None
