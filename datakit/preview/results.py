"""A picture of a network's results: photo, guide mask, output and target, one row per triple.

Running the network is left to others; tiles and text are those of the contact sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from ..arrays import Box, Image, Mask, iou
from ..samples import Triple
from . import tiles
from .sheet import GAP, LINE, MARGIN, ROW_GAP, TILE
from .text import INK, PAPER, Line, fit, write

HEADINGS = ("photo", "rough input", "output", "target")
TOP = MARGIN + 62
ROW = TILE[0] + 6 + LINE + ROW_GAP


def results_sheet(rows: Sequence[tuple[Triple, Mask]], title: str) -> Image:
    """Draw inputs and outputs side by side.

    Args:
        rows: triples, each with the (H, W) uint8 mask that a network made of its rough one.
        title: stands above everything.

    Returns:
        (H, W, 3) uint8 RGB. In the middle columns what a mask has too much is orange, what it lacks is blue.
    """
    width = 2 * MARGIN + len(HEADINGS) * (TILE[1] + GAP) - GAP
    sheet = PillowImage.new("RGB", (width, TOP + len(rows) * ROW + MARGIN - ROW_GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    write(draw, (MARGIN, MARGIN - 6), Line(fit(title, 20, width - 2 * MARGIN), INK, strong=True), 20)
    for column, heading in enumerate(HEADINGS):
        write(draw, (_left(column), TOP - 26), Line(heading, INK, strong=True), 15)
    for number, (triple, output) in enumerate(rows):
        top = TOP + number * ROW
        for column, (tile, caption) in enumerate(_cells(triple, output)):
            sheet.paste(PillowImage.fromarray(tile), (_left(column), top))
            write(draw, (_left(column), top + TILE[0] + 6), Line(fit(caption, 12, TILE[1])), 12)
    return np.asarray(sheet, np.uint8).copy()


def _left(column: int) -> int:
    return MARGIN + column * (TILE[1] + GAP)


def _cells(triple: Triple, output: Mask) -> list[tuple[Image, str]]:
    region: Box = tiles.region_of([triple.target, triple.guide], TILE)
    return [
        (tiles.picture_tile(triple.image, region, TILE), triple.key),
        (tiles.difference_tile(triple, region, TILE), f"IoU {iou(triple.guide, triple.target):.2f}"),
        (
            tiles.difference_tile(replace(triple, guide=output), region, TILE),
            f"IoU {iou(output, triple.target):.2f}",
        ),
        (tiles.target_tile(triple.image, triple.target, region, TILE), f"{int(triple.target.sum()):,} px"),
    ]
