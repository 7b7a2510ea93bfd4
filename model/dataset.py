"""`TripleDataset`: triples of shards as a torch Dataset of network input, target and valid pixels.

An item is a pure function of (seed, epoch, key, repeat), whichever process makes it; one that is put on another photo
also of the photos there are. In which order items come is left to `sampler`, what is drawn to `views`, pixels to
`pose`, the tensor's coding to `inputs`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset, default_collate

from datakit.arrays import Image, Mask
from datakit.errors import ShardError, UsageError
from datakit.images import paint, reduction
from datakit.keys import draw_key
from datakit.places import each_of, place_of
from datakit.rle import decode_rle
from datakit.samples import Triple
from datakit.seeds import generator, is_held_back
from datakit.shards import Shard, ShardReader
from datakit.shards.layout import DEFORMED
from datakit.shards.shard import decode_image, decode_target, decode_triple
from datakit.transforms import Recipe, deform
from datakit.transforms.base import ImageCrop
from datakit.transforms.corruption import corrupt_guide
from datakit.transforms.object_crop import ObjectCrop
from datakit.transforms.pose import PosedWindow, apply_pose, is_kept, sample_pose
from datakit.transforms.views import ViewConfig, sample_window
from datakit.wording import counted

from .inputs import InputCoding, pack_input

Split = Literal["train", "val", "all"]
Folders = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

MAX_OPEN = 128  # shards each process keeps open: some 2 MB of tables each, but opening one costs as much as an item


class NothingLeft(UsageError):
    """No triple is left to read."""


class Draw(NamedTuple):
    """Which item, and which of its endlessly many appearances.

    Attributes:
        item: its number.
        epoch: pass over the data.
        repeat: how often the item came before in this epoch.
    """

    item: int
    epoch: int = 0
    repeat: int = 0


@dataclass(frozen=True)
class Example:
    """One item before it is cut: all of one size.

    Attributes:
        photo: gives (ceil(H / factor), ceil(W / factor), 3) uint8 RGB for a factor, a power of 2: a photo is decoded no
            larger than its cut needs it.
        guide: (H, W) uint8 0/1, the guide mask.
        target: (H, W) uint8 0/1.
        ignore: (H, W) uint8, 1 where nothing is judged; None where all is.
        key: of the triple, or `<sample key>@<recipe>` where it was deformed anew.
    """

    photo: Callable[[int], Image]
    guide: Mask
    target: Mask
    ignore: Mask | None
    key: str


@dataclass(frozen=True)
class _Index:
    """Where the items lie: one number each, no Python object."""

    shard: NDArray[np.int32]  # number within all shards of all folders
    row: NDArray[np.int32]  # of the triple within its shard
    group: NDArray[np.int32]  # number of its (source, kind)


class TripleDataset(Dataset[dict[str, Any]]):
    """Items to train on or to validate with.

    `dataset[Draw(item, epoch, repeat)]`, or `dataset[item]` for epoch 0, is a dict of
    `input` (4, S, S) float32, `target` (S, S) uint8 0/1, `valid` (S, S) uint8, 0 where nothing is judged (void, or
    beyond the photo), and `key`, a str.

    Pickles without its open shards; every process opens the shards it needs when it needs them.

    Args:
        folders: one folder of shards, or view of some, or several; a single `.h5` file of a folder stands for itself.
        coding: of the network's input, `net.coding` or `networks.coding_of(name)`.
        view: what is drawn beyond the guide mask.
        split: `train` leaves the held-back photos out; `val` reads only them and draws nothing: stored guide masks,
            windows of the middle margin; `all` trains on every photo.
        val_share: share of photos held back, chosen by the hash of the photo's key.
        redraw: draw a fresh guide mask for every appearance, by the recipe stored in the shards, from the stored
            target; the stored variants of a sample and recipe are then one item. First-frame views stay as stored.
        weights: `SOURCE`, `SOURCE/KIND` or `*/KIND` -> how often such an item comes; all that fit multiply.
        seed: root of all chance.

    Attributes:
        groups: (source, kind) that occur.
        weights: (len,) float64, what `sampler.EpochSampler` draws by.

    Raises:
        ShardError: not a finished folder of shards of this version.
        NothingLeft: no triple to read.
        UsageError: an unknown split, no coding, or a weight for a source or kind that is not there.
    """

    def __init__(
        self,
        folders: Folders,
        coding: InputCoding,
        view: ViewConfig | None = None,
        *,
        split: Split = "train",
        val_share: float = 0.1,
        redraw: bool = False,
        weights: Mapping[str, float] | None = None,
        seed: int = 0,
    ):
        if split not in get_args(Split):
            raise UsageError(f"split {split!r}: expected {', '.join(get_args(Split))}")
        if not isinstance(coding, InputCoding):
            raise UsageError(
                f"coding {coding!r}: expected an InputCoding; `model.networks.coding_of(NAME)` gives a network's"
            )
        view = view or ViewConfig()
        self.coding, self.seed = coding, seed
        self.view, self.redraw = (view.still(), False) if split == "val" else (view, redraw)
        paths = each_of(folders)
        self._shards = [part for path in paths for part in _parts(place_of(path))]
        self._is_stored = any(reader.is_stored for reader, _ in self._shards)
        self._index, self.groups = self._read_index(split, val_share)
        if not len(self):
            raise NothingLeft(f"{', '.join(map(str, paths)) or 'no folder'}: no triples to read for split {split!r} "
                              f"with a share of {val_share} held back; name a folder that `datakit build-shards` "
                              "filled, or another share")  # fmt: skip
        self.weights = group_weights(self.groups, weights or {})[self._index.group]
        if not self.weights.any():
            raise UsageError(f"weights {dict(weights or {})}: leave nothing to draw; give some source a weight above 0")
        self._lenders = np.flatnonzero(self.weights)  # items whose photos others may be put on

    def __repr__(self) -> str:
        """One line: number of items, their sources and kinds."""
        groups = ", ".join(f"{source}/{kind}" for source, kind in self.groups)
        return f"TripleDataset({counted(len(self), 'item')} of {groups})"

    def __len__(self) -> int:
        return len(self._index.row)

    def __getitem__(self, draw: Draw | int) -> dict[str, Any]:
        item, epoch, repeat = draw if isinstance(draw, Draw) else Draw(draw)
        shard, row, recipes = self._locate(item)
        example, recipe = self._example(shard, row)
        rng = generator(self.seed, f"{example.key} view {epoch}", repeat)

        def rough(target: ObjectCrop) -> Mask:
            drawn = generator(self.seed, f"{example.key} deform {epoch}", repeat)
            return deform(target, recipes[recipe], drawn).mask

        def other(which: float) -> Image | None:
            return self._other_photo(which, item)

        return make_item(example, self.view, self.coding, rng, rough if self.redraw else None, other)

    def __getitems__(self, draws: Sequence[Draw | int]) -> list[dict[str, Any]]:
        """Items of a batch, which a DataLoader asks for at once; their photos are read from a store at once."""
        if self._is_stored:
            self._prefetch(draw.item if isinstance(draw, Draw) else draw for draw in draws)
        return [self[draw] for draw in draws]

    def _prefetch(self, items: Iterable[int]) -> None:
        wanted: dict[int, tuple[ShardReader, list[tuple[int, int]]]] = {}
        for item in items:
            reader, number = self._shards[self._index.shard[item]]
            wanted.setdefault(id(reader), (reader, []))[1].append((number, int(self._index.row[item])))
        for reader, rows in wanted.values():
            reader.prefetch_rows(rows)

    def triple(self, item: int) -> Triple:
        """The stored triple of an item, whole; with `redraw`, the first of its variants."""
        shard, row, _ = self._locate(item)
        return decode_triple(shard, row)

    def _other_photo(self, which: float, item: int) -> Image | None:
        """The photo of an item that may be drawn, for a number of 0..1; None where it is the photo of `item`."""
        other = int(self._lenders[int(which * len(self._lenders))])
        (shard, row, _), (own, own_row, _) = self._locate(other), self._locate(item)
        image_row = int(shard.triples[row]["image_row"])
        if own.path == shard.path and image_row == own.triples[own_row]["image_row"]:
            return None
        factor = reduction(min(shard.size(image_row)) / (2 * self.view.size))  # at least half of it is shown
        return _photo(shard, image_row, f"photo {image_row}", factor)

    def _example(self, shard: Shard, row: int) -> tuple[Example, str]:
        """An item and its recipe; with `redraw`, without its guide mask, which is not even decoded."""
        entry = shard.triples[row]
        image_row, target_row, recipe = int(entry["image_row"]), int(entry["target_row"]), entry["recipe"].decode()
        size, key = shard.size(image_row), entry["key"].decode()
        if self.redraw:
            key = draw_key(shard.targets["key"][target_row].decode(), recipe)
        with error_context(shard, key):
            target, ignore = decode_target(shard, target_row, size)
            guide = target if self.redraw else decode_rle(shard.record(DEFORMED, row, check=True), size)
            if not target.view(np.bool_).any():
                raise ValueError("the target is empty; rebuild the shard")
        return Example(partial(_photo, shard, image_row, key), guide, target, ignore, key), recipe

    def _locate(self, item: int) -> tuple[Shard, int, Mapping[str, Recipe]]:
        reader, number = self._shards[self._index.shard[item]]
        return reader.shard(number), int(self._index.row[item]), reader.recipes_of(number)

    def _read_index(self, split: Split, val_share: float) -> tuple[_Index, list[tuple[str, str]]]:
        groups: dict[tuple[str, str], int] = {}
        shards, rows, of_group = [], [], []
        for at, (reader, number) in enumerate(self._shards):
            reader.open_ahead(number)
            shard = reader.shard(number)
            chosen = _chosen_rows(shard, reader.rows(number), split, val_share, self.redraw)
            kinds, each = np.unique(shard.triples["kind"][chosen], return_inverse=True)
            numbers = [groups.setdefault((shard.source, kind.decode()), len(groups)) for kind in kinds]
            shards.append(np.full(len(chosen), at, np.int32))
            rows.append(chosen.astype(np.int32))
            of_group.append(np.array(numbers, np.int32)[each])
        joined = (np.concatenate([np.zeros(0, np.int32), *parts]) for parts in (shards, rows, of_group))
        return _Index(*joined), list(groups)


def collate(items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A batch of items, the `collate_fn` of a DataLoader on a `TripleDataset`.

    Args:
        items: N of a dataset, all of one size.

    Returns:
        `input` (N, 4, S, S) float32, `target` and `valid` (N, S, S) uint8, `key` a list of N str.
    """
    batch: dict[str, Any] = default_collate(list(items))
    return batch


