"""JSON of annotation tools, read so that whatever it holds can be judged."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np


class Broken(ValueError):
    """A file that gives no annotation; the text says why.

    Attributes:
        is_damage: whether it is damaged; else it is a file of another kind.
    """

    def __init__(self, text: str, is_damage: bool = True):
        super().__init__(text)
        self.is_damage = is_damage


def load_json(path: Path) -> Any:
    """What a JSON file holds: numbers that are not finite as their names, half characters as '?'.

    Raises:
        Broken: it cannot be read, or is no JSON.
    """
    try:
        if not path.is_file():
            raise OSError("not a regular file")  # a pipe would be waited for
        return parse_json(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise Broken(f"cannot be read as JSON: {error}") from None


def parse_json(data: bytes) -> Any:
    """What JSON bytes hold, so that it can be hashed.

    Raises:
        ValueError, RecursionError: they are no JSON.
    """
    huge = re.search(rb"[eE]\+?\d{3}|\d{309}", data)  # only these overflow, and the hook below is slow
    document = json.loads(data, parse_constant=str, parse_float=_finite if huge else None)
    if re.search(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]", data):  # may be halves of surrogate pairs
        document = json.loads(json.dumps(document, ensure_ascii=False).encode(errors="replace"))
    return document


def _finite(text: str) -> float | str:
    number = float(text)
    return number if np.isfinite(number) else text


def is_whole(value: Any) -> TypeGuard[int]:
    """Whether a value is a whole number; true and false are none."""
    return type(value) is int


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a finite number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))
