"""The static stage of AOT and DeAOT: each frame's objects may be mirrored, moved a little and cut, but in frame 0.

A second picture's objects lie over the first. Ids are shuffled, those hardly seen in frame 0 are dropped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..config import setting
from ..transforms.sampling import composed
from .motion import Drawn, Material, Motion, about, around, between, inverted, of_pixels, turned
from .plan import OBJECTS, WHOLE, Candidate, Layer, Pose

_TRIES = 10  # cuts drawn before the middle one is taken


@dataclass(frozen=True)
class Aot(Motion):
    """Frame 0 is the picture, cut; the others are that picture moved, and cut anew.

    Attributes:
        clip_flip: share of clips that are mirrored.
        flip: share of later frames that are mirrored.
        rotation: largest turn of a later frame in degrees.
        shift: largest shift of a later frame as a fraction of the sides; whole pixels.
        scale_low, scale_high: factor in each later frame.
        shear: largest shear along x in degrees.
        area_low, area_high: of the cut, as a share of the photo.
        ratio_low, ratio_high: width over height of the cut, drawn log-uniformly.
        most_of_one: objects kept of one picture, after shuffling.

    Source: yoxu515/aot-benchmark 601c138: `dataloaders/train_datasets.py`, `video_transforms.py`.
    """

    kind: ClassVar[str] = "aot"

    clip_flip: float = setting(0.5, 0, 1)
    flip: float = setting(0.3, 0, 1)
    rotation: float = setting(20.0, 0, 180)
    shift: float = setting(0.1, 0, 1)
    scale_low: float = setting(0.9, 0.01, 10)
    scale_high: float = setting(1.1, 0.01, 10)
    shear: float = setting(10.0, 0, 80)
    area_low: float = setting(0.8, 0.01, 1)
    area_high: float = setting(1.0, 0.01, 1)
    ratio_low: float = setting(0.75, 0.01, 100)
    ratio_high: float = setting(4 / 3, 0.01, 100)
    most_of_one: int = setting(10, 1, 254)

    def draw(self, rng: np.random.Generator, material: Material) -> Drawn:
        """A layer for each picture, and the order of ids."""
        layers, candidates, numbers = [], [], []
        for n, still in enumerate(material.stills):
            is_flipped = float(rng.random()) < self.clip_flip
            frames = [self._frame(rng, still.size, frame) for frame in range(material.frames)]
            poses = [
                Pose(of_pixels(_photo_for_frame(still.size, material.size, is_flipped, drawn)), None,
                     material.colour.draw_frame(rng, frame))
                for frame, drawn in enumerate(frames)
            ]  # fmt: skip
            ids = tuple(range(1, len(still.object_ids) + 1))
            layers.append(Layer(n, tuple(poses), OBJECTS if n else WHOLE, ids))
            groups = material.groups(n)
            kept = [groups[at] for at in np.argsort(rng.random(len(groups))).tolist()][: self.most_of_one]
            candidates += [(n, group) for group in kept]
            numbers.append({"flip": is_flipped, "frames": frames})
        ranks = np.argsort(rng.random(len(candidates))).tolist()
        ranked = tuple(Candidate(n, group, rank) for (n, group), rank in zip(candidates, ranks, strict=True))
        return Drawn(tuple(layers), ranked, numbers={"stills": numbers})

    def _frame(self, rng: np.random.Generator, size: tuple[int, int], frame: int) -> dict[str, Any]:
        """What is drawn for one frame; as many numbers for the first, which uses but the cut."""
        H, W = size
        is_flipped = float(rng.random()) < self.flip
        rotation = around(rng, self.rotation)
        shift = round(around(rng, self.shift) * W), round(around(rng, self.shift) * H)
        scale = between(rng, (self.scale_low, self.scale_high))
        shear = around(rng, self.shear)
        drawn: dict[str, Any] = {"cut": self._cut(rng, size)}
        if frame == 0:
            return {"flip": False, "rotation": 0.0, "shift": (0, 0), "scale": 1.0, "shear": 0.0} | drawn
        return {"flip": is_flipped, "rotation": rotation, "shift": shift, "scale": scale, "shear": shear} | drawn

    def _cut(self, rng: np.random.Generator, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Top, left, height and width of the cut in pixels of the photo."""
        H, W = size
        found = None
        for _ in range(_TRIES):
            area = between(rng, (self.area_low, self.area_high)) * H * W
            ratio = math.exp(between(rng, (math.log(self.ratio_low), math.log(self.ratio_high))))
            down, across = rng.random(2).tolist()
            w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if found is None and 0 < w <= W and 0 < h <= H:
                found = int(down * (H - h + 1)), int(across * (W - w + 1)), h, w
        return found or self._middle(size)

    def _middle(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """The largest cut of an allowed ratio, in the middle."""
        H, W = size
        w, h = W, H
        if self.ratio_low > W / H:
            h = round(W / self.ratio_low)
        elif self.ratio_high < W / H:
            w = round(H * self.ratio_high)
        return (H - h) // 2, (W - w) // 2, h, w


def _photo_for_frame(size: tuple[int, int], side: int, is_flipped: bool, drawn: dict[str, Any]) -> np.ndarray:
    """(2, 3): points of the photo for points of the frame, the published steps backwards."""
    H, W = size
    top, left, h, w = drawn["cut"]
    cut = np.array([[w / side, 0, left], [0, h / side, top]])
    linear = turned(drawn["rotation"], drawn["shear"], drawn["scale"])
    back = inverted(about(linear, (W / 2, H / 2), drawn["shift"]))
    mirror = np.array([[-1.0, 0, W], [0, 1, 0]]) if is_flipped != drawn["flip"] else np.eye(2, 3)
    return composed(mirror, composed(back, cut))
