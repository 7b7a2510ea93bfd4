"""One HTML file that shows every triple: it needs no network, no server and no other file.

Photos are small WebP pictures, masks the run-length strings of shards, drawn in the page over the photo.
The page's own style and code lie beside this file; what they read is written here, one sample at a time,
so memory stays flat whatever the number of samples. The words for drawn numbers are left to `words`.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from typing import Any, TextIO

import cv2
import numpy as np

from ..arrays import Box, Image, Mask
from ..deformations import Recipe
from ..images import encode_jpeg, encode_rle, encode_webp, resize_mask, shrunk_size
from ..samples import Problem, Triple
from . import sheet, tiles, words

FRAME = (300, 400)  # the shape of the part of a photo that is shown, as in `tiles.region_of`
PICTURE_SIDE, MASK_SIDE, WHOLE_SIDE = 480, 640, 112
# WebP quality -> its bytes over those of a JPEG of quality 50 (median of 60 ECSSD photos); a JPEG takes a tenth of
# the time, so it tells which quality to try.
QUALITIES = {72: 1.17, 50: 0.91, 30: 0.70}
ALL_PICTURES = 28_000_000  # bytes of all pictures together, before base64 makes them a third larger
MOST_A_PICTURE, LEAST_A_PICTURE = 14_000, 2_000
MOST_PROBLEMS = 500
SCRIPTS = ("masks.js", "plots.js", "cards.js", "page.js")


@dataclass(frozen=True)
class PageSettings:
    """What a page says of itself, and how large its pictures may be.

    Attributes:
        title: stands above everything.
        picture_bytes: most bytes of one WebP picture.
        most: number of samples the page was cut at, where it was; 0 where it holds all.
    """

    title: str
    picture_bytes: int = MOST_A_PICTURE
    most: int = 0


@dataclass
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


def picture_bytes(pictures: int) -> int:
    """Most bytes of one picture, so that a page of so many stays under 60 MB; from 14 000 pictures on it grows."""
    return max(LEAST_A_PICTURE, min(MOST_A_PICTURE, ALL_PICTURES // max(1, pictures)))


def write_page(
    out: TextIO,
    rows: Iterable[tuple[Sequence[Triple], Mapping[str, int]]],
    recipes: Mapping[str, Recipe],
    settings: PageSettings,
    problems: Sequence[Problem] = (),
) -> PageCounts:
    """Write a page; a row is written before the next one is asked for.

    Args:
        out: a text file in UTF-8.
        rows: the triples of one sample that are shown, with recipe name -> number of its draws in all.
        recipes: recipe name -> Recipe.
        settings: title and picture size.
        problems: what is not shown and why; read after the last row.

    Returns:
        How many samples and triples are in the page.
    """
    counts = PageCounts()
    before, after = _template(settings.title)
    out.write(before)
    out.write(_json_script("header", _header(recipes, settings.title)))
    for triples, totals in rows:
        counts.samples += 1
        counts.shown += len(triples)
        counts.triples += sum(totals.values())
        counts.flagged += sum(bool(triple.flags) for triple in triples)
        for _, group in groupby(triples, key=lambda triple: triple.sample_key):
            out.writelines(_sample_scripts(list(group), recipes, settings.picture_bytes))
    out.write(_json_script("footer", _footer(counts, problems, settings.most)))
    out.write(after)
    return counts


def _template(title: str) -> tuple[str, str]:
    """The page before and after its data, with style and code in it and a policy that lets nothing else run."""
    folder = files(__package__)
    style = _colours() + folder.joinpath("page.css").read_text(encoding="utf-8")
    script = "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in SCRIPTS)
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:"
    page = folder.joinpath("page.html").read_text(encoding="utf-8")
    before, after = page.split("<!--data-->")
    for mark, text in (("<!--policy-->", policy), ("<!--title-->", html.escape(title)), ("<!--style-->", style)):
        before = before.replace(mark, text)
    return before, after.replace("<!--script-->", script)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _colours() -> str:
    """The sheet's colours as variables of the style."""
    named = {"added": tiles.ADDED, "lost": tiles.LOST, "target": tiles.TARGET, "rough": tiles.ROUGH,
             "flagged": tiles.FLAGGED, "void": tiles.VOID}  # fmt: skip
    return ":root{" + "".join(f"--{name}:rgb{colour};" for name, colour in named.items()) + "}\n"


