"""Clips made of the stills of shards, as videos to export: every frame a JPEG or PNG, every id an object."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..arrays import Image
from ..clips import Clip, ClipMaker, ClipRecipe, ShardStills
from ..clips.still import Folders
from ..errors import UsageError
from ..files import EXPORT_PLANS
from ..images import encode_jpeg, encode_png
from ..keys import source_of
from ..resize import parse_codec
from .from_labels import DIGITS
from .names import plain_name
from .videos import ExportedVideo, ExportObject, Frame, VideoSource

BYTES_A_PIXEL = {"jpeg": 0.33, "png": 1.4}  # of a frame with its mask, by cutie from ECSSD and PASCAL-S
NO_OBJECT = "videos without an object, since none is seen in their first frame"
IGNORED = "videos with an ignore region, which is not exported"
ROUGH = "videos with rough masks, which are not exported"


class ClipVideos(VideoSource):
    """So many clips of the stills of some folders of shards.

    With as many clips as stills or more, clip n begins with still n modulo the number of stills and is of epoch
    n div that number; fewer clips are spread evenly over the stills. Rough masks are left out.

    Args:
        folders: one that `datakit build-shards` finished, or several.
        recipe: how a clip is made.
        clips: how many.
        seed: root of all chance.
        codec: of the frames, `jpeg:QUALITY` or `png`.

    Attributes:
        maker: of the clips: `maker.replay` makes one again of its line in `plans.jsonl`.

    Raises:
        ShardError: no finished folder of shards, or a damaged one.
        UsageError: there is no photo, or the codec is none of these.
    """

    origins, unit = EXPORT_PLANS, "frames"

    def __init__(self, folders: Folders, recipe: ClipRecipe, clips: int, seed: int = 0, codec: str = "jpeg:95"):
        self._codec, self._quality = _parsed(codec)
        stills = ShardStills(folders, check=True)
        self.maker = ClipMaker(stills, replace(recipe, rough=None), seed)
        self.place = ", ".join(str(reader.folder) for reader in stills.readers)
        self.lengths = [recipe.frames] * clips
        self.remarks = {ROUGH: clips} if recipe.rough is not None else {}
        self.expected_bytes = int(clips * recipe.frames * recipe.size**2 * BYTES_A_PIXEL[self._codec])
        self._identity = {
            "kind": "clips",
            "manifests": [reader.contents.digest for reader in stills.readers],
            "recipe": self.maker.recipe.to_dict(),
            "clips": clips,
            "seed": seed,
            "codec": codec,
            "numpy": np.__version__,
        }

    def identity(self) -> dict[str, Any]:
        """Digests of the shards' manifests, the recipe, number, seed and codec, and the version that draws."""
        return self._identity

    def contents(self) -> dict[str, Any]:
        """Name, key of the first photo, and epoch of every clip."""
        keys, drawn = self.maker.stills.keys, map(self._drawn_as, range(len(self)))
        return {"clip_photos": [[self._name(n), keys[position], epoch] for n, (position, epoch) in enumerate(drawn)]}

    def __getitem__(self, position: int) -> _ClipVideo:
        still, epoch = self._drawn_as(position)
        clip = self.maker.clip(still, epoch)
        return _ClipVideo(clip, self._name(position), position, epoch, self._encoded)

    def _drawn_as(self, number: int) -> tuple[int, int]:
        """Position of its first still, and epoch, of a clip."""
        stills, clips = len(self.maker), len(self)
        return (number * stills // clips, 0) if clips < stills else (number % stills, number // stills)

    def _name(self, number: int) -> str:
        return f"{number:0{DIGITS}d}-{plain_name(self.maker.stills.keys[self._drawn_as(number)[0]])}"

    def _encoded(self, image: Image) -> bytes:
        return encode_jpeg(image, self._quality) if self._codec == "jpeg" else encode_png(image)


def _parsed(codec: str) -> tuple[str, int]:
    """('png', 0) or ('jpeg', quality).

    Raises:
        UsageError: it is neither.
    """
    with contextlib.suppress(UsageError):
        name, quality = parse_codec(codec)
        if name != "source":
            return name, quality
    raise UsageError(f"image codec {codec!r}: expected png or jpeg:QUALITY with a quality of 1 to 100")


class _ClipVideo(ExportedVideo):
    """One clip."""

    is_video = True

    def __init__(self, clip: Clip, name: str, number: int, epoch: int, encoded: Callable[[Image], bytes]):
        self.name, self.label = name, source_of(clip.key)
        self.objects = {
            each.number: f"{each.photo}#{'+'.join(str(id) for id in each.object_ids)}" for each in clip.objects
        }
        self.remarks = ([IGNORED] if clip.ignored is not None else []) + ([] if clip.objects else [NO_OBJECT])
        self.origin = {"name": name, "epoch": epoch, "plan": clip.plan.to_dict()}
        self._clip, self._number, self._encoded = clip, number, encoded

    def __len__(self) -> int:
        return len(self._clip.frames)

    def __iter__(self) -> Iterator[Frame]:
        clip, count = self._clip, len(self)
        for place, (image, labels) in enumerate(zip(clip.frames, clip.labels, strict=True)):
            name = f"{place:0{DIGITS}d}"
            objects = tuple(ExportObject(n, (labels == n).view(np.uint8)) for n in self.objects)
            size = (labels.shape[0], labels.shape[1])
            row = self._number * count + place
            photo = self._encoded(image)
            yield Frame(name, f"{self.name}_{name}", row, f"{self.name}/{name}", size, photo, objects)
