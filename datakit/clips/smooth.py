"""Motion that continues, as a camera sees it: a scene that is panned over, and objects that go their own ways in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ..config import setting
from ..errors import UsageError
from ..transforms.sampling import Matrix
from .colour import GAINS
from .motion import UNION, Drawn, Material, Motion, around, between
from .paths import Pace, Point, Room, Route, away_and_back, drift, wander
from .pieces import Piece, pieces_of
from .plan import GROUND, OBJECTS, Candidate, Finish, Layer, Shade
from .scene import Form, View, bends, blurs, foothold, is_rigid, photo_for_frame, poses_of, room_of

_EDGE = 0.7  # pixels: deviation of the rim's blend
_LOOK = 8  # factor at which colours are looked at
_SPOTS = 4  # of a piece that its spline moves


@dataclass(frozen=True)
class _Actor:
    """A piece and how it goes through the clip."""

    still: int
    piece: Piece
    matrices: list[Matrix]
    foot: list[Point]  # where it stands in the scene in each frame
    depth: float
    is_moving: bool
    story: str
    bent: list[Any]


@dataclass(frozen=True)
class Smooth(Motion):
    """A short film of a photo: the camera pans, zooms and shakes within it, its objects move apart from their ground.

    Where an object leaves, the ground is filled. Objects of further photos stand and move in the scene as well. What
    the photo's border cuts stays at the border. Speeds are in sides of the frame each frame, so that a longer clip
    shows more, not slower, motion. Ours; DAVIS, YouTube-VOS and what `datakit` was trained on gave the scale.

    Attributes:
        view_low, view_high: side of what the camera sees at most, as a share of the photo's shorter side.
        flip: share of clips that are mirrored.
        still_camera: share of clips whose camera does not pan, zoom or roll.
        follow: share of panning cameras that go with the largest object.
        camera_low, camera_high: speed of a pan; its logarithm is drawn uniformly.
        zoom: share of the view by which it shrinks at most.
        roll: largest turn of the camera in degrees.
        shake: largest unrest of the camera in sides of the view.
        moves: share of the photo's own objects that move apart from the ground.
        speed_low, speed_high: of objects; the logarithm is drawn uniformly.
        pause: share of turning points that are rested at.
        longest_pause: frames.
        flat: how much of a move up or down is left, as most things stand on something.
        leave: share of moving objects that leave the frame and return, if that can be done in time.
        cross: share of pasted objects that pass another one.
        fastest: of those that leave or pass.
        growth: largest relative change of size.
        turn: largest turn of an object in degrees.
        aspect: largest relative change of width against height.
        sway: largest lean to a side, as a share of the height.
        bend: share of moving objects that a spline bends, ever differently.
        bend_by: how far at most, in sides of the object.
        area_low, area_high: of a pasted object, as a share of the frame.
        harmony: how far a pasted object's colours go to those of the scene, 0..1.
        shutter: largest share of a frame's time that it is exposed.
        drift: largest relative change of exposure within a clip.
        tint: largest relative change of each colour within a clip.
        jpeg: share of clips whose frames are JPEGs.
        quality_low, quality_high: of those.
        lag: share of clips in which blocks that hardly change stay as they were.
        lag_high: grey levels that count as hardly at most.
        least: of an object, as a share of the frame, in frame 0; the others get no id.
    """

    kind: ClassVar[str] = "smooth"

    view_low: float = setting(0.75, 0.1, 1)
    view_high: float = setting(1.0, 0.1, 1)
    flip: float = setting(0.5, 0, 1)
    still_camera: float = setting(0.3, 0, 1)
    follow: float = setting(0.3, 0, 1)
    camera_low: float = setting(0.002, 1e-4, 1)
    camera_high: float = setting(0.02, 1e-4, 1)
    zoom: float = setting(0.2, 0, 0.9)
    roll: float = setting(2.0, 0, 20)
    shake: float = setting(0.003, 0, 0.1)
    moves: float = setting(0.75, 0, 1)
    speed_low: float = setting(0.004, 1e-4, 1)
    speed_high: float = setting(0.06, 1e-4, 1)
    pause: float = setting(0.3, 0, 1)
    longest_pause: int = setting(6, 1, 256)
    flat: float = setting(0.3, 0, 1)
    leave: float = setting(0.15, 0, 1)
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
    harmony: float = setting(0.5, 0, 1)
    shutter: float = setting(0.6, 0, 1)
    drift: float = setting(0.1, 0, 0.5)
    tint: float = setting(0.03, 0, 0.3)
    jpeg: float = setting(0.7, 0, 1)
    quality_low: int = setting(60, 1, 100)
    quality_high: int = setting(95, 1, 100)
    lag: float = setting(0.3, 0, 1)
    lag_high: float = setting(3.0, 0, 50)
    least: float = setting(0.002, 0, 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        for low in [name for name in vars(self) if name.endswith("_low")]:
            high = low.removesuffix("_low") + "_high"
            if getattr(self, low) > getattr(self, high):
                raise UsageError(f"motion: {low} is {getattr(self, low)}, above {high}, {getattr(self, high)}")

    def draw(self, rng: np.random.Generator, material: Material) -> Drawn:
        """A film: the ground, the first photo's pieces, pieces of the others, by what stands in front of what."""
        frames, size = material.frames, material.size
        own = pieces_of(material.stills[0].labels, material.objects == UNION)
        stage = _Stage.drawn(self, rng, material, own)
        actors = [self._own(rng, stage, piece) for piece in own]
        for still in range(1, len(material.stills)):
            actors += self._pasted(rng, stage, material, still, actors)
        actors.sort(key=lambda actor: actor.depth)

        shades = [material.colour.draw_frame(rng, frame) for frame in range(frames)]
        clip_shades = material.colour.draw_clip(rng)
        shutter = self.shutter * float(rng.random())
        middle = [(size / 2, size / 2)] * frames
        seen = [(m[:, :2] @ np.array(p) + m[:, 2]).tolist() for m, p in zip(stage.base, middle, strict=True)]
        moved = tuple(n for actor in actors if actor.still == 0 and actor.is_moving for n in actor.piece.objects)
        ground_blur = blurs(stage.base, seen, shutter)
        layers = [
            Layer(0, poses_of(stage.base, ground_blur, shades, [None] * frames), GROUND, moved, None, clip_shades)
        ]
        candidates: list[tuple[float, int, tuple[int, ...]]] = []
        for actor in actors:
            if actor.is_moving:
                foot = foothold(actor.piece)
                x0, y0, x1, y1 = actor.piece.box
                blur = blurs(actor.matrices, [((x0 + x1) / 2, (foot[1] + (y0 + y1) / 2) / 2)] * frames, shutter)
            else:
                blur = ground_blur
            own_shades = clip_shades if actor.still == 0 else (*self._harmony(material, actor), *clip_shades)
            poses = poses_of(actor.matrices, blur, shades, actor.bent)
            layers.append(
                Layer(
                    actor.still,
                    poses,
                    OBJECTS,
                    actor.piece.objects,
                    None,
                    own_shades,
                    _EDGE if actor.is_moving else 0.0,
                )
            )
            seen_pixels = actor.piece.seen(actor.matrices[0], size)
            for group in self._groups(material, actor):
                pixels = math.fsum(seen_pixels[n] for n in group)
                if pixels >= self.least * size**2:
                    candidates.append((pixels, len(layers) - 1, group))
        ranks = {n: rank for rank, n in enumerate(sorted(range(len(candidates)), key=lambda n: -candidates[n][0]))}
        ranked = tuple(Candidate(layer, group, ranks[n]) for n, (_, layer, group) in enumerate(candidates))
        numbers = {"stories": [actor.story for actor in actors], "view": [view.side for view in stage.views]}
        return Drawn(tuple(layers), ranked, self._finish(rng, frames), numbers)

    def _groups(self, material: Material, actor: _Actor) -> list[tuple[int, ...]]:
        """Objects of a piece that are one object of the clip."""
        return [actor.piece.objects] if material.objects == UNION else [(n,) for n in actor.piece.objects]

    def _own(self, rng: np.random.Generator, stage: _Stage, piece: Piece) -> _Actor:
        """A piece of the first photo: it stays with the ground, or goes its way from where it is."""
        anchor = foothold(piece)
        moves = float(rng.random()) < self.moves
        room = room_of(piece.box, piece.cut, stage.views[0])
        if not moves or room == (0.0, 0.0, 0.0, 0.0):
            return _Actor(
                0, piece, stage.base, [anchor] * stage.frames, anchor[1], False, "stay", [None] * stage.frames
            )
        route, story = self._route(rng, stage, piece.box, piece.cut, room)
        return self._actor(rng, stage, 0, piece, anchor, 1.0, route, story, stage.base)

    def _route(
        self, rng: np.random.Generator, stage: _Stage, box: Sequence[float], cut: Sequence[bool], room: Room
    ) -> tuple[Route, str]:
        frames, view = stage.frames, stage.views[0]
        leaves, is_reversed, start, back = rng.random(4).tolist()
        pace = Pace(_log(rng, self.speed_low, self.speed_high), self.pause, self.longest_pause, (0.1, 0.6), self.flat)
        route, story = wander(rng, room, pace, frames, -8 + 10 * start), "wander"
        exits = []
        if not cut[2]:
            exits.append(-((box[2] - view.centre[0]) / view.side + 0.6))
        if not cut[0]:
            exits.append((view.centre[0] - box[0]) / view.side + 0.6)
        if leaves < self.leave and exits and frames > 3:
            out = min(exits, key=abs)
            home = (out * 0.3 * back, 0.0)
            if abs(2 * out - home[0]) / (frames - 2) <= self.fastest:
                route, story = (
                    away_and_back(
                        rng, (out, 0.0), home, frames, max(pace.speed, abs(2 * out - home[0]) / (frames - 2))
                    ),
                    "leave",
                )
        return (route.backwards(frames) if is_reversed < 0.5 else route), story

    def _actor(
        self, rng: np.random.Generator, stage: _Stage, still: int, piece: Piece, place: Point, scale: float,
        route: Route, story: str, base: list[Matrix],
    ) -> _Actor:  # fmt: skip
        frames, side, anchor = stage.frames, stage.views[0].side, foothold(piece)
        is_stiff = is_rigid(piece)
        left, top, right, bottom = piece.cut
        is_upright = left or top or right or bottom
        most = (self.growth, 0.0 if is_upright else self.turn, self.aspect, 0.0 if left or right else self.sway)
        forms = drift(rng, [0.0] * 4 if is_stiff else most, frames, 12.0).at(frames, 4.0)
        ways = route.at(frames, 1.0 + 1.5 * float(rng.random()))
        feet = [(place[0] + side * x, place[1] + side * y) for x, y in ways]
        matrices = [
            photo_for_frame(at, anchor, foot, Form(scale * (1 + grown), turn, aspect, sway))
            for at, foot, (grown, turn, aspect, sway) in zip(base, feet, forms, strict=True)
        ]
        bent: list[Any] = [None] * frames
        is_bent, *units = rng.random(1 + 2 * _SPOTS).tolist()
        moves = drift(rng, [self.bend_by] * (2 * _SPOTS), frames, 8.0).at(frames, 4.0)
        if is_bent < self.bend and not any(piece.cut):
            spots = [(0.2 + 0.6 * u, 0.1 + 0.7 * v) for u, v in zip(units[::2], units[1::2], strict=True)]
            bent = list(bends(matrices, piece, stage.size, spots, moves))
        return _Actor(still, piece, matrices, feet, feet[0][1], True, story, bent)

    def _pasted(
        self, rng: np.random.Generator, stage: _Stage, material: Material, still: int, others: Sequence[_Actor]
    ) -> list[_Actor]:
        """A piece of a further photo in the scene; none where all are cut on opposite sides."""
        pieces = [each for each in pieces_of(material.stills[still].labels, material.objects == UNION)
                  if not is_rigid(each)]  # fmt: skip
        which, across, down, crosses, front, sign = rng.random(6).tolist()
        area = _log(rng, self.area_low, self.area_high)
        if not pieces:
            return []
        piece = pieces[int(which * len(pieces))]
        view = stage.views[0]
        x0, y0, x1, y1 = piece.box
        width, height = x1 - x0, y1 - y0
        scale = min(math.sqrt(area * view.side**2 / piece.pixels), 0.9 * view.side / max(width, height))
        wide, high = scale * width / view.side, scale * height / view.side
        x = (across - 0.5) * (1 - min(wide, 0.8))
        y = between(rng, (max(high - 0.45, -0.1), 0.48))
        target = max((each for each in others if each.still == 0), key=lambda each: each.piece.pixels, default=None)
        is_crossing = crosses < self.cross and target is not None and not any(piece.cut)
        if is_crossing:
            assert target is not None
            tx, ty = ((target.foot[0][axis] - view.centre[axis]) / view.side for axis in (0, 1))
            half = (target.piece.box[2] - target.piece.box[0]) / 2 / view.side + wide / 2
            side = 1 if (tx > 0) == (sign < 0.8) else -1
            x = min(max(tx - side * half, -0.5 + wide / 4), 0.5 - wide / 4)
            y = min(max(ty + 0.1 * (2 * down - 1), -0.4 + high), 0.49)
        base = stage.base
        left, top, right, bottom = piece.cut
        if any(piece.cut):
            base = [replace(view, roll=0.0).matrix(stage.size, stage.is_flipped)] * stage.frames
            x = -0.5 if left else 0.5 if right else x
            y = 0.5 if bottom else -0.5 if top else y
        place = (view.centre[0] + view.side * x, view.centre[1] + view.side * y)
        left_x = x - (0 if left else wide if right else wide / 2)
        top_y = y if top and not bottom else y - high
        box = tuple(
            view.centre[axis % 2] + view.side * at
            for axis, at in enumerate((left_x, top_y, left_x + wide, top_y + high))
        )
        if is_crossing:
            way = 2 * (tx - x)
            speed = min(max(abs(way) / max(stage.frames - 1, 1), self.speed_low), self.fastest)
            route, story = Route((0.0, max(abs(way) / speed, 1.0)), ((0.0, 0.0), (way, 0.0))), "cross"
        else:
            route, story = self._route(rng, stage, box, piece.cut, room_of(box, piece.cut, view))
        actor = self._actor(rng, stage, still, piece, place, scale, route, story, base)
        if is_crossing:
            assert target is not None
            return [replace(actor, depth=target.depth + (1e-3 if front < 0.6 else -1e-3))]
        return [replace(actor, depth=math.inf) if any(piece.cut) else actor]

    def _harmony(self, material: Material, actor: _Actor) -> tuple[Shade, ...]:
        """A factor for each colour that brings a piece nearer to the scene's mean."""
        scene = material.stills[0].image(_LOOK).reshape(-1, 3).mean(0, dtype=np.float64)
        still = material.stills[actor.still]
        small = still.image(_LOOK)
        at = np.minimum((actor.piece.places / _LOOK).astype(int), np.array(small.shape[1::-1]) - 1)
        own = small[at[:, 1], at[:, 0]].mean(0, dtype=np.float64)
        gains = np.clip(1 + self.harmony * 0.5 * ((scene + 8) / (own + 8) - 1), 0.75, 1.3)
        return tuple(Shade(kind, round(float(gain), 4)) for kind, gain in zip(GAINS, gains, strict=True))

    def _finish(self, rng: np.random.Generator, frames: int) -> tuple[Finish, ...]:
        """Exposure that drifts, and one codec for the whole clip."""
        is_jpeg, quality, lags, lag = rng.random(4).tolist()
        made = 0
        if is_jpeg < self.jpeg:
            made = self.quality_low + int(quality * (self.quality_high - self.quality_low + 1))
        limit = lag * self.lag_high if lags < self.lag else 0.0
        amounts = drift(rng, (self.drift, self.tint, self.tint), frames, 12.0).at(frames, 4.0)
        gains = [(1 + by + red, 1 + by, 1 + by + blue) for by, red, blue in amounts]
        return tuple(Finish(gain, made, limit) for gain in gains)


