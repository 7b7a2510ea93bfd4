"""Photos of sources as they are understood, on one sheet: every object outlined, and why a photo gives none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from ..arrays import Image, Labels
from ..errors import Problem
from ..keys import Key
from ..samples import Sample, Scene
from ..wording import counted
from .overlay import drawn
from .sheet import GAP, LINE, MARGIN, TILE
from .text import INK, PAPER, Line, fit, length, write
from .tiles import EMPTY, FLAGGED

COLUMNS = 4
CAPTION = 4  # lines below a photo
WORDS = 12  # pixels, size of its letters
MOST_NAMED = 3  # objects
EMPTY_SHARE = 0.35  # of the tile's ground in a greyed photo


@dataclass(frozen=True)
class Tile:
    """One photo of a sheet.

    Attributes:
        key: of the photo.
        scene: what a reader made of it; None where it made nothing.
        problems: what is wrong with it.
        photo: (H, W, 3) uint8 RGB, of a photo without samples; None where it cannot be read.
    """

    key: str
    scene: Scene | None
    problems: tuple[Problem, ...] = ()
    photo: Image | None = None


@dataclass(frozen=True)
class Block:
    """The tiles of one source, and what stands above them."""

    heading: str
    tiles: tuple[Tile, ...]


def scene_sheet(blocks: Sequence[Block], title: str) -> Image:
    """Draw photos with the outlines of their objects.

    Args:
        blocks: of each source, at least one with a tile.
        title: stands above everything.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    height, row = TILE[0], TILE[0] + 6 + CAPTION * LINE + GAP
    columns = min(COLUMNS, max(len(block.tiles) for block in blocks))
    width = 2 * MARGIN + max(columns, 2) * (TILE[1] + GAP) - GAP
    tops, top = [], MARGIN + 34
    for block in blocks:
        tops.append(top)
        top += 30 + math.ceil(len(block.tiles) / columns) * row
    sheet = PillowImage.new("RGB", (width, top + MARGIN - GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    write(draw, (MARGIN, MARGIN - 6), Line(fit(title, 20, width - 2 * MARGIN), INK, strong=True), 20)
    for block, top in zip(blocks, tops, strict=True):
        write(draw, (MARGIN, top), Line(fit(block.heading, 15, width - 2 * MARGIN), INK, strong=True), 15)
        for place, tile in enumerate(block.tiles):
            left, upper = MARGIN + place % columns * (TILE[1] + GAP), top + 30 + place // columns * row
            sheet.paste(PillowImage.fromarray(_picture(tile)), (left, upper))
            for nth, line in enumerate(_caption(tile)):
                write(draw, (left, upper + height + 6 + nth * LINE), line, 13 if line.strong else WORDS)
    return np.asarray(sheet, np.uint8).copy()


def _picture(tile: Tile) -> Image:
    """The photo in the middle of a tile, its objects outlined and numbered; greyed or empty where there are none."""
    canvas: Image = np.full((*TILE, 3), EMPTY, np.uint8)
    samples = tile.scene.samples if tile.scene else ()
    image = samples[0].image if samples else tile.photo
    if image is not None:
        zoom = min(TILE[0] / image.shape[0], TILE[1] / image.shape[1])
        size = max(1, round(image.shape[0] * zoom)), max(1, round(image.shape[1] * zoom))
        top, left = (TILE[0] - size[0]) // 2, (TILE[1] - size[1]) // 2
        shown = _numbered(image, samples, size) if samples else _greyed(image, size)
        canvas[top : top + size[0], left : left + size[1]] = shown
    if not samples:
        cv2.rectangle(canvas, (0, 0), (TILE[1] - 1, TILE[0] - 1), FLAGGED, 2)
    return canvas


def _greyed(image: Image, size: tuple[int, int]) -> Image:
    """A photo of which nothing is used: without colour, and paler."""
    small = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)[..., None].repeat(3, axis=2)
    return (EMPTY_SHARE * np.array(EMPTY) + (1 - EMPTY_SHARE) * grey).astype(np.uint8)


def _numbered(image: Image, samples: Sequence[Sample], size: tuple[int, int]) -> Image:
    """The objects of a photo, each with the number that its key has, where it is widest."""
    labels = _labels(samples)
    picture = PillowImage.fromarray(drawn(image, labels, size))
    draw = ImageDraw.Draw(picture)
    small = cv2.resize(labels, size[::-1], interpolation=cv2.INTER_NEAREST)
    for place, sample in enumerate(samples):
        number = Key.parse(sample.key).object
        seen = np.pad((small == place % 255 + 1).astype(np.uint8), 1)
        if not number or not seen.any():  # it is the only one, or another covers it
            continue
        depth = cv2.distanceTransform(seen, cv2.DIST_L2, 3)
        y, x = np.unravel_index(int(depth.argmax()), depth.shape)
        width = length(text := f"#{number}", WORDS)
        left = min(max(float(x) - 1 - width / 2, 1.0), max(size[1] - width - 2, 1.0))
        top = min(max(float(y) - 1 - WORDS / 2, 0.0), max(size[0] - WORDS - 3.0, 0.0))
        draw.rectangle((left - 1, top + 1, left + width + 1, top + WORDS + 2), fill=INK)
        write(draw, (left, top), Line(text, PAPER), WORDS)
    return np.asarray(picture, np.uint8)


def _labels(samples: Sequence[Sample]) -> Labels:
    """(H, W) uint8 colours of the objects, later ones over earlier ones."""
    labels = np.zeros(samples[0].mask.shape, np.uint8)
    for place, sample in enumerate(samples):
        labels[sample.mask != 0] = place % 255 + 1
    return labels


def _caption(tile: Tile) -> list[Line]:
    lines = [Line(fit(Key.parse(tile.key).name or tile.key, 13, TILE[1]), INK, strong=True)]
    if tile.scene is not None and tile.scene.samples:
        samples = tile.scene.samples
        numbers = [Key.parse(sample.key).object for sample in samples if Key.parse(sample.key).object]
        more = ["…"] if len(numbers) > MOST_NAMED else []
        text = counted(len(samples), "object")
        named = ", ".join([*(f"#{number}" for number in numbers[:MOST_NAMED]), *more])
        lines.append(Line(fit(f"{text}: {named}" if named else text, WORDS, TILE[1])))
    for problem in tile.problems[: CAPTION - len(lines)]:
        about = Key.parse(problem.key).object
        lines.append(
            Line(fit(f"{f'#{about} ' if about else ''}{problem.kind}: {problem.reason}", WORDS, TILE[1]), FLAGGED)
        )
    if not tile.problems or len(lines) >= CAPTION:
        return lines
    detail, room = _lines(tile.problems[0].detail.split()), CAPTION - len(lines)
    if len(detail) > room:
        detail = [*detail[: room - 1], _cut(detail[room - 1])]
    return [*lines, *(Line(text) for text in detail)]


def _cut(line: str) -> str:
    """A line that another would follow, with a sign of that at its end."""
    while length(f"{line} …", WORDS) > TILE[1] - 1:
        line = line[:-1]
    return f"{line} …"


def _lines(words: Sequence[str]) -> list[str]:
    """Words broken into lines of a tile's width."""
    lines = [""]
    for word in (fit(each, WORDS, TILE[1]) for each in words):
        longer = f"{lines[-1]} {word}".strip()
        if fit(longer, WORDS, TILE[1]) == longer:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
