"""`ClipDataset`: clips of the photos of shards as a torch Dataset, in the dialect of the trainer that reads them.

A clip is a pure function of (seed, epoch, key, repeat), the recipe and the photos there are, whichever process makes
it. How pictures move is left to `datakit.clips`, what an item looks like to `clip_dialects`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from datakit.clips import Clip, ClipMaker, ClipRecipe, ShardStills, configure_clip_recipe, load_clip_recipe
from datakit.clips.motion import UNION
from datakit.errors import UsageError
from datakit.seeds import generator, is_held_back
from datakit.wording import counted

from .clip_dialects import Dialect, dialect_of
from .dataset import MAX_OPEN, Draw, Folders, Split, group_weights

MOST_SLOTS = 10  # of objects where nobody says how many: what AOT trains with
_GOLDEN = (5**0.5 - 1) / 2  # its multiples, modulo 1, fill 0..1 most evenly


class ClipDataset(Dataset[Any]):
    """Clips to train on.

    `dataset[item]` is a clip of the epoch that `set_epoch` gave; `dataset[Draw(item, epoch, repeat)]`, as
    `sampler.EpochSampler` asks, says itself of which. Every epoch has other clips of the same photos. Pickles without
    its open shards.

    Args:
        shards: one folder of shards or several; of every photo in them, all objects are used. Of a view, those of
            which it has a triple.
        recipe: name of a clip preset, path of a recipe file, or a recipe.
        dialect: name of a dialect of `clip_dialects.DIALECTS`, or a dialect: what an item is.
        split: `train` leaves the held-back photos out; `val` reads only them, and its clips are the same in every
            epoch; `all` uses every photo.
        val_share: share of photos held back, chosen by the hash of the photo's key, as `TripleDataset` holds them back.
        seed: root of all chance.
        settings: `KEY=VALUE`, changes of the recipe.
        weights: `SOURCE` -> how often each of its photos comes in an epoch, 1 where nothing is said; .5 is every other
            epoch. It takes the place of the published loaders' multipliers.
        slots: objects that an item has room for; more are ground. By default one for each photo of a clip whose
            objects are taken as one, else as many as the recipe keeps, but at most 10; one in dialects of one object.

    Attributes:
        recipe: with all settings.
        slots: as given, or by default.
        weights: (len,) float64, ones: what `sampler.EpochSampler` draws by.

    Raises:
        ShardError: not a finished folder of shards of this version.
        UsageError: an unknown split, recipe, setting or dialect; no photo is left; too few frames for the dialect.
    """

    def __init__(
        self,
        shards: Folders,
        recipe: str | os.PathLike[str] | ClipRecipe = "cutie",
        *,
        dialect: str | Dialect = "plain",
        split: Split = "train",
        val_share: float = 0.1,
        seed: int = 0,
        settings: Sequence[str] = (),
        weights: Mapping[str, float] | None = None,
        slots: int | None = None,
    ):
        if split not in get_args(Split):
            raise UsageError(f"split {split!r}: expected {', '.join(get_args(Split))}")
        if isinstance(settings, str | Mapping):
            raise UsageError(f"settings {settings!r}: expected a list, such as ['frames=4']")
        if not 0 <= val_share <= 1:
            raise UsageError(f"val_share {val_share!r}: expected a share of 0..1")
        if val_share == {"train": 1, "val": 0}.get(split):
            raise UsageError(f"val_share {val_share!r}: leaves no photo for split {split!r}")
        self._dialect = dialect_of(dialect)
        found = recipe if isinstance(recipe, ClipRecipe) else load_clip_recipe(os.fspath(recipe))
        found = configure_clip_recipe(found, settings)
        self.slots = _slots(found, self._dialect, slots)
        self.recipe = replace(found, most_objects=min(found.most_objects, self.slots))
        if self.recipe.frames < self._dialect.least_frames:
            least = self._dialect.least_frames
            raise UsageError(f"dialect {dialect!r}: needs clips of {least} frames or more, the recipe makes "
                             f"{self.recipe.frames}; give settings=['frames={least}']")  # fmt: skip
        if self._dialect.needs_rough and self.recipe.rough is None:
            raise UsageError(f"dialect {dialect!r}: needs rough masks, which recipe {self.recipe.name} does not make; "
                             "give settings=['rough=rde']")  # fmt: skip
        chosen = None if split == "all" else partial(_is_chosen, split == "val", val_share)
        self._maker = ClipMaker(ShardStills(shards, chosen, MAX_OPEN), self.recipe, seed)
        self._is_fixed = split == "val"
        self._cycle = _Cycle(self._maker.stills.keys, weights or {})
        self.weights = np.ones(len(self))
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()

    def __repr__(self) -> str:
        """One line: number of clips, recipe."""
        return f"ClipDataset({counted(len(self), 'clip')} an epoch, {self.recipe!r})"

    def __len__(self) -> int:
        return self._cycle.size

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._epoch.share_memory_()  # is shared already with the process that a worker comes from

    def set_epoch(self, epoch: int) -> None:
        """Which epoch plain item numbers are of, as a `DistributedSampler` is told it.

        Workers that are kept between epochs (`persistent_workers`) see it, too: the number lies in memory they share.
        Call it between epochs, in every rank with the same number.
        """
        self._epoch[0] = epoch

    def clip(self, draw: Draw | int, frames: Sequence[int] | None = None) -> Clip:
        """The clip of an item, before it is put into the dialect; of it the `frames` alone, as `ClipMaker.clip` says.

        Raises:
            ShardError: a photo is damaged.
        """
        return self._maker.clip(*self._drawn(draw), frames)

    def __getitem__(self, draw: Draw | int) -> Any:
        drawn = self._drawn(draw)
        clip = self._maker.clip(*drawn)
        rng = generator(self._maker.seed, f"{clip.key} item {drawn.epoch}", drawn.repeat)
        return self._dialect.make(clip, self.slots, rng)

    def __getitems__(self, draws: Sequence[Draw | int]) -> list[Any]:
        """Items of a batch, which a DataLoader asks for at once; their photos are read from a store at once."""
        self._maker.prefetch(map(self._drawn, draws))
        return [self[draw] for draw in draws]

    def get_video(self, item: int) -> Any:
        """The item, by the name that SAM 2's `VOSDataset` asks for, where the dialect is `sam2`."""
        return self[item]

    def _drawn(self, draw: Draw | int) -> Draw:
        """Which photo, in which epoch, and how often it came before."""
        item, epoch, repeat = draw if isinstance(draw, tuple) else Draw(int(draw), int(self._epoch))
        if not -len(self) <= item < len(self):
            raise IndexError(f"clip {item}: there are {len(self)} an epoch")
        photo, within = self._cycle.photo(item % len(self), epoch)
        return Draw(photo, 0 if self._is_fixed else epoch, within + repeat * self._cycle.most)


