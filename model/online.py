"""Online fine-tuning: fits a copy of the network to the annotated frames of one video.

Samples are those of the `online` recipe: turned and mirrored views of a frame, each with deformed masks, drawn when
they are needed and shown as in the offline stage. A network with a memory remembers another view of an annotated
frame beside each. Steps are those of `train`.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import default_collate

from datakit.arrays import Image, Labels
from datakit.config import setting, validate
from datakit.errors import UsageError
from datakit.images import halved
from datakit.masks import plain_labels
from datakit.seeds import generator
from datakit.transforms import PRESETS, Recipe, deform
from datakit.transforms.object_crop import ObjectCrop
from datakit.transforms.rotate_flip import turned_image, turned_mask
from datakit.transforms.views import ViewConfig

from .clip_view import ClipView
from .compute import Compute
from .dataset import Example, make_item
from .inputs import InputCoding
from .judge import JudgeConfig
from .losses import LossConfig
from .memory_dataset import remembered_view
from .objects import mask_of, object_ids
from .optimize import OptimizerConfig, interpolate_weights, load_ema
from .segmenter import Segmenter
from .settings import PAPER, TrainConfig
from .train import Step, Trainer

KEPT_BYTES = 120e6  # of turned frames: all 42 of one frame at 854x480, nineteen at 1080p


@dataclass(frozen=True)
class OnlineConfig:
    """How a network is fitted to a video.

    Attributes:
        iterations: optimiser steps.
        batch: samples for each step.
        learns: `all` layers, or the `head` alone, which is faster.
        share: how far every weight goes from the given network's to the fitted one's. Half-way keeps what is known of
            all objects and gains most of what is learnt of this one (docs/decisions.md).
        own_masks, optimizer, loss, view: as in the offline stage; normalisation statistics stay as they are.
        recipe: makes the guide masks and turns the frames.
        judge: what is looked at before the fitted network is used.
    """

    iterations: int = setting(60, 1)
    batch: int = setting(8, 1)
    learns: str = setting("all", choices=("all", "head"))
    share: float = setting(0.5, 0, 1)
    own_masks: float = setting(0.2, 0, 1)
    optimizer: OptimizerConfig = field(
        default_factory=lambda: OptimizerConfig(learning_rate=3e-4, head_multiple=3.0, warmup=5, average=0)
    )
    loss: LossConfig = field(default_factory=LossConfig)
    view: ViewConfig = field(
        default_factory=lambda: ViewConfig(
            size=256, margin_high=1.5, shift=0.3, paste=0, off_centre=0.4, off_centre_by=0.6, partial=0.3, blob=0.3
        )
    )
    recipe: Recipe = PRESETS["online"]
    judge: JudgeConfig = field(default_factory=JudgeConfig)

    def __post_init__(self) -> None:
        validate(self, "online")
        if self.view.paste:
            raise UsageError(
                f"online.view.paste={self.view.paste}: there is no other photo to put objects on, expected 0"
            )

    @classmethod
    def paper(cls) -> OnlineConfig:
        """200 iterations of all layers "with the same learning parameters as for offline training".

        Source: arXiv 1612.02646 §3.2 and §4.
        """
        same = {name: getattr(PAPER, name) for name in ("batch", "own_masks", "optimizer", "loss", "view")}
        return cls(iterations=200, learns="all", share=1, judge=JudgeConfig(asked=False), **same)

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values."""
        return {**asdict(self), "recipe": self.recipe.to_dict()}


# All that is learnt is used, so objects are shown at the scale of propagation: at 256 pixels they are known too small.
SEVERAL = OnlineConfig(
    iterations=150, share=1, judge=JudgeConfig(asked=False), view=replace(OnlineConfig().view, size=352)
)
ONLINE = {"default": OnlineConfig(), "paper": OnlineConfig.paper(), "several": SEVERAL}


@dataclass(frozen=True)
class Tuned:
    """What became of a network.

    Attributes:
        net: the fitted copy, in eval mode, on the same device.
        seconds: that took.
        losses: of every step.
    """

    net: Segmenter
    seconds: float
    losses: tuple[float, ...]


def fine_tune(
    net: Segmenter,
    frames: Sequence[tuple[Image, Labels]],
    config: OnlineConfig,
    seed: int,
    compute: Compute,
    on_step: Callable[[Step], None] | None = None,
) -> Tuned:
    """Fit a copy of a network to annotated frames of a video; `net` itself stays as it is.

    Args:
        net: placed by `compute`.
        frames: (H, W, 3) uint8 RGB with (H, W) uint8 object ids each; all objects of all frames are learnt.
        config: how.
        seed: of samples and order.
        compute: where it runs.
        on_step: told of every step.

    Raises:
        UsageError: no object in any frame.
        DatakitError: the loss is no number.

    Source: arXiv 1612.02646 §3.2; from several annotated frames §5.4; not the paper's: `interpolate_weights`.
    """
    began = time.perf_counter()
    tuned = copy.deepcopy(net)
    if config.learns == "head":
        tuned.trunk.requires_grad_(False)
    same = {name: getattr(config, name) for name in ("iterations", "batch", "own_masks", "optimizer", "loss", "view")}
    trainer = Trainer(TrainConfig(seed=seed, freeze_norm=True, **same), tuned, compute)
    losses = []
    for step in trainer.run(FrameSamples(frames, config, net.coding, seed, net.remembers).batches()):
        losses.append(step.loss)
        if on_step:
            on_step(step)
    load_ema(trainer.optimizer)
    tuned.requires_grad_(True)
    interpolate_weights(tuned, net, config.share)
    return Tuned(tuned.eval(), time.perf_counter() - began, tuple(losses))


