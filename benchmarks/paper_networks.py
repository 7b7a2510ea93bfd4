"""What the paper's ablations need of networks and of the online stage that no option of the commands gives.

Two networks more for each of ours: one that sees boxes of its guide masks (`-boxes`), one that sees no mask
(`-no-mask`). An engine whose online stage deforms as the offline stage did, and that can have boxes made into
masks by another network (MaskTrackBox). As a program it is `datakit` with these networks:
python -m benchmarks.paper_networks train …
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from datakit.files import file_sha256
from datakit.transforms import Recipe
from datakit.video.frames import Frames
from model.checkpoint import Checkpoint, load_network, write_checkpoint
from model.deeplab import DeepLab
from model.inputs import InputCoding
from model.lite import Lite
from model.networks import register_network
from model.propagate import Propagator
from model.settings import TrainConfig
from model.train import fresh_network
from pipelines.progress import quietly
from pipelines.propagate.network import NetworkChoice, NetworkEngine, prompt_masks
from pipelines.propagate.passes import Step, Written
from pipelines.propagate.prompts import Prompts
from pipelines.propagate.run import PropagateJob, propagate

BOXES, NO_MASK = "-boxes", "-no-mask"  # behind the name of a network


def without_mask(inputs: Tensor, coding: InputCoding) -> Tensor:
    """(N, 4, H, W) inputs that say background everywhere instead of the guide mask."""
    return torch.cat([inputs[:, :3], torch.full_like(inputs[:, 3:], coding.mask_values[0])], 1)


def with_boxes(inputs: Tensor, coding: InputCoding) -> Tensor:
    """(N, 4, H, W) inputs with the filled bounding box of each guide mask; an empty one stays empty."""
    background, foreground = coding.mask_values
    on = inputs[:, 3:] > (background + foreground) / 2
    rows, columns = (_between(on.any(axis)) for axis in (3, 2))
    box = (rows[:, :, :, None] & columns[:, :, None, :]).to(inputs.dtype)
    return torch.cat([inputs[:, :3], background + (foreground - background) * box], 1)


def _between(on: Tensor) -> Tensor:
    """True from the first true place of the last axis to the last one."""
    return (on.cumsum(-1) > 0) & (on.flip(-1).cumsum(-1) > 0).flip(-1)


class LiteBoxes(Lite):
    """`Lite` that sees boxes."""

    def forward(self, x: Tensor) -> Tensor:
        """As `Segmenter.forward`."""
        return super().forward(with_boxes(x, self.coding))


class LiteNoMask(Lite):
    """`Lite` that sees the frame alone."""

    def forward(self, x: Tensor) -> Tensor:
        """As `Segmenter.forward`."""
        return super().forward(without_mask(x, self.coding))


class DeepLabBoxes(DeepLab):
    """`DeepLab` that sees boxes."""

    def forward(self, x: Tensor) -> Tensor:
        """As `Segmenter.forward`."""
        return super().forward(with_boxes(x, self.coding))


class DeepLabNoMask(DeepLab):
    """`DeepLab` that sees the frame alone."""

    def forward(self, x: Tensor) -> Tensor:
        """As `Segmenter.forward`."""
        return super().forward(without_mask(x, self.coding))


def register() -> None:
    """Make them known in this process; not by an import, which would add them to every list of networks."""
    for name, boxes, no_mask in (("lite", LiteBoxes, LiteNoMask), ("deeplab-vgg16", DeepLabBoxes, DeepLabNoMask)):
        register_network(name + BOXES, boxes)
        register_network(name + NO_MASK, no_mask)


def write_untrained(path: Path, network: str, init: str, seed: int) -> None:
    """A checkpoint of a network that has learnt nothing but what its trunk begins with."""
    register()
    net = fresh_network(TrainConfig(network=network, seed=seed), init)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_checkpoint(path, Checkpoint({"name": network}, {"untrained": init, "seed": seed}, net.state_dict()))


class PaperEngine(NetworkEngine):
    """The engine of `datakit propagate` with what an ablation changes.

    Args:
        choice: as there.
        recipe: of the online stage.
        boxed_by: weights of the network that makes masks of boxes; None for the one that carries them on, too.
    """

    def __init__(self, choice: NetworkChoice, recipe: Recipe, boxed_by: str | None):
        super().__init__(choice)
        self.online = replace(self.online, recipe=recipe)
        self.boxed_by = boxed_by

    def settings(self) -> dict[str, Any]:
        """As `Engine.settings`."""
        more = {"boxed_by": file_sha256(Path(self.boxed_by))} if self.boxed_by else {}
        return super().settings() | more

    def run(self, frames: Frames, start: Prompts, written: Written, scratch: Path) -> Iterator[Step]:
        """As `Engine.run`."""
        if self.boxed_by:
            net, _ = load_network(self.boxed_by)
            maker = Propagator(self.compute.place(net), self.compute, self.config)
            start = replace(start, masks=prompt_masks(maker, frames, start), boxes={})
        yield from super().run(frames, start, written, scratch)


@dataclass(frozen=True)
class Task:
    """A sequence to segment; `recipe` and `boxed_by` as in `PaperEngine`."""

    job: PropagateJob
    recipe: Recipe
    boxed_by: str | None = None


def segment(task: Task) -> str:
    """Segment it, on any process; its name."""
    register()
    with quietly():
        propagate(task.job, partial(PaperEngine, recipe=task.recipe, boxed_by=task.boxed_by))
    return task.job.name


if __name__ == "__main__":
    from pipelines.cli import cli

    register()
    cli()
