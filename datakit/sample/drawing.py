"""Draws outlines as pixels: noise, textures, light, and exact coverage of an outline.

A picture is float32 RGB in 0..1. A figure's cover is the share of each pixel that it hides;
its mask is where that share is half or more, so image and mask come from the same outline.
What to draw is left to `figures`, where to put it to `layouts`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .figures import DARK, LIGHT, MAIN, Figure, Part, Points

Picture = NDArray[np.float32]
Cover = NDArray[np.float32]
Palette = NDArray[np.float32]
Window = tuple[slice, slice]

OVERSAMPLING = 4
LIGHT_FROM = np.array([-0.45, -0.65, 0.62], np.float32)


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between `low` and `high`."""
    return low + (high - low) * float(rng.random())


def choose(rng: np.random.Generator, items: Sequence[Any]) -> Any:
    """One of `items`."""
    return items[int(rng.integers(len(items)))]


def noise(
    rng: np.random.Generator, size: tuple[int, int], cell: float, octaves: int = 4, stretch: float = 1.0
) -> Cover:
    """Cloudy (H, W) float32 noise in about 0..1, with blots `cell` px high and `cell * stretch` px wide."""
    H, W = size
    total = np.zeros(size, np.float32)
    for k in range(octaves):
        rows, columns = (max(2, math.ceil(n * 2**k / c)) for n, c in ((H, cell), (W, cell * stretch)))
        grid = rng.random((min(rows, H), min(columns, W)), np.float32)
        total += cv2.resize(grid, (W, H), interpolation=cv2.INTER_CUBIC) * np.float32(0.5**k)
    clouds: Cover = np.clip(total / np.float32(2 - 0.5 ** (octaves - 1)), 0, 1)
    return clouds


def blur(picture: Picture, sigma: float) -> Picture:
    """Gaussian blur of a picture or a cover, `sigma` in pixels."""
    return cv2.GaussianBlur(picture, (0, 0), sigma).astype(np.float32, copy=False)


def blend(below: Picture, above: Picture | Palette, share: Cover) -> Picture:
    """`above` over `below` where (H, W) `share` is 1."""
    mixed: Picture = below + (above - below) * share[..., None]
    return mixed


def step(values: Cover, low: float, high: float) -> Cover:
    """0 under `low`, 1 over `high`, smooth between."""
    t = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    smooth: Cover = t * t * (3 - 2 * t)
    return smooth


def colour(hue: float, saturation: float, value: float) -> Palette:
    """(3,) float32 RGB of a hue, saturation and value in 0..1."""
    hsv = np.array([[[hue % 1 * 360, min(saturation, 1), min(value, 1)]]], np.float32)
    rgb: Palette = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]
    return rgb


def palette(rng: np.random.Generator, hue: float, second: float | None) -> Palette:
    """(4, 3) float32 RGB for the tones MAIN, SECOND, DARK and LIGHT; `second` None is a hue near the first."""
    strength = between(rng, 0.45, 0.85)
    value = between(rng, 0.6, 0.9)
    other = hue + between(rng, -0.06, 0.06) if second is None else second
    tones = [colour(hue, strength, value), colour(other, strength * 0.9, value * 0.62)]
    tones += [colour(hue, 0.4, 0.1), colour(hue + 0.02, 0.14, 0.95)]
    return np.stack(tones)


def curve(points: NDArray[np.float64], closed: bool) -> NDArray[np.float64]:
    """Catmull-Rom curve through (N, 2) points, twelve steps between neighbours."""
    ends = (points[-1:], points[:2]) if closed else (points[:1], points[-1:])
    p = np.concatenate([ends[0], points, ends[1]])
    a, b, c, d = (p[k : len(p) - 3 + k, None] for k in range(4))
    t = np.linspace(0, 1, 12, endpoint=False)[None, :, None]
    run = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    path = run.reshape(-1, 2)
    return path if closed else np.concatenate([path, points[-1:]])