@contextlib.contextmanager
def error_context(shard: Shard, what: str) -> Iterator[None]:
    """What goes wrong inside says of which shard and item it is."""
    try:
        yield
    except (ValueError, LookupError) as error:
        raise ShardError(f"{shard.path}: {what}: {error}; look closer with `datakit verify --deep`") from error


def _photo(shard: Shard, row: int, what: str, factor: int) -> Image:
    """A photo of a shard at 1/`factor` of its size, decoded for `what`."""
    with error_context(shard, what):
        return decode_image(shard, row, factor=factor)


def _parts(path: Path) -> list[tuple[ShardReader, int]]:
    """The shards of a folder or a view, or the one shard file of a folder."""
    reader = ShardReader(path.parent if path.suffix == ".h5" else path, max_open=MAX_OPEN)
    files = [portion.entry.file for portion in reader.contents.portions]
    if path.suffix != ".h5":
        return [(reader, number) for number in range(len(files))]
    if path.name not in files:
        raise ShardError(f"{path}: the manifest beside it does not list it; it lists {', '.join(files)}")
    return [(reader, files.index(path.name))]


def _chosen_rows(
    shard: Shard, rows: NDArray[np.int64], split: Split, val_share: float, redraw: bool
) -> NDArray[np.int64]:
    """Of rows of a shard's triples, those that are items: of the split, and with `redraw` the first of its variants."""
    triples = shard.triples
    if split != "all":
        held_back = np.array([is_held_back(key.decode(), val_share) for key in shard.images["key"]], bool)
        rows = rows[held_back[triples["image_row"][rows]] == (split == "val")]
    if redraw:
        _, recipes = np.unique(triples["recipe"][rows], return_inverse=True)
        samples = recipes.astype(np.int64) * len(shard.targets) + triples["target_row"][rows]
        rows = rows[np.sort(np.unique(samples, return_index=True)[1])]
    return rows


