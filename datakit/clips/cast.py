"""Who is in a scene and which ways they go: the first photo's own objects, and those of further photos."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..config import setting
from ..transforms.sampling import Matrix
from .camera import Camera, Stage, View
from .motion import UNION, Material, between
from .paths import Point, Room, Route, away_and_back, drift, log_between, straight, wander
from .pieces import Piece, pieces_of
from .plan import Bend
from .scene import Form, bends, foothold, is_rigid, photo_for_frame, room_of

STAYS, WANDERS, LEAVES, RETURNS, PASSES = "stays", "wanders", "leaves", "returns", "passes"
_SPOTS = 4  # of a piece that its spline moves
_SLOW = 12.0  # frames between two aims of an object's form
_BREATH = 8.0  # frames between two aims of its spline
_LARGEST = 0.9  # of the view: side of a pasted object at most
_IN_FRONT = 0.6  # share of those that pass, which do so in front
_OUT = 0.66  # of the view from its middle: where no piece is seen, and no camera on its way looks soon
_STILL = (0.0, 0.0, 0.0, 0.0)

Cut = tuple[bool, bool, bool, bool]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Actor:
    """A piece and how it goes through the clip.

    Attributes:
        still: number of its photo.
        piece: what moves.
        matrices: (2, 3) of each frame: points of its photo for points of the frame.
        foot: where it stands in the scene in frame 0.
        depth: the larger, the nearer.
        story: what it does: `stays`, `wanders`, `leaves`, `returns` after it left, or `passes` another.
        bent: splines of each frame; None for none.
    """

    still: int
    piece: Piece
    matrices: Sequence[Matrix]
    foot: Point
    depth: float
    story: str
    bent: Sequence[Bend] | None = None


@dataclass(frozen=True)
class Cast(Camera):
    """Settings of those who move in a scene.

    Attributes:
        moves: share of the photo's own objects that move apart from the ground.
        speed_low, speed_high: least and largest speed of objects; its logarithm is drawn uniformly.
        flat: how much of a move up or down is left, as most things stand on something.
        leave: share of moving objects that leave the frame and return, or only leave, as there is time for it.
        cross: share of pasted objects that pass the largest of the photo's own.
        fastest: largest speed of objects that leave or pass.
        growth: largest relative change of size.
        turn: largest turn of an object in degrees.
        aspect: largest relative change of width against height.
        sway: largest lean to a side, as a share of the height.
        bend: share of moving objects that a spline bends, ever differently.
        bend_by: how far a spline bends at most, in sides of the object.
        area_low, area_high: least and largest area of a pasted object, as a share of the view; its logarithm is drawn
            uniformly.
    """

    moves: float = setting(0.75, 0, 1)
    speed_low: float = setting(0.004, 1e-4, 1)
    speed_high: float = setting(0.06, 1e-4, 1)
    flat: float = setting(0.3, 0, 1)
    leave: float = setting(0.25, 0, 1)
    cross: float = setting(0.4, 0, 1)
    fastest: float = setting(0.12, 1e-3, 1)
    growth: float = setting(0.15, 0, 0.5)
    turn: float = setting(4.0, 0, 45)
    aspect: float = setting(0.03, 0, 0.3)
    sway: float = setting(0.05, 0, 0.5)
    bend: float = setting(0.3, 0, 1)
    bend_by: float = setting(0.04, 0, 0.2)
    area_low: float = setting(0.02, 0.001, 1)
    area_high: float = setting(0.2, 0.001, 1)

    def draw_own(self, rng: np.random.Generator, stage: Stage, piece: Piece) -> Actor:
        """A piece of the first photo: it stays with the ground, or goes its way from where it is."""
        anchor = foothold(piece)
        room = room_of(piece.box, piece.cut, stage.views[0])
        if not float(rng.random()) < self.moves or room == _STILL:
            return Actor(0, piece, stage.base, anchor, anchor[1], STAYS)
        route, story = self._route(rng, stage, piece.box, piece.cut, room)
        return self._actor(rng, stage, Actor(0, piece, stage.base, anchor, anchor[1], story), 1.0, route)

    def draw_pasted(self, rng: np.random.Generator, stage: Stage, material: Material, still: int,
                    target: Actor | None) -> Actor | None:  # fmt: skip
        """A piece of a further photo that stands in the scene, or passes another.

        Args:
            rng: source of all chance.
            stage: the scene.
            material: what the clip is made of.
            still: number of the photo.
            target: who may be passed.

        Returns:
            None where opposite sides of the photo cut every piece.
        """
        found = pieces_of(material.stills[still].labels, material.objects == UNION)
        pieces = [each for each in found if not is_rigid(each)]
        which, across, passes, front, side = rng.random(5).tolist()
        area = log_between(rng, self.area_low, self.area_high)
        if not pieces:
            return None
        piece, view = pieces[int(which * len(pieces))], stage.views[0]
        width, height = piece.box[2] - piece.box[0], piece.box[3] - piece.box[1]
        scale = min(math.sqrt(area * view.side**2 / piece.pixels), _LARGEST * view.side / max(width, height))
        wide, high = scale * width / view.side, scale * height / view.side
        if any(piece.cut):
            foot = _at_border(piece.cut, (across - 0.5) * (1 - wide))
            box = _in_scene(view, piece.cut, foot, (wide, high))
            base = [replace(view, roll=0.0).matrix(stage.size, stage.is_flipped)] * stage.frames
            route, story = self._route(rng, stage, box, piece.cut, room_of(box, piece.cut, view))
            return self._actor(rng, stage, Actor(still, piece, base, _point(view, foot), math.inf, story), scale, route)
        if passes < self.cross and target is not None:
            foot, way = _beside(target, view, wide, high, 1 if side < 0.5 else -1)
            needed = max(abs(way) / max(stage.frames - 1, 1), self.speed_low)
            route = straight(way, stage.frames, min(needed, between(rng, (self.fastest / 4, self.fastest))))
            depth = target.depth + (1e-3 if front < _IN_FRONT else -1e-3)
            return self._actor(
                rng, stage, Actor(still, piece, stage.base, _point(view, foot), depth, PASSES), scale, route
            )
        foot = (across - 0.5) * (1 - wide), between(rng, (min(max(high - 0.48, -0.1), 0.45), 0.48))
        box = _in_scene(view, piece.cut, foot, (wide, high))
        route, story = self._route(rng, stage, box, piece.cut, room_of(box, piece.cut, view))
        place = _point(view, foot)
        return self._actor(rng, stage, Actor(still, piece, stage.base, place, place[1], story), scale, route)

    def _route(
        self, rng: np.random.Generator, stage: Stage, box: Box, cut: Cut, room: Room
    ) -> tuple[Route, str]:  # fmt: skip
        """Where a piece in a box goes: about, or out of the frame and back. As often the one way as the other."""
        frames, view = stage.frames, stage.views[0]
        leaves, is_backwards, start, back = rng.random(4).tolist()
        speed = log_between(rng, self.speed_low, self.speed_high)
        route, story = wander(rng, room, self.pace(speed, self.flat), frames, 10 * start - 8), WANDERS
        left, right = view.centre[0] - _OUT * view.side, view.centre[0] + _OUT * view.side
        ways = [] if cut[2] else [(left - box[2]) / view.side]
        ways += [] if cut[0] else [(right - box[0]) / view.side]
        if leaves < self.leave and ways and frames > 3:
            out = min(ways, key=abs)
            home = out * 0.3 * back
            needed = (abs(out) + abs(out - home)) / (frames - 2)
            if needed <= self.fastest:
                route, story = away_and_back(rng, (out, 0.0), (home, 0.0), frames, max(speed, needed)), RETURNS
            elif abs(out) / (frames - 2) <= self.fastest:
                return straight(out, frames, max(speed, abs(out) / (frames - 2))), LEAVES
        return (route.backwards(frames) if is_backwards < 0.5 else route), story

    def _actor(self, rng: np.random.Generator, stage: Stage, actor: Actor, scale: float, route: Route) -> Actor:
        """The actor on its route, changing its form as it goes."""
        frames, side, piece = stage.frames, stage.views[0].side, actor.piece
        turn, sway = 0.0 if any(piece.cut) else self.turn, 0.0 if piece.cut[0] or piece.cut[2] else self.sway
        forms = drift(rng, [0.0] * 4 if is_rigid(piece) else [self.growth, turn, self.aspect, sway], frames, _SLOW).at(
            frames, _SLOW / 3
        )
        ways = route.at(frames, 1.0 + 1.5 * float(rng.random()))
        anchor, matrices = foothold(piece), []
        for base, (x, y), (grown, turn, aspect, sway) in zip(actor.matrices, ways, forms, strict=True):
            place = actor.foot[0] + side * x, actor.foot[1] + side * y
            matrices.append(photo_for_frame(base, anchor, place, Form(scale * (1 + grown), turn, aspect, sway)))
        is_bent, *units = rng.random(1 + 2 * _SPOTS).tolist()
        breath = drift(rng, [self.bend_by] * (2 * _SPOTS), frames, _BREATH)
        bent = None
        if is_bent < self.bend and not any(piece.cut):
            moves = breath.at(frames, _BREATH / 2)
            spots = [(0.2 + 0.6 * u, 0.1 + 0.7 * v) for u, v in zip(units[::2], units[1::2], strict=True)]
            bent = bends(matrices, piece, stage.size, spots, moves)
        return replace(actor, matrices=matrices, bent=bent)


def _point(view: View, at: Point) -> Point:
    """A point of the scene, of one in sides of the view from its middle."""
    return view.centre[0] + view.side * at[0], view.centre[1] + view.side * at[1]


def _at_border(cut: Cut, x: float) -> Point:
    """Where the foothold of a cut piece lies: on the border of the view that stands for that of its photo."""
    left, top, right, bottom = cut
    return (-0.5 if left else 0.5 if right else x), (0.5 if bottom else -0.5 if top else 0.3)


def _in_scene(view: View, cut: Cut, foot: Point, size: Point) -> Box:
    """The box of a piece in the scene."""
    left, top, right, bottom = cut
    x = foot[0] - (0.0 if left else size[0] if right else size[0] / 2)
    y = foot[1] - (0.0 if top and not bottom else size[1])
    return *_point(view, (x, y)), *_point(view, (x + size[0], y + size[1]))


def _beside(target: Actor, view: View, wide: float, high: float, side: int) -> tuple[Point, float]:
    """Where one that passes begins, on the side with more room unless `side` says otherwise, and how far it goes."""
    x0, _, x1, _ = target.piece.box
    middle = ((x0 + x1) / 2 - view.centre[0]) / view.side
    apart = (x1 - x0) / 2 / view.side + wide / 2
    limit = 0.5 - wide / 4
    x = min(max(middle - side * apart, -limit), limit)
    y = min(max((target.foot[1] - view.centre[1]) / view.side, high - 0.5), 0.49)
    return (x, y), 2 * (middle - x)