def place(points: Points, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 2) figure points carried into the picture by a (2, 3) matrix."""
    placed: NDArray[np.float64] = np.asarray(points) @ matrix[:, :2].T + matrix[:, 2]
    return placed


def part_cover(part: Part, matrix: NDArray[np.float64], size: tuple[int, int]) -> tuple[Window, Cover]:
    """The window of the (H, W) canvas that one part lies in, and the share of each of its pixels that it hides."""
    outline = place(part.points, matrix)
    if part.kind != "sharp":
        outline = curve(outline, closed=part.kind != "line")
    width = part.width * math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    margin = math.ceil(width / 2) + 2
    x0, y0 = np.clip(np.floor(outline.min(axis=0)).astype(int) - margin, 0, (size[1] - 1, size[0] - 1))
    x1, y1 = np.clip(np.ceil(outline.max(axis=0)).astype(int) + margin, (x0 + 1, y0 + 1), (size[1], size[0]))
    canvas = np.zeros(((y1 - y0) * OVERSAMPLING, (x1 - x0) * OVERSAMPLING), np.uint8)
    corners = np.round((outline - (x0, y0)) * OVERSAMPLING * 16 - 8).astype(np.int32)
    if part.kind == "line":
        thickness = max(OVERSAMPLING, round(width * OVERSAMPLING))
        cv2.polylines(canvas, [corners], False, 255, thickness, cv2.LINE_8, 4)
    else:
        cv2.fillPoly(canvas, [corners], 255, cv2.LINE_8, 4)
    small = cv2.resize(canvas, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    return (slice(y0, y1), slice(x0, x1)), small.astype(np.float32) / np.float32(255)


def light(cover: Cover, rng: np.random.Generator) -> Cover:
    """(H, W) float32 brightness, about 0.5..1.3, of a cushion with this outline lit from the upper left."""
    depth = cv2.distanceTransform((cover >= 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    reach = max(float(depth.max()) * 0.9, 1.0)
    height = np.sqrt(1 - (1 - np.minimum(depth / reach, 1)) ** 2) * np.float32(reach * 0.7)
    height = blur(height, max(0.8, reach * 0.16)) + noise(rng, cover.shape, 9, 3) * np.float32(0.9)
    dx, dy = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=0.125)
    facing = (LIGHT_FROM[2] - dx * LIGHT_FROM[0] - dy * LIGHT_FROM[1]) / np.sqrt(1 + dx * dx + dy * dy)
    lit: Cover = 0.42 + 0.78 * np.clip(facing, 0, 1) + 0.5 * np.clip(facing - 0.86, 0, 1)
    return lit


def texture(rng: np.random.Generator, size: tuple[int, int], pattern: str, scale: float, tones: Palette) -> Picture:
    """(H, W, 3) picture of a main colour with its pattern; `scale` is the figure's height in pixels."""
    cloud = noise(rng, size, scale / 4)
    base = np.broadcast_to(tones[MAIN], (*size, 3)).astype(np.float32) * (0.78 + 0.44 * cloud)[..., None]
    other = tones[LIGHT] if rng.random() < 0.4 else tones[DARK] * 1.6 + 0.04
    if pattern == "fur":
        hairs = noise(rng, size, max(2.0, scale / 60), 2, between(rng, 5, 9))
        combed: Picture = base * (0.72 + 0.56 * hairs)[..., None]
        return combed
    if pattern == "stripes":
        x = np.arange(size[1], dtype=np.float32)[None] + 0.25 * np.arange(size[0], dtype=np.float32)[:, None]
        wave = np.sin(
            (x + cloud * np.float32(scale * 0.35)) * np.float32(2 * math.pi / (scale * between(rng, 0.16, 0.26)))
        )
        return blend(base, other, step(wave, 0.15, 0.55) * np.float32(0.8))
    if pattern == "spots":
        return blend(base, other, step(noise(rng, size, scale / between(rng, 5, 8), 2), 0.58, 0.66) * np.float32(0.85))
    return base


def paint(
    rng: np.random.Generator, figure: Figure, matrix: NDArray[np.float64], size: tuple[int, int]
) -> tuple[Picture, Cover]:
    """Draw a figure on its own.

    Args:
        rng: draws its colours, texture and surface.
        figure: what to draw.
        matrix: (2, 3) float64 from the figure's unit box to pixels.
        size: (H, W) of the canvas.

    Returns:
        (H, W, 3) float32 colours and (H, W) float32 cover; the mask is where the cover is at least a half.
    """
    tones = palette(rng, choose(rng, figure.colours) + between(rng, -0.02, 0.02), figure.second)
    scale = 2 * math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    pattern = choose(rng, figure.textures)
    surface = texture(rng, size, pattern, scale, tones)
    grain = 0.85 + 0.3 * noise(rng, size, max(3.0, scale / 25), 3)
    colours, cover = np.zeros((*size, 3), np.float32), np.zeros(size, np.float32)
    for part in figure.parts:
        window, own = part_cover(part, matrix, size)
        if part.kind == "hole":
            cover[window] *= 1 - own
            continue
        skin = surface[window] if part.tone == MAIN else tones[part.tone] * grain[window][..., None]
        shine = light(own, rng)[..., None] if part.tone != DARK else np.float32(0.9)
        colours[window] = blend(colours[window], skin * shine, own)
        cover[window] = np.maximum(cover[window], own)
    return np.clip(colours / np.maximum(cover, 1e-3)[..., None], 0, 1), cover


def shadow(cover: Cover, feet: float, stands: bool) -> Cover:
    """(H, W) float32 darkness 0..1 that a figure throws on the ground: flat behind its feet, or soft beside it."""
    H, W = cover.shape
    if stands:
        # Squashed onto the ground line and sheared away from the light.
        flat = np.array([[1, -0.55, 0.55 * feet], [0, 0.2, 0.8 * feet - 1]], np.float32)
        fallen = cv2.warpAffine(cover, flat, (W, H)).astype(np.float32)
        return blur(fallen, W / 110) * np.float32(0.62)
    beside = cv2.warpAffine(cover, np.array([[1, 0, W / 45], [0, 1, H / 28]], np.float32), (W, H))
    return blur(beside.astype(np.float32), W / 50) * np.float32(0.5)
