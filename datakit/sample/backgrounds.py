"""Backgrounds of the drawn photos: sky, meadow, beach, forest, sea, room and stones.

Every ground is a function of a generator and a size that gives a float32 RGB picture in 0..1.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .drawing import Cover, Palette, Picture, between, blend, blur, colour, noise, step

HORIZON = 0.5


def _ramp(size: tuple[int, int], top: Palette, bottom: Palette) -> Picture:
    t = np.linspace(0, 1, size[0], dtype=np.float32)[:, None, None]
    return np.broadcast_to(top + (bottom - top) * t, (*size, 3)).astype(np.float32)


def _tinted(low: Palette, high: Palette, values: Cover) -> Picture:
    tinted: Picture = low + (high - low) * values[..., None]
    return tinted


def _floor(texture: Picture, size: tuple[int, int], horizon: int) -> Picture:
    """Lay a texture down as a floor seen at an angle, from the horizon to the lower edge."""
    H, W = size
    y = np.arange(horizon, H, dtype=np.float32)[:, None]
    far = np.float32(1.0) / ((y - horizon) / np.float32(H) + np.float32(0.14))
    x = np.arange(W, dtype=np.float32)[None]
    columns = (x - W / 2) * far * np.float32(0.45) + np.float32(W / 2)
    rows = np.broadcast_to(far * np.float32(0.45 * H), columns.shape)
    maps = columns.astype(np.float32), rows.astype(np.float32)
    return cv2.remap(texture, *maps, cv2.INTER_LINEAR, None, cv2.BORDER_REFLECT_101).astype(np.float32, copy=False)


def _scene(far: Picture, floor: Picture, horizon: int) -> Picture:
    picture = blur(far, far.shape[1] / 130)
    picture[horizon:] = floor
    band = slice(max(horizon - 4, 0), horizon + 5)
    picture[band] = blur(picture, 2.2)[band]
    return picture


def sky(rng: np.random.Generator, size: tuple[int, int]) -> Picture:
    """Blue with clouds, paler towards the bottom."""
    blue = between(rng, 0.55, 0.6)
    picture = _ramp(size, colour(blue, 0.62, 0.72), colour(blue - 0.02, 0.2, 0.95))
    clouds = step(noise(rng, size, size[0] / 2.5, 6, 2.0), 0.47, 0.72)
    return blend(picture, np.array([0.97, 0.96, 0.94], np.float32), clouds * np.float32(0.85))


def meadow(rng: np.random.Generator, size: tuple[int, int]) -> Picture:
    """Grass under hills and sky."""
    H, W = size
    horizon = round(H * HORIZON * between(rng, 0.75, 1.0))
    far = sky(rng, size)
    for k, value in enumerate((0.55, 0.42)):
        ridge = (horizon - H * (0.16 - 0.1 * k) * (0.4 + noise(rng, (1, W), W / 3, 3)[0])).astype(np.float32)
        hill = np.clip(np.arange(H, dtype=np.float32)[:, None] - ridge, 0, 1)
        far = blend(far, _tinted(colour(0.3, 0.3, value), colour(0.33, 0.5, value * 0.7), noise(rng, size, 14)), hill)
    blades = 0.55 * noise(rng, size, 26, 5) + 0.45 * noise(rng, size, 6, 2, 0.3)
    grass = _tinted(colour(0.27, 0.75, 0.2), colour(0.2, 0.62, 0.78), step(blades, 0.15, 0.85))
    return _scene(far, _floor(grass, size, horizon), horizon)


def beach(rng: np.random.Generator, size: tuple[int, int]) -> Picture:
    """Sand before a strip of water."""
    H, _ = size
    horizon = round(H * HORIZON * between(rng, 0.8, 1.0))
    far = sky(rng, size)
    water = _tinted(colour(0.54, 0.7, 0.45), colour(0.5, 0.35, 0.85), noise(rng, size, 5, 3, 9.0))
    far[round(horizon * 0.62) :] = water[round(horizon * 0.62) :]
    ripples = 0.5 * noise(rng, size, 16, 4, 3.0) + 0.5 * noise(rng, size, 3, 2)
    sand = _tinted(colour(0.09, 0.5, 0.5), colour(0.11, 0.26, 0.97), ripples)
    return _scene(far, _floor(sand, size, horizon), horizon)


def forest(rng: np.random.Generator, size: tuple[int, int]) -> Picture:
    """Leaves out of focus, discs of light, moss below."""
    H, W = size
    leaves = _tinted(colour(0.33, 0.7, 0.1), colour(0.25, 0.6, 0.5), step(noise(rng, size, 40, 3), 0.2, 0.9))
    for _ in range(26):
        disc = np.zeros(size, np.float32)
        centre = (int(rng.integers(W)), int(rng.integers(round(H * 0.7))))
        cv2.circle(disc, centre, round(between(rng, 0.015, 0.05) * W), between(rng, 0.1, 0.4), -1, cv2.LINE_AA)
        leaves = blend(leaves, colour(between(rng, 0.13, 0.28), 0.3, 0.95), blur(disc, 1.6))
    horizon = round(H * between(rng, 0.5, 0.62))
    litter = 0.5 * noise(rng, size, 22, 4) + 0.5 * noise(rng, size, 5, 2)
    moss = _tinted(colour(0.09, 0.55, 0.14), colour(0.22, 0.55, 0.6), step(litter, 0.2, 0.8))
    return _scene(leaves, _floor(moss, size, horizon), horizon)


def sea(rng: np.random.Generator, size: tuple[int, int]) -> Picture:
    """Under water: light from above, a blurred sea bed."""
    H, W = size
    hue = between(rng, 0.49, 0.56)
    picture = _ramp(size, colour(hue, 0.55, 0.85), colour(hue + 0.04, 0.85, 0.28))
    rays = noise(rng, (1, 2 * W), W / 7, 3)[0]
    slant = (np.arange(W)[None] + np.arange(H)[:, None] // 2) % (2 * W)
    fade = np.linspace(0.5, 0, H, dtype=np.float32)[:, None]
    picture = blend(picture, np.ones(3, np.float32), step(rays[slant], 0.5, 0.9) * fade)
    web = np.abs(noise(rng, size, 34, 2, 1.6) - np.float32(0.5))
    picture = blend(picture, np.array([0.9, 1, 1], np.float32), (1 - step(web, 0.0, 0.06)) * fade * np.float32(0.5))
    floor_at = (H * (0.78 + 0.16 * noise(rng, (1, W), W / 4, 4)[0])).astype(np.float32)
    bed = np.clip((np.arange(H, dtype=np.float32)[:, None] - floor_at) / 6, 0, 1)
    sand = _tinted(colour(hue + 0.02, 0.6, 0.2), colour(0.3, 0.25, 0.6), noise(rng, size, 12, 4, 2.0))
    return blur(blend(picture, sand, bed), 1.3)


def room(rng: np.random.Generator, size: tuple[int, int]) -> Picture:
    """A painted wall and a plank floor."""
    H, W = size
    horizon = round(H * between(rng, 0.48, 0.6))
    hue = between(rng, 0.0, 1.0)
    wall = (
        _ramp(size, colour(hue, 0.2, 0.62), colour(hue, 0.26, 0.86)) * (0.9 + 0.2 * noise(rng, size, 70, 5))[..., None]
    )
    wall[max(horizon - H // 28, 0) :] = np.array([0.92, 0.9, 0.86], np.float32) * 0.92
    plank = np.arange(W) // max(W // 9, 8)
    tone = rng.random(int(plank.max()) + 1, np.float32)[plank]
    grain = 0.55 * noise(rng, size, 60, 5, 0.08) + 0.45 * tone[None]
    wood = _tinted(colour(0.065, 0.66, 0.3), colour(0.09, 0.5, 0.82), grain)
    wood[:, np.flatnonzero(np.diff(plank))] *= np.float32(0.35)
    return _scene(wall, _floor(wood, size, horizon), horizon)


def stones(rng: np.random.Generator, size: tuple[int, int]) -> Picture:
    """Cobbles from above."""
    H, W = size
    seeds = np.full(size, 255, np.uint8)
    pitch = W / between(rng, 7, 10)
    for y in np.arange(0, H + pitch, pitch):
        for x in np.arange(0, W + pitch, pitch):
            column, row = (int(v + between(rng, -0.38, 0.38) * pitch) for v in (x, y))
            seeds[np.clip(row, 0, H - 1), np.clip(column, 0, W - 1)] = 0
    near, cell = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5)
    joint = cv2.morphologyEx(cell.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    edge = np.minimum(cv2.distanceTransform((~joint).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(pitch * 0.28), 1)
    tone = rng.random(int(cell.max()) + 1, np.float32)[cell]
    rough = 0.5 * noise(rng, size, 10, 4) + 0.3 * tone + 0.2 * np.minimum(near / np.float32(pitch), 1)
    slab = _tinted(colour(0.08, 0.14, 0.26), colour(0.1, 0.1, 0.86), rough)
    paved: Picture = slab * (0.4 + 0.6 * np.sqrt(edge))[..., None]
    return paved.astype(np.float32, copy=False)


GROUNDS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Picture]] = {
    "sky": sky,
    "meadow": meadow,
    "beach": beach,
    "forest": forest,
    "sea": sea,
    "room": room,
    "stones": stones,
}
