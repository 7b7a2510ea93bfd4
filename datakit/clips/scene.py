"""Where a piece of a photo lies in a scene and a frame: its foothold, its form, the room it has, its blur and bends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..transforms.sampling import Matrix, composed
from .camera import View
from .motion import inverted, of_pixels
from .paths import Point, Room
from .pieces import Piece
from .plan import Bend, Pose, Shade

_FARTHEST = 0.7  # sides of the view that a piece goes at most
_SEEN = 0.42  # of the view's side: how far from its middle a piece's middle goes
_PINNED = (-0.2, -0.2), (1.2, -0.2), (-0.2, 1.2), (1.2, 1.2), (0.5, 1.05)  # in sides of a piece's box: what never bends
_PLACES = 9  # decimals of a matrix; beyond them processors may differ
_RISE = 0.15  # sides of the view that a piece goes up or down at most; most stand on something
_SUNK = 0.1  # sides of the view that what is cut below goes down, or what is cut above goes up


@dataclass(frozen=True)
class Form:
    """How a piece differs from the photo it is from, about its foothold.

    Attributes:
        scale: a factor.
        turn: in degrees.
        aspect: wider and lower by this share.
        sway: to the side, by this share of the height.
    """

    scale: float = 1.0
    turn: float = 0.0
    aspect: float = 0.0
    sway: float = 0.0

    def linear(self) -> Matrix:
        """(2, 2)."""
        angle = math.radians(self.turn)
        cos, sin = self.scale * math.cos(angle), self.scale * math.sin(angle)
        wide, low = 1 + self.aspect, 1 - self.aspect
        return np.array([[cos * wide, cos * self.sway - sin * low], [sin * wide, sin * self.sway + cos * low]])


def foothold(piece: Piece) -> Point:
    """The point of its photo that a piece stands on: where it is cut, else the middle of its lower side."""
    x0, y0, x1, y1 = piece.box
    left, top, right, bottom = piece.cut
    x = (x0 + x1) / 2 if left == right else (x0 if left else x1)
    return x, (y0 if top and not bottom else y1)


def is_rigid(piece: Piece) -> bool:
    """Whether it is cut on sides that would leave the border if it turned or grew."""
    left, top, right, bottom = piece.cut
    return (left and right) or (top and bottom)


def room_of(piece_box: Sequence[float], cut: Sequence[bool], view: View) -> Room:
    """How far a piece may go, left, up, right and down in sides of the view.

    Its middle stays in the view if it lies there; a side where the photo cuts it never comes away from the border.

    Args:
        piece_box: x0, y0, x1, y1 in the scene.
        cut: left, upper, right and lower side.
        view: of the first frame.
    """
    x0, y0, x1, y1 = piece_box
    middle, side = ((x0 + x1) / 2, (y0 + y1) / 2), view.side
    limits = []
    for axis, extent in enumerate((x1 - x0, y1 - y0)):
        most = min(_FARTHEST, max(_FARTHEST * (1.2 - extent / side), 0.15))
        from_middle = (middle[axis] - view.centre[axis]) / side
        low, high = max(-_SEEN - from_middle, -most), min(_SEEN - from_middle, most)
        if axis:
            rise = _SUNK if cut[1] or cut[3] else _RISE
            low, high = max(low, -rise), min(high, rise)
        limits.append((0.0 if cut[2 + axis] else min(low, 0.0), 0.0 if cut[axis] else max(high, 0.0)))
    return limits[0][0], limits[1][0], limits[0][1], limits[1][1]


def photo_for_frame(base: Matrix, anchor: Point, place: Point, form: Form) -> Matrix:
    """(2, 3): points of a piece's photo for points of the frame.

    Args:
        base: points of the scene for points of the frame.
        anchor: a point of the photo.
        place: where it lies in the scene.
        form: how the piece is changed about it.
    """
    linear = form.linear()
    forwards = np.column_stack([linear, np.array(place) - linear @ np.array(anchor)])
    return composed(inverted(forwards), base)


def blurs(matrices: Sequence[Matrix], points: Sequence[Point], shutter: float) -> list[tuple[float, float] | None]:
    """How points of a photo move in the frame while each frame is exposed, in pixels; None for hardly.

    Args:
        matrices: of each frame, points of the photo for points of the frame.
        points: in the photo, one for each frame.
        shutter: share of a frame's time that it is exposed.
    """
    made: list[tuple[float, float] | None] = []
    for n, point in enumerate(points):
        first, last = max(n - 1, 0), min(n + 1, len(points) - 1)
        start, end = (_apply(inverted(matrices[each]), point) for each in (first, last))
        share = shutter / max(last - first, 1)
        way = (round(share * (end[0] - start[0]), 3), round(share * (end[1] - start[1]), 3))
        made.append(way if math.hypot(*way) >= 0.5 else None)
    return made


def bends(
    matrices: Sequence[Matrix], piece: Piece, size: int, spots: Sequence[Point], moves: Sequence[Sequence[float]]
) -> list[Bend]:
    """A spline of each frame that moves spots of a piece a little, and what lies around it not at all.

    Args:
        matrices: of each frame, points of the photo for points of the frame.
        piece: what is bent.
        size: side of the frame.
        spots: in the piece's box, 0..1.
        moves: of each frame, x and y of each spot, in sides of the box.
    """
    x0, y0, x1, y1 = piece.box
    width, height = x1 - x0, y1 - y0
    around = [
        (x0 + u * width, y0 + v * height) for u, v in ((-0.2, -0.2), (1.2, -0.2), (-0.2, 1.2), (1.2, 1.2), (0.5, 1.05))
    ]
    own = [(x0 + u * width, y0 + v * height) for u, v in spots]
    made = []
    for matrix, move in zip(matrices, moves, strict=True):
        moved = [(x + dx * width, y + dy * height) for (x, y), dx, dy in zip(own, move[::2], move[1::2], strict=True)]
        forwards = inverted(matrix)
        start, end = (
            tuple(
                (round(x / size, _PLACES), round(y / size, _PLACES))
                for x, y in (_apply(forwards, point) for point in points)
            )
            for points in (around + own, around + moved)
        )
        made.append(Bend(start, end, is_cut=False))
    return made


def poses_of(
    matrices: Sequence[Matrix],
    blur: Sequence[tuple[float, float] | None],
    shades: Sequence[tuple[Shade, ...]],
    bent: Sequence[Bend] | None = None,
) -> tuple[Pose, ...]:
    """A pose of each frame."""
    each_bent = [None] * len(matrices) if bent is None else bent
    return tuple(
        Pose(tuple(round(value, _PLACES) for value in of_pixels(matrix)), bend, shade, way)  # type: ignore[arg-type]
        for matrix, bend, shade, way in zip(matrices, each_bent, shades, blur, strict=True)
    )


def _apply(matrix: Matrix, point: Point) -> Point:
    (a, b, c), (d, e, f) = matrix.tolist()
    return a * point[0] + b * point[1] + c, d * point[0] + e * point[1] + f