@dataclass(frozen=True)
class _Stage:
    """The camera's part of a clip."""

    frames: int
    size: int
    is_flipped: bool
    views: list[View]
    base: list[Matrix]  # points of the scene for points of each frame

    @classmethod
    def drawn(cls, motion: Smooth, rng: np.random.Generator, material: Material, pieces: Sequence[Piece]) -> _Stage:
        """A camera that begins at the objects and never sees beyond the photo."""
        frames, (H, W) = material.frames, material.stills[0].size
        is_flipped, is_still = float(rng.random()) < motion.flip, float(rng.random()) < motion.still_camera
        roll = 0.0 if is_still else motion.roll
        slack = math.cos(math.radians(roll)) + math.sin(math.radians(roll))
        side = between(rng, (motion.view_low, motion.view_high)) * min(H, W) / (slack + 2 * motion.shake)
        zoom = 0.0 if is_still else motion.zoom
        forms = drift(rng, (zoom / 2, roll), frames, 16.0).at(frames, 4.0)
        unrest = drift(rng, (motion.shake, motion.shake), frames, 3.0).at(frames, 1.5)
        reach = side * (slack / 2 + motion.shake)
        free = [(min(reach, full / 2), max(full - reach, full / 2)) for full in (W, H)]
        focus = _focus(rng, pieces, (H, W), side)
        start = [min(max(at, low), high) for at, (low, high) in zip(focus, free, strict=True)]
        room = tuple((free[axis][end] - start[axis]) / side for end in (0, 1) for axis in (0, 1))
        pace = Pace(
            _log(rng, motion.camera_low, motion.camera_high), motion.pause, motion.longest_pause, (0.1, 0.6), 0.5
        )
        pan = wander(rng, room, pace, frames, -8.0).at(frames, 3.0)  # type: ignore[arg-type]
        views = []
        for (x, y), (zoomed, rolled), (dx, dy) in zip(pan, forms, unrest, strict=True):
            way = (0.0, 0.0) if is_still else (x, y)
            centre = (start[0] + side * (way[0] + dx), start[1] + side * (way[1] + dy))
            views.append(View(centre, side * (1 - zoom / 2 + zoomed), rolled))
        base = [view.matrix(material.size, is_flipped) for view in views]
        return cls(frames, material.size, is_flipped, views, base)


def _focus(rng: np.random.Generator, pieces: Sequence[Piece], size: tuple[int, int], side: float) -> Point:
    """Where the camera begins: near one of the larger objects, or anywhere."""
    which, x, y = float(rng.random()), around(rng, 0.15 * side), around(rng, 0.15 * side)
    if not pieces:
        return size[1] / 2 + x, size[0] / 2 + y
    total = math.fsum(piece.pixels for piece in pieces)
    for piece in pieces:
        which -= piece.pixels / total
        if which <= 0:
            break
    x0, y0, x1, y1 = piece.box
    return (x0 + x1) / 2 + x, (y0 + y1) / 2 + y


def _log(rng: np.random.Generator, low: float, high: float) -> float:
    return math.exp(between(rng, (math.log(low), math.log(high))))
