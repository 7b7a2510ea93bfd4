"""What a network with a memory learns from: frames of clips, each object with its guide mask and remembered frames.

A guide mask is what a video gives: the mask of the frame before, of an earlier one for what was lost, none, or a mask
that holds something else. Clips are left to `datakit.clips`; frames, windows and faults are drawn here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from datakit.arrays import Image, Mask, iou
from datakit.clips import Clip
from datakit.config import settings_of
from datakit.errors import UsageError
from datakit.images import halved, paint
from datakit.samples import Photo, Triple
from datakit.seeds import generator
from datakit.transforms import PRESETS, deform
from datakit.transforms.base import ImageCrop
from datakit.transforms.corruption import corrupt_guide
from datakit.transforms.crop import Window, cut_image, cut_mask, object_window, whole_window
from datakit.transforms.dilate import Dilate
from datakit.transforms.object_crop import ObjectCrop
from datakit.transforms.photometric import Photometric
from datakit.transforms.pose import PosedWindow, apply_pose, is_kept, sample_pose
from datakit.transforms.views import ViewConfig, sample_window

from .clip_dataset import ClipDataset
from .clip_view import ClipView
from .dataset import Draw, Folders, NothingLeft, Split
from .inputs import InputCoding, pack_input
from .train import GROWN

_LIGHT = tuple(settings_of(Photometric))
_APART = 0.2  # share of items whose remembered frames are mirrored and the frame is not, or the other way round


KINDS = ("deformed", "stale", "none", "mistaken")


class _Choice(NamedTuple):
    """Frames of a clip that an item is made of, and what its guide mask is."""

    query: int
    guide: int
    memories: tuple[int, ...]
    kind: str


@dataclass(frozen=True)
class _Asked:
    """An item before it is cut: a frame of a clip, one object of it, its guide mask and what is remembered of it."""

    clip: Clip
    query: int
    number: int
    guide: Mask
    target: Mask
    ignored: Mask | None
    memory: Tensor
    window: Window
    flip: bool
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipTriple(Triple):
    """A frame of a clip, and of an object in it the guide mask and the target.

    Attributes:
        remembered: (M, 4, S, S) float32, frames with the object's true masks, as a network with a memory takes them.
    """

    remembered: Tensor


class MemoryDataset(Dataset[dict[str, Any]]):
    """Items for a network with a memory.

    `dataset[Draw(item, epoch, repeat)]`, or `dataset[item]` for epoch 0, is a dict of `input` (4, S, S) float32,
    `memory` (M, 4, S, S) float32, frames with the object's true masks, `target` (S, S) uint8 0/1, `valid` (S, S)
    uint8, 0 where nothing is judged, and `key`, a str. A function of (seed, epoch, key, repeat).

    Args:
        folders: one folder of shards or several; of every photo in them, all objects are used.
        coding: of the network's input, `net.coding`.
        view: windows, faults of guide masks and mirroring, as for `TripleDataset`; light and pose are the clips'.
        clips: what is drawn of clips.
        split, val_share, seed, weights: as for `ClipDataset`.

    Raises:
        NothingLeft: no photo is held back.
        ShardError, UsageError: as `ClipDataset`.
    """

    def __init__(
        self,
        folders: Folders,
        coding: InputCoding,
        view: ViewConfig | None = None,
        clips: ClipView | None = None,
        *,
        split: Split = "train",
        val_share: float = 0.1,
        seed: int = 0,
        weights: Mapping[str, float] | None = None,
    ):
        self.coding, self.view, self.clips = coding, view or ViewConfig(), clips or ClipView()
        self.seed, self._is_fixed = seed, split == "val"
        open_clips = partial(ClipDataset, folders, split=split, val_share=val_share, seed=seed, weights=weights)
        try:
            self._smooth = open_clips("smooth", settings=[f"frames={self.clips.frames}"])
            self._aot = open_clips("aot", settings=["frames=5", "size=384"])
        except UsageError as error:
            if split == "val":
                raise NothingLeft(str(error)) from error
            raise
        self.weights = self._smooth.weights

    def __len__(self) -> int:
        return len(self._smooth)

    def __getitem__(self, draw: Draw | int) -> dict[str, Any]:
        asked = self._asked(draw)
        window, query = asked.window, asked.query
        valid = 1 - asked.ignored if asked.ignored is not None else np.ones_like(asked.target)
        target, valid = (_mirrored(cut_mask(plane, window), asked.flip) for plane in (asked.target, valid))
        return {
            "input": self._packed(asked.clip.frames[query], asked.guide, window, asked.flip),
            "memory": asked.memory,
            "target": torch.from_numpy(target),
            "valid": torch.from_numpy(valid),
            "key": asked.clip.key,
        }

    def triple(self, item: int) -> ClipTriple:
        """An item of epoch 0 before it is cut, as `score` takes it."""
        asked = self._asked(item)
        guide, target = asked.guide, asked.target
        photo = Photo.decoded(asked.clip.frames[asked.query], b"", "", 0)
        return ClipTriple(
            key=f"{asked.clip.key}/{item}", sample_key=asked.clip.key, photo=photo,
            guide=guide, target=target, ignore=asked.ignored, recipe=asked.clip.plan.recipe, kind=asked.kind,
            variant=0, object_id=asked.number, flags="", parameters=np.zeros(0), iou=iou(guide, target),
            area_ratio=float(guide.sum() / max(target.sum(), 1)), redraws=asked.clip.plan.redraws, draw_flags="",
            remembered=asked.memory,
        )  # fmt: skip

    def _asked(self, draw: Draw | int) -> _Asked:
        item, epoch, repeat = draw if isinstance(draw, tuple) else Draw(int(draw))
        epoch = 0 if self._is_fixed else epoch
        rng = generator(self.seed, f"memory {item} {epoch}", repeat)
        data = self._smooth if float(rng.random()) < self.clips.smooth else self._aot
        choice = _chosen(rng, data.recipe.frames, self.clips)
        numbers = sorted({0, choice.query, choice.guide, *choice.memories})
        clip = data.clip(Draw(item, epoch, repeat), numbers)
        return self._of_clip(clip, rng, choice, {number: place for place, number in enumerate(numbers)})

    def _of_clip(self, clip: Clip, rng: np.random.Generator, choice: _Choice, places: Mapping[int, int]) -> _Asked:
        mine = 1 + int(float(rng.random()) * max(len(clip.objects), 1))
        others = [each.number for each in clip.objects if each.number != mine]
        masks = [ObjectCrop.of((labels == mine).view(np.uint8)) for labels in clip.labels]
        query, before = places[choice.query], places[choice.guide]
        other = others[int(float(rng.random()) * len(others))] if others else 0
        guide = _guide(rng, choice.kind, masks, query, before, (clip.labels[before] == other) if other else None)
        guide = corrupt_guide(rng, guide, self.view)
        window = self._window(rng, guide, choice.kind)
        flip, apart = (bool(each) for each in rng.random(2) < (self.view.flip, _APART))
        memory = [self._remembered(rng, clip, masks, places[n], flip != apart) for n in choice.memories]
        return _Asked(
            clip, query, mine, guide.mask(), (clip.labels[query] == mine).view(np.uint8),
            None if clip.ignored is None else clip.ignored[query], torch.stack(memory), window, flip, choice.kind,
        )  # fmt: skip

    def _window(self, rng: np.random.Generator, guide: ObjectCrop, kind: str) -> Window:
        """Around the guide mask; often all of the frame where it tells little."""
        whole = float(rng.random()) < (0.5 if kind in ("stale", "none") else 0.0)
        drawn = sample_window(rng, guide, self.view)
        return whole_window(guide.size, self.view.size) if whole else drawn

    def _remembered(
        self, rng: np.random.Generator, clip: Clip, masks: Sequence[ObjectCrop], place: int, flip: bool
    ) -> Tensor:
        """A frame with the object's mask; the first where it does not show the object."""
        place = place if masks[place].width else 0
        photo = partial(halved, clip.frames[place])
        return remembered_view(rng, photo, masks[place], self.view, self.clips, self.coding, flip)

    def _packed(self, frame: Image, mask: Mask, window: Window, flip: bool) -> Tensor:
        image = cut_image(frame, window, self.coding.fill)
        return pack_input(_mirrored(image, flip), _mirrored(cut_mask(mask, window), flip), self.coding)


