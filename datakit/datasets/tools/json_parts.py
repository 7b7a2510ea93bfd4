"""A long JSON list read one part at a time, each with its place in the file, so that it can be read again alone.

What is kept of a part is its place, however large it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ... import reading
from ...places import Place
from ..json_files import DECODER, HALF, HALF_RAW, Broken, parse_json

SPACE = re.compile(r"[ \t\n\r]*")
BOM = "\ufeff"


class Part(NamedTuple):
    """One value of a list.

    Attributes:
        value: what it holds.
        start: of its first byte in the file.
        length: in bytes.
    """

    value: Any
    start: int
    length: int


def parts_of(path: Place | str) -> Iterator[Part]:
    """The values of the list that a JSON file holds; of a file that holds another value, that one.

    Raises:
        Broken: it cannot be read, is no JSON, or is not in UTF-8; parts before the damage are given all the same.
    """
    try:
        data = reading.read_file(path)
        if json.detect_encoding(data) not in ("utf-8", "utf-8-sig"):
            raise ValueError("it is not in UTF-8; save it so")
        has_halves = HALF.search(data) or (not data.isascii() and HALF_RAW.search(data))
        for part in _located(data.decode("utf-8", "surrogatepass")):
            if has_halves:
                part = part._replace(value=parse_json(data[part.start : part.start + part.length]))
            yield part
    except Broken:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise Broken(f"cannot be read as JSON: {error}") from None


def read_part(path: Place | str, start: int, length: int) -> bytes:
    """The bytes of one part.

    Raises:
        Broken: the file cannot be read.
    """
    try:
        return reading.read_part(path, start, length)
    except OSError as error:
        raise Broken(f"cannot be read: {error}") from None


def _located(text: str) -> Iterator[Part]:
    """The values of a list, or the one value that a text is.

    Raises:
        ValueError, RecursionError: it is no JSON.
    """
    is_ascii = text.isascii()
    at = _skip(text, len(BOM) if text.startswith(BOM) else 0)
    is_list = text.startswith("[", at)
    known_at = known = 0  # a character, and the byte it begins at
    at = _skip(text, at + 1) if is_list else at
    while not (is_list and text.startswith("]", at)):
        value, end = DECODER.raw_decode(text, at)
        start = at if is_ascii else known + _bytes(text, known_at, at)
        length = end - at if is_ascii else _bytes(text, at, end)
        yield Part(value, start, length)
        known_at, known = end, start + length
        at = _skip(text, end)
        if not is_list:
            break
        if text.startswith(",", at):
            at = _skip(text, at + 1)
            if text.startswith("]", at):
                raise ValueError(f"Expecting value: char {at}")
        elif not text.startswith("]", at):
            raise ValueError(f"Expecting ',' delimiter: char {at}")
    if _skip(text, at + is_list) != len(text):
        raise ValueError(f"Extra data: char {at}")


def _skip(text: str, at: int) -> int:
    found = SPACE.match(text, at)
    return found.end() if found else at


def _bytes(text: str, start: int, end: int) -> int:
    return len(text[start:end].encode("utf-8", "surrogatepass"))
