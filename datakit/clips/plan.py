"""The plan of a clip: every drawn number of it. A clip is a function of its plan and of the pictures it names.

A motion fills it; `render` makes pictures of it. It travels as JSON and gives the same bytes again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..transforms.sampling import Matrix

Six = tuple[float, float, float, float, float, float]
Rectangle = tuple[float, float, float, float]

WHOLE, OBJECTS, GROUND = "whole", "objects", "ground"


@dataclass(frozen=True)
class Bend:
    """A thin-plate spline within a frame, in fractions of its side: what lies at `start` comes to lie at `end`.

    Attributes:
        start, end: (x, y) of every control point.
        is_cut: whether what it fetches from beyond the frame is hidden.
    """

    start: tuple[tuple[float, float], ...]
    end: tuple[tuple[float, float], ...]
    is_cut: bool = True


@dataclass(frozen=True)
class Shade:
    """One change of colour.

    Attributes:
        kind: of `colour.SHADES`, such as `brightness`.
        amount: a factor; a shift of hue in turns; a deviation in pixels.
    """

    kind: str
    amount: float


@dataclass(frozen=True)
class Pose:
    """How one layer lies in one frame.

    Attributes:
        matrix: x and y in pixels of the photo for pixels of the frame: x' = m0 x + m1 y + m2, y' = m3 x + m4 y + m5.
            Pixel centres are whole numbers.
        bend: what the frame is bent by after that; None for nothing.
        shades: changes of colour, first to last.
        blur: how the layer moves while the frame is exposed, (x, y) in pixels of the frame; None for sharp.
    """

    matrix: Six
    bend: Bend | None = None
    shades: tuple[Shade, ...] = ()
    blur: tuple[float, float] | None = None

    def as_matrix(self) -> Matrix:
        """(2, 3) float64."""
        return np.array(self.matrix, np.float64).reshape(2, 3)


@dataclass(frozen=True)
class Layer:
    """One picture and how it lies in every frame. Layers are laid on each other, the first lowest.

    Attributes:
        still: number of the picture in the plan's list.
        poses: of every frame; None in a frame where the layer is not.
        part: `whole` is the photo with its objects; `objects` its objects alone, cut out; `ground` the photo with its
            objects taken out and their place filled.
        objects: numbers of the still's objects that it shows, from 1; the others are ground.
        visible: (x0, y0, x1, y1) in pixels of the photo, what of it is shown; None for all.
        shades: changes of colour of the photo before it is laid.
        edge: deviation in pixels by which the rim of cut-out objects is blended; 0 for a hard one.
    """

    still: int
    poses: tuple[Pose | None, ...]
    part: str = WHOLE
    objects: tuple[int, ...] = ()
    visible: Rectangle | None = None
    shades: tuple[Shade, ...] = ()
    edge: float = 0.0


@dataclass(frozen=True)
class Finish:
    """What happens to a whole frame at the end.

    Attributes:
        shades: changes of colour, first to last.
        quality: of the JPEG it went through, 1..100; 0 for none.
        lag: mean change in grey levels below which a block stays as it was in the frame before; 0 for none.
    """

    shades: tuple[Shade, ...] = ()
    quality: int = 0
    lag: float = 0.0


@dataclass(frozen=True)
class Candidate:
    """An object that may get an id, in the order of ids.

    Attributes:
        layer: number of the layer.
        objects: numbers of the still's objects that are one object of the clip.
        rank: the lower, the sooner it is kept where there are too many.
    """

    layer: int
    objects: tuple[int, ...]
    rank: int


@dataclass(frozen=True)
class ClipPlan:
    """Everything that was drawn for a clip.

    Attributes:
        recipe: name of the recipe.
        size: side of the frames in pixels.
        fill: colour beyond photos, RGB.
        stills: keys of the photos, the first gives the clip its key.
        layers: what is laid on each other, the lowest first.
        candidates: objects in the order of their ids.
        least_pixels: of an object in frame 0; with fewer it is ground in all frames.
        most_objects: kept by rank.
        finish: of each frame; empty for none.
        bend_fill: colour where a bend fetches from beyond the frame; None for `fill`.
        stretch: whether bends are read as the published loaders read them, see `presets`.
        redraws: draws thrown away before this one.
        drawn: the numbers as a motion draws them, by name: for captions and statistics; they make no picture.
        guides: numbers of the guide masks, a list for each frame and object; empty where there are none.
    """

    recipe: str
    size: int
    fill: tuple[int, int, int]
    stills: tuple[str, ...]
    layers: tuple[Layer, ...]
    candidates: tuple[Candidate, ...]
    least_pixels: int = 1
    most_objects: int = 254
    finish: tuple[Finish, ...] = ()
    bend_fill: tuple[int, int, int] | None = None
    stretch: bool = False
    redraws: int = 0
    drawn: Mapping[str, Any] = field(default_factory=dict)
    guides: tuple[tuple[tuple[float, ...], ...], ...] = ()

    @property
    def frames(self) -> int:
        """How many frames it has."""
        return len(self.layers[0].poses)

    def picked(self, numbers: Sequence[int]) -> ClipPlan:
        """The plan of some of the frames alone, in that order; who gets an id is judged in the first of them."""
        layers = tuple(replace(each, poses=tuple(each.poses[n] for n in numbers)) for each in self.layers)
        finish = tuple(self.finish[n] for n in numbers) if self.finish else ()
        guides = tuple(self.guides[n] for n in numbers) if self.guides else ()
        return replace(self, layers=layers, finish=finish, guides=guides)

    def to_dict(self) -> dict[str, Any]:
        """As plain values, as JSON has them."""
        plain: dict[str, Any] = _plain(self)
        return plain

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ClipPlan:
        """The plan of `to_dict`."""
        rest = dict(values)
        layers = tuple(_layer(each) for each in rest.pop("layers"))
        candidates = tuple(
            Candidate(each["layer"], tuple(each["objects"]), each["rank"]) for each in rest.pop("candidates")
        )
        finish = tuple(Finish(**each | {"shades": _shades(each["shades"])}) for each in rest.pop("finish"))
        guides = tuple(tuple(map(tuple, frame)) for frame in rest.pop("guides"))
        named = {name: _tuple(rest.pop(name)) for name in ("fill", "stills", "bend_fill")}
        return cls(**named, layers=layers, candidates=candidates, finish=finish, guides=guides, **rest)


def _plain(value: Any) -> Any:
    """Dataclasses as dicts and tuples as lists, at any depth."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return value


def _tuple(value: Any) -> Any:
    return None if value is None else tuple(value)


def _layer(values: Mapping[str, Any]) -> Layer:
    rest = dict(values)
    poses = tuple(None if each is None else _pose(each) for each in rest.pop("poses"))
    shades = _shades(rest.pop("shades"))
    named = {name: _tuple(rest.pop(name)) for name in ("objects", "visible")}
    return Layer(poses=poses, shades=shades, **named, **rest)


def _pose(values: Mapping[str, Any]) -> Pose:
    bend = values["bend"]
    return Pose(
        tuple(values["matrix"]),
        None if bend is None else Bend(_points(bend["start"]), _points(bend["end"]), bend["is_cut"]),
        _shades(values["shades"]),
        _tuple(values["blur"]),
    )


def _points(values: Any) -> tuple[tuple[float, float], ...]:
    return tuple((x, y) for x, y in values)


def _shades(values: Any) -> tuple[Shade, ...]:
    return tuple(Shade(**each) for each in values)
