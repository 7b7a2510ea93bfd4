"""Dialects of clips: what each published trainer takes from its data set, key by key.

`DIALECTS` is the one table. A dialect is a function from a clip to an item; shapes, types and ranges are those of the
published loader, `info` and `meta` name the clip where theirs name a file. T frames of side S, K objects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from datakit.clips import Clip
from datakit.errors import UsageError
from datakit.seeds import key_hash

from .inputs import UNIT_RGB, InputCoding, pack_input

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # mean and deviation, as all of them have it
Making = Callable[[Clip, int, np.random.Generator], Any]


@dataclass(frozen=True)
class Dialect:
    """How a clip becomes an item of a data set.

    Attributes:
        make: from a clip, the number K of object slots, and a source of chance for what the dialect itself draws.
        least_frames: of a clip that it can be made of.
        is_single: whether it knows one object alone.
        needs_rough: whether it is nothing without rough masks.
    """

    make: Making
    least_frames: int = 1
    is_single: bool = False
    needs_rough: bool = False


def plain(clip: Clip, slots: int, rng: np.random.Generator) -> tuple[Tensor, ...]:
    """Frames, labels and ids, and guides where the recipe makes rough masks.

    Returns:
        (T, 3, S, S) uint8 RGB; (T, S, S) uint8, 0 for ground; (K,) int64, the ids there are, 0 for none; and
        (T, K, S, S) uint8 0/1.
    """
    ids = torch.zeros(slots, dtype=torch.int64)
    ids[: len(clip.objects)] = torch.tensor([each.number for each in clip.objects], dtype=torch.int64)
    frames = torch.from_numpy(clip.frames).permute(0, 3, 1, 2).contiguous()
    found = frames, torch.from_numpy(clip.labels), ids
    return found if clip.guides is None else (*found, torch.from_numpy(_slotted(clip.guides, slots)))


def cutie(clip: Clip, slots: int, rng: np.random.Generator, *, is_normalised: bool = False) -> dict[str, Any]:
    """Of Cutie; normalised, of XMem and DEVA.

    Returns:
        `rgb` (T, 3, S, S) float32, 0..1 or normalised; `first_frame_gt` (1, K, S, S) int64 0/1, the guides of frame 0
        where the recipe makes them; `cls_gt` (T, 1, S, S) int64 ids; `selector` (K,) float32, 1 for an object, and 1
        for the first even where there is none; `info` with `name` and `num_objects`, at least 1.

    Source: hkchengrex/Cutie ec5cdd4, XMem f3b841d, DEVA 404a112: static_dataset.py.
    """
    count = max(1, len(clip.objects))
    selector = torch.zeros(slots)
    selector[:count] = 1
    return {
        "rgb": to_float(clip.frames, is_normalised),
        "first_frame_gt": torch.from_numpy(_slotted(_masks(clip, 0)[None], slots)).long(),
        "cls_gt": torch.from_numpy(clip.labels[:, None]).long(),
        "selector": selector,
        "info": {"name": clip.key, "num_objects": count},
    }


def matanyone(clip: Clip, slots: int, rng: np.random.Generator) -> dict[str, Any]:
    """Of MatAnyone: Cutie's item, and `info` says with `is_img` that the clip is made of a photo.

    Source: pq-yang/MatAnyone e5ddc53: static_dataset.py.
    """
    item = cutie(clip, slots, rng)
    item["info"]["is_img"] = True
    return item


def stcn(clip: Clip, slots: int, rng: np.random.Generator, *, is_rough: bool = False) -> dict[str, Any]:
    """Of STCN; rough, of RDE-VOS.

    Returns:
        `rgb` (T, 3, S, S) float32, normalised; `gt` (T, 1, S, S) float32 0/1; `cls_gt` (T, S, S) int64 0/1; `info` with
        `name`; and rough, `pgt` as `gt`, from the guides.

    Source: hkchengrex/STCN eb83102, Limingxing00/RDE-VOS-CVPR2022 548a889: static_dataset.py.
    """
    mask = torch.from_numpy((clip.labels > 0).view(np.uint8))
    item = {
        "rgb": to_float(clip.frames, True),
        "gt": mask[:, None].float(),
        "cls_gt": mask.long(),
        "info": {"name": clip.key},
    }
    if is_rough:
        guides = np.stack([_masks(clip, frame).any(0) for frame in range(len(clip.frames))])
        item["pgt"] = torch.from_numpy(guides[:, None]).float()
    return item


def aot(clip: Clip, slots: int, rng: np.random.Generator) -> dict[str, Any]:
    """Of AOT and DeAOT.

    Returns:
        `ref_img` and `prev_img` (3, S, S) float32, normalised, `curr_img` a list of T - 2 of them; `ref_label` and
        `prev_label` (1, S, S) int64 ids, `curr_label` a list; `meta` with `seq_name`, `frame_num` 1 and `obj_num`.

    Source: yoxu515/aot-benchmark 601c138: train_datasets.py, StaticTrain.
    """
    images, labels = to_float(clip.frames, True), torch.from_numpy(clip.labels[:, None]).long()
    item: dict[str, Any] = {}
    for name, planes in (("img", images), ("label", labels)):
        first, second, *rest = planes
        item |= {f"ref_{name}": first, f"prev_{name}": second, f"curr_{name}": rest}
    return item | {"meta": {"seq_name": clip.key, "frame_num": 1, "obj_num": len(clip.objects)}}


@dataclass
class Sam2Frame:
    """One frame as SAM 2's `VOSFrame` is: `data` (3, S, S) float32 0..1, and no file."""

    frame_idx: int
    data: Tensor
    image_path: str = ""
    is_conditioning_only: bool = False


