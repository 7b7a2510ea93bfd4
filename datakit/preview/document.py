"""Shared parts of the HTML pages: one self-contained file with style, script, data blocks and small photos.

A page needs no network, no server and no other file, and its policy lets nothing run or load but what it holds.
What a page shows is left to the module of that page.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from ..arrays import Image
from ..images import encode_jpeg, encode_webp
from ..resize import shrunk
from . import tiles

LEAST_SIDE = 112
# WebP quality -> its bytes over those of a JPEG of quality 50 (median of 60 ECSSD photos); a JPEG takes a tenth of
# the time, so it tells which quality to try.
QUALITIES = {72: 1.17, 50: 0.91, 30: 0.70}
ALL_PICTURES = 28_000_000  # bytes of all pictures together, before base64 makes them a third larger
MOST_A_PICTURE, LEAST_A_PICTURE = 14_000, 2_000
COLOURS = {
    "added": tiles.ADDED,
    "lost": tiles.LOST,
    "target": tiles.TARGET,
    "rough": tiles.ROUGH,
    "flagged": tiles.FLAGGED,
    "void": tiles.IGNORE_COLOUR,
}


def picture_bytes(pictures: int) -> int:
    """Most bytes of one picture, so that a page of so many stays under 60 MB; from 14 000 pictures on it grows."""
    return max(LEAST_A_PICTURE, min(MOST_A_PICTURE, ALL_PICTURES // max(1, pictures)))


def template(page: str, title: str, styles: Sequence[str], scripts: Sequence[str]) -> tuple[str, str]:
    """A page before and after its data, with style and code in it and a policy that lets nothing else run.

    Args:
        page: name of its HTML file, which lies beside this module as all others do.
        title: stands above everything.
        styles: names of CSS files.
        scripts: names of JavaScript files, run in this order.
    """
    style, script = _colours() + "".join(map(_read, styles)), "".join(map(_read, scripts))
    policy = f"default-src 'none'; style-src '{hash_source(style)}'; script-src '{hash_source(script)}'; img-src data:"
    before, after = _filled(page).split("<!--data-->")
    for mark, text in (("<!--policy-->", policy), ("<!--title-->", html.escape(title)), ("<!--style-->", style)):
        before = before.replace(mark, text)
    return before, after.replace("<!--script-->", script)


def _filled(page: str) -> str:
    """Text of an HTML file; below `<!--in OTHER-->` stand parts `<!--X:-->` that fill the marks `<!--X-->` there."""
    text = _read(page)
    inside = re.match(r"<!--in (\S+)-->", text)
    if inside is None:
        return text
    whole = _filled(inside[1])
    names_and_parts = re.split(r"<!--(\w+):-->", text)[1:]
    for name, part in zip(names_and_parts[::2], names_and_parts[1::2], strict=True):
        whole = whole.replace(f"<!--{name}-->", part.strip())
    return whole


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def hash_source(text: str) -> str:
    """A style or script as a policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _colours() -> str:
    """The colours of all previews as variables of the style."""
    return ":root{" + "".join(f"--{name}:rgb{colour};" for name, colour in COLOURS.items()) + "}\n"


def data_block(name: str, value: Any, attributes: str = "") -> str:
    """A block of data that the browser neither runs nor shows, and that no text in it can close."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    named = f'id="{name}" ' if name else ""
    return f'<script {named}{attributes}type="application/json">{text}</script>\n'


def picture_block(pictures: Sequence[bytes]) -> str:
    """A block of pictures, separated by commas; the page decodes one when it is first looked at."""
    encoded = ",".join(base64.b64encode(picture).decode() for picture in pictures)
    return f'<script type="text/plain">{encoded}</script>\n'


def small_picture(image: Image, longest: int, most: int) -> bytes:
    """WebP bytes of a photo, never enlarged: first coarser, then smaller, until they are few enough.

    Args:
        image: (H, W, 3) uint8 RGB.
        longest: pixels of the longer side; of a picture no larger than `LEAST_SIDE` any number of bytes is taken.
        most: bytes.
    """
    while True:
        image = shrunk(image, longest)
        guess = len(encode_jpeg(image, 50))
        for quality, share in QUALITIES.items():
            if guess * share <= 1.1 * most or longest <= LEAST_SIDE:
                encoded = encode_webp(image, quality)
                if len(encoded) <= most or longest <= LEAST_SIDE:
                    return encoded
        longest = max(LEAST_SIDE, int(max(image.shape[:2]) * 0.8))