def remembered_view(
    rng: np.random.Generator,
    photo: Callable[[int], Image],
    mask: ObjectCrop,
    view: ViewConfig,
    clips: ClipView,
    coding: InputCoding,
    flip: bool,
) -> Tensor:
    """A frame to be remembered, in a window around its object; turned, and in another light, as it may come again.

    Args:
        rng: source of all chance.
        photo: gives (ceil(H / factor), ceil(W / factor), 3) uint8 RGB for a factor, a power of 2.
        mask: the object in the frame; all of the frame is shown where there is none.
        view: margins, and the ranges of pose and light.
        clips: how often it is turned and relit.
        coding: of the network's input.
        flip: whether it is mirrored.

    Returns:
        (4, S, S) float32, as `inputs.pack_input` makes it.
    """
    turned, relit, spread = rng.random(3).tolist()
    pose = sample_pose(rng, mask, view) if mask.width and turned < clips.turned else None
    if pose is not None and not is_kept(mask, pose):
        pose = None
    margin = view.margin_low * (view.margin_high / view.margin_low) ** spread
    window = _window_of(apply_pose(mask, pose), margin, view.size)
    seen = PosedWindow(window, mask.size, pose, flip=flip)
    (cut,), inside = seen.masks(mask.mask())
    image = seen.image(photo, coding.fill)
    if relit < clips.relit:
        crop, light = ImageCrop(image, cut), Photometric(**{name: getattr(view, name) for name in _LIGHT})
        image = light.apply(crop, light.sample_params(rng, crop)).image
    if cv2.countNonZero(inside) < inside.size:
        paint(image, 1 - inside, coding.fill)
    return pack_input(image, cut, coding)


