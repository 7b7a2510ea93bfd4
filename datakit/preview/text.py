"""Text on pictures: Pillow's built-in font, fitted to a width and wrapped."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import ImageDraw, ImageFont

from .tiles import Colour

INK: Colour = (34, 34, 34)
SOFT: Colour = (90, 90, 90)
PAPER: Colour = (255, 255, 255)


@dataclass(frozen=True)
class Line:
    """A line of text; `strong` stands for bold."""

    text: str
    colour: Colour = SOFT
    strong: bool = False


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def length(text: str, size: int) -> float:
    """Width of a text in pixels; `size` is the face's, in pixels."""
    return _font(size).getlength(text)


def write(draw: ImageDraw.ImageDraw, at: tuple[float, float], line: Line, size: int) -> None:
    """Write a line; `at` is its upper left corner, (x, y)."""
    draw.text(at, line.text, fill=line.colour, font=_font(size))
    if line.strong:  # the built-in face has no bold cut
        draw.text((at[0] + 0.5, at[1]), line.text, fill=line.colour, font=_font(size))


def printable(text: str) -> str:
    """Letters the built-in face lacks as `\\u....`, so that a key can still be told from another."""
    return "".join(c if c.isascii() or c in "·±…" else c.encode("ascii", "backslashreplace").decode() for c in text)


def fit(text: str, size: int, width: int) -> str:
    """`text` with its middle left out where it is too long."""
    text = printable(text)
    keep = len(text)
    short = text
    while length(short, size) > width - 1 and keep > 2:
        keep -= 1
        short = text[: keep // 2] + "…" + text[len(text) - (keep - keep // 2) :]
    return short


def wrapped(phrases: Sequence[str], size: int, width: int) -> list[str]:
    """Phrases joined by commas and broken into lines between them."""
    lines: list[str] = []
    for phrase in phrases:
        phrase = fit(phrase, size, width)
        if lines and length(f"{lines[-1]}, {phrase}", size) <= width:
            lines[-1] = f"{lines[-1]}, {phrase}"
        else:
            lines.append(phrase)
    return lines
