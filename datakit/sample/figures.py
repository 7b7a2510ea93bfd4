"""The shapes of the drawn photos: outlines in a unit box, as tables.

x runs right, y down, and a figure fills about [-1, 1] both ways; a figure that stands has its
feet at the bottom. How parts become pixels is left to `drawing`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

Points = tuple[tuple[float, float], ...]

MAIN, SECOND, DARK, LIGHT = 0, 1, 2, 3


class Part(NamedTuple):
    """One outline of a figure, painted over the ones before it.

    Attributes:
        kind: `smooth` is a closed curve, `sharp` a polygon, `line` a stroke, `hole` a closed curve cut out.
        points: (x, y) in the figure's unit box.
        tone: which of the figure's four colours: MAIN, SECOND, DARK or LIGHT.
        width: of a `line`, in units of the box.
    """

    kind: Literal["smooth", "sharp", "line", "hole"]
    points: Points
    tone: int = MAIN
    width: float = 0.0


@dataclass(frozen=True)
class Figure:
    """A thing to draw.

    Attributes:
        parts: painted in order.
        backgrounds: names of the backgrounds it may stand on.
        textures: patterns its main colour may have: `plain`, `fur`, `stripes` or `spots`.
        stands: True when its bottom edge touches the ground, False when it floats.
        colours: hues (0..1) its main colour is drawn from.
        second: hue of its second colour; None for one near the first.
    """

    parts: tuple[Part, ...]
    backgrounds: tuple[str, ...]
    textures: tuple[str, ...]
    stands: bool
    colours: tuple[float, ...]
    second: float | None = None


def oval(x: float, y: float, rx: float, ry: float, turn: float = 0.0) -> Points:
    """Sixteen points on an ellipse, turned by `turn` degrees."""
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    ring = [(rx * math.cos(k * math.pi / 8), ry * math.sin(k * math.pi / 8)) for k in range(16)]
    return tuple((x + c * u - s * v, y + s * u + c * v) for u, v in ring)


def _star(arms: int, inner: float) -> Points:
    angles = [k * math.pi / arms - math.pi / 2 for k in range(2 * arms)]
    return tuple((math.cos(a) * r, math.sin(a) * r) for k, a in enumerate(angles) for r in [inner if k % 2 else 1.0])


def _petals(count: int, x: float, y: float, reach: float) -> tuple[Part, ...]:
    turns = [360 * k / count for k in range(count)]
    return tuple(
        Part(
            "smooth", oval(x + reach * math.cos(math.radians(t)), y + reach * math.sin(math.radians(t)), 0.25, 0.15, t)
        )
        for t in turns
    )


def _mirrored(*parts: Part) -> tuple[Part, ...]:
    twins = [part._replace(points=tuple((-x, y) for x, y in part.points)) for part in parts]
    return (*parts, *twins)


def _legs(xs: tuple[float, ...], top: float, tone: int, width: float) -> tuple[Part, ...]:
    return tuple(
        Part("line", ((x, top), (x + 0.05 * (-1) ** k, 0.55), (x - 0.06 * (-1) ** k, 0.95)), tone, width)
        for k, x in enumerate(xs)
    )


# fmt: off
CAT = (
    Part("line", ((0.4, 0.85), (0.85, 0.8), (1.0, 0.4), (0.85, 0.05), (0.95, -0.15)), MAIN, 0.13),
    Part("smooth", ((-0.1, -0.3), (0.25, -0.15), (0.5, 0.3), (0.58, 0.75), (0.4, 0.97), (-0.35, 0.97),
        (-0.42, 0.6), (-0.38, 0.1))),
    Part("smooth", oval(-0.27, 0.7, 0.12, 0.28)),
    Part("smooth", oval(0.02, 0.71, 0.12, 0.27)),
    Part("smooth", oval(-0.13, 0.12, 0.17, 0.28), LIGHT),
    Part("sharp", ((-0.46, -0.5), (-0.44, -1.0), (-0.12, -0.72))),
    Part("sharp", ((0.2, -0.5), (0.2, -1.0), (-0.12, -0.72))),
    Part("smooth", oval(-0.13, -0.47, 0.37, 0.31)),
    Part("smooth", oval(-0.13, -0.33, 0.16, 0.12), LIGHT),
    Part("smooth", oval(-0.27, -0.5, 0.05, 0.065), DARK),
    Part("smooth", oval(0.02, -0.5, 0.05, 0.065), DARK),
    Part("smooth", oval(-0.13, -0.37, 0.045, 0.03), DARK),
)
DOG = (
    Part("line", ((0.72, -0.22), (0.95, -0.42), (1.02, -0.72)), MAIN, 0.09),
    *_legs((-0.38, 0.5), 0.05, SECOND, 0.14),
    Part("smooth", ((-0.62, -0.36), (-0.2, -0.27), (0.3, -0.3), (0.7, -0.32), (0.82, -0.05), (0.62, 0.24),
        (0.2, 0.14), (-0.2, 0.24), (-0.55, 0.2), (-0.72, -0.05))),
    *_legs((-0.56, 0.66), 0.0, MAIN, 0.16),
    Part("smooth", ((-0.76, 0.02), (-0.4, -0.22), (-0.55, -0.72), (-0.9, -0.66))),
    Part("smooth", ((-0.58, -0.8), (-0.74, -0.95), (-0.98, -0.84), (-1.26, -0.68), (-1.25, -0.54), (-0.98, -0.5),
        (-0.7, -0.52))),
    Part("smooth", ((-0.7, -0.92), (-0.54, -0.92), (-0.46, -0.56), (-0.58, -0.48), (-0.67, -0.68)), SECOND),
    Part("smooth", oval(-0.92, -0.76, 0.035, 0.035), DARK),
    Part("smooth", oval(-1.25, -0.62, 0.05, 0.05), DARK),
)
BIRD = (
    Part("line", ((0.02, 0.4), (0.06, 0.98)), DARK, 0.05),
    Part("line", ((0.22, 0.38), (0.26, 0.98)), DARK, 0.05),
    Part("sharp", ((0.4, 0.0), (1.15, 0.34), (1.05, 0.5), (0.35, 0.35)), SECOND),
    Part("smooth", ((-0.55, -0.35), (-0.2, -0.4), (0.25, -0.2), (0.6, 0.12), (0.45, 0.38), (0.05, 0.52),
        (-0.4, 0.38), (-0.65, 0.0))),
    Part("sharp", ((-0.82, -0.66), (-1.15, -0.48), (-0.8, -0.46)), DARK),
    Part("smooth", oval(-0.6, -0.52, 0.28, 0.26)),
    Part("smooth", ((-0.6, -0.2), (-0.45, 0.2), (-0.2, 0.38), (-0.5, 0.25), (-0.66, 0.0)), LIGHT),
    Part("smooth", ((-0.25, -0.2), (0.2, -0.12), (0.75, 0.3), (0.3, 0.3), (-0.1, 0.18)), SECOND),
    Part("smooth", oval(-0.68, -0.57, 0.045, 0.045), DARK),
)
FISH = (
    Part("smooth", ((-0.3, -0.35), (-0.05, -0.72), (0.42, -0.55), (0.35, -0.2)), SECOND),
    Part("smooth", ((-0.1, 0.3), (0.12, 0.66), (0.3, 0.55), (0.25, 0.2)), SECOND),
    Part("smooth", ((0.55, 0.0), (0.85, -0.42), (1.05, -0.46), (0.9, 0.0), (1.05, 0.44), (0.85, 0.4)), SECOND),
    Part("smooth", ((-1.0, 0.02), (-0.75, -0.27), (-0.3, -0.45), (0.2, -0.33), (0.66, -0.08), (0.68, 0.07),
        (0.2, 0.33), (-0.3, 0.42), (-0.75, 0.25))),
    Part("smooth", ((-0.3, 0.02), (0.02, -0.02), (0.12, 0.2), (-0.1, 0.2)), SECOND),
    Part("smooth", oval(-0.7, -0.08, 0.1, 0.1), LIGHT),
    Part("smooth", oval(-0.71, -0.08, 0.055, 0.055), DARK),
)
BUTTERFLY = (
    *_mirrored(Part("line", ((0.02, -0.35), (0.15, -0.75), (0.3, -0.95)), DARK, 0.035),
        Part("smooth", ((0.05, 0.05), (0.5, 0.1), (0.72, 0.45), (0.5, 0.85), (0.2, 0.6)), SECOND),
        Part("smooth", ((0.05, -0.15), (0.45, -0.75), (0.98, -0.85), (1.0, -0.35), (0.65, 0.08), (0.2, 0.1))),
        Part("smooth", oval(0.7, -0.5, 0.13, 0.13), LIGHT), Part("smooth", oval(0.46, 0.48, 0.1, 0.1), LIGHT)),
    Part("smooth", oval(0.0, 0.08, 0.08, 0.5), DARK),
)
SNAIL = (
    Part("line", ((-0.72, 0.25), (-0.85, -0.15), (-0.95, -0.3)), SECOND, 0.05),
    Part("line", ((-0.62, 0.2), (-0.66, -0.18), (-0.7, -0.36)), SECOND, 0.05),
    Part("smooth", ((-0.85, 0.25), (-0.65, 0.15), (-0.5, 0.55), (0.2, 0.62), (0.75, 0.75), (1.1, 0.93),
        (-0.6, 0.95), (-0.85, 0.75)), SECOND),
    Part("smooth", oval(0.1, 0.1, 0.6, 0.6)),
    Part("smooth", oval(0.06, 0.1, 0.4, 0.4), SECOND),
    Part("smooth", oval(0.02, 0.1, 0.25, 0.25)),
    Part("smooth", oval(0.0, 0.1, 0.1, 0.1), SECOND),
)
MUG = (
    Part("smooth", oval(0.62, 0.08, 0.4, 0.46)),
    Part("hole", oval(0.64, 0.08, 0.24, 0.3)),
    Part("smooth", ((-0.72, -0.8), (0.0, -0.86), (0.66, -0.8), (0.66, 0.0), (0.58, 0.82), (0.0, 0.95),
        (-0.64, 0.82), (-0.72, 0.0))),
    Part("smooth", oval(-0.03, -0.76, 0.66, 0.17), LIGHT),
    Part("smooth", oval(-0.03, -0.72, 0.56, 0.11), DARK),
)
RING = (
    Part("smooth", oval(0.0, 0.0, 1.0, 0.92), SECOND),
    Part("smooth", ((-0.93, -0.05), (-0.6, -0.7), (0.0, -0.85), (0.62, -0.66), (0.92, 0.0), (0.7, 0.5),
        (0.35, 0.62), (0.05, 0.76), (-0.4, 0.6), (-0.75, 0.56))),
    Part("hole", oval(0.0, 0.02, 0.36, 0.3)),
)
MUSHROOM = (
    Part("smooth", ((-0.2, -0.2), (0.2, -0.2), (0.22, 0.4), (0.36, 0.92), (0.0, 0.98), (-0.36, 0.92),
        (-0.22, 0.4)), LIGHT),
    Part("smooth", ((-1.0, 0.05), (-0.85, -0.5), (-0.4, -0.9), (0.1, -0.98), (0.6, -0.8), (0.95, -0.35),
        (1.0, 0.05), (0.5, 0.16), (0.0, 0.1), (-0.5, 0.16))),
    *(Part("smooth", oval(x, y, r, 0.8 * r), LIGHT) for x, y, r in ((-0.5, -0.4, 0.15), (0.1, -0.66, 0.13),
        (0.55, -0.28, 0.17), (0.0, -0.15, 0.1))),
)
FLOWER = (
    Part("line", ((0.0, -0.4), (0.06, 0.3), (-0.04, 0.98)), SECOND, 0.06),
    Part("smooth", ((0.02, 0.6), (0.3, 0.25), (0.62, 0.2), (0.4, 0.52)), SECOND),
    Part("smooth", ((0.0, 0.75), (-0.3, 0.35), (-0.58, 0.38), (-0.36, 0.66)), SECOND),
    *_petals(9, 0.0, -0.45, 0.33),
    Part("smooth", oval(0.0, -0.45, 0.17, 0.17), DARK),
)
BALLOON = (
    Part("line", ((-0.4, 0.15), (-0.14, 0.74)), DARK, 0.025),
    Part("line", ((0.4, 0.15), (0.14, 0.74)), DARK, 0.025),
    Part("smooth", ((0.0, -1.0), (0.55, -0.85), (0.75, -0.4), (0.55, 0.05), (0.2, 0.42), (-0.2, 0.42),
        (-0.55, 0.05), (-0.75, -0.4), (-0.55, -0.85))),
    Part("smooth", ((0.0, -0.99), (0.2, -0.7), (0.24, -0.3), (0.1, 0.4), (-0.1, 0.4), (-0.24, -0.3), (-0.2, -0.7)),
        SECOND),
    Part("sharp", ((-0.17, 0.72), (0.17, 0.72), (0.13, 0.98), (-0.13, 0.98)), DARK),
)
CHAIR = (
    *(Part("line", points, SECOND, 0.09) for points in (((-0.45, 0.1), (-0.42, 0.8)), ((0.5, 0.1), (0.56, 0.8)))),
    *(Part("line", points, MAIN, 0.1) for points in (((-0.6, 0.2), (-0.66, 0.95)), ((0.42, 0.2), (0.46, 0.95)))),
    *(Part("line", points, MAIN, 0.09) for points in (((-0.45, 0.1), (-0.56, -0.95)), ((0.48, 0.1), (0.56, -0.95)))),
    *(Part("line", ((-0.52 - 0.04 * k, -0.35 - 0.27 * k), (0.5 + 0.04 * k, -0.35 - 0.27 * k)),
        SECOND, 0.09) for k in range(3)),
    Part("sharp", ((-0.5, 0.02), (0.52, 0.02), (0.5, 0.24), (-0.68, 0.24))),
)
STARFISH = (
    Part("smooth", _star(5, 0.42)),
    *(Part("smooth", oval(0.6 * x, 0.6 * y, 0.05, 0.05), LIGHT) for x, y in _star(5, 0.42)[::2]),
)
PEBBLE = (
    Part("smooth", ((-0.95, 0.2), (-0.75, -0.45), (-0.1, -0.7), (0.5, -0.62), (0.95, -0.1), (0.85, 0.5),
        (0.2, 0.72), (-0.6, 0.68))),
)
# fmt: on

FIGURES: dict[str, Figure] = {
    "cat": Figure(CAT, ("room", "meadow"), ("fur", "stripes"), True, (0.07, 0.09, 0.6)),
    "dog": Figure(DOG, ("meadow", "beach"), ("fur", "spots"), True, (0.06, 0.09, 0.04)),
    "bird": Figure(BIRD, ("beach", "forest", "meadow"), ("fur", "plain"), True, (0.02, 0.57, 0.12)),
    "fish": Figure(FISH, ("sea",), ("stripes", "spots"), False, (0.06, 0.13, 0.97, 0.08)),
    "butterfly": Figure(BUTTERFLY, ("forest", "meadow"), ("plain", "stripes"), False, (0.08, 0.6, 0.14)),
    "snail": Figure(SNAIL, ("stones", "forest"), ("stripes", "plain"), True, (0.08, 0.05)),
    "mug": Figure(MUG, ("room",), ("plain", "stripes", "spots"), True, (0.0, 0.58, 0.42, 0.12)),
    "ring": Figure(RING, ("stones",), ("spots", "plain"), False, (0.93, 0.08, 0.45)),
    "mushroom": Figure(MUSHROOM, ("forest",), ("plain",), True, (0.01, 0.05)),
    "flower": Figure(FLOWER, ("meadow", "forest"), ("plain",), True, (0.13, 0.92, 0.78), second=0.3),
    "balloon": Figure(BALLOON, ("sky", "meadow"), ("stripes", "plain"), False, (0.0, 0.1, 0.6)),
    "chair": Figure(CHAIR, ("room", "beach"), ("fur",), True, (0.07, 0.03)),
    "starfish": Figure(STARFISH, ("stones", "sea"), ("spots", "plain"), False, (0.04, 0.98, 0.07)),
    "pebble": Figure(PEBBLE, ("beach", "stones"), ("spots", "stripes"), True, (0.08, 0.6)),
}