class _Cycle:
    """Which photo each item of an epoch is, by the weights of the sources.

    Args:
        keys: of the photos, `source/name`.
        weights: `SOURCE` -> how often each of its photos comes in an epoch.

    Attributes:
        size: items of an epoch.
        most: how often a photo can come in an epoch.
    """

    def __init__(self, keys: Sequence[str], weights: Mapping[str, float]):
        sources = [key.partition("/")[0] for key in keys]
        names = list(dict.fromkeys(sources))
        each = dict(zip(names, group_weights([(name, "photo") for name in names], weights), strict=True))
        shares: NDArray[np.float64] = np.array([each[source] for source in sources])
        self._ends = np.cumsum(shares)
        self.size, self.most = int(self._ends[-1] + 1e-6), int(np.ceil(shares.max()))
        self._plain = bool((shares == 1).all())
        if not self.size:
            raise UsageError(f"weights {dict(weights)}: leave nothing of {counted(len(keys), 'photo')} in an epoch; "
                             "give some source a greater one")  # fmt: skip

    def photo(self, item: int, epoch: int) -> tuple[int, int]:
        """Number of an item's photo, and how often it came before in the epoch."""
        if self._plain:
            return item, 0
        ends = np.floor(self._ends + 1e-6 + epoch * _GOLDEN % 1).astype(np.int64)
        photo = int(np.searchsorted(ends, item, "right"))
        return photo, item - (int(ends[photo - 1]) if photo else 0)


def _is_chosen(held_back: bool, share: float, key: str) -> bool:
    return is_held_back(key, share) == held_back


def _slots(recipe: ClipRecipe, dialect: Dialect, slots: int | None) -> int:
    """How many objects an item has room for."""
    if slots is not None and slots < 1:
        raise UsageError(f"slots {slots}: expected at least 1")
    if dialect.is_single:
        return 1
    if slots is not None:
        return slots
    most = 1 + recipe.more_stills_high if recipe.objects == UNION else MOST_SLOTS
    return min(most, recipe.most_objects)
