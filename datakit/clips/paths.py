"""Ways that go on: points reached at moments, and what lies between them with eased starts, stops and turns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .motion import around, between

_TAPS = 4  # moments on either side that a value is the mean of
_LEG = 0.1, 0.6  # sides of the view between two points
_SHORTEST = 0.02  # of a leg, in sides of the view; a shorter one goes the other way instead

Room = tuple[float, float, float, float]
Point = tuple[float, float]


@dataclass(frozen=True)
class Route:
    """Points and when they are reached; between two the way is straight, and before and after there is rest.

    Attributes:
        times: in frames, rising.
        points: of the same number, each of as many values.
    """

    times: tuple[float, ...]
    points: tuple[tuple[float, ...], ...]

    def at(self, frames: int, ease: float) -> list[tuple[float, ...]]:
        """Where it is in every frame, every value the mean of the route around that moment.

        So a corner becomes a bend, a start gathers speed, and nothing is ever faster than the route itself.

        Args:
            frames: how many.
            ease: frames before and after that the mean reaches.
        """
        moments = np.add.outer(_OFFSETS * ease, np.arange(frames, dtype=np.float64))
        columns = []
        for values in zip(*self.points, strict=True):
            read = np.interp(moments, self.times, values) * _WEIGHTS[:, None]
            columns.append(read.sum(0).tolist())  # row after row, so that all processors round alike
        return list(zip(*columns, strict=True))

    def backwards(self, frames: int) -> Route:
        """The same route the other way, its first frame the last."""
        return Route(tuple(frames - 1 - time for time in reversed(self.times)), tuple(reversed(self.points)))


_OFFSETS = np.arange(-_TAPS, _TAPS + 1) / _TAPS
_WEIGHTS = (1 + np.cos(np.pi * _OFFSETS * _TAPS / (_TAPS + 1))) / (2 * _TAPS + 2)  # a bell, in all 1


@dataclass(frozen=True)
class Pace:
    """How a way goes on.

    Attributes:
        speed: in sides of the view each frame.
        pause: share of points that are rested at.
        longest_pause: frames.
        flat: how much of a move up or down is left.
    """

    speed: float
    pause: float
    longest_pause: int
    flat: float


def wander(rng: np.random.Generator, room: Room, pace: Pace, frames: int, start: float) -> Route:
    """From the origin to points in a room, one after the other, now and then with a rest.

    Args:
        rng: source of chance.
        room: left, top, right and bottom of where it may be; holds (0, 0).
        pace: how.
        frames: until it is followed.
        start: moment at which it sets out.
    """
    times, points = [start], [(0.0, 0.0)]
    while times[-1] < frames + 4:
        target = _next(rng, points[-1], room, pace)
        speed = pace.speed * between(rng, (0.6, 1.0))
        way = math.dist(target, points[-1])
        rests, rest = float(rng.random()) < pace.pause, 1 + int(float(rng.random()) * pace.longest_pause)
        if way < _SHORTEST / 4:
            times.append(times[-1] + 4.0)
            points.append(points[-1])
            continue
        times.append(times[-1] + way / speed)
        points.append(target)
        if rests:
            times.append(times[-1] + rest)
            points.append(target)
    return Route(tuple(times), tuple(points))


def _next(rng: np.random.Generator, here: Point, room: Room, pace: Pace) -> Point:
    """A point in the room, in either direction if there is no way in one."""
    way, side = between(rng, _LEG), 1 if float(rng.random()) < 0.5 else -1
    angle = around(rng, math.pi / 2)
    for sign in (side, -side):
        x = min(max(here[0] + sign * way * math.cos(angle), room[0]), room[2])
        y = min(max(here[1] + pace.flat * way * math.sin(angle), room[1]), room[3])
        if math.dist((x, y), here) >= _SHORTEST:
            break
    return x, y


def away_and_back(rng: np.random.Generator, exit_at: Point, back_at: Point, frames: int, speed: float) -> Route:
    """From the origin to a point, out of sight for a while, and back to another.

    Args:
        rng: source of chance.
        exit_at: the farthest point.
        back_at: the last one.
        frames: of the clip; it returns within them if it is fast enough.
        speed: at least so much a frame; more where the clip is too short.
    """
    out, back = math.hypot(*exit_at), math.dist(exit_at, back_at)
    spare = frames - 1 - (out + back) / speed
    units = rng.random(3).tolist()
    if spare > 0:
        total = math.fsum(units) + 1.0
        before, hidden = (spare * unit / total for unit in units[:2])
    else:
        before = hidden = 0.0
    leave = before + out / speed
    return Route(
        (before, leave, leave + hidden, leave + hidden + back / speed), ((0.0, 0.0), exit_at, exit_at, back_at)
    )


def straight(way: float, frames: int, speed: float) -> Route:
    """To the right, or the left, and there to rest.

    Args:
        way: how far.
        frames: of the clip; it sets out so that it arrives in the last, or at once if it cannot.
        speed: a frame.
    """
    needed = max(abs(way) / speed, 1.0)
    start = max(frames - 1 - needed, 0.0)
    return Route((start, start + needed), ((0.0, 0.0), (way, 0.0)))


def drift(rng: np.random.Generator, most: Sequence[float], frames: int, every: float) -> Route:
    """Values that wander around 0, each by itself, a new aim about every so many frames.

    Args:
        rng: source of chance.
        most: largest of each.
        frames: until they are followed.
        every: frames.
    """
    times, points = [-every * float(rng.random())], [tuple(around(rng, each) for each in most)]
    while times[-1] < frames:
        times.append(times[-1] + every * between(rng, (0.7, 1.3)))
        points.append(tuple(around(rng, each) for each in most))
    return Route(tuple(times), tuple(points))


def log_between(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between two, its logarithm uniformly."""
    return math.exp(between(rng, (math.log(low), math.log(high))))
