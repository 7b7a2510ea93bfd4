"""Pictures that clips are made of: a photo and the label map of its objects, read when asked for.

From shards, or from any source that `open_source` opens.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..arrays import Image, Labels, Mask
from ..errors import ShardError, UsageError
from ..images import decode_reduced, halved
from ..keys import PLAIN_VIEW, Key, photo_of
from ..places import each_of
from ..rle import decode_rle
from ..samples import Scene
from ..shards import Shard, ShardReader
from ..shards.layout import IGNORES, IMAGES, TARGETS

FACTORS = (8, 4, 2, 1)
MOST_OBJECTS = 254


class Still:
    """A photo and its objects.

    Args:
        key: of the photo.
        size: (H, W).
        encoded: gives JPEG or PNG bytes, upright.
        masks: gives an (H, W) uint8 0/1 mask of each object, later ones over earlier ones.
        object_ids: what the source calls the objects, in the order of `masks`.
        ignored: gives the (H, W) uint8 0/1 region where nothing is known; None where all is.

    Attributes:
        key, size, object_ids: as given.
    """

    def __init__(
        self,
        key: str,
        size: tuple[int, int],
        encoded: Callable[[], bytes | memoryview],
        masks: Callable[[], Sequence[Mask]],
        object_ids: Sequence[int],
        ignored: Callable[[], Mask | None] = lambda: None,
    ):
        self.key, self.size, self.object_ids = key, size, tuple(object_ids)
        self._encoded, self._masks, self._ignored = encoded, masks, ignored

    def image(self, factor: int = 1) -> Image:
        """(ceil(H / factor), ceil(W / factor), 3) uint8 RGB; the factor is one of `FACTORS`.

        Raises:
            ShardError: it cannot be decoded, or is of another size.
        """
        try:
            image = decode_reduced(self._encoded(), factor)
        except ValueError as error:
            raise ShardError(f"{self.key}: {error}; look closer with `datakit verify --deep`") from error
        expected = tuple(-(-side // factor) for side in self.size)
        if image.shape[:2] != expected:
            raise ShardError(f"{self.key}: its photo at 1/{factor} is {image.shape[:2]}, expected {expected}")
        return image

    @cached_property
    def labels(self) -> Labels:
        """(H, W) uint8: 1 for the first object, 2 for the second …, 0 for ground."""
        labels = np.zeros(self.size, np.uint8)
        for number, mask in enumerate(self._masks()[:MOST_OBJECTS], 1):
            labels[mask.view(np.bool_)] = number
        return labels

    @cached_property
    def ignored(self) -> Mask | None:
        """(H, W) uint8, 1 where nothing is known; None where all is."""
        return self._ignored()


class Stills(ABC):
    """The pictures there are, by position, found without decoding one."""

    keys: Sequence[str]

    @abstractmethod
    def __getitem__(self, position: int) -> Still:
        """One picture."""

    def prefetch(self, positions: Sequence[int]) -> None:
        """Read some pictures that are wanted soon, many requests in flight, where they lie in a store.

        Raises:
            ShardError, OSError: as reading them would.
        """
        del positions

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {key: position for position, key in enumerate(self.keys)}

    def __len__(self) -> int:
        return len(self.keys)

    def find(self, key: str) -> Still:
        """The picture of a key.

        Raises:
            UsageError: it is not among them.
        """
        if key not in self._positions:
            raise UsageError(f"{key}: no such photo here; a clip needs the very photos it was drawn from")
        return self[self._positions[key]]


class SceneStills(Stills):
    """The photos of a source.

    Args:
        scenes: as `open_source` gives them; those without a sample are left out.
    """

    def __init__(self, scenes: Sequence[Scene]):
        self._scenes = [scene for scene in scenes if scene.samples]
        self.keys = [scene.key for scene in self._scenes]

    def __getitem__(self, position: int) -> Still:
        samples = self._scenes[position].samples
        photo = samples[0].photo
        ids = [sample.object_id for sample in samples]
        ignored = next((sample.ignore for sample in samples if sample.ignore is not None), None)
        return Still(self.keys[position], photo.size, lambda: photo.encoded, lambda: [s.mask for s in samples], ids,
                     lambda: ignored)  # fmt: skip


Folders = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


class ShardStills(Stills):
    """The photos of folders of shards, each once, with the targets of all its objects.

    First-frame views that a recipe draws of a photo are left out; so are, of a view of folders, objects of which it has
    no triple. Pickles without its open shards.

    Args:
        folders: one that `datakit build-shards` finished, or several.
        chosen: says of a photo's key whether it is used; None for all.
        max_open: shards that each process keeps open.
        check: compare the CRC-32 of every photo before it is decoded; what is damaged decodes all the same, otherwise.

    Raises:
        ShardError: no finished folder of shards, or a damaged one.
        UsageError: no photo is left.
    """

    def __init__(
        self,
        folders: Folders,
        chosen: Callable[[str], bool] | None = None,
        max_open: int = 64,
        check: bool = True,
    ):
        self._check = check
        paths = each_of(folders)
        self.readers = [ShardReader(path, max_open=max_open) for path in paths]
        self._is_stored = any(reader.is_stored for reader in self.readers)
        self._rows, self._targets = [], []
        keys: dict[str, None] = {}
        for reader_number, reader in enumerate(self.readers):
            for number, shard in enumerate(reader.shards()):
                for key, image, targets in _photos(shard, reader.targets(number)):
                    if key in keys or (chosen and not chosen(key)):
                        continue
                    keys[key] = None
                    self._rows.append((reader_number, number, image))
                    self._targets.append(np.array(targets, np.int32))
        self.keys = list(keys)
        if not self.keys:
            raise UsageError(f"{', '.join(map(str, paths)) or 'no folder'}: no photo to make clips of; name a folder "
                             "that `datakit build-shards` filled")  # fmt: skip

    def prefetch(self, positions: Sequence[int]) -> None:
        """As `Stills.prefetch`."""
        if not self._is_stored:
            return
        wanted: dict[int, list[tuple[int, int]]] = {}
        for reader, *row in (self._rows[position] for position in positions):
            wanted.setdefault(reader, []).append((row[0], row[1]))
        for reader, rows in wanted.items():
            self.readers[reader].prefetch_photos(rows)

    def __getitem__(self, position: int) -> Still:
        reader, number, image = self._rows[position]
        shard, rows = self.readers[reader].shard(number), self._targets[position].tolist()
        size, ignores = shard.size(image), shard.targets["ignore_row"][rows].tolist()
        ignored = next((row for row in ignores if row >= 0), None)

        def decode(kind: str, row: int) -> Mask:
            try:
                return decode_rle(shard.record(kind, row, check=True), size)
            except ValueError as error:
                raise ShardError(f"{shard.path}: {kind}[{row}]: {error}; look closer with `datakit verify`") from error

        return Still(
            self.keys[position],
            size,
            lambda: shard.record(IMAGES, image, self._check),
            lambda: [decode(TARGETS, row) for row in rows],
            shard.targets["object_id"][rows].tolist(),
            lambda: None if ignored is None else decode(IGNORES, ignored),
        )


def _photos(shard: Shard, targets: NDArray[np.int64]) -> list[tuple[str, int, list[int]]]:
    """Key, row and rows of the targets of every photo of a shard that is there as it is, of the targets given."""
    found: dict[int, tuple[str, list[int]]] = {}
    table = shard.targets[["key", "image_row"]][targets].tolist()
    for row, (text, image) in zip(targets.tolist(), table, strict=True):
        key = text.decode()
        if Key.parse(key).view in ("", PLAIN_VIEW):
            found.setdefault(image, (photo_of(key), []))[1].append(row)
    return [(key, image, rows) for image, (key, rows) in found.items()]


def at_factor(still: Still, factors: Sequence[int]) -> dict[int, Image]:
    """The photo at each of some factors, decoded once, at the smallest."""
    least = min(factors)
    image = still.image(least)
    return {factor: halved(image, factor // least) for factor in set(factors)}
