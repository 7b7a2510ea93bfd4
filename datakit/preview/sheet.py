"""Arranges tiles and captions on a contact sheet: one row per sample, one group of columns per recipe.

What is in a tile is left to `tiles`, the captions of drawn parameters to the recipe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from ..arrays import Box, Image
from ..samples import Triple
from ..transforms import Recipe
from . import tiles
from .text import INK, PAPER, Line, fit, length, wrapped, write
from .tiles import Colour

TILE = (180, 240)
MARGIN, GAP, GROUP_GAP, ROW_GAP = 24, 10, 26, 22
LINE = 17
RULE: Colour = (205, 205, 205)

# Draws shown for each recipe: the more recipes stand side by side, the fewer.
SHOWN = {1: 4, 2: 2, 3: 2}
MOST_SHOWN = max(SHOWN.values())

LEGEND: tuple[tuple[Colour, bool, str], ...] = (
    (tiles.TARGET, True, "target: the accurate mask"),
    (tiles.ROUGH, True, "guide mask: what the network gets"),
    ((200, 200, 200), False, "kept"),
    (tiles.ADDED, False, "added (false positive)"),
    (tiles.LOST, False, "lost (false negative)"),
)
LEGEND_IGNORE: tuple[Colour, bool, str] = (tiles.IGNORE_COLOUR, False, "ignored: not scored")
FLAG_WORDS = {
    "low-iou": "low-iou: IoU below the recipe's min_iou",
    "no-tps": "no-tps: too small or too straight for the spline",
}


@dataclass(frozen=True)
class _Cell:
    """A tile with its caption; `flags` and `more` are badges in its corners."""

    tile: Image
    caption: tuple[Line, ...]
    flags: str = ""
    more: int = 0


@dataclass(frozen=True)
class _Group:
    """The columns of one recipe: `left` edges of its tiles, and its heading."""

    name: str
    heading: str
    lefts: tuple[int, ...]


def contact_sheet(
    rows: Sequence[Sequence[Triple]],
    recipes: Mapping[str, Recipe],
    title: str,
    totals: Sequence[Mapping[str, int]] = (),
) -> Image:
    """Draw samples and their deformed masks with the drawn numbers.

    Args:
        rows: the triples of one sample each, of one or several recipes.
        recipes: recipe name -> Recipe; their order is the order of the columns, and each has a column even where
            a row holds none of its triples.
        title: stands above everything.
        totals: for each row, recipe name -> number of its draws, where `rows` holds only the first
            `MOST_SHOWN` of them; default what `rows` holds.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    totals = totals or [Counter(triple.recipe for triple in row) for row in rows]
    groups = _groups(totals, recipes)
    width = max(group.lefts[-1] for group in groups) + TILE[1] + MARGIN
    cells = [_cells(row, groups, recipes, total) for row, total in zip(rows, totals, strict=True)]
    heights = [_row_height(row) for row in cells]
    legend, legend_height = _legend(rows, width)
    top = MARGIN + 34 + legend_height + 40
    sheet = PillowImage.new("RGB", (width, top + sum(heights) - ROW_GAP + MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    write(draw, (MARGIN, MARGIN - 6), Line(fit(title, 20, width - 2 * MARGIN), INK, strong=True), 20)
    _draw_legend(draw, legend)
    _draw_headings(draw, groups, top - 34)
    for row, height in zip(cells, heights, strict=True):
        for left, cell in row.items():
            _draw_cell(sheet, draw, (left, top), cell)
        top += height
    return np.asarray(sheet, np.uint8).copy()


def _groups(totals: Sequence[Mapping[str, int]], recipes: Mapping[str, Recipe]) -> list[_Group]:
    """Two columns for the photo and the target, then as many for each recipe as it has draws to show."""
    left, groups = MARGIN + 2 * (TILE[1] + GAP) - GAP + GROUP_GAP, []
    for name in recipes:
        most = max((total.get(name, 0) for total in totals), default=0)
        count = max(1, min(most, SHOWN.get(len(recipes), 1)))
        lefts = tuple(left + k * (TILE[1] + GAP) for k in range(count))
        draws = f"{most} draw{'s' * (most != 1)}"
        groups.append(_Group(name, draws if most <= count else f"{count} of {draws}", lefts))
        left = lefts[-1] + TILE[1] + GROUP_GAP
    return groups


def _cells(
    row: Sequence[Triple], groups: Sequence[_Group], recipes: Mapping[str, Recipe], total: Mapping[str, int]
) -> dict[int, _Cell]:
    """Left edge -> cell, for one sample."""
    by_recipe = {group.name: [triple for triple in row if triple.recipe == group.name] for group in groups}
    shown = [triple for group in groups for triple in by_recipe[group.name][: len(group.lefts)]]
    if not shown:
        return {}
    region = _common_region(shown)
    cells = dict(zip((MARGIN, MARGIN + TILE[1] + GAP), _source_cells(shown[0], region), strict=True))
    for group in groups:
        triples = by_recipe[group.name]
        for left, triple in zip(group.lefts, triples, strict=False):
            more = total[group.name] - len(group.lefts) if left == group.lefts[-1] else 0
            cells[left] = _triple_cell(triple, recipes[triple.recipe], _region(triple, shown[0], region), max(more, 0))
    return cells


def _common_region(shown: Sequence[Triple]) -> Box:
    masks = [shown[0].target] + [t.guide for t in shown if _same_photo(t, shown[0])]
    return tiles.region_of(masks, TILE)


def _region(triple: Triple, first: Triple, region: Box) -> Box:
    """The row's region, or one of its own where the triple turned or mirrored its photo."""
    return region if _same_photo(triple, first) else tiles.region_of([triple.target, triple.guide], TILE)


def _same_photo(a: Triple, b: Triple) -> bool:
    return np.array_equal(a.target, b.target) and np.array_equal(a.image, b.image)


def _source_cells(triple: Triple, region: Box) -> Iterator[_Cell]:
    H, W = triple.target.shape
    area = int(triple.target.sum())
    key = Line(fit(triple.sample_key, 13, TILE[1]), INK, strong=True)
    yield _Cell(tiles.picture_tile(triple.image, region, TILE), (key, Line(f"{W} x {H} px")))
    share = f"{area:,} px, {100 * area / (H * W):.2g} % of the photo"
    caption: tuple[Line, ...] = (Line("target", INK, strong=True), Line(share))
    if region != (0, 0, W, H):
        enlarged = tiles.zoom_of(region, TILE) / tiles.zoom_of((0, 0, W, H), TILE)
        caption += (Line(f"the framed part, enlarged x{enlarged:.1f}"),)
    yield _Cell(tiles.target_tile(triple.image, triple.target, region, TILE), caption)


def _triple_cell(triple: Triple, recipe: Recipe, region: Box, more: int) -> _Cell:
    phrases = recipe.describe(triple.parameters.tolist())
    if triple.redraws:
        phrases.append(f"{triple.redraws} redraw{'s' * (triple.redraws > 1)}")
    lines = [Line(line) for line in wrapped(phrases or ["the target as it is"], 12, TILE[1])]
    head = Line(f"IoU {triple.iou:.2f} · area x{triple.area_ratio:.2f}", INK, strong=True)
    return _Cell(tiles.difference_tile(triple, region, TILE), (head, *lines), triple.flags, more)


def _row_height(row: Mapping[int, _Cell]) -> int:
    lines = max((len(cell.caption) for cell in row.values()), default=0)
    return TILE[0] + 6 + lines * LINE + ROW_GAP


def _legend(rows: Sequence[Sequence[Triple]], width: int) -> tuple[list[tuple[int, int, Colour, bool, str]], int]:
    """Places of the legend's entries, broken into lines that fit, and their height."""
    entries = list(LEGEND)
    if any(triple.ignore is not None for row in rows for triple in row):
        entries.append(LEGEND_IGNORE)
    flags = {flag for row in rows for triple in row for flag in filter(None, triple.flags.split(","))}
    entries += [(tiles.FLAGGED, True, FLAG_WORDS.get(flag, flag)) for flag in sorted(flags)]
    placed, x, y = [], MARGIN, MARGIN + 30
    for colour, hollow, text in entries:
        needed = 24 + round(length(text, 13))
        if x > MARGIN and x + needed > width - MARGIN:
            x, y = MARGIN, y + 22
        placed.append((x, y, colour, hollow, text))
        x += needed + 22
    return placed, y - MARGIN - 30 + 20


def _draw_legend(draw: ImageDraw.ImageDraw, entries: Sequence[tuple[int, int, Colour, bool, str]]) -> None:
    for x, y, colour, hollow, text in entries:
        swatch = (x, y + 2, x + 16, y + 14)
        draw.rectangle(swatch, fill=(90, 90, 90) if hollow else colour, outline=(90, 90, 90))
        if hollow:
            draw.rectangle((x + 2, y + 4, x + 14, y + 12), outline=colour, width=2)
        write(draw, (x + 24, y), Line(text, INK), 13)


def _draw_headings(draw: ImageDraw.ImageDraw, groups: Sequence[_Group], top: int) -> None:
    _rule(draw, MARGIN, MARGIN + 2 * TILE[1] + GAP, top + 25)
    write(draw, (MARGIN, top), Line("photo and target", INK, strong=True), 15)
    for group in groups:
        left, right = group.lefts[0], group.lefts[-1] + TILE[1]
        _rule(draw, left, right, top + 25)
        name = fit(group.name, 15, right - left)
        write(draw, (left, top), Line(name, INK, strong=True), 15)
        after = left + round(length(name, 15)) + 10
        if after + length(group.heading, 12) <= right:
            write(draw, (after, top + 3), Line(group.heading), 12)


def _draw_cell(sheet: PillowImage.Image, draw: ImageDraw.ImageDraw, at: tuple[int, int], cell: _Cell) -> None:
    left, top = at
    sheet.paste(PillowImage.fromarray(cell.tile), at)
    if cell.flags:
        frame = (left, top, left + TILE[1] - 1, top + TILE[0] - 1)
        draw.rectangle(frame, outline=tiles.FLAGGED, width=4)
        _badge(draw, (left, top), cell.flags.replace(",", ", "), tiles.FLAGGED)
    if cell.more:
        text = f"+{cell.more} more"
        corner = (left + TILE[1] - round(length(text, 13)) - 14, top + TILE[0] - 22)
        _badge(draw, corner, text, INK)
    for k, line in enumerate(cell.caption):
        write(draw, (left, top + TILE[0] + 6 + k * LINE), line, 13 if line.strong else 12)


def _badge(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, ground: Colour) -> None:
    fitted = fit(text, 13, TILE[1] - 14)
    draw.rectangle((at[0], at[1], at[0] + round(length(fitted, 13)) + 13, at[1] + 21), fill=ground)
    write(draw, (at[0] + 7, at[1] + 3), Line(fitted, PAPER), 13)


def _rule(draw: ImageDraw.ImageDraw, left: int, right: int, y: int) -> None:
    draw.line((left, y, right - 1, y), fill=RULE, width=1)
