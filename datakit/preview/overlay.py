"""Draws objects on a frame: coloured overlay, contour, frame number; and a sheet of frames of one video.

Colours are those of the ids in the palette. Making a video of the pictures is left to `VideoWriter`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from ..arrays import Image, Labels
from ..video.palette import bright_colours
from .sheet import GAP, LINE, MARGIN, TILE
from .text import INK, PAPER, Line, fit, length, write

LONGEST = 640  # pixels of the longer side: enough to judge a contour by, half of the cost of 854
VEIL = 0.36  # share of an object's colour in what is seen of it
HALO_FROM = 400  # pixels of width, below which a dark rim would hide more than it sets off
TEXT = 16
COLUMNS = 4
SHOWN = 16  # frames on a sheet


def shown_size(size: tuple[int, int]) -> tuple[int, int]:
    """(H, W) that a frame of this size is shown at; even, as video wants it."""
    scale = min(1.0, LONGEST / max(size))
    return max(2, round(size[0] * scale / 2) * 2), max(2, round(size[1] * scale / 2) * 2)


def overlay(image: Image, labels: Labels, caption: str) -> Image:
    """Draw the objects of a frame on it.

    Args:
        image: (H, W, 3) uint8 RGB.
        labels: (H, W) uint8 object ids.
        caption: short text for the upper left corner.

    Returns:
        Of `shown_size`, uint8 RGB.
    """
    H, W = shown_size((labels.shape[0], labels.shape[1]))
    picture = drawn(image, labels, (H, W))
    _caption(picture, caption)
    return picture


def drawn(image: Image, labels: Labels, size: tuple[int, int]) -> Image:
    """A frame at another size, (H, W), with its objects and without a word."""
    H, W = size
    way = cv2.INTER_LINEAR if image.shape[1] <= 2 * W else cv2.INTER_AREA  # as sharp down to a half, and a fifth of it
    picture = cv2.resize(image, (W, H), interpolation=way)
    small = cv2.resize(labels, (W, H), interpolation=cv2.INTER_NEAREST)
    numbers = np.flatnonzero(cv2.calcHist([small], [0], None, [256], [0, 256])[1:]) + 1
    if numbers.size:
        colours = bright_colours()
        veil = cv2.LUT(cv2.merge([small] * 3), colours[None])
        cv2.copyTo(cv2.addWeighted(picture, 1 - VEIL, veil, VEIL, 0), small, picture)
        for number in numbers:
            contours, _ = cv2.findContours((small == number).view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
            colour = [int(channel) for channel in colours[number]]
            if W >= HALO_FROM:
                cv2.drawContours(picture, contours, -1, [channel // 3 for channel in colour], 3, cv2.LINE_AA)
            cv2.drawContours(picture, contours, -1, colour, 1, cv2.LINE_AA)
    return picture.astype(np.uint8, copy=False)


def _caption(picture: Image, text: str) -> None:
    """Write white on a darkened patch of the corner, in place."""
    width, height = round(length(text, TEXT)) + 14, TEXT + 9
    patch = picture[:height, :width]
    label = PillowImage.fromarray((patch * 0.35).astype(np.uint8))
    write(ImageDraw.Draw(label), (7, 2), Line(text, PAPER), TEXT)
    patch[:] = np.asarray(label)


def chosen_frames(count: int, marked: Sequence[int] = ()) -> list[int]:
    """Frames for a sheet: first and last, those `marked` as far as there is room, and others evenly between."""
    if count <= SHOWN:
        return list(range(count))
    marks = sorted(set(marked))
    marks = [marks[round(k)] for k in np.linspace(0, len(marks) - 1, min(len(marks), SHOWN // 3))] if marks else []
    chosen = {0, count - 1, *marks}
    for k in np.linspace(0, count - 1, SHOWN).round().astype(int):
        if len(chosen) < SHOWN:
            chosen.add(int(k))
    return sorted(chosen)


def video_sheet(pictures: Sequence[tuple[Image, Labels, str]], title: str) -> Image:
    """Frames of a video with their objects, as a sheet.

    Args:
        pictures: frame, labels and what stands below each, at least one.
        title: stands above everything.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    first = pictures[0][1].shape
    width = TILE[1]
    height = max(2, round(width * first[0] / first[1]))
    columns = min(COLUMNS, len(pictures))
    row, top = height + 6 + LINE + GAP, MARGIN + 34
    size = (2 * MARGIN + columns * (width + GAP) - GAP, top + math.ceil(len(pictures) / columns) * row + MARGIN - GAP)
    sheet = PillowImage.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    write(draw, (MARGIN, MARGIN - 6), Line(fit(title, 20, size[0] - 2 * MARGIN), INK, strong=True), 20)
    for place, (image, labels, words) in enumerate(pictures):
        left, upper = MARGIN + place % columns * (width + GAP), top + place // columns * row
        sheet.paste(PillowImage.fromarray(drawn(image, labels, (height, width))), (left, upper))
        write(draw, (left, upper + height + 6), Line(fit(words, 12, width)), 12)
    return np.asarray(sheet, np.uint8).copy()