@dataclass(frozen=True)
class _SampleRef:
    """One sample of the recipe: which frame and object, how turned, and which of the view's guide masks."""

    frame: int
    object_id: int
    angle: float
    flip: bool
    variant: int


class FrameSamples:
    """The samples that a recipe makes of annotated frames: their number, and any one of them when asked for.

    Args:
        frames: images with their label maps.
        config: holds the recipe and the view.
        coding: of the network's input.
        seed: root of all chance.
        remembers: whether the network has a memory; a sample then holds `memory` (1, 4, S, S) as well.

    Raises:
        UsageError: no object in any frame.
    """

    def __init__(
        self,
        frames: Sequence[tuple[Image, Labels]],
        config: OnlineConfig,
        coding: InputCoding,
        seed: int,
        remembers: bool = False,
    ):
        self._frames = [(image, plain_labels(labels)) for image, labels in frames]
        self._config, self._coding, self._seed = config, coding, seed
        self._remembers = remembers
        largest = max((frame.nbytes for frame, _ in self._frames), default=1)
        self._image = lru_cache(max(1, int(KEPT_BYTES / largest)))(self._turned_image)
        looks = list(config.recipe.augment.turns()) if config.recipe.augment else [(0.0, False)]
        self._draws = [
            _SampleRef(number, object_id, angle, flip, variant)
            for number, (_, labels) in enumerate(self._frames)
            for object_id in object_ids(labels)
            for angle, flip in looks
            for variant in range(config.recipe.variants)
        ]
        self._shown: dict[int, list[int]] = {}  # object -> frames that show it
        for draw in self._draws:
            if draw.frame not in (frames_of := self._shown.setdefault(draw.object_id, [])):
                frames_of.append(draw.frame)
        if not self._draws:
            raise UsageError("online stage: none of the annotated frames holds an object, expected at least one")

    def __len__(self) -> int:
        return len(self._draws)

    def batches(self) -> Iterator[Mapping[str, Any]]:
        """Endless batches: all samples in an order drawn anew for every pass."""
        batch: list[dict[str, Any]] = []
        for epoch, index in self._order():
            item = self.item(index, epoch)
            batch += [item] if item else []
            if len(batch) == self._config.batch:
                yield default_collate(batch)
                batch = []

    def item(self, index: int, epoch: int = 0) -> dict[str, Any] | None:
        """One sample as `dataset.make_item` makes it; None where the object was turned out of the frame."""
        draw = self._draws[index]
        mask = turned_mask(mask_of(self._frames[draw.frame][1], draw.object_id), draw.angle, draw.flip)
        if not mask.any():
            return None
        key = f"frame {draw.frame}#{draw.object_id}~r{draw.angle:+g}{'f' * draw.flip}"
        guide = deform(mask, self._config.recipe, generator(self._seed, key, draw.variant))
        photo = partial(self._photo, draw.frame, draw.angle, draw.flip)
        example = Example(photo, guide.mask, mask, None, key)
        rng = generator(self._seed, f"{key} view {epoch}", draw.variant)
        item = make_item(example, self._config.view, self._coding, rng)
        return {**item, "memory": self._memory(rng, draw.object_id)[None]} if self._remembers else item

    def _memory(self, rng: np.random.Generator, object_id: int) -> Tensor:
        """(4, S, S): an annotated frame that shows the object, turned and relit as in the offline stage."""
        shown = self._shown[object_id]
        image, labels = self._frames[shown[int(float(rng.random()) * len(shown))]]
        mask = ObjectCrop.of(mask_of(labels, object_id))
        view, photo = self._config.view, partial(halved, image)
        return remembered_view(rng, photo, mask, view, ClipView(), self._coding, flip=False)

    def _order(self) -> Iterator[tuple[int, int]]:
        epoch = 0
        while True:
            rng = generator(self._seed, "online order", epoch)
            yield from ((epoch, int(index)) for index in np.argsort(rng.random(len(self)), kind="stable"))
            epoch += 1

    def _photo(self, frame: int, angle: float, flip: bool, factor: int) -> Image:
        return halved(self._image(frame, angle, flip), factor)

    def _turned_image(self, frame: int, angle: float, flip: bool) -> Image:
        return turned_image(self._frames[frame][0], angle, flip)
