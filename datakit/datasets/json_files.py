"""JSON of annotation tools, read so that whatever it holds can be judged."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeGuard

import numpy as np

from ..places import Place
from ..reading import read_file

DECODER = json.JSONDecoder(parse_constant=str)
HALF = re.compile(rb"\\u[dD][89a-fA-F]")  # may be half of a pair that stands for one character
HALF_RAW = re.compile(rb"\xed[\xa0-\xbf]")


class Broken(ValueError):
    """A file that gives no annotation; the text says why.

    Attributes:
        is_damage: whether it is damaged; else it is a file of another kind.
    """

    def __init__(self, text: str, is_damage: bool = True):
        super().__init__(text)
        self.is_damage = is_damage


def load_json(path: Place | str) -> Any:
    """What a JSON file holds: NaN and Infinity as their names, half characters as '?'.

    Raises:
        Broken: it cannot be read, or is no JSON.
    """
    try:
        return parse_json(read_file(path))
    except (OSError, ValueError, RecursionError) as error:
        raise Broken(f"cannot be read as JSON: {error}") from None


def parse_json(data: bytes) -> Any:
    """What JSON bytes hold.

    Raises:
        ValueError, RecursionError: they are no JSON.
    """
    with uncollected():
        document = DECODER.decode(data.decode(json.detect_encoding(data), "surrogatepass"))
    if (b"\\u" in data and HALF.search(data)) or (not data.isascii() and HALF_RAW.search(data)):
        document = json.loads(json.dumps(document, ensure_ascii=False).encode(errors="replace"))
    return document


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for cycles while millions of objects are made that hold none; it would take a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def size_in(entry: Mapping[str, Any], height: str, width: str) -> tuple[int, int] | None:
    """(H, W) under two keys of a JSON object, also where written with a decimal point; None where it is not there."""
    sides = [entry.get(height), entry.get(width)]
    sides = [int(side) if isinstance(side, float) and side.is_integer() else side for side in sides]
    return (sides[0], sides[1]) if is_whole(sides[0]) and is_whole(sides[1]) else None


def is_whole(value: Any) -> TypeGuard[int]:
    """Whether a value is a whole number; true and false are none."""
    return type(value) is int


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a finite number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))
