"""The chains of operations by which published loaders make clips of stills, at given numbers; the clip recipes' oracle.

Our own code after the sources of STCN eb83102, XMem f3b841d, DEVA 404a112, Cutie ec5cdd4, rf-cutie 1.0.1 and
AOT/DeAOT 601c138 with torchvision 0.29.1: the same steps in the same order with the same interpolations, by Pillow and
OpenCV. Nothing is drawn here and colours are left alone.

Geometry, as torchvision's `affine` has it (y points down, pixel i covers [i, i + 1)): a point p goes to
c + shift + scale · R · K · (p − c) with c = (W/2, H/2). R = [[cos r, −sin r], [sin r, cos r]] turns the content
clockwise on the screen for r > 0; K = [[1, −tan k], [0, 1]] moves what lies below the centre to the left for k > 0.
What leaves the canvas in one step is gone in the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image

MEAN = (124, 116, 104)
"""Fill of every affine, in the photo."""
NEAREST, BILINEAR, BICUBIC = Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC
POINTS = 12
"""Control points of a spline."""


@dataclass(frozen=True)
class Peer:
    """How one loader resamples.

    `image` and `mask` are the filters of a frame's affine; `image` is that of its resizing, too. With `stretch` the
    spline's map is multiplied by the side and not by the side less one, so that its identity enlarges by S/(S−1).
    """

    image: Image.Resampling
    mask: Image.Resampling
    stretch: bool = False


STM = Peer(BICUBIC, BICUBIC, stretch=True)
PEERS = {
    "stcn": STM,
    "xmem": STM,
    "deva": STM,
    "cutie": Peer(BILINEAR, NEAREST, stretch=True),
    "rf-cutie": Peer(BILINEAR, NEAREST),
    "aot": Peer(BICUBIC, NEAREST),
    "deaot": Peer(BICUBIC, NEAREST),
}


class Chained(NamedTuple):
    """A clip as a peer makes it.

    `images` are uint8 (T, S, S, 3). `masks` are uint8 (T, S, S): of the STM family grey as the peer has them, object
    above 127; of AOT ids. `inside` is bool (T, S, S): the pixel shows the photo and no fill of any step.
    """

    images: np.ndarray
    masks: np.ndarray
    inside: np.ndarray


def inverse_affine(
    size: tuple[int, int], *, rotation: float = 0.0, shear: float = 0.0, scale: float = 1.0, shift=(0.0, 0.0)
) -> tuple[float, ...]:
    """Pillow's six numbers of the affine: from a point of the result to its source.

    `size` is (W, H) in pixels, `rotation` and `shear` are degrees, `shift` is (x, y) in pixels.
    """
    turn, tangent = np.deg2rad(rotation), np.tan(np.deg2rad(shear))
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos - tangent * sin, sin + tangent * cos], [-sin, cos]]) / scale
    centre = np.array(size) / 2
    offset = centre - matrix @ (centre + np.array(shift, dtype=float))
    return (*matrix[0], offset[0], *matrix[1], offset[1])


def spline_map(sources: np.ndarray, targets: np.ndarray, size: int, *, stretch: bool) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of a square picture of `size` takes its colour, as OpenCV's two float32 maps (S, S).

    Points are (N, 2) of (x, y) in fractions of the side. The interpolating thin-plate spline is fitted at the targets
    and gives the sources there, so that what was at a source lies at its target afterwards.
    """

    def kernel(square: np.ndarray) -> np.ndarray:
        if stretch:  # that package keeps the logarithm off 0 so
            return square * np.log(np.sqrt(square) + 1e-6)
        return square * np.log(np.where(square > 0, square, 1.0)) / 2

    count = len(targets)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = kernel(((targets[:, None] - targets) ** 2).sum(-1))
    system[:count, count:] = np.column_stack([np.ones(count), targets])
    system[count:, :count] = system[:count, count:].T
    weights = np.linalg.solve(system, np.vstack([sources, np.zeros((3, 2))]))
    axis = np.linspace(0, 1, size, dtype=np.float32).astype(float)
    row, column = np.meshgrid(axis, axis, indexing="ij")
    maps = [one + across * column + down * row for one, across, down in weights[count:].T]
    for (x, y), weight in zip(targets, weights[:count], strict=True):
        bent = kernel((column - x) ** 2 + (row - y) ** 2)
        for each, part in zip(maps, weight, strict=True):
            each += part * bent
    side = size if stretch else size - 1
    return (maps[0] * side).astype(np.float32), (maps[1] * side).astype(np.float32)


@dataclass(frozen=True)
class _Layer:
    """One picture on its way: what it is filled with and how it is resampled in the frame's affine and resizing."""

    picture: Image.Image
    fill: Any
    affine: Image.Resampling
    resize: Image.Resampling
    spline: int

    def moved(self, picture: Image.Image, resample: Image.Resampling, **geometry: Any) -> Image.Image:
        """The affine on the picture's own canvas."""
        matrix = inverse_affine(picture.size, **geometry)
        return picture.transform(picture.size, Image.Transform.AFFINE, matrix, resample, fillcolor=self.fill)


def _layers(photo: np.ndarray, mask: np.ndarray, peer: Peer, *, grey: bool) -> list[_Layer]:
    if photo.shape[:2] != mask.shape:
        raise ValueError(f"photo is {photo.shape[:2]} and mask {mask.shape} (H, W): both must be of one size")
    levels = np.where(mask > 0, 255, 0).astype(np.uint8) if grey else mask.astype(np.uint8)
    canvas = Image.fromarray(np.full(mask.shape, 255, np.uint8))
    return [
        _Layer(Image.fromarray(photo), MEAN, peer.image, peer.image, cv2.INTER_LINEAR),
        _Layer(Image.fromarray(levels), 0, peer.mask, NEAREST, cv2.INTER_NEAREST),
        _Layer(canvas, 0, NEAREST, NEAREST, cv2.INTER_NEAREST),
    ]


