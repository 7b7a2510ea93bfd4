"""A clip recipe: how many frames of which size, how pictures move, how the light changes, which draws are thrown away.

As TOML and by `KEY=VALUE`, like recipes of guide masks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..config import (
    from_mapping,
    refuse_unknown,
    setting,
    settings_of,
    validate,
)
from ..errors import UsageError
from ..wording import counted
from .colour import Colour
from .motion import EACH, MOTIONS, UNION, Motion
from .rough import ROUGH, Rough

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
PARTS = ("motion", "colour", "rough")


@dataclass(frozen=True)
class ClipRecipe:
    """How one still, or several, become a clip.

    Attributes:
        name: part of every clip's key.
        motion: how the pictures move.
        colour: how the light changes.
        rough: guide masks beside the true ones; None for none.
        frames: how many frames a clip has.
        size: side of a frame in pixels.
        fill: red, green and blue of what lies beyond the photo.
        more_stills_low, more_stills_high: how many further pictures give objects that lie over the first picture.
        objects: `union` takes all objects of a picture as one, `each` every one by itself.
        most_objects: how many objects of a clip are kept, chosen by chance.
        least_pixels: fewest pixels of an object in frame 0, with fewer it is ground in all frames.
        redraw: draws thrown away: `never` none, `empty` those whose frame 0 has no object, `lost` those in which any
            object has too few pixels in frame 0.
        max_redraws: after so many the last draw is kept.
        faithful: bends as the published loaders make them: black beyond the frame, stretched by W / (W - 1).
    """

    name: str
    motion: Motion
    colour: Colour = field(default_factory=Colour)
    rough: Rough | None = None
    frames: int = setting(3, 1, 256)
    size: int = setting(384, 32, 2048)
    fill: tuple[int, int, int] = setting((124, 116, 104), 0, 255)
    more_stills_low: int = setting(0, 0, 16)
    more_stills_high: int = setting(0, 0, 16)
    objects: str = setting(UNION, choices=(UNION, EACH))
    most_objects: int = setting(254, 1, 254)
    least_pixels: int = setting(1, 1, 1 << 22)
    redraw: str = setting("never", choices=("never", "empty", "lost"))
    max_redraws: int = setting(10, 0, 1000)
    faithful: bool = setting(False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise UsageError(f"clip recipe name {self.name!r}: expected letters, digits, '.', '_' and '-'")
        validate(self, f"clip recipe {self.name}")
        if len(self.fill) != 3:
            raise UsageError(f"clip recipe {self.name}: fill {list(self.fill)}: expected red, green and blue")
        object.__setattr__(self, "fill", tuple(int(each) for each in self.fill))

    def __repr__(self) -> str:
        """One line: name, motion, frames and size."""
        return f"ClipRecipe({self.name!r}, {self.motion.kind}, {counted(self.frames, 'frame')} of {self.size} px)"

    def checked(self) -> ClipRecipe:
        """The recipe itself, once no least value is above its largest; not while settings are changed one by one.

        Raises:
            UsageError: `…_low` is above `…_high`; names both.
        """
        for part in ("", *PARTS):
            owner, prefix = (getattr(self, part), f"{part}.") if part else (self, "")
            for low in (name for name in settings_of(owner) if name.endswith("_low")) if owner is not None else ():
                high = low.removesuffix("_low") + "_high"
                least, most = getattr(owner, low), getattr(owner, high)
                if least > most:
                    raise UsageError(f"clip recipe {self.name}: {prefix}{low} is {least}, above {prefix}{high}, {most}")
        return self

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values, as in a recipe file."""
        plain: dict[str, Any] = {"name": self.name} | _settings(self)
        plain["motion"] = {"kind": self.motion.kind} | _settings(self.motion)
        plain["colour"] = _settings(self.colour)
        if self.rough is not None:
            plain["rough"] = {"kind": self.rough.kind} | _settings(self.rough)
        return plain

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], start: ClipRecipe | None = None) -> ClipRecipe:
        """The recipe of plain values.

        Args:
            values: what is left out is as in `start`, or has its default.
            start: a recipe to begin with.

        Raises:
            UsageError: an unknown key or kind, a wrong type, or a value outside its range.
        """
        place = f"clip recipe {values.get('name', '')}".strip()
        refuse_unknown(values, ("name", *settings_of(cls), *PARTS), place)
        if "name" not in values:
            raise UsageError(f"{place}: no 'name'")
        if start is None and "motion" not in values:
            raise UsageError(f"{place}: no [motion] and no `like`; write `like = \"cutie\"` to begin with a preset, or "
                             f"[motion] with a kind of {', '.join(MOTIONS)}")  # fmt: skip
        rest: dict[str, Any] = {key: values[key] for key in settings_of(cls) if key in values}
        rest["motion"] = _part(MOTIONS, "motion", values.get("motion"), start and start.motion, place)
        rest["rough"] = _part(ROUGH, "rough", values.get("rough"), start and start.rough, place)
        rest["colour"] = _colour(values.get("colour"), start.colour if start else Colour(), place)
        made = replace(start, name=values["name"], **rest) if start else cls(values["name"], **rest)
        return made.checked()


def _settings(owner: Any) -> dict[str, Any]:
    found = {name: getattr(owner, name) for name in settings_of(owner)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def _part(table: Mapping[str, Any], name: str, values: Any, start: Any, place: str) -> Any:
    """A motion or a rule of rough masks: of its table in the file, else of the preset it begins with."""
    if values is None:
        return start
    if not isinstance(values, Mapping):
        raise UsageError(f"{place}: {name} = {values!r} is no table of settings; write [{name}]")
    rest = dict(values)
    kind = rest.pop("kind", start.kind if start else None)
    if kind not in table:
        raise UsageError(f"{place}: [{name}] kind {kind!r}: kinds are {', '.join(table)}")
    held = _settings(start) if start is not None and start.kind == kind else {}
    return from_mapping(table[kind], held | rest, f"{place}: {name}")


def _colour(values: Any, start: Colour, place: str) -> Colour:
    if values is None:
        return start
    if not isinstance(values, Mapping):
        raise UsageError(f"{place}: colour = {values!r} is no table of settings; write [colour]")
    return from_mapping(Colour, _settings(start) | dict(values), f"{place}: colour")