@dataclass
class Sam2Video:
    """A clip as SAM 2's `VOSVideo` is."""

    video_name: str
    video_id: int
    frames: list[Sam2Frame]

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True)
class Sam2Segments:
    """The masks of a clip as SAM 2's segment loaders give them."""

    labels: NDArray[np.uint8]
    ids: Sequence[int]

    def load(self, frame_idx: int, obj_ids: Sequence[int] | None = None) -> dict[int, Tensor]:
        """Id -> (S, S) bool, of a frame."""
        return {each: torch.from_numpy(self.labels[frame_idx] == each) for each in obj_ids or self.ids}


def sam2(clip: Clip, slots: int, rng: np.random.Generator) -> tuple[Sam2Video, Sam2Segments]:
    """What `get_video` of a raw data set of SAM 2 gives: a video and its masks; its transforms come after.

    Source: facebookresearch/sam2 2b90b9f: training/dataset/vos_raw_dataset.py, vos_dataset.py.
    """
    frames = [Sam2Frame(number, data) for number, data in enumerate(to_float(clip.frames))]
    video = Sam2Video(clip.key, key_hash(clip.key) >> 33, frames)
    return video, Sam2Segments(clip.labels, [each.number for each in clip.objects])


def masktrack(clip: Clip, slots: int, rng: np.random.Generator, *, coding: InputCoding = UNIT_RGB) -> dict[str, Any]:
    """Of MaskTrack, as `TripleDataset` gives it: one frame, one object of it, and its guide mask.

    The guide is a rough mask of the last frame that has one; where the recipe makes none, the last frame is taken, and
    the mask of the frame before it is the guide.

    Returns:
        `input` (4, S, S) float32, `target` (S, S) uint8 0/1, `valid` (S, S) uint8, 0 where a source knows nothing, and
        `key`.

    Raises:
        UsageError: a clip of one frame without rough masks.
    """
    rough = [frame for frame, each in enumerate(clip.plan.guides) if any(each)]
    frame = rough[-1] if rough else len(clip.frames) - 1
    if not (rough or frame):
        raise UsageError(f"{clip.key}: one frame and no rough mask; let the recipe make rough masks "
                         "(`rough=deformed`) or more frames (`frames=2`)")  # fmt: skip
    number = int(rng.integers(len(clip.objects))) + 1 if clip.objects else 1
    target = (clip.labels[frame] == number).view(np.uint8)
    if rough and clip.guides is not None and clip.objects:
        guide = clip.guides[frame, number - 1]
    else:
        guide = (clip.labels[frame - 1] == number).view(np.uint8)
    valid = np.ones_like(target) if clip.ignored is None else 1 - clip.ignored[frame]
    return {
        "input": pack_input(clip.frames[frame], guide, coding),
        "target": torch.from_numpy(target),
        "valid": torch.from_numpy(valid),
        "key": clip.key,
    }


