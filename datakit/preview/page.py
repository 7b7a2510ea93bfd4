"""The HTML page of guide masks, with every triple in it.

Photos are small WebP pictures, masks the run-length strings of shards, drawn in the page over the photo.
The page's own style and code lie beside this file; what they read is written here, one sample at a time,
so memory stays flat whatever the number of samples. The captions of drawn parameters are left to the recipe.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TextIO

import numpy as np

from ..arrays import Box, Image, Mask, area
from ..errors import Problem
from ..keys import source_of
from ..resize import resize_mask, shrunk_size
from ..rle import encode_rle
from ..samples import TRIPLE_COLUMNS, Triple
from ..transforms import Recipe
from . import sheet, tiles
from .document import (
    COLOURS,
    LEAST_A_PICTURE,
    LEAST_SIDE,
    MOST_A_PICTURE,
    data_block,
    picture_block,
    small_picture,
    template,
)

FRAME = (300, 400)  # the shape of the part of a photo that is shown, as in `tiles.region_of`
PICTURE_SIDE, MASK_SIDE = 480, 640
MOST_PROBLEMS = 500
# Of a triple's columns those that the page's code reads by name: all but the sample's, and what is written otherwise.
DRAW_COLUMNS = tuple(column.attribute for column in TRIPLE_COLUMNS if column.attribute and not column.shape
                     and column.name not in ("key", "object_id", "flags"))  # fmt: skip
SCRIPTS = ("basics.js", "masks.js", "dialog.js", "stage.js", "plots.js", "cards.js", "page.js")


@dataclass(frozen=True)
class PageSettings:
    """What a page says of itself.

    Attributes:
        title: stands above everything.
        most: number of samples the page was cut at, where it was; 0 where it holds all.
    """

    title: str
    most: int = 0


@dataclass(frozen=True)
class PageCounts:
    """What was written.

    Attributes:
        samples: number of rows.
        shown: triples in the page.
        triples: these samples have in all.
        flagged: triples with a remark among those shown.
    """

    samples: int = 0
    shown: int = 0
    triples: int = 0
    flagged: int = 0

    def __add__(self, other: PageCounts) -> PageCounts:
        """The counts of both together."""
        return PageCounts(
            self.samples + other.samples,
            self.shown + other.shown,
            self.triples + other.triples,
            self.flagged + other.flagged,
        )


@dataclass(frozen=True)
class DrawnSample:
    """What a page holds of one sample, ready to be written.

    Attributes:
        text: HTML blocks, with all pictures in them.
        counts: of this sample alone.
    """

    text: str
    counts: PageCounts


def draw_sample(
    triples: Sequence[Triple],
    totals: Mapping[str, int],
    recipes: Mapping[str, Recipe],
    picture_bytes: int = MOST_A_PICTURE,
) -> DrawnSample:
    """Draw one sample for a page: most of a page's work, and independent of all other samples.

    Args:
        triples: of the sample, those that are shown.
        totals: recipe name -> number of the sample's draws in all.
        recipes: recipe name -> Recipe.
        picture_bytes: most bytes of one WebP picture.
    """
    flagged = sum(bool(triple.flags) for triple in triples)
    blocks: list[str] = []
    for _, group in groupby(triples, key=lambda triple: triple.sample_key):
        blocks += _sample_scripts(list(group), recipes, picture_bytes)
    return DrawnSample("".join(blocks), PageCounts(1, len(triples), sum(totals.values()), flagged))


def write_page(
    out: TextIO,
    samples: Iterable[DrawnSample],
    recipes: Mapping[str, Recipe],
    settings: PageSettings,
    problems: Sequence[Problem] = (),
) -> PageCounts:
    """Write a page; a sample is written before the next one is asked for.

    Args:
        out: a text file in UTF-8.
        samples: as `draw_sample` makes them, in this process or another.
        recipes: recipe name -> Recipe.
        settings: title, and the number of samples the page was cut at.
        problems: what is not shown and why; read after the last sample.

    Returns:
        How many samples and triples are in the page.
    """
    counts = PageCounts()
    before, after = template("page.html", settings.title, ("page.css",), SCRIPTS)
    out.write(before)
    out.write(data_block("header", _header(recipes, settings.title)))
    for sample in samples:
        out.write(sample.text)
        counts = counts + sample.counts
    out.write(data_block("footer", _footer(counts, problems, settings.most)))
    out.write(after)
    return counts


def _header(recipes: Mapping[str, Recipe], title: str) -> dict[str, Any]:
    return {
        "title": title,
        "recipes": {name: {"kind": r.kind, "parameters": list(r.parameter_names)} for name, r in recipes.items()},
        "colours": COLOURS,
        "legend": [[colour, hollow, text] for colour, hollow, text in sheet.LEGEND],
        "legend_void": list(sheet.LEGEND_IGNORE),
        "flags": sheet.FLAG_WORDS,
        "flag_colour": COLOURS["flagged"],
    }


def _footer(counts: PageCounts, problems: Sequence[Problem], most: int) -> dict[str, Any]:
    listed = [[problem.key, problem.detail] for problem in problems[:MOST_PROBLEMS]]
    return {"triples": counts.triples, "problems": listed, "problem_count": len(problems),
            "cut": 0 < most <= counts.samples}  # fmt: skip


def _sample_scripts(triples: Sequence[Triple], recipes: Mapping[str, Recipe], most: int) -> Iterator[str]:
    """Two inert blocks: the numbers and masks of one photo's triples, then its pictures, read only when looked at."""
    first = triples[0]
    H, W = first.target.shape
    region = tiles.region_of([first.target, *(triple.guide for triple in triples)], FRAME)
    framed = region != (0, 0, W, H)
    yield data_block("", _sample(triples, recipes, region), 'class="sample" ')
    pictures = [small_picture(_cut(first.image, region), PICTURE_SIDE, most)]
    if framed:
        pictures.append(small_picture(first.image, LEAST_SIDE, LEAST_A_PICTURE))
    yield picture_block(pictures)


def _sample(triples: Sequence[Triple], recipes: Mapping[str, Recipe], region: Box) -> dict[str, Any]:
    first = triples[0]
    x0, y0, x1, y1 = region
    size = shrunk_size((y1 - y0, x1 - x0), MASK_SIDE)

    def code(mask: Mask) -> str:
        return encode_rle(resize_mask(_cut(mask, region), size)).decode("ascii")

    return {
        "key": first.sample_key,
        "source": source_of(first.key),
        "object": first.object_id,
        "photo": list(first.target.shape),
        "region": list(region),
        "size": list(size),
        "area": area(first.target),
        "target": code(first.target),
        "void": None if first.ignore is None else code(first.ignore),
        "draws": [_draw(triple, recipes[triple.recipe], code(triple.guide)) for triple in triples],
    }


def _draw(triple: Triple, recipe: Recipe, guide: str) -> dict[str, Any]:
    numbers = triple.parameters.tolist()
    columns = {name: getattr(triple, name) for name in DRAW_COLUMNS}
    return {
        **{name: round(value, 6) if isinstance(value, float) else value for name, value in columns.items()},
        "flags": [flag for flag in triple.flags.split(",") if flag],
        "words": recipe.describe(numbers),
        "numbers": [None if math.isnan(number) else number for number in numbers],
        "rough": guide,
    }


def _cut(array: Image | Mask, region: Box) -> Image:
    x0, y0, x1, y1 = region
    return np.ascontiguousarray(array[y0:y1, x0:x1])
