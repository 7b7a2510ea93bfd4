"""Clips to look at: frames across, a row a clip, a block of columns for every recipe; and the frames of a film of them.

Objects are drawn in the colours of their ids, rough masks as white outlines. The page is left to `clips_page`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from ..arrays import Image
from ..clips import Clip, ClipRecipe
from ..wording import counted
from . import tiles
from .overlay import drawn
from .sheet import GROUP_GAP, LINE, MARGIN, ROW_GAP, RULE
from .text import INK, PAPER, Line, fit, length, write

WIDEST = 2400  # pixels of a sheet, as far as tiles of `SMALLEST` allow it
LARGEST, SMALLEST = 160, 72  # side of a tile
MOST_FRAMES = 16  # of a clip on a sheet, spread over it
BETWEEN = 4  # pixels between two frames
VOID = 0.5  # share of its colour in what is seen of an ignore region
FILM_WIDEST, FILM_LARGEST = 1920, 480
HEAD, FOOT = 34, 30  # pixels above and below the clips of a film


@dataclass(frozen=True)
class ShownRow:
    """The clips of one still.

    Attributes:
        key: of the photo.
        clips: one by each recipe.
    """

    key: str
    clips: Sequence[Clip]


def words_about(clip: Clip) -> str:
    """What stands below a clip: how many objects, how often it was drawn anew."""
    redraws = f", drawn anew {clip.plan.redraws}x" if clip.plan.redraws else ""
    return (counted(len(clip.objects), "object") if clip.objects else "no object") + redraws


def about_recipe(recipe: ClipRecipe) -> str:
    """A recipe in a few words."""
    rough = f", rough masks: {recipe.rough.kind}" if recipe.rough is not None else ""
    return f"{counted(recipe.frames, 'frame')} of {recipe.size} px, {recipe.motion.kind}{rough}"


def clip_frame(clip: Clip, number: int, side: int) -> Image:
    """A frame with its objects.

    Args:
        clip: of this.
        number: of the frame, from 0.
        side: of the result in pixels.

    Returns:
        (side, side, 3) uint8 RGB.
    """
    picture = drawn(clip.frames[number], clip.labels[number], (side, side))
    if clip.ignored is not None:
        void = cv2.resize(clip.ignored[number], (side, side), interpolation=cv2.INTER_NEAREST) > 0
        picture[void] = ((1 - VOID) * picture[void] + VOID * np.array(tiles.IGNORE_COLOUR)).astype(np.uint8)
    for outline in rough_outlines(clip, number, side):
        cv2.drawContours(picture, outline, -1, tiles.ROUGH, 1, cv2.LINE_AA)
    return picture


def rough_outlines(clip: Clip, number: int, side: int) -> Iterator[Sequence[np.ndarray]]:
    """Outlines of the rough masks of a frame, as OpenCV has them; nothing where the recipe makes none."""
    if clip.guides is None:
        return
    for guide, numbers in zip(clip.guides[number], clip.plan.guides[number], strict=True):
        if not numbers:  # the true mask, which the rule leaves as it is in this frame
            continue
        small = cv2.resize(guide, (side, side), interpolation=cv2.INTER_NEAREST)
        yield cv2.findContours(small, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[0]


def clip_sheet(rows: Sequence[ShownRow], recipes: Sequence[ClipRecipe], title: str) -> Image:
    """Draw clips of several recipes side by side.

    Args:
        rows: a still each, at least one.
        recipes: in the order of their clips.
        title: stands above everything.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    shown = [_spread(recipe.frames) for recipe in recipes]
    side = _tile_side(sum(map(len, shown)))
    lefts, left = [], MARGIN
    for frames in shown:
        lefts.append(left)
        left += len(frames) * (side + BETWEEN) - BETWEEN + GROUP_GAP
    legend = _legend(rows)
    top, row = MARGIN + 34 + 24 * bool(legend) + 62, side + 6 + LINE + ROW_GAP
    needed = MARGIN + round(length(title, 20)) + 1 + MARGIN
    size = (max(left - GROUP_GAP + MARGIN, min(needed, 800)), top + len(rows) * row - ROW_GAP + MARGIN)
    sheet = PillowImage.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    write(draw, (MARGIN, MARGIN - 6), Line(fit(title, 20, size[0] - 2 * MARGIN), INK, strong=True), 20)
    _draw_legend(draw, legend, MARGIN + 30)
    for recipe, frames, left in zip(recipes, shown, lefts, strict=True):
        _draw_heading(draw, recipe, frames, (left, top - 62), side)
    for place, each in enumerate(rows):
        upper = top + place * row
        for clip, frames, left in zip(each.clips, shown, lefts, strict=True):
            width = len(frames) * (side + BETWEEN) - BETWEEN
            for column, number in enumerate(frames):
                tile = PillowImage.fromarray(clip_frame(clip, number, side))
                sheet.paste(tile, (left + column * (side + BETWEEN), upper))
            words = fit(f"{each.key} · {words_about(clip)}", 12, width)
            write(draw, (left, upper + side + 6), Line(words), 12)
    return np.asarray(sheet, np.uint8).copy()


