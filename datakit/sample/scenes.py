"""Places shapes on backgrounds: photos with one to five objects, and a clip of two objects that cross.

Gives pictures as they would leave a camera (shadow, vignette, grain) with exact object ids.
Files and folders are left to `layouts`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Image, Labels
from .backgrounds import GROUNDS, sea
from .drawing import Cover, Picture, between, blend, choose, noise, paint, shadow
from .figures import FIGURES, Figure

SIZES = ((300, 400), (300, 400), (267, 400), (400, 300), (320, 400))
CLIP_SIZE = (240, 427)


@dataclass(frozen=True)
class Actor:
    """A figure with its place in a scene.

    Attributes:
        name: key of `FIGURES`.
        height: share of the picture's smaller side; less where it would not fit.
        x: where its middle stands, as a share of the width.
        feet: where its lower edge is, as a share of the height.
        object_id: what it is called in the labels; several actors may share one.
    """

    name: str
    height: float
    x: float
    feet: float
    object_id: int


@dataclass(frozen=True)
class Still:
    """A finished picture.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        labels: (H, W) uint8, 0 for the ground, else the actors' object ids.
        names: name of each object id, from 1.
    """

    image: Image
    labels: Labels
    names: tuple[str, ...]


def to_image(rng: np.random.Generator, picture: Picture) -> Image:
    """(H, W, 3) uint8 from a float picture: darker corners, a tone curve, grain."""
    H, W = picture.shape[:2]
    y, x = np.linspace(-1, 1, H, dtype=np.float32)[:, None], np.linspace(-1, 1, W, dtype=np.float32)[None]
    corners = 1 - np.float32(0.16) * (x * x + y * y)
    grain = (rng.random((H, W, 1), np.float32) - np.float32(0.5)) * np.float32(0.035)
    toned = np.clip(picture * corners[..., None] + grain, 0, 1)
    toned = toned * (np.float32(0.82) + np.float32(0.36) * toned * (np.float32(1.5) - toned))
    developed: Image = np.round(np.clip(toned, 0, 1) * 255).astype(np.uint8)
    return developed


def stage(rng: np.random.Generator, figure: Figure, actor: Actor, size: tuple[int, int]) -> NDArray[np.float64]:
    """(2, 3) float64 matrix that puts an actor's figure, mirrored and leaning by chance, into the picture."""
    H, W = size
    points = np.array([point for part in figure.parts for point in part.points])
    lean = math.radians(between(rng, -5, 5) if figure.stands else between(rng, -22, 22))
    wide = between(rng, 0.92, 1.1) * (-1 if rng.random() < 0.5 else 1)
    c, s = math.cos(lean), math.sin(lean)
    linear = np.array([[c * wide, -s], [s * wide, c]])
    width, height = np.ptp(points @ linear.T, axis=0)
    linear *= min(actor.height * min(H, W) / height, 0.93 * W / width, (actor.feet - 0.06) * H / height)
    low, high = (points @ linear.T).min(axis=0), (points @ linear.T).max(axis=0)
    x = float(np.clip(actor.x * W - (low[0] + high[0]) / 2, 0.03 * W - low[0], 0.97 * W - high[0]))
    return np.column_stack([linear, (x, actor.feet * H - high[1])])


def compose(rng: np.random.Generator, ground: str, actors: list[Actor], size: tuple[int, int]) -> Still:
    """Paint actors onto a ground, those with higher feet first; labels say which object is seen where."""
    picture = GROUNDS[ground](rng, size)
    labels = np.zeros(size, np.uint8)
    for actor in sorted(actors, key=lambda actor: actor.feet):
        figure = FIGURES[actor.name]
        colours, cover = paint(rng, figure, stage(rng, figure, actor, size), size)
        if ground not in ("sky", "sea"):
            dark = shadow(cover, actor.feet * size[0], figure.stands)
            picture = blend(picture, picture * np.float32(0.25), dark)
        picture = blend(picture, colours, cover)
        labels[cover >= 0.5] = actor.object_id
    names = {actor.object_id: actor.name for actor in actors}
    return Still(to_image(rng, picture), labels, tuple(names[k] for k in sorted(names)))


def single_object_scene(rng: np.random.Generator, number: int) -> Still:
    """One salient object, in every fourth picture two or three; every figure in turn."""
    names = list(FIGURES)
    name = names[number % len(names)]
    ground = choose(rng, FIGURES[name].backgrounds)
    size = choose(rng, SIZES)
    count = int(rng.integers(2, 4)) if number % 4 == 3 else 1
    height = between(rng, 0.55, 0.78) if count == 1 else between(rng, 0.4, 0.52)
    return compose(rng, ground, _row(rng, [name] * count, height), size)


def several_objects_scene(rng: np.random.Generator) -> Still:
    """Two to four different objects that share a ground and may hide each other."""
    ground = choose(rng, [g for g in GROUNDS if sum(g in f.backgrounds for f in FIGURES.values()) > 2])
    names = [name for name, figure in FIGURES.items() if ground in figure.backgrounds]
    cast = [names.pop(int(rng.integers(len(names)))) for _ in range(min(int(rng.integers(2, 5)), len(names)))]
    return compose(rng, ground, _row(rng, cast, between(rng, 0.38, 0.5)), choose(rng, SIZES))


