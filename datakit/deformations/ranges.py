"""Settings of deformations and recipes: their type, their allowed range, their way in from text.

A setting is a dataclass field made by `setting`; its default value fixes its type, unless that is None, which leaves
the value to others. What the settings mean is said where they are declared.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import Field, field, fields
from typing import Any

from ..errors import UsageError


def setting(
    default: Any,
    low: float = -math.inf,
    high: float = math.inf,
    choices: tuple[str, ...] = (),
    kind: type | None = None,
) -> Any:
    """A dataclass field with a default, a closed range for its numbers or the words it may be.

    Its `kind` is the type of its default, and must be given where that is None.
    """
    return field(
        default=default, metadata={"low": low, "high": high, "choices": choices, "kind": kind or type(default)}
    )


def settings_of(owner: Any) -> dict[str, Field[Any]]:
    """Name -> field of every setting of a dataclass or an instance of one."""
    return {f.name: f for f in fields(owner) if "low" in f.metadata}


def settle(owner: Any, place: str) -> None:
    """Check every setting of a frozen dataclass under construction, turning 1 into 1.0 and lists into tuples.

    Args:
        owner: the instance.
        place: what messages call it.

    Raises:
        UsageError: a value of the wrong type or outside its range; names the setting.
    """
    for name, each in settings_of(owner).items():
        object.__setattr__(owner, name, checked(each, getattr(owner, name), f"{place}.{name}"))


def from_mapping(kind: type[Any], values: Mapping[str, Any], place: str) -> Any:
    """An instance of a dataclass of settings from a mapping.

    Raises:
        UsageError: an unknown key, a wrong type or a value outside its range.
    """
    refuse_unknown(values, settings_of(kind), place)
    return kind(**values)


def refuse_unknown(keys: Iterable[str], known: Iterable[str], place: str) -> None:
    """Raise UsageError, listing what is known, when a key is not among it."""
    known = list(known)
    for key in keys:
        if key not in known:
            raise UsageError(f"{place}: unknown key {key!r}; known are {', '.join(known)}")


def checked(each: Field[Any], value: Any, place: str) -> Any:
    """`value` in the setting's type, or None where that is its default; `place` opens the message.

    Raises:
        UsageError: wrong type, or outside the range.
    """
    if value is None and each.default is None:
        return None
    kind = each.metadata["kind"]
    if kind is tuple:
        if not isinstance(value, list | tuple):
            raise UsageError(f"{place}: {value!r} is no list of numbers")
        return tuple(_number(each, item, float, place) for item in value)
    if kind is bool:
        if not isinstance(value, bool):
            raise UsageError(f"{place}: {value!r} is neither true nor false")
        return value
    if kind is str:
        if value not in each.metadata["choices"]:
            raise UsageError(f"{place}: {value!r} is none of {', '.join(each.metadata['choices'])}")
        return value
    return _number(each, value, kind, place)


def _number(each: Field[Any], value: Any, kind: type, place: str) -> Any:
    whole = kind is int
    fits = isinstance(value, int) if whole else isinstance(value, int | float)
    if not fits or isinstance(value, bool):
        raise UsageError(f"{place}: {value!r} is no {'whole number' if whole else 'number'}")
    low, high = each.metadata["low"], each.metadata["high"]
    if not (low <= value <= high and math.isfinite(value)):
        raise UsageError(f"{place}: {value} is outside {low}..{high}")
    return kind(value)


def parsed(each: Field[Any], text: str, place: str) -> Any:
    """The value written as `text` on a command line: a number, true/false, a word, or numbers joined by commas.

    Raises:
        UsageError: not readable as the setting's type, or outside its range.
    """
    kind = each.metadata["kind"]
    if kind is tuple:
        value: Any = [_literal(part) for part in text.split(",") if part.strip()]
    elif kind is bool:
        value = {"true": True, "false": False}.get(text.strip().lower(), text)
    elif kind is str:
        value = text.strip()
    else:
        value = _literal(text)
    return checked(each, value, place)


def _literal(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
