"""Settings of a training run, their presets, and how KEY=VALUE changes them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from datakit.config import assign, help_text, keys_of, refuse_unknown, setting, split_assignment, validate
from datakit.errors import UsageError
from datakit.transforms.views import ViewConfig

from .clip_view import ClipView
from .judge import JudgeConfig
from .losses import LossConfig
from .optimize import OptimizerConfig

Config = TypeVar("Config", bound=Any)
PARTS = {"optimizer": OptimizerConfig, "loss": LossConfig, "view": ViewConfig, "clips": ClipView, "judge": JudgeConfig}


@dataclass(frozen=True)
class TrainConfig:
    """What a training run depends on; the defaults are what measured best for `lite` on two cores.

    Attributes:
        network: name of the network.
        options: options of the network.
        init: where the weights begin: `imagenet`, `bundled`, `none`, or a file.
        iterations: optimiser steps.
        batch: samples for each step, over all processes.
        accumulate: forward passes a step is made of, for batches that do not fit in memory.
        freeze_norm: keep the normalisation statistics of the trunk as they were pretrained.
        redraw: deform anew at read time instead of reading the stored guide masks.
        own_masks: share of steps whose guide masks are those the network itself makes of the given ones, as in a video.
        seed: root of all chance.
        validation_share: share of photos, chosen by the hash of their key, that are never trained on.
        validation_every: steps from one validation to the next.
        validation_samples: triples judged in one validation.
        optimizer, loss, view: see there.
        clips: see there; of networks with a memory, which learn from clips of the photos.
    """

    network: str = "lite"
    options: Mapping[str, Any] = field(default_factory=dict)
    init: str = "imagenet"
    iterations: int = setting(2500, 1)
    batch: int = setting(10, 1)
    accumulate: int = setting(1, 1)
    freeze_norm: bool = setting(True)
    redraw: bool = setting(True)
    own_masks: float = setting(0.2, 0, 1)
    seed: int = setting(0, 0)
    validation_share: float = setting(0.1, 0, 0.9)
    validation_every: int = setting(250, 1)
    validation_samples: int = setting(160, 1)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    view: ViewConfig = field(default_factory=ViewConfig)
    clips: ClipView = field(default_factory=ClipView)

    def __post_init__(self) -> None:
        validate(self, "train")
        if self.batch % self.accumulate:
            raise UsageError(f"train: a batch of {self.batch} cannot be cut into {self.accumulate} equal parts")

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values, as in a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainConfig:
        """The configuration of plain values.

        Raises:
            UsageError: an unknown key or a value outside its range.
        """
        refuse_unknown(values, cls.__dataclass_fields__, "train")
        parts = {name: kind(**values[name]) for name, kind in PARTS.items() if name in values}
        return cls(**{**values, **parts})


# The paper to the letter: arXiv 1612.02646 §4 and, for what it takes from there, arXiv 1606.00915 (docs/paper.md).
PAPER = TrainConfig(
    network="deeplab-vgg16",
    iterations=20_000,
    batch=10,
    redraw=False,
    own_masks=0,
    validation_every=1000,
    optimizer=OptimizerConfig(
        name="sgd",
        learning_rate=1e-3,
        head_multiple=10,
        bias_multiple=2,
        weight_decay=5e-4,
        momentum=0.9,
        warmup=0,
        average=0,
    ),
    loss=LossConfig(overlap=0, full_size=False),
    view=ViewConfig.paper(),
)
PRESETS = {"default": TrainConfig(), "paper": PAPER}


def configure(config: Config, settings: Sequence[str], prefix: str = "") -> Config:
    """Change settings, one `KEY=VALUE` after the other: `iterations`, `optimizer.learning_rate`, `network.width` …

    Args:
        config: a `TrainConfig`, or another that holds some of its parts.
        settings: each with its key behind the prefix.
        prefix: what is written before every key.

    Raises:
        UsageError: not of that form, an unknown key, or a value that does not fit.
    """
    more = ", and network.OPTION" if isinstance(config, TrainConfig) else ""
    for text in settings:
        key, value = split_assignment(text.removeprefix(prefix), f"{prefix}KEY=VALUE")
        part, _, name = key.rpartition(".")
        if part == "network" and isinstance(config, TrainConfig):
            config = replace(config, options={**config.options, name: _plain(value)})
        else:
            config = assign(keys_of(config, parts_of(config)), key, value, f"--set {text}", prefix, more)
    return config


def describe_settings(config: TrainConfig) -> str:
    """A line for every key that `configure` changes: its value now, what it may be, what it means."""
    return help_text(keys_of(config, parts_of(config)))


def parts_of(config: Any) -> list[str]:
    """Names of the parts of `PARTS` that a configuration holds."""
    return [name for name in PARTS if hasattr(config, name)]


def _plain(text: str) -> Any:
    """A number, a truth value, or the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