def _window_of(mask: ObjectCrop, margin: float, size: int) -> Window:
    """Around an object; all of the frame where there is none."""
    return object_window(mask.box, mask.size, margin, size) if mask.width else whole_window(mask.size, size)


def _chosen(rng: np.random.Generator, frames: int, clips: ClipView) -> _Choice:
    """Which frames of a clip play which part."""
    query = 1 + int(float(rng.random()) * (frames - 1))
    u, where, *later = rng.random(2 + clips.memories - 1).tolist()
    kind = "before"
    for each in KINDS:
        share = getattr(clips, each)
        if 0 <= u < share:
            kind = each
        u -= share
    guide = int(where * query) if kind == "stale" else query - 1
    rest = [n for n in range(1, frames) if n != query]
    return _Choice(query, guide, (0, *(rest[int(each * len(rest))] for each in later)), kind)


def _guide(
    rng: np.random.Generator,
    kind: str,
    masks: Sequence[ObjectCrop],
    query: int,
    before: int,
    other: NDArray[np.bool_] | None,
) -> ObjectCrop:
    """A guide mask: of the frame before, grown, or what takes its place."""
    radius, swapped = int(rng.integers(GROWN + 1)), float(rng.random()) < 0.3
    seen = masks[before]
    if not seen.width:  # as propagation keeps the last mask of what is gone
        seen = next((mask for mask in reversed(masks[:before]) if mask.width), seen)
    if kind == "none":
        return ObjectCrop.nothing(seen.size)
    if kind == "deformed" and masks[query].width:
        return ObjectCrop.of(deform(masks[query], PRESETS["masktrack"], rng).mask)
    if kind == "mistaken" and other is not None and other.any():
        seen = ObjectCrop.of(other.view(np.uint8) if swapped else np.maximum(other, seen.mask() > 0).view(np.uint8))
    return Dilate(radius).apply(seen, np.array([radius])) if seen.width and radius else seen


def _mirrored(plane: NDArray[np.uint8], flip: bool) -> NDArray[np.uint8]:
    return np.ascontiguousarray(plane[:, ::-1]) if flip else plane