def resized(size: tuple[int, int], short: int) -> tuple[int, int]:
    """(W, H) of a picture of `size` whose shorter side becomes `short` pixels; the longer is cut to whole pixels."""
    width, height = size
    return (short, int(short * height / width)) if width <= height else (int(short * width / height), short)


def _stm_frame(layer: _Layer, numbers: Mapping[str, Any], frame: Mapping[str, Any], peer: Peer, size: int):
    picture = layer.moved(layer.picture, NEAREST, scale=numbers["clip_scale"])
    if numbers["flip"]:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    shift = [part * side for part, side in zip(frame.get("shift", (0, 0)), picture.size, strict=True)]
    geometry = {name: frame[name] for name in ("rotation", "shear", "scale")}
    picture = layer.moved(picture, layer.affine, shift=shift, **geometry)
    picture = picture.resize(resized(picture.size, size), layer.resize)
    left, top = frame["crop"]
    made = np.asarray(picture.crop((left, top, left + size, top + size)))
    if frame["tps"] is None:
        return made
    return cv2.remap(made, *spline_map(*frame["tps"], size, stretch=peer.stretch), layer.spline)


def stm_chain(photo: np.ndarray, mask: np.ndarray, numbers: Mapping[str, Any], peer: str, size: int = 384) -> Chained:
    """The clip that STCN, XMem, DEVA, Cutie or rf-cutie makes of a still at these numbers.

    `photo` is uint8 (H, W, 3), `mask` (H, W) with the object above 0. `numbers` has `clip_scale`, `flip` and `frames`,
    each of `rotation` and `shear` in degrees, `scale`, `crop` (left, top) in pixels of the resized canvas, `tps`
    (sources, targets) as in `spline_map` or None, and, if anything, `shift` (x, y) in fractions of the canvas.

    Clip affine (nearest), flip, frame affine, shorter side to `size` (antialiased), crop, spline with black border.
    """
    how = PEERS[peer]
    layers = _layers(photo, mask, how, grey=True)
    made = [[_stm_frame(layer, numbers, frame, how, size) for frame in numbers["frames"]] for layer in layers]
    return Chained(np.stack(made[0]), np.stack(made[1]), np.stack(made[2]) > 127)


def _aot_frame(layer: _Layer, numbers: Mapping[str, Any], frame: Mapping[str, Any], first: bool, size: int):
    picture = layer.picture
    if numbers["flip"] != (not first and frame["flip"]):
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if not first:
        shift = [float(np.round(part * side)) for part, side in zip(frame["shift"], picture.size, strict=True)]
        geometry = {name: frame[name] for name in ("rotation", "shear", "scale")}
        picture = layer.moved(picture, layer.affine, shift=shift, **geometry)
    top, left, height, width = frame["box"]
    return np.asarray(picture.crop((left, top, left + width, top + height)).resize((size, size), layer.resize))


def aot_chain(photo: np.ndarray, ids: np.ndarray, numbers: Mapping[str, Any], peer: str, size: int = 465) -> Chained:
    """The clip that AOT or DeAOT makes of a still at these numbers, before ids are renumbered and another still pasted.

    `photo` is uint8 (H, W, 3), `ids` (H, W) with 0 for background. `numbers` has `flip` of the still and `frames`, each
    of `box` (top, left, height, width) in canvas pixels and, but for the first, which is cropped only, `flip`,
    `rotation` and `shear` in degrees, `scale` and `shift` (x, y) in fractions of the canvas, rounded to whole pixels.

    Flip, a frame's own flip, affine, crop, resizing of the box to `size` square (aspect is not kept).
    """
    layers = _layers(photo, ids, PEERS[peer], grey=False)
    made = [
        [_aot_frame(layer, numbers, frame, index == 0, size) for index, frame in enumerate(numbers["frames"])]
        for layer in layers
    ]
    return Chained(np.stack(made[0]), np.stack(made[1]), np.stack(made[2]) > 127)


def stm_numbers(drawn: Mapping[str, Any]) -> dict[str, Any]:
    """What `stm_chain` takes, of the numbers of one still in a plan of the motion `independent`."""
    frames = [
        {name: frame[name] for name in ("rotation", "shear", "scale")}
        | {"crop": (frame["left"], frame["top"])}
        | {"tps": None if frame["bend"] is None else tuple(np.array(each) for each in frame["bend"])}
        for frame in drawn["frames"]
    ]
    return {"clip_scale": drawn["clip_scale"], "flip": drawn["flip"], "frames": frames}


def aot_numbers(drawn: Mapping[str, Any], size: tuple[int, int]) -> dict[str, Any]:
    """What `aot_chain` takes, of the numbers of one still, (H, W) pixels, in a plan of the motion `aot`."""
    frames: list[dict[str, Any]] = [{"box": drawn["frames"][0]["cut"]}]
    for frame in drawn["frames"][1:]:
        moved = {name: frame[name] for name in ("flip", "rotation", "shear", "scale")}
        frames.append(
            {"box": frame["cut"], "shift": (frame["shift"][0] / size[1], frame["shift"][1] / size[0])} | moved
        )
    return {"flip": drawn["flip"], "frames": frames}