def to_float(frames: NDArray[np.uint8], is_normalised: bool = False) -> Tensor:
    """Frames as networks read them, equal in every bit to torchvision's ToTensor, and to its Normalize after that.

    Args:
        frames: (T, S, S, 3) uint8 RGB.
        is_normalised: by ImageNet's mean and deviation; else 0..1.

    Returns:
        (T, 3, S, S) float32.
    """
    made = np.empty((len(frames), 3, *frames.shape[1:3]), np.float32)
    tables = _levels(is_normalised)
    for frame, planes in zip(frames, made, strict=True):
        for channel, table, plane in zip(cv2.split(frame), tables, planes, strict=True):
            cv2.LUT(channel, table, plane)
    return torch.from_numpy(made)


@lru_cache(2)
def _levels(is_normalised: bool) -> list[NDArray[np.float32]]:
    """(256,) float32 for each channel: what stands for a grey level."""
    levels = torch.arange(256, dtype=torch.float32) / 255
    mean, deviation = (torch.tensor(each) for each in (IMAGENET if is_normalised else ((0.0,) * 3, (1.0,) * 3)))
    return [((levels - m) / d).numpy() for m, d in zip(mean, deviation, strict=True)]


def _masks(clip: Clip, frame: int) -> NDArray[np.uint8]:
    """(K, S, S) 0/1: the guides of a frame, or the true masks where there are none."""
    if clip.guides is not None:
        guides: NDArray[np.uint8] = clip.guides[frame]
        return guides
    numbers = np.array([each.number for each in clip.objects], np.uint8)
    masks: NDArray[np.uint8] = np.equal(clip.labels[frame], numbers[:, None, None]).view(np.uint8)
    return masks


def _slotted(masks: NDArray[np.uint8], slots: int) -> NDArray[np.uint8]:
    """(T, K, S, S): empty masks for the objects there are not."""
    if masks.shape[1] == slots:
        return masks
    T, K, H, W = masks.shape
    made = np.zeros((T, slots, H, W), np.uint8)
    made[:, :K] = masks
    return made


DIALECTS: dict[str, Dialect] = {
    "plain": Dialect(plain),
    "cutie": Dialect(cutie),
    "xmem": Dialect(partial(cutie, is_normalised=True)),
    "deva": Dialect(partial(cutie, is_normalised=True)),
    "matanyone": Dialect(matanyone),
    "stcn": Dialect(stcn, is_single=True),
    "rde": Dialect(partial(stcn, is_rough=True), is_single=True, needs_rough=True),
    "aot": Dialect(aot, least_frames=3),
    "deaot": Dialect(aot, least_frames=3),
    "sam2": Dialect(sam2),
    "masktrack": Dialect(masktrack),
}


def dialect_of(dialect: str | Dialect) -> Dialect:
    """A dialect by its name, or one of one's own.

    Raises:
        UsageError: no such dialect.
    """
    if isinstance(dialect, Dialect):
        return dialect
    if dialect not in DIALECTS:
        raise UsageError(f"dialect {dialect!r}: expected {', '.join(DIALECTS)}, or a Dialect of your own")
    return DIALECTS[dialect]
