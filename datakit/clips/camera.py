"""A camera that pans, zooms, rolls and shakes within a photo, and never sees beyond it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..config import setting
from ..transforms.sampling import Matrix
from .motion import Material, Motion, around, between
from .paths import Pace, Point, drift, log_between, wander
from .pieces import Piece

_UP_AND_DOWN = 0.5  # of a pan: how much of a move up or down is left
_EASE = 3.0  # frames in which a pan gathers speed, twice
_SLOW = 16.0  # frames between two aims of zoom and roll
_QUICK = 3.0  # frames between two jerks


@dataclass(frozen=True)
class View:
    """A camera in one frame.

    Attributes:
        centre: of what it sees, x and y in the scene, which is the first photo.
        side: of what it sees, in pixels of the photo.
        roll: in degrees.
    """

    centre: Point
    side: float
    roll: float

    def matrix(self, size: int, is_flipped: bool) -> Matrix:
        """(2, 3): points of the scene for points of the frame.

        Args:
            size: side of the frame.
            is_flipped: whether the frame is mirrored.
        """
        scale, angle = self.side / size, math.radians(self.roll)
        linear = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        if is_flipped:
            linear[:, 0] *= -1
        middle = np.array([size / 2, size / 2])
        return np.column_stack([linear, np.array(self.centre) - linear @ middle])


@dataclass(frozen=True)
class Stage:
    """A scene as the camera sees it.

    Attributes:
        size: side of a frame in pixels.
        is_flipped: whether frames are mirrored.
        views: of each frame.
        base: (2, 3) of each frame: points of the scene for points of the frame.
    """

    size: int
    is_flipped: bool
    views: Sequence[View]
    base: Sequence[Matrix]

    @property
    def frames(self) -> int:
        """How many."""
        return len(self.views)


@dataclass(frozen=True)
class Camera(Motion):
    """Settings of a camera, in a photo that is larger than what it sees.

    Attributes:
        view_low, view_high: least and largest side of what the camera sees, as a share of the photo's shorter side.
        flip: share of clips that are mirrored.
        still_camera: share of clips whose camera does not pan, zoom or roll.
        camera_low, camera_high: least and largest speed of a pan; its logarithm is drawn uniformly.
        zoom: share of the view by which it shrinks at most.
        roll: largest turn of the camera in degrees.
        shake: largest unrest of the camera in sides of the view.
        pause: share of turning points at which camera or object rests.
        longest_pause: frames of a rest at most.
    """

    view_low: float = setting(0.75, 0.1, 1)
    view_high: float = setting(1.0, 0.1, 1)
    flip: float = setting(0.5, 0, 1)
    still_camera: float = setting(0.3, 0, 1)
    camera_low: float = setting(0.002, 1e-4, 1)
    camera_high: float = setting(0.02, 1e-4, 1)
    zoom: float = setting(0.2, 0, 0.9)
    roll: float = setting(2.0, 0, 20)
    shake: float = setting(0.003, 0, 0.1)
    pause: float = setting(0.3, 0, 1)
    longest_pause: int = setting(6, 1, 256)

    def pace(self, speed: float, flat: float) -> Pace:
        """How a way goes on at some speed."""
        return Pace(speed, self.pause, self.longest_pause, flat)

    def draw_stage(self, rng: np.random.Generator, material: Material, pieces: Sequence[Piece]) -> Stage:
        """Draw a camera that begins near one of the objects.

        Args:
            rng: source of all chance.
            material: what the clip is made of.
            pieces: of the first photo.
        """
        frames, (H, W) = material.frames, material.stills[0].size
        is_flipped, is_still = float(rng.random()) < self.flip, float(rng.random()) < self.still_camera
        roll, zoom = (0.0, 0.0) if is_still else (self.roll, self.zoom)
        slack = math.cos(math.radians(roll)) + math.sin(math.radians(roll)) + 2 * self.shake
        side = between(rng, (self.view_low, self.view_high)) * min(H, W) / slack
        forms = drift(rng, (zoom / 2, roll), frames, _SLOW).at(frames, _SLOW / 4)
        unrest = drift(rng, (self.shake, self.shake), frames, _QUICK).at(frames, _QUICK / 2)
        reach = side * slack / 2
        free = [(min(reach, full / 2), max(full - reach, full / 2)) for full in (W, H)]
        focus = _focus(rng, pieces, (H, W), side)
        start = [min(max(at, low), high) for at, (low, high) in zip(focus, free, strict=True)]
        left, top, right, bottom = ((free[axis][end] - start[axis]) / side for end in (0, 1) for axis in (0, 1))
        pace = self.pace(log_between(rng, self.camera_low, self.camera_high), _UP_AND_DOWN)
        pan = wander(rng, (left, top, right, bottom), pace, frames, -8.0).at(frames, _EASE)
        views = []
        for (x, y), (zoomed, rolled), (dx, dy) in zip(pan, forms, unrest, strict=True):
            way = (0.0, 0.0) if is_still else (x, y)
            centre = (start[0] + side * (way[0] + dx), start[1] + side * (way[1] + dy))
            views.append(View(centre, side * (1 - zoom / 2 + zoomed), rolled))
        return Stage(material.size, is_flipped, views, [view.matrix(material.size, is_flipped) for view in views])


def _focus(rng: np.random.Generator, pieces: Sequence[Piece], size: tuple[int, int], side: float) -> Point:
    """Where the camera begins: near an object, the larger the likelier; near the middle where there is none."""
    which, x, y = float(rng.random()), around(rng, 0.15 * side), around(rng, 0.15 * side)
    middle = size[1] / 2, size[0] / 2
    left = which * math.fsum(piece.pixels for piece in pieces)
    for piece in pieces:
        x0, y0, x1, y1 = piece.box
        middle = (x0 + x1) / 2, (y0 + y1) / 2
        left -= piece.pixels
        if left <= 0:
            break
    return middle[0] + x, middle[1] + y
