"""What a motion is: from a few pictures to a plan, that is, where every layer lies in every frame.

`MOTIONS` is the one table of them. A motion is a frozen dataclass of settings made by `datakit.config.setting`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from ..config import validate
from ..errors import UsageError
from ..registry import Registry
from ..transforms.sampling import Matrix
from .colour import Colour
from .plan import Candidate, Finish, Layer, Six
from .still import Still

GROUP = "masktrack_datakit.motions"
UNION, EACH = "union", "each"


@dataclass(frozen=True)
class Material:
    """What a clip is to be made of.

    Attributes:
        stills: the pictures, the first gives the clip its key.
        frames: how many.
        size: side of a frame in pixels.
        colour: how the light changes.
        objects: `union` takes all objects of a picture as one, `each` every one by itself.
    """

    stills: Sequence[Still]
    frames: int
    size: int
    colour: Colour
    objects: str

    def groups(self, still: int) -> list[tuple[int, ...]]:
        """The objects of a picture: numbers in its label map that are one object of the clip."""
        numbers = range(1, min(len(self.stills[still].object_ids), 254) + 1)
        return [tuple(numbers)] if self.objects == UNION else [(n,) for n in numbers]


@dataclass(frozen=True)
class Drawn:
    """What a motion drew.

    Attributes:
        layers, candidates, finish: as in `plan.ClipPlan`.
        numbers: by name, for captions and statistics.
    """

    layers: tuple[Layer, ...]
    candidates: tuple[Candidate, ...]
    finish: tuple[Finish, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Motion(ABC):
    """How pictures move from frame to frame.

    Attributes:
        kind: its name.
    """

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        validate(self, "motion")

    @abstractmethod
    def draw(self, rng: np.random.Generator, material: Material) -> Drawn:
        """Draw all numbers of one clip.

        Args:
            rng: source of all chance; only `random` and `integers` are used.
            material: what it is made of.
        """


def _check(kind: str, motion: type[Motion]) -> None:
    if not (isinstance(motion, type) and issubclass(motion, Motion)):
        raise UsageError(f"motion {kind!r}: {motion!r} is no class derived from datakit.clips.Motion")
    if motion.kind != kind:
        raise UsageError(f"motion {kind!r}: calls itself {motion.kind!r}; register it under that name")


MOTIONS: Registry[type[Motion]] = Registry("motion", GROUP, _check)


def register_motion(motion: type[Motion]) -> type[Motion]:
    """Make a motion known to clip recipes, by its `kind`.

    Raises:
        UsageError: its kind is taken or no name, or the class is no motion.
    """
    MOTIONS.add(motion.kind, motion)
    return motion


def between(rng: np.random.Generator, ends: tuple[float, float]) -> float:
    """A number between two, uniformly."""
    return ends[0] + (ends[1] - ends[0]) * float(rng.random())


def around(rng: np.random.Generator, most: float) -> float:
    """A number between -`most` and `most`, uniformly."""
    return most * (2 * float(rng.random()) - 1)


def turned(degrees: float, shear: float, scale: float) -> Matrix:
    """(2, 2): a shear along x by an angle, then scale, then rotation, as torchvision puts them together.

    Args:
        degrees: of the rotation, clockwise on the screen.
        shear: in degrees.
        scale: a factor.
    """
    cos, sin, tan = math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), math.tan(math.radians(shear))
    return scale * np.array([[cos, -cos * tan - sin], [sin, -sin * tan + cos]])


def about(linear: Matrix, centre: tuple[float, float], shift: tuple[float, float] = (0.0, 0.0)) -> Matrix:
    """(2, 3): a matrix about a point, then a shift."""
    middle = np.array(centre)
    return np.column_stack([linear, middle + np.array(shift) - linear @ middle])


def inverted(matrix: Matrix) -> Matrix:
    """The (2, 3) matrix the other way."""
    back = np.linalg.inv(matrix[:, :2])
    return np.column_stack([back, -back @ matrix[:, 2]])


def of_pixels(matrix: Matrix) -> Six:
    """A matrix between points as one between pixels, whose centres are whole numbers."""
    half = np.array([0.5, 0.5])
    moved = matrix[:, :2] @ half + matrix[:, 2] - half
    (a, b), (c, d) = matrix[:, :2].tolist()
    return (a, b, float(moved[0]), c, d, float(moved[1]))