def _spread(frames: int) -> list[int]:
    """Frames on a sheet, evenly over the clip."""
    return sorted({round(k) for k in np.linspace(0, frames - 1, min(frames, MOST_FRAMES)).tolist()})


def _tile_side(columns: int) -> int:
    return max(SMALLEST, min(LARGEST, (WIDEST - 2 * MARGIN) // columns - BETWEEN))


def _legend(rows: Sequence[ShownRow]) -> list[tuple[tiles.Colour, bool, str]]:
    clips = [clip for row in rows for clip in row.clips]
    legend = []
    if any(clip.guides is not None for clip in clips):
        legend.append((tiles.ROUGH, True, "rough mask"))
    if any(clip.ignored is not None for clip in clips):
        legend.append((tiles.IGNORE_COLOUR, False, "ignored: the source knows nothing"))
    return legend


def _draw_legend(draw: ImageDraw.ImageDraw, legend: Sequence[tuple[tiles.Colour, bool, str]], y: int) -> None:
    x = MARGIN
    for colour, hollow, text in legend:
        draw.rectangle((x, y + 2, x + 16, y + 14), fill=(90, 90, 90) if hollow else colour, outline=(90, 90, 90))
        if hollow:
            draw.rectangle((x + 2, y + 4, x + 14, y + 12), outline=colour, width=2)
        write(draw, (x + 24, y), Line(text, INK), 13)
        x += 46 + round(length(text, 13))


def _draw_heading(
    draw: ImageDraw.ImageDraw, recipe: ClipRecipe, frames: Sequence[int], at: tuple[int, int], side: int
) -> None:
    """Name of a recipe, a rule, and the numbers of its frames."""
    left, top = at
    width = len(frames) * (side + BETWEEN) - BETWEEN
    draw.line((left, top + 25, left + width - 1, top + 25), fill=RULE, width=1)
    name = fit(recipe.name, 15, width)
    write(draw, (left, top), Line(name, INK, strong=True), 15)
    after = left + round(length(name, 15)) + 10
    if after + length(about_recipe(recipe), 12) <= left + width:
        write(draw, (after, top + 3), Line(about_recipe(recipe)), 12)
    for column, number in enumerate(frames):
        write(draw, (left + column * (side + BETWEEN), top + 34), Line(str(number)), 12)


def film_size(recipes: Sequence[ClipRecipe]) -> tuple[int, int]:
    """(H, W) of the film of clips of some recipes, both even."""
    side = _film_side(recipes)
    return HEAD + side + FOOT, len(recipes) * (side + BETWEEN) - BETWEEN


def _film_side(recipes: Sequence[ClipRecipe]) -> int:
    most = (FILM_WIDEST + BETWEEN) // len(recipes) - BETWEEN
    return min(FILM_LARGEST, most, max(recipe.size for recipe in recipes)) // 2 * 2


def film_frames(row: ShownRow, recipes: Sequence[ClipRecipe]) -> Iterator[Image]:
    """The clips of one still as pictures of a film, side by side; a shorter clip begins again.

    Args:
        row: the clips.
        recipes: in their order.

    Returns:
        (H, W, 3) uint8 RGB each, of `film_size`.
    """
    (height, width), side = film_size(recipes), _film_side(recipes)
    ground = PillowImage.new("RGB", (width, height), INK)
    draw = ImageDraw.Draw(ground)
    for n, (recipe, clip) in enumerate(zip(recipes, row.clips, strict=True)):
        left = n * (side + BETWEEN) + 8
        write(draw, (left, 7), Line(fit(recipe.name, 16, side - 16), PAPER, strong=True), 16)
        words = fit(f"{row.key} · {words_about(clip)}", 13, side - 16)
        write(draw, (left, HEAD + side + 7), Line(words, PAPER), 13)
    empty = np.asarray(ground, np.uint8)
    for number in range(max(len(clip.frames) for clip in row.clips)):
        picture = empty.copy()
        for n, clip in enumerate(row.clips):
            left = n * (side + BETWEEN)
            picture[HEAD : HEAD + side, left : left + side] = clip_frame(clip, number % len(clip.frames), side)
        yield picture
