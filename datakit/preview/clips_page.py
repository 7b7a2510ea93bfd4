"""The HTML page of clips: every clip plays, recipes in columns on the same stills, masks on or off.

The frames of a clip are one picture, its masks another that lies over it: two pictures a clip to decode, and any frame
is a part of them. Written one still at a time, so memory stays flat.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

import cv2
import numpy as np

from ..arrays import Image
from ..clips import Clip, ClipRecipe
from ..images import encode_webp
from ..video.palette import bright_colours
from . import tiles
from .clips import ShownRow, about_recipe, rough_outlines, words_about
from .document import COLOURS, MOST_A_PICTURE, QUALITIES, data_block, picture_block, template
from .overlay import VEIL

SIDE = 320  # most pixels of a frame's side
LOSSLESS = 101  # what OpenCV calls WebP without loss, which keeps transparency
SCRIPTS = ("basics.js", "clips.js")


def write_clips_page(out: TextIO, title: str, recipes: Sequence[ClipRecipe], rows: Iterable[ShownRow]) -> None:
    """Write a page; a still is written before the next one is asked for.

    Args:
        out: a text file in UTF-8.
        title: stands above everything.
        recipes: in the order of their clips.
        rows: a still each.
    """
    before, after = template("clips.html", title, ("page.css", "clips.css"), SCRIPTS)
    out.write(before)
    named = [{"name": recipe.name, "about": about_recipe(recipe)} for recipe in recipes]
    out.write(data_block("header", {"recipes": named, "colours": COLOURS}))
    for row in rows:
        out.write(data_block("", {"key": row.key, "clips": [_clip(clip) for clip in row.clips]}, 'class="still" '))
        out.write(picture_block([picture for clip in row.clips for picture in _pictures(clip)]))
    out.write(after)


def _clip(clip: Clip) -> dict[str, Any]:
    return {
        "frames": len(clip.frames),
        "side": _side(clip),
        "columns": _columns(clip),
        "about": words_about(clip),
        "rough": clip.guides is not None,
        "void": clip.ignored is not None,
    }


def _side(clip: Clip) -> int:
    return min(SIDE, clip.plan.size)


def _columns(clip: Clip) -> int:
    return math.ceil(math.sqrt(len(clip.frames)))


def _pictures(clip: Clip) -> tuple[bytes, bytes]:
    """All frames as one picture, and all that is drawn over them as another."""
    side = _side(clip)
    frames = [cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA) for frame in clip.frames]
    veils = [_veil(clip, number, side) for number in range(len(clip.frames))]
    return _encoded(_joined(frames, _columns(clip)), len(frames)), _lossless(_joined(veils, _columns(clip)))


def _encoded(picture: Image, frames: int) -> bytes:
    """WebP, coarser until a frame takes no more bytes than a photo of other pages."""
    for quality in QUALITIES:
        encoded = encode_webp(picture, quality)
        if len(encoded) <= MOST_A_PICTURE * frames:
            break
    return encoded


def _lossless(picture: Image) -> bytes:
    """WebP of an (H, W, 4) uint8 RGBA picture."""
    worked, data = cv2.imencode(
        ".webp", cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA), [cv2.IMWRITE_WEBP_QUALITY, LOSSLESS]
    )
    assert worked
    return data.tobytes()


def _joined(frames: Sequence[np.ndarray], columns: int) -> Image:
    """Frames in rows of so many, the last one filled up with nothing."""
    lacking = -len(frames) % columns
    cells = [*frames, *(np.zeros_like(frames[0]) for _ in range(lacking))]
    rows = [np.concatenate(cells[start : start + columns], axis=1) for start in range(0, len(cells), columns)]
    joined: Image = np.concatenate(rows, axis=0)
    return joined


def _veil(clip: Clip, number: int, side: int) -> Image:
    """(side, side, 4) uint8 RGBA: what is drawn over a frame."""
    labels = cv2.resize(clip.labels[number], (side, side), interpolation=cv2.INTER_NEAREST)
    colours = bright_colours()
    veil = np.zeros((side, side, 4), np.uint8)
    veil[..., :3] = colours[labels]
    veil[..., 3] = (labels > 0) * np.uint8(round(255 * VEIL))
    if clip.ignored is not None:
        void = cv2.resize(clip.ignored[number], (side, side), interpolation=cv2.INTER_NEAREST) > 0
        veil[void] = (*tiles.IGNORE_COLOUR, 128)
    for each in np.unique(labels[labels > 0]).tolist():
        outline = cv2.findContours((labels == each).view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[0]
        cv2.drawContours(veil, outline, -1, (*colours[each].tolist(), 255), 1)
    for rough in rough_outlines(clip, number, side):
        cv2.drawContours(veil, rough, -1, (*tiles.ROUGH, 255), 1)
    return veil
