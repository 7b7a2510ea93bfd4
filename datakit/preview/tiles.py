"""Tiles of a contact sheet: a crop of a photo at tile size, with masks drawn on it.

In a difference tile the photo is grey, so that colour means one thing only: added or lost.
Where the tiles go and what stands below them is left to `sheet`.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from ..arrays import Box, Image, Mask, bounding_box
from ..samples import Triple

Colour = tuple[int, int, int]
Size = tuple[int, int]

# Okabe and Ito's palette, told apart with every common kind of colour blindness.
ADDED: Colour = (230, 120, 0)
LOST: Colour = (60, 165, 235)
TARGET: Colour = (240, 228, 66)
ROUGH: Colour = (255, 255, 255)
FLAGGED: Colour = (185, 60, 140)
IGNORE_COLOUR: Colour = (150, 130, 190)
EMPTY: Colour = (243, 243, 243)

MAX_ZOOM = 6
MARGIN_AROUND = 0.16
WORTH_FRAMING = 1.25


def region_of(masks: Iterable[Mask], tile: Size) -> Box:
    """The part of a photo that shows all of `masks` with a margin, in the shape of a tile.

    Args:
        masks: (H, W) uint8, 0 or 1, of one photo, at least one.
        tile: (H, W) of the tile; the region is no smaller than a tile enlarged by `MAX_ZOOM`.

    Returns:
        (x0, y0, x1, y1), half-open and inside the photo; the whole photo where less would hardly be larger.
    """
    together = np.bitwise_or.reduce(list(masks))
    H, W = together.shape
    box = bounding_box(together)
    if box is None:
        return (0, 0, W, H)
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0) * MARGIN_AROUND
    height = max(y1 - y0 + 2 * side, (x1 - x0 + 2 * side) * tile[0] / tile[1], tile[0] / MAX_ZOOM)
    width, height = min(height * tile[1] / tile[0], W), min(height, H)
    if min(tile[0] / height, tile[1] / width) < WORTH_FRAMING * min(tile[0] / H, tile[1] / W):
        return (0, 0, W, H)
    left = round(float(np.clip((x0 + x1 - width) / 2, 0, W - width)))
    top = round(float(np.clip((y0 + y1 - height) / 2, 0, H - height)))
    return (left, top, min(left + round(width), W), min(top + round(height), H))


def zoom_of(region: Box, tile: Size) -> float:
    """Tile pixels for each pixel of the photo."""
    x0, y0, x1, y1 = region
    return min(tile[1] / (x1 - x0), tile[0] / (y1 - y0))


def picture_tile(image: Image, region: Box | None, tile: Size) -> Image:
    """The whole photo at tile size, with a thin frame around `region` where one is given."""
    H, W = image.shape[:2]
    whole = (0, 0, W, H)
    view = _View(whole, tile)
    picture = view.scale(image)
    if region not in (None, whole):
        x0, y0, x1, y1 = (round(v * view.zoom) for v in region or whole)
        for colour, inset in (((0, 0, 0), 0), ((255, 255, 255), 1), ((0, 0, 0), 2)):
            cv2.rectangle(picture, (x0 + inset, y0 + inset), (x1 - 1 - inset, y1 - 1 - inset), colour, 1)
    return view.letterbox(picture)


def target_tile(image: Image, target: Mask, region: Box, tile: Size) -> Image:
    """A region of the photo with the target's contour."""
    view = _View(region, tile)
    return view.letterbox(_outline(view.scale(image), view.scale_mask(target), TARGET))


def difference_tile(triple: Triple, region: Box, tile: Size) -> Image:
    """A region of the grey photo: bright where the guide mask and target agree, coloured where they differ."""
    view = _View(region, tile)
    photo, guide, target = view.scale(triple.image), view.scale_mask(triple.guide), view.scale_mask(triple.target)
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    picture = np.repeat(grey * 0.42 + 12, 3, axis=2)
    kept = (guide & target) > 0
    picture[kept] = grey[kept] * 0.55 + 110
    for where, colour in ((guide > target, ADDED), (target > guide, LOST)):
        picture[where] = 0.82 * np.array(colour, np.float32) + 0.18 * grey[where]
    if triple.ignore is not None:
        ignored = view.scale_mask(triple.ignore) > 0
        picture[ignored] = 0.5 * picture[ignored] + 0.5 * np.array(IGNORE_COLOUR, np.float32)
    return view.letterbox(_outline(np.clip(picture, 0, 255).astype(np.uint8), guide, ROUGH))


class _View:
    """How a region of a photo becomes a tile: cut, scale, centre on an empty tile."""

    def __init__(self, region: Box, tile: Size):
        x0, y0, x1, y1 = region
        self.cut = np.s_[y0:y1, x0:x1]
        self.tile = tile
        self.zoom = zoom_of(region, tile)
        self.size = (max(1, round((x1 - x0) * self.zoom)), max(1, round((y1 - y0) * self.zoom)))

    def scale(self, image: Image) -> Image:
        """The region of a photo, smoothly scaled."""
        way = cv2.INTER_AREA if self.zoom < 1 else cv2.INTER_CUBIC
        return cv2.resize(np.ascontiguousarray(image[self.cut]), self.size, interpolation=way).astype(np.uint8)

    def scale_mask(self, mask: Mask) -> Mask:
        """The region of a mask: by majority when it shrinks, pixel by pixel when it grows."""
        part = np.ascontiguousarray(mask[self.cut])
        if self.zoom >= 1:
            return cv2.resize(part, self.size, interpolation=cv2.INTER_NEAREST).astype(np.uint8)
        share = cv2.resize(part.astype(np.float32), self.size, interpolation=cv2.INTER_AREA)
        return (share >= 0.5).astype(np.uint8)

    def letterbox(self, picture: Image) -> Image:
        """The scaled region in the middle of an empty tile."""
        H, W = self.tile
        tile: Image = np.full((H, W, 3), EMPTY, np.uint8)
        top, left = (H - picture.shape[0]) // 2, (W - picture.shape[1]) // 2
        tile[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        return tile


def _outline(picture: Image, mask: Mask, colour: Colour) -> Image:
    """Draw a mask's contours just inside it, with a dark halo so that they show on any ground."""
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    halo = cv2.drawContours(picture.copy(), contours, -1, (0, 0, 0), 3, cv2.LINE_AA)
    dimmed = cv2.addWeighted(halo, 0.55, picture, 0.45, 0)
    return cv2.drawContours(dimmed, contours, -1, colour, 1, cv2.LINE_AA).astype(np.uint8)