def _header(recipes: Mapping[str, Recipe], title: str) -> dict[str, Any]:
    colours = {"added": tiles.ADDED, "lost": tiles.LOST, "target": tiles.TARGET, "rough": tiles.ROUGH,
               "void": tiles.VOID}  # fmt: skip
    return {
        "title": title,
        "recipes": {name: {"kind": r.kind, "parameters": list(r.parameter_names)} for name, r in recipes.items()},
        "colours": colours,
        "legend": [[colour, hollow, text] for colour, hollow, text in sheet.LEGEND],
        "legend_void": list(sheet.LEGEND_VOID),
        "flags": sheet.FLAG_WORDS,
        "flag_colour": tiles.FLAGGED,
    }


def _footer(counts: PageCounts, problems: Sequence[Problem], most: int) -> dict[str, Any]:
    told = [[problem.key, problem.detail] for problem in problems[:MOST_PROBLEMS]]
    return {"triples": counts.triples, "problems": told, "problem_count": len(problems),
            "cut": 0 < most <= counts.samples}  # fmt: skip


def _sample_scripts(triples: Sequence[Triple], recipes: Mapping[str, Recipe], most: int) -> Iterator[str]:
    """Two inert blocks: the numbers and masks of one photo's triples, then its pictures, read only when looked at."""
    first = triples[0]
    H, W = first.target.shape
    region = tiles.region_of([first.target, *(triple.deformed for triple in triples)], FRAME)
    framed = region != (0, 0, W, H)
    yield _json_script("", _sample(triples, recipes, region), 'class="sample" ')
    pictures = [_picture(_cut(first.image, region), PICTURE_SIDE, most)]
    if framed:
        pictures.append(_picture(first.image, WHOLE_SIDE, LEAST_A_PICTURE))
    encoded = ",".join(base64.b64encode(picture).decode() for picture in pictures)
    yield f'<script type="text/plain">{encoded}</script>\n'


def _sample(triples: Sequence[Triple], recipes: Mapping[str, Recipe], region: Box) -> dict[str, Any]:
    first = triples[0]
    x0, y0, x1, y1 = region
    size = shrunk_size((y1 - y0, x1 - x0), MASK_SIDE)

    def code(mask: Mask) -> str:
        return encode_rle(resize_mask(_cut(mask, region), size)).decode("ascii")

    return {
        "key": first.sample_key,
        "source": first.key.partition("/")[0],
        "object": first.object_id,
        "photo": list(first.target.shape),
        "region": list(region),
        "size": list(size),
        "area": int(np.count_nonzero(first.target)),
        "target": code(first.target),
        "void": None if first.ignore is None else code(first.ignore),
        "draws": [_draw(triple, recipes[triple.recipe], code(triple.deformed)) for triple in triples],
    }


def _draw(triple: Triple, recipe: Recipe, rough: str) -> dict[str, Any]:
    numbers = triple.parameters.tolist()
    return {
        "recipe": triple.recipe,
        "kind": triple.kind,
        "variant": triple.variant,
        "iou": round(triple.iou, 6),
        "area": round(triple.area_ratio, 6),
        "redraws": triple.redraws,
        "flags": [flag for flag in triple.flags.split(",") if flag],
        "words": words.describe(recipe.parameter_names, numbers),
        "numbers": [None if math.isnan(number) else number for number in numbers],
        "rough": rough,
    }


def _cut(array: Image | Mask, region: Box) -> Image:
    x0, y0, x1, y1 = region
    return np.ascontiguousarray(array[y0:y1, x0:x1])


def _picture(image: Image, longest: int, most: int) -> bytes:
    """WebP bytes of a photo, never enlarged: first coarser, then smaller, until they are few enough."""
    while True:
        size = shrunk_size((image.shape[0], image.shape[1]), longest)
        if size != image.shape[:2]:
            image = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA).astype(np.uint8)
        guess = len(encode_jpeg(image, 50))
        for quality, share in QUALITIES.items():
            if guess * share <= 1.1 * most or longest <= WHOLE_SIDE:
                encoded = encode_webp(image, quality)
                if len(encoded) <= most or longest <= WHOLE_SIDE:
                    return encoded
        longest = max(WHOLE_SIDE, int(max(image.shape[:2]) * 0.8))


def _json_script(name: str, value: Any, attributes: str = "") -> str:
    """A block of data that the browser neither runs nor shows, and that no text in it can close."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    named = f'id="{name}" ' if name else ""
    return f'<script {named}{attributes}type="application/json">{text}</script>\n'
