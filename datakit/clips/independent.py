"""Every frame drawn by itself: the static stage of STCN, XMem, DEVA and Cutie.

A picture is scaled and mirrored once a clip, then turned, sheared and scaled anew for each frame, its shorter side
made the size of the frame, and a square cut that slides along the longer side; now and then a spline bends it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..config import setting
from ..transforms.sampling import composed
from ..transforms.tps import distinct_below
from .motion import Drawn, Material, Motion, about, around, between, inverted, of_pixels, turned
from .plan import OBJECTS, WHOLE, Bend, Candidate, Layer, Pose, Rectangle


@dataclass(frozen=True)
class Independent(Motion):
    """Frames that have nothing to do with each other but their picture.

    What the scaling of a clip pushes out of the photo's own canvas stays out, even where a frame's scaling would bring
    it back.

    Attributes:
        clip_scale_low, clip_scale_high: factor once a clip.
        scale_low, scale_high: factor in each frame.
        rotation: largest turn of a frame in degrees.
        shear: largest shear of a frame along x in degrees.
        flip: share of clips that are mirrored.
        bend: share of frames that are bent by a spline.
        bend_points: control points of the spline, each in a row and a column of its own.
        bend_by: deviation of their moves, as a fraction of the side.

    Source: hkchengrex/STCN eb83102, XMem f3b841d, DEVA 404a112, Cutie ec5cdd4: `static_dataset.py`, `tps.py`.
    """

    kind: ClassVar[str] = "independent"

    clip_scale_low: float = setting(0.8, 0.01, 10)
    clip_scale_high: float = setting(1.5, 0.01, 10)
    scale_low: float = setting(0.9, 0.01, 10)
    scale_high: float = setting(1.1, 0.01, 10)
    rotation: float = setting(20.0, 0, 180)
    shear: float = setting(10.0, 0, 80)
    flip: float = setting(0.5, 0, 1)
    bend: float = setting(0.33, 0, 1)
    bend_points: int = setting(12, 3, 64)
    bend_by: float = setting(0.02, 0, 0.5)

    def draw(self, rng: np.random.Generator, material: Material) -> Drawn:
        """A layer for each picture: the first whole, of the others the objects."""
        layers: list[Layer] = []
        candidates: list[Candidate] = []
        numbers: list[dict[str, Any]] = []
        for n in range(len(material.stills)):
            layer, drawn = self._layer(rng, material, n)
            layers.append(layer)
            numbers.append(drawn)
            candidates += [Candidate(n, group, len(candidates)) for group in material.groups(n)]
        return Drawn(tuple(layers), tuple(candidates), numbers={"stills": numbers})

    def _layer(self, rng: np.random.Generator, material: Material, n: int) -> tuple[Layer, dict[str, Any]]:
        still = material.stills[n]
        clip_scale = between(rng, (self.clip_scale_low, self.clip_scale_high))
        is_flipped = float(rng.random()) < self.flip
        shades = material.colour.draw_clip(rng)
        frames = [self._frame(rng, material, still.size) for _ in range(material.frames)]
        poses = []
        for frame, drawn in enumerate(frames):
            matrix = photo_for_frame(still.size, material.size, clip_scale, is_flipped, drawn)
            bend = None if drawn["bend"] is None else Bend(*drawn["bend"])
            poses.append(Pose(of_pixels(matrix), bend, material.colour.draw_frame(rng, frame)))
        numbers = tuple(range(1, len(still.object_ids) + 1))
        part = OBJECTS if n else WHOLE
        layer = Layer(n, tuple(poses), part, numbers, on_canvas(still.size, clip_scale), shades)
        return layer, {"clip_scale": clip_scale, "flip": is_flipped, "frames": frames}

    def _frame(self, rng: np.random.Generator, material: Material, size: tuple[int, int]) -> dict[str, Any]:
        rotation = around(rng, self.rotation)
        scale = between(rng, (self.scale_low, self.scale_high))
        shear = around(rng, self.shear)
        H, W = resized(size, material.size)
        left, top = (int(float(rng.random()) * (side - material.size + 1)) for side in (W, H))
        drawn: dict[str, Any] = {
            "rotation": rotation,
            "scale": scale,
            "shear": shear,
            "left": left,
            "top": top,
            "bend": None,
        }
        if float(rng.random()) < self.bend:
            drawn["bend"] = self._bend(rng, material.size)
        return drawn

    def _bend(self, rng: np.random.Generator, size: int) -> tuple[tuple[tuple[float, float], ...], ...]:
        """Start and end of control points, fractions of the side."""
        columns, rows = (distinct_below(rng.random(self.bend_points).tolist(), size) for _ in range(2))
        moves = [(self.bend_by * x, self.bend_by * y) for x, y in (normal_pair(rng) for _ in range(self.bend_points))]
        start = [(x / size, y / size) for x, y in zip(columns, rows, strict=True)]
        end = [(x + dx, y + dy) for (x, y), (dx, dy) in zip(start, moves, strict=True)]
        return tuple(start), tuple(end)


def normal_pair(rng: np.random.Generator) -> tuple[float, float]:
    """Two numbers of the normal distribution, from two uniform ones (Box and Muller)."""
    radius, angle = rng.random(2).tolist()
    length = math.sqrt(-2 * math.log(1 - radius))
    return length * math.cos(2 * math.pi * angle), length * math.sin(2 * math.pi * angle)


def resized(size: tuple[int, int], shorter: int) -> tuple[int, int]:
    """(H, W) of a photo whose shorter side is made `shorter`, the longer one rounded down."""
    H, W = size
    return (shorter, int(shorter * W / H)) if H <= W else (int(shorter * H / W), shorter)


def on_canvas(size: tuple[int, int], scale: float) -> Rectangle | None:
    """What of a photo is left on a canvas of its own size when it is scaled about its middle; None for all."""
    if scale <= 1:
        return None
    H, W = size
    across, down = W / 2 * (1 - 1 / scale), H / 2 * (1 - 1 / scale)
    return across, down, W - across, H - down


def photo_for_frame(
    size: tuple[int, int], side: int, clip_scale: float, is_flipped: bool, drawn: dict[str, Any]
) -> np.ndarray:
    """(2, 3): points of the photo for points of the frame, the published steps backwards.

    Args:
        size: (H, W) of the photo.
        side: of the frame.
        clip_scale: factor once a clip.
        is_flipped: whether the clip is mirrored.
        drawn: `rotation` and `shear` in degrees, `scale`, `left` and `top` of the cut in pixels of the resized photo.
    """
    (H, W), (tall, wide) = size, resized(size, side)
    middle = W / 2, H / 2
    cut = np.array([[W / wide, 0, drawn["left"] * W / wide], [0, H / tall, drawn["top"] * H / tall]])
    back = inverted(about(turned(drawn["rotation"], drawn["shear"], drawn["scale"]), middle))
    mirror = np.array([[-1.0, 0, W], [0, 1, 0]]) if is_flipped else np.eye(2, 3)
    unscaled = about(np.eye(2) / clip_scale, middle)
    return composed(unscaled, composed(mirror, composed(back, cut)))
