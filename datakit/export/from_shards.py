"""The photos of a folder of shards, each once, with the targets of all its objects."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import ShardError
from ..keys import PLAIN_VIEW, Key, photo_of
from ..places import place_of
from ..rle import decode_rle
from ..shards import Shard, ShardReader
from ..shards.layout import IMAGES, TARGETS
from .names import unique_names
from .videos import ExportedVideo, ExportObject, Frame, VideoSource

FIRST = "00000"  # the name of the frame of a still
LABEL_SHARE = 1.1  # label pictures, JSON and file system blocks on top of the shards

TURNED = "photos that are there as turned views only, which are not exported"
IGNORED = "photos with an ignore region, which is not exported"


@dataclass
class _Still:
    """Where a photo and its objects lie: number of the shard, row of the photo, rows of its targets in order."""

    key: str
    shard: int
    image: int
    targets: list[int] = field(default_factory=list)


class ShardVideos(VideoSource):
    """Every photo of a folder of shards as a video of one frame.

    Guide masks, and the views that a recipe draws of a photo, are left out. Objects that the build left out (too
    small, crowds, damaged) are not in shards and so not here either; nor are those of which a view has no triple.

    Args:
        folder: that `datakit build-shards` finished, or a view.

    Raises:
        ShardError: it has no manifest, or a shard of it is damaged.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        self._reader = ShardReader(folder, max_open=2)
        self.place = str(place_of(folder))
        self.remarks: dict[str, int] = {}
        self._stills = self._listed()
        self.lengths = [1] * len(self._stills)
        self._names = unique_names(still.key for still in self._stills)
        portions = self._reader.contents.portions
        stored = sum(each.entry.bytes * each.triples / max(each.entry.triples, 1) for each in portions)
        self.expected_bytes = int(stored * LABEL_SHARE)

    def identity(self) -> dict[str, Any]:
        """The digest of the shards' manifest, or of what a view holds."""
        return {"kind": "shards", "manifest": self._reader.contents.digest}

    def __getitem__(self, position: int) -> _StillVideo:
        still = self._stills[position]
        return _StillVideo(self._names[position], self._reader.shard(still.shard), still, position)

    def _listed(self) -> list[_Still]:
        """Photos in the order of the shards; of a photo stored by several recipes, the first."""
        stills: dict[str, _Still] = {}
        turned, ignored = set(), set()
        for number, shard in enumerate(self._reader.shards()):
            rows = self._reader.targets(number)
            table = shard.targets[["key", "image_row", "ignore_row"]][rows].tolist()
            for row, (text, image, ignore) in zip(rows.tolist(), table, strict=True):
                key = text.decode()
                photo = photo_of(key)
                if Key.parse(key).view not in ("", PLAIN_VIEW):
                    turned.add(photo)
                    continue
                still = stills.setdefault(photo, _Still(photo, number, image))
                if (still.shard, still.image) == (number, image):
                    still.targets.append(row)
                if ignore >= 0:
                    ignored.add(photo)
        for reason, count in ((TURNED, len(turned - stills.keys())), (IGNORED, len(ignored))):
            if count:
                self.remarks[reason] = count
        return list(stills.values())


class _StillVideo(ExportedVideo):
    """One photo of a shard."""

    is_video = False

    def __init__(self, name: str, shard: Shard, still: _Still, position: int):
        self.name, self.label = name, shard.source
        self._shard, self._still, self._position = shard, still, position
        ids = shard.targets["object_id"][still.targets].tolist()
        self.objects = {number: str(each) for number, each in enumerate(ids, 1)}

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Frame]:
        shard, still = self._shard, self._still
        size = shard.size(still.image)
        photo = bytes(shard.record(IMAGES, still.image, check=True))
        objects = []
        for number, row in enumerate(still.targets, 1):
            try:
                mask = decode_rle(shard.record(TARGETS, row, check=True), size)
            except ValueError as error:
                raise ShardError(f"{shard.path}: targets[{row}]: {error}; look closer with `datakit verify`") from error
            objects.append(ExportObject(number, np.ascontiguousarray(mask)))
        yield Frame(FIRST, self.name, self._position, still.key, size, photo, tuple(objects))