def group_scene(rng: np.random.Generator) -> Still:
    """A bird, far behind it a second one that is tiny, and a crowd of others with one id: objects 1, 2 and 3."""
    actors = [Actor("bird", 0.5, 0.27, 0.94, 1), Actor("bird", 0.055, 0.1, 0.55, 2)]
    for k in range(8):
        x = 0.52 + 0.12 * (k % 4) + between(rng, -0.02, 0.02)
        actors.append(Actor("bird", between(rng, 0.12, 0.15), x, 0.62 + 0.1 * (k // 4) + between(rng, -0.01, 0.01), 3))
    return compose(rng, "beach", actors, SIZES[0])


def _row(rng: np.random.Generator, names: list[str], height: float) -> list[Actor]:
    """Actors side by side, near enough to touch now and then."""
    actors = []
    for k, name in enumerate(names):
        tall = height * between(rng, 0.85, 1.15)
        x = (k + 0.5) / len(names) + between(rng, -0.06, 0.06)
        feet = between(rng, 0.84, 0.95) if FIGURES[name].stands else between(rng, 0.5 + tall / 2.3, 0.94)
        actors.append(Actor(name, tall, x, min(feet, 0.95), k + 1))
    return actors


@dataclass(frozen=True)
class Swimmer:
    """A painted fish that can be bent: premultiplied (S, S, 4) float32 colour and cover, and how it swims.

    Attributes:
        sprite: head to the left, drawn at twice the clip's scale.
        start, end: (x, y) of its middle in the first and last frame, in pixels.
        mirror: True when it swims to the right.
        phase: of its tail, in radians.
    """

    sprite: NDArray[np.float32]
    start: tuple[float, float]
    end: tuple[float, float]
    mirror: bool
    phase: float

    def appear(self, t: float, size: tuple[int, int]) -> tuple[Picture, Cover]:
        """Premultiplied colours (H, W, 3) and cover (H, W) at time `t` in 0..1."""
        H, W = size
        x0, y0 = (2 * (a + (b - a) * t) for a, b in zip(self.start, self.end, strict=True))
        y, x = np.mgrid[0 : 2 * H, 0 : 2 * W].astype(np.float32)
        tilt = 0.12 * math.sin(3 * t + self.phase)
        grow = 1 + 0.12 * math.sin(math.pi * t)
        across, down = (x - x0) / grow, (y - y0) / grow
        along = (across * math.cos(tilt) + down * math.sin(tilt)) * (-1 if self.mirror else 1)
        side = down * math.cos(tilt) - across * math.sin(tilt)
        middle = self.sprite.shape[0] / 2
        tail = np.clip((along / middle + 1) / 2, 0, 1) ** 2
        side = side + tail * np.float32(0.17 * middle) * np.sin(along / np.float32(middle * 0.55) - 26 * t + self.phase)
        seen = cv2.remap(self.sprite, along + np.float32(middle), side + np.float32(middle), cv2.INTER_LINEAR)
        small = cv2.resize(seen, (W, H), interpolation=cv2.INTER_AREA).astype(np.float32)
        return small[..., :3], small[..., 3]


def swimmer(rng: np.random.Generator, length: int, hue: float, y: tuple[float, float], mirror: bool) -> Swimmer:
    """A fish `length` px long that crosses the clip's width."""
    figure = FIGURES["fish"]
    side = round(2 * length * 1.3)
    matrix = np.array([[length, 0, side / 2], [0, length, side / 2]], np.float64)
    colours, cover = paint(rng, replace(figure, colours=(hue,)), matrix, (side, side))
    sprite = np.dstack([colours * cover[..., None], cover]).astype(np.float32)
    edges = (0.24 * CLIP_SIZE[1], 0.76 * CLIP_SIZE[1])
    start, end = edges if mirror else edges[::-1]
    return Swimmer(sprite, (start, y[0]), (end, y[1]), mirror, between(rng, 0, 6))


def clip(rng: np.random.Generator, frames: int) -> Iterator[tuple[Image, Labels]]:
    """Frames (240, 427, 3) and labels of two fish; number 2 swims in front of number 1."""
    H, W = CLIP_SIZE
    ground = sea(rng, (H, W + 40))
    specks = noise(rng, (H, W + 40), 3, 1)
    ground = blend(ground, np.ones(3, np.float32), np.clip((specks - 0.95) * 6, 0, 0.5))
    cast = (swimmer(rng, 150, 0.06, (105, 135), mirror=True), swimmer(rng, 105, 0.62, (150, 110), mirror=False))
    for k in range(frames):
        t = k / max(frames - 1, 1)
        pan = np.array([[1, 0, -40 * t], [0, 1, 0]], np.float32)
        picture = cv2.warpAffine(ground, pan, (W, H), borderMode=cv2.BORDER_REPLICATE).astype(np.float32, copy=False)
        labels = np.zeros((H, W), np.uint8)
        for number, fish in enumerate(cast, 1):
            colours, cover = fish.appear(t, (H, W))
            picture = picture * (1 - cover[..., None]) + colours
            labels[cover >= 0.5] = number
        yield to_image(rng, picture), labels