def group_weights(groups: Sequence[tuple[str, str]], weights: Mapping[str, float]) -> NDArray[np.float64]:
    """Weight of each (source, kind): the product of all that `weights` says of it, 1 where it says nothing.

    Raises:
        UsageError: a weight that is no number from 0 on, or one that fits no group.
    """
    found = np.ones(len(groups))
    for name, weight in weights.items():
        source, _, kind = name.partition("/")
        fits = np.array([source in ("*", one) and kind in ("", "*", other) for one, other in groups], bool)
        if not fits.any():
            known = ", ".join(f"{one}/{other}" for one, other in groups)
            raise UsageError(f"weight {name!r}: fits no source and kind; known are {known}")
        if not 0 <= weight < np.inf:
            raise UsageError(f"weight {name!r}: is {weight}, expected a number from 0 on")
        found[fits] *= weight
    return found


def make_item(
    example: Example,
    view: ViewConfig,
    coding: InputCoding,
    rng: np.random.Generator,
    rough: Callable[[ObjectCrop], Mask] | None = None,
    photo: Callable[[float], Image | None] | None = None,
) -> dict[str, Any]:
    """One drawn view of an example, as tensors: image and masks turned, cut and mirrored together, in one resampling.

    A guide mask is deformed and corrupted in the turned photo, whose upright window is cut around it.

    Args:
        example: what is looked at.
        view: what is drawn.
        coding: of the network's input.
        rng: source of all chance.
        rough: makes a guide mask of the turned target; without it the example's own is turned.
        photo: gives another photo, or none, for a number of 0..1, for objects to be put on; without it they stay.

    Returns:
        As `TripleDataset` says.
    """
    whole = ObjectCrop.of(example.target)
    pose = sample_pose(rng, whole, view)
    if pose is not None and not is_kept(whole, pose):  # the object would be gone
        pose = None
    drawn = ObjectCrop.of(rough(apply_pose(whole, pose)) if rough else example.guide)
    drawn = drawn if rough else apply_pose(drawn, pose)
    corrupted = corrupt_guide(rng, drawn, view)
    seen = PosedWindow(sample_window(rng, corrupted, view), whole.size, pose, flip=rng.random() < view.flip)
    ignore = () if example.ignore is None else (example.ignore,)
    if rough is None and corrupted is drawn:
        (guide, target, *ignored), inside = seen.masks(example.guide, example.target, *ignore)
    else:
        guide = seen.turned_mask(corrupted.mask())
        (target, *ignored), inside = seen.masks(example.target, *ignore)
    cut = ImageCrop(seen.image(example.photo, coding.fill), target, photo and partial(_mirrored, photo, seen.flip))
    for transform in view.image_transforms:
        cut = transform.apply(cut, transform.sample_params(rng, cut))
    image = cut.image
    if cv2.countNonZero(inside) < inside.size:
        paint(image, 1 - inside, coding.fill)  # as propagation sees it, in any light
    return {
        "input": pack_input(image, guide, coding),
        "target": torch.from_numpy(target),
        "valid": torch.from_numpy(inside - ignored[0] if ignored else inside),
        "key": example.key,
    }


def _mirrored(photo: Callable[[float], Image | None], flip: bool, which: float) -> Image | None:
    """Another photo, mirrored with what is put on it."""
    other = photo(which)
    return cv2.flip(other, 1) if flip and other is not None else other  # type: ignore[return-value]
